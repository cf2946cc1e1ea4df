//! An entry of a HAR file, in the words of the format (HAR 1.2).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::content::Content;
use super::url::{Url, query};
use crate::http::{Body, Headers, Request, Response};
use crate::read::output::wire::{Displayed, Millis, Problems, Text};
use crate::read::record::Record;

/// What the format calls an entry. Names that begin with an underscore are ours, as the format allows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    started_date_time: Millis,
    time: f64,
    request: Asked<'a>,
    response: Answered<'a>,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "serverIPAddress")]
    server_ip_address: Displayed<IpAddr>,
    connection: Displayed<u64>,
    #[serde(rename = "_client")]
    client: Displayed<SocketAddr>,
    #[serde(rename = "_end")]
    end: &'a str,
    #[serde(rename = "_problems")]
    problems: Problems<'a, 1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    method: &'a str,
    url: Displayed<Url<'a>>,
    http_version: &'a str,
    cookies: [(); 0],
    headers: Lines<'a>,
    query_string: Query<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<Content<'a>>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    status: u16,
    status_text: &'a str,
    http_version: &'a str,
    cookies: [(); 0],
    headers: Lines<'a>,
    content: Content<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: Text<'a>,
    headers_size: i64,
    body_size: i64,
}

/// In milliseconds; -1 does not apply. What is not known is 0, because the format allows no other value.
#[derive(Serialize)]
struct Timings {
    blocked: i8,
    dns: i8,
    connect: i8,
    ssl: i8,
    send: f64,
    wait: f64,
    receive: f64,
}

#[derive(Serialize)]
struct NameValue<'a> {
    name: Text<'a>,
    value: Text<'a>,
}

#[derive(Serialize)]
struct Empty {}

/// Field lines; none where there is no message.
struct Lines<'a>(Option<&'a Headers>);

struct Query<'a>(&'a [u8]);

impl<'a> Entry<'a> {
    /// The entry of an exchange; none without a request.
    pub(super) fn new(record: &'a Record<'a>) -> Option<Entry<'a>> {
        let request = record.request?;
        let timings = Timings::new(record, request);
        let response = record.response.map_or_else(Answered::none, Answered::new);
        Some(Entry {
            started_date_time: Millis(request.started),
            time: timings.send + timings.wait + timings.receive,
            request: Asked::new(record, request),
            problems: Problems { exchange: record.problems, bodies: [response.content.problem] },
            response,
            cache: Empty {},
            timings,
            server_ip_address: Displayed(record.server.ip()),
            connection: Displayed(record.connection),
            client: Displayed(record.client),
            end: record.end,
            comment: (!record.is_complete()).then_some("something of this exchange was not seen: see _end"),
        })
    }
}

impl<'a> Asked<'a> {
    fn new(record: &'a Record<'a>, request: &'a Request) -> Asked<'a> {
        let has_body = request.body.len > 0;
        Asked {
            method: request.method.as_str(),
            url: Displayed(Url { record, request }),
            http_version: request.version.as_str(),
            cookies: [],
            headers: Lines(Some(&request.headers)),
            query_string: Query(&request.target),
            post_data: has_body.then(|| Content::posted(request)),
            headers_size: -1,
            body_size: size(&request.body, request.whole),
        }
    }
}

impl<'a> Answered<'a> {
    fn new(response: &'a Response) -> Answered<'a> {
        Answered {
            status: response.status,
            status_text: "",
            http_version: response.version.as_str(),
            cookies: [],
            headers: Lines(Some(&response.headers)),
            content: Content::answered(response),
            redirect_url: Text(response.headers.get("location").map_or(b"", |location| location)),
            headers_size: -1,
            body_size: size(&response.body, response.whole),
        }
    }

    /// What browsers write for a request that failed.
    fn none() -> Answered<'a> {
        Answered {
            status: 0,
            status_text: "",
            http_version: "",
            cookies: [],
            headers: Lines(None),
            content: Content::missing(),
            redirect_url: Text(b""),
            headers_size: -1,
            body_size: -1,
        }
    }
}

impl Timings {
    fn new(record: &Record<'_>, request: &Request) -> Timings {
        let millis = |time: Duration| time.as_nanos() as f64 / 1e6;
        let receive = record.response.filter(|response| response.whole);
        Timings {
            blocked: -1,
            dns: -1,
            connect: -1,
            ssl: -1,
            send: if request.whole { millis(request.finished.since(request.started)) } else { 0.0 },
            wait: record.ttfb().map_or(0.0, millis),
            receive: receive.map_or(0.0, |response| millis(response.finished.since(response.started))),
        }
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let lines = self.0.into_iter().flat_map(Headers::iter);
        to.collect_seq(lines.map(|(name, value)| NameValue { name: Text(name), value: Text(value) }))
    }
}

impl Serialize for Query<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(query(self.0).map(|(name, value)| NameValue { name: Text(name), value: Text(value) }))
    }
}

/// The body's size; -1 if it is not known.
fn size(body: &Body, whole: bool) -> i64 {
    if whole { i64::try_from(body.len).unwrap_or(-1) } else { -1 }
}
