//! What a message carried, in the words of the format: a response's `content`, a request's `postData`.

use std::borrow::Cow;

use serde::Serialize;

use crate::http::{Body, Headers, Request, Response};
use crate::read::output::decoded::decoded;
use crate::read::output::wire::{Base64, Text};
use crate::read::record::SeenBody;

/// Of a response the content, without its content codings unless `comment` says otherwise. Of a request what was
/// posted, as it was sent: the format has no place to say more.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Bytes that the content codings saved; below zero if they cost some.
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<i64>,
    mime_type: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Kept<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<Cow<'a, str>>,
    /// Why it is not decoded though it is whole.
    #[serde(skip)]
    pub(super) problem: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Kept<'a> {
    Text(Cow<'a, str>),
    Base64(Base64<Cow<'a, [u8]>>),
}

impl<'a> Content<'a> {
    /// What a request carried, as it was sent.
    pub(super) fn posted(request: &'a Request) -> Content<'a> {
        Content { size: None, params: None, ..Content::sent(&request.headers, &request.body) }
    }

    /// A response's content without its codings, as far as they could be taken off.
    pub(super) fn answered(response: &'a Response) -> Content<'a> {
        let (headers, body) = (&response.headers, &response.body);
        let sent = Content::sent(headers, body);
        match decoded(SeenBody { body, whole: response.whole }, headers) {
            None => sent,
            Some(Ok(content)) => Content {
                size: Some(content.len() as u64),
                compression: (content.len() as u64).checked_signed_diff(body.len),
                ..sent.with_text(Cow::Owned(content))
            },
            Some(Err(problem)) => Content {
                problem: Some(problem),
                comment: Some(format!("{problem}: size and text are as sent").into()),
                ..sent
            },
        }
    }

    /// The content of a response that was not seen.
    pub(super) fn missing() -> Content<'a> {
        Content { size: Some(0), ..Content::none() }
    }

    fn sent(headers: &'a Headers, body: &'a Body) -> Content<'a> {
        let kept = body.kept.as_ref();
        let is_cut = (kept.len() as u64) < body.len;
        Content {
            size: Some(body.len),
            mime_type: Text(headers.get("content-type").map_or(b"x-unknown", |kind| kind)),
            comment: is_cut.then_some("text holds only the first bytes".into()),
            ..Content::none()
        }
        .with_text(Cow::Borrowed(kept))
    }

    fn none() -> Content<'a> {
        Content {
            size: None,
            compression: None,
            mime_type: Text(b"x-unknown"),
            params: None,
            text: None,
            encoding: None,
            comment: None,
            problem: None,
        }
    }

    fn with_text(self, bytes: Cow<'a, [u8]>) -> Content<'a> {
        if bytes.is_empty() {
            return Content { text: None, encoding: None, ..self };
        }
        let (text, encoding) = match text(bytes) {
            Ok(text) => (Kept::Text(text), None),
            Err(bytes) => (Kept::Base64(Base64(bytes)), Some("base64")),
        };
        Content { text: Some(text), encoding, ..self }
    }
}

/// The bytes as text, or themselves if they are none.
fn text(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Cow<'_, [u8]>> {
    match bytes {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Cow::Borrowed(bytes)),
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|other| Cow::Owned(other.into_bytes()))
        }
    }
}
