//! Asks a running agent over its control socket.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

/// An agent that does not answer in this time is taken for hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a request to the agent behind `socket` and reads its JSON answer.
///
/// # Errors
///
/// When no agent listens there, it does not answer in time, or it refuses.
pub fn ask<T: DeserializeOwned>(socket: &Path, method: Method, target: &str) -> Result<T> {
    ask_within(PATIENCE, socket, method, target)
}

/// The same, of something that may take longer.
///
/// # Errors
///
/// As [`ask`].
pub fn ask_within<T: DeserializeOwned>(
    patience: Duration,
    socket: &Path,
    method: Method,
    target: &str,
) -> Result<T> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    let (status, body) = runtime.block_on(send_within(patience, socket, method, target, String::new()))?;
    answer(status, &body)
}

/// Sends a request with a body to the agent behind `socket`.
///
/// # Errors
///
/// When no agent listens there, or it does not answer in time.
pub async fn send(socket: &Path, method: Method, target: &str, body: String) -> Result<(StatusCode, Bytes)> {
    send_within(PATIENCE, socket, method, target, body).await
}

async fn send_within(
    patience: Duration,
    socket: &Path,
    method: Method,
    target: &str,
    body: String,
) -> Result<(StatusCode, Bytes)> {
    tokio::time::timeout(patience, exchange(socket, method, target, body))
        .await
        .with_context(|| format!("the agent behind {} does not answer", socket.display()))?
}

/// What the agent answered, if it did not refuse.
///
/// # Errors
///
/// When it refused, or its answer is not of this type.
pub fn answer<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T> {
    if !status.is_success() {
        bail!(refusal(body));
    }
    serde_json::from_slice(body).context("read the agent's answer")
}

/// Why the agent refused.
pub fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = serde_json::from_slice(body).map(|refusal: Refusal| refusal.error);
    refusal.unwrap_or_else(|_| String::from_utf8_lossy(body).trim().to_owned())
}

async fn exchange(socket: &Path, method: Method, target: &str, body: String) -> Result<(StatusCode, Bytes)> {
    let stream = UnixStream::connect(socket)
        .await
        .with_context(|| format!("no agent listens on {} (another path? --control)", socket.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(target).header("host", "mirror-agent");
    let response =
        sender.send_request(request.body(Full::<Bytes>::from(body))?).await.context("ask the agent")?;
    let status = response.status();
    Ok((status, response.into_body().collect().await.context("read the agent's answer")?.to_bytes()))
}
