//! Experiments over the Unix socket.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::server::{Api, answer};

/// `GET`, `POST` and `DELETE /v1/chaos`. Reading is here too: it keeps an experiment alive.
pub(super) fn chaos() -> Router<Api> {
    Router::new().route("/v1/chaos", get(journals).post(begin).delete(stop))
}

/// Which experiment somebody still wants.
#[derive(Deserialize)]
struct Renewed {
    renew: Option<u64>,
}

/// What the file is called in errors.
#[derive(Deserialize)]
struct Named {
    file: Option<String>,
}

async fn journals(State(api): State<Api>, Query(renewed): Query<Renewed>) -> Response {
    Json(json!({ "experiments": api.agent.journals(renewed.renew) })).into_response()
}

/// 422 for an experiment with mistakes, all of them in its `error`, a line each.
async fn begin(State(api): State<Api>, Query(named): Query<Named>, text: String) -> Response {
    let name = named.file.as_deref().unwrap_or("experiment");
    match api.agent.read_experiment(name, &text) {
        Ok(experiment) => answer(api.agent.begin_chaos(experiment)),
        Err(errors) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": errors.to_string() }))).into_response()
        }
    }
}

async fn stop(State(api): State<Api>) -> Response {
    Json(json!({ "stopped": api.agent.stop_chaos("stopped by hand") })).into_response()
}
