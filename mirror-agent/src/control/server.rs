//! The routes.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Socket;
use super::chaos::chaos;
use super::gates::gates;
use crate::agent::Agent;
use crate::config::Share;
use crate::metrics;
use crate::status::RingState;

/// What the routes need.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) agent: Arc<Agent>,
    registry: Arc<prometheus_client::registry::Registry>,
}

/// Serves until `stop` changes: everything on the Unix socket, what only reads on TCP. It has a thread and a runtime of
/// its own, so that a stuck replay cannot keep anybody from `kill`.
///
/// # Errors
///
/// When the runtime or a listener cannot be started.
pub fn serve(
    agent: Arc<Agent>,
    socket: &Socket,
    listen: Option<TcpListener>,
    stop: &watch::Receiver<bool>,
) -> Result<std::thread::JoinHandle<()>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    let registry = Arc::new(metrics::registry(agent.clone()));
    let api = Api { agent, registry };
    let unix = socket.listener.try_clone().context("share the control socket")?;
    let (unix_stop, tcp_stop) = (stop.clone(), stop.clone());
    let serve = async move {
        let unix = tokio::net::UnixListener::from_std(unix)?;
        let reading = reading().with_state(api.clone());
        let all = reading.clone().merge(writing().with_state(api));
        let unix = axum::serve(unix, all).with_graceful_shutdown(stopped(unix_stop));
        match listen {
            None => unix.await,
            Some(listen) => {
                listen.set_nonblocking(true)?;
                let tcp = tokio::net::TcpListener::from_std(listen)?;
                let tcp = axum::serve(tcp, reading).with_graceful_shutdown(stopped(tcp_stop));
                tokio::try_join!(unix.into_future(), tcp.into_future()).map(|_| ())
            }
        }
    };
    let run = move || {
        if let Err(error) = runtime.block_on(serve) {
            tracing::error!("the control API has ended: {error}");
        }
    };
    std::thread::Builder::new().name("control".into()).spawn(run).context("start the control thread")
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn reading() -> Router<Api> {
    Router::new()
        .route("/metrics", get(scrape))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n")) // it is served only once the taps are on
        .route("/v1/status", get(status))
        .route("/v1/differences", get(differences))
        .merge(gates())
}

fn writing() -> Router<Api> {
    Router::new()
        .route("/v1/cost", post(cost)) // measuring is no reading: it costs every program of the host
        .route("/v1/share", post(share))
        .route("/v1/reload", post(reload))
        .route("/v1/fence/proposal", get(proposal)) // as does this
        .route("/v1/explain", get(explain)) // it only reads, but says who is connected
        .route("/v1/probe", post(probe)) // it sends something
        .route("/v1/probe/proposals", get(proposals)) // it only reads, but says what users ask
        .route("/v1/pause", post(pause))
        .route("/v1/resume", post(resume))
        .route("/v1/kill", post(kill))
        .merge(chaos())
}

async fn scrape(State(api): State<Api>, headers: HeaderMap) -> Response {
    api.agent.guarding.note_scrape();
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match metrics::text::encode(&api.registry, accept) {
        Ok((content_type, body)) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        Err(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "the kernel's counters cannot be read\n").into_response()
        }
    }
}

async fn status(State(api): State<Api>) -> Response {
    answer(api.agent.status())
}

/// The status, once the kernel programs have been measured for a second.
async fn cost(State(api): State<Api>) -> Response {
    let agent = api.agent.clone();
    match beside(move || agent.sampler.sample()).await {
        Ok(()) => answer(api.agent.status()),
        Err(error) => answer(Err::<(), _>(error)),
    }
}

async fn differences(State(api): State<Api>) -> Response {
    Json(serde_json::json!({ "differences": api.agent.differences() })).into_response()
}

/// Which service; all of them when it is left out.
#[derive(Deserialize)]
struct Which {
    service: Option<String>,
    ring: Option<String>,
    /// Why more of v1's error budget may be spent.
    spend_budget: Option<String>,
}

#[derive(Deserialize)]
struct Question {
    client: SocketAddr,
    service: Option<String>,
    to: Option<IpAddr>,
}

#[derive(Deserialize)]
struct NewShare {
    service: Option<String>,
    ring: Option<String>,
    share: Share,
}

/// The answer to `kill`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Killed {
    /// From the command to the last clone, in seconds.
    pub kill_latency_s: f64,
}

async fn share(State(api): State<Api>, Query(new): Query<NewShare>) -> Response {
    let (service, ring) = (new.service.clone(), new.ring.clone());
    let set = move || api.agent.set_share(new.service.as_deref(), new.ring.as_deref(), new.share);
    done(beside(set).await, "share", service.as_deref(), ring.as_deref())
}

/// Runs what may have to wait for the workers beside this thread: nothing may keep `kill` waiting.
async fn beside(act: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    tokio::task::spawn_blocking(act).await.context("the thread that did it panicked")?
}

async fn reload(State(api): State<Api>) -> Response {
    answer(beside(move || api.agent.reload()).await.map(|()| serde_json::json!({})))
}

async fn proposal(State(api): State<Api>, Query(which): Query<Which>) -> Response {
    answer(api.agent.fence_proposal(which.service.as_deref()))
}

async fn explain(State(api): State<Api>, Query(question): Query<Question>) -> Response {
    let said = move || api.agent.explain(question.client, question.service.as_deref(), question.to);
    let said = tokio::task::spawn_blocking(said).await.context("the thread that did it panicked");
    answer(said.and_then(|said| said))
}

#[derive(Deserialize)]
struct WhichProbe {
    service: Option<String>,
    name: String,
}

async fn probe(State(api): State<Api>, Query(which): Query<WhichProbe>) -> Response {
    let send = move || api.agent.probe_once(which.service.as_deref(), &which.name);
    answer(beside(send).await.map(|()| serde_json::json!({})))
}

async fn proposals(State(api): State<Api>, Query(which): Query<Which>) -> Response {
    answer(api.agent.propose_probes(which.service.as_deref()))
}

async fn pause(State(api): State<Api>, Query(which): Query<Which>) -> Response {
    let result = match &which.ring {
        Some(ring) => api.agent.stop_ring(ring, RingState::Paused),
        None => api.agent.pause(which.service.as_deref()),
    };
    done(result, "pause", which.service.as_deref(), which.ring.as_deref())
}

async fn resume(State(api): State<Api>, Query(which): Query<Which>) -> Response {
    let (service, ring) = (which.service.clone(), which.ring.clone());
    let resume = move || match &which.ring {
        Some(ring) => api.agent.resume_ring(ring),
        None => api.agent.resume(which.service.as_deref(), which.spend_budget.as_deref()),
    };
    done(beside(resume).await, "resume", service.as_deref(), ring.as_deref())
}

async fn kill(State(api): State<Api>, Query(which): Query<Which>) -> Response {
    if let Some(ring) = &which.ring {
        return done(api.agent.stop_ring(ring, RingState::Killed), "kill", None, Some(ring));
    }
    let latency = api.agent.kill(which.service.as_deref());
    answer(latency.map(|latency| Killed { kill_latency_s: latency.as_secs_f64() }))
}

fn done(result: Result<()>, what: &str, service: Option<&str>, ring: Option<&str>) -> Response {
    if result.is_ok() {
        tracing::info!(service = service.unwrap_or("all"), ring = ring.unwrap_or("all"), "{what}");
    }
    answer(result.map(|()| serde_json::json!({})))
}

/// What the caller asked for, or why not: the only errors are names that do not fit and a kernel that refuses.
pub(super) fn answer(result: Result<impl Serialize>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": format!("{error:#}") })))
            .into_response(),
    }
}
