//! What the controllers of deployments ask: verdicts, in the words of each.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::server::Api;
use crate::config::values;
use crate::contracts::flagger::{self, Hook, Payload};
use crate::contracts::{VERDICT, argo, kayenta};
use crate::judge::Verdict;
use crate::judge::statistics::log_evidence;

/// All of it only reads: a verdict says what it says, whoever asks by whichever method.
pub(super) fn gates() -> Router<Api> {
    let judge = post(judge).layer(DefaultBodyLimit::max(kayenta::BODY_MAX));
    let gates = Router::new().route(VERDICT, get(verdict)).route(kayenta::PATH, judge);
    Hook::ALL.into_iter().fold(gates, |gates, hook| {
        let answer = move |State(api): State<Api>, body: Bytes| async move { answer_hook(&api, hook, &body) };
        gates.route(hook.path(), post(answer).layer(DefaultBodyLimit::max(flagger::BODY_MAX)))
    })
}

/// Of what a verdict is wanted.
#[derive(Deserialize)]
struct Asked {
    service: Option<String>,
    window: Option<String>,
}

async fn verdict(State(api): State<Api>, Query(asked): Query<Asked>) -> Response {
    let verdict = find(&api, asked.service.as_deref(), asked.window.as_deref());
    json(argo::answer(verdict.as_ref().map_err(String::as_str)))
}

fn answer_hook(api: &Api, hook: Hook, body: &[u8]) -> Response {
    let answer = || {
        let payload = Payload::read(body)?;
        let when_inconclusive = payload.when_inconclusive(hook)?;
        let verdict = find(api, Some(payload.service()), payload.window())?;
        tracing::debug!(canary = payload.name, phase = payload.phase, verdict = %verdict.verdict, "{}", hook.path());
        Ok(flagger::answer(hook, when_inconclusive, &verdict))
    };
    let (code, text) = answer().unwrap_or_else(|why: String| flagger::refusal(&why));
    (status(code), text + "\n").into_response()
}

/// It takes a while: nothing may keep `kill` waiting.
async fn judge(body: Bytes) -> Response {
    let judged = move || {
        let result = kayenta::judge(&body, |worse, better| log_evidence(worse, better, 0.5));
        result.and_then(|result| serde_json::to_string(&result).map_err(|error| error.to_string()))
    };
    match tokio::task::spawn_blocking(judged).await.context("the thread that judged panicked") {
        Ok(Ok(result)) => json((200, result)),
        Ok(Err(why)) => json(argo::answer(Err(&why))),
        Err(error) => json((500, format!("{error:#}"))),
    }
}

fn find(api: &Api, service: Option<&str>, window: Option<&str>) -> Result<Verdict, String> {
    let window = window.map(values::duration).transpose().map_err(|why| format!("window: {why}"))?;
    api.agent.verdict(service, window).map_err(|error| format!("{error:#}"))
}

fn json((code, body): (u16, String)) -> Response {
    (status(code), [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
