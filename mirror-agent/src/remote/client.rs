//! Asks a running agent over its control socket.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Method, Request};
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
    let answer = async { tokio::time::timeout(patience, exchange(socket, method, target)).await };
    let (ok, body) = runtime
        .block_on(answer)
        .with_context(|| format!("the agent behind {} does not answer", socket.display()))??;
    if !ok {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
        }
        let refusal = serde_json::from_slice(&body).map(|refusal: Refusal| refusal.error);
        bail!(refusal.unwrap_or_else(|_| String::from_utf8_lossy(&body).trim().to_owned()));
    }
    serde_json::from_slice(&body).context("read the agent's answer")
}

async fn exchange(socket: &Path, method: Method, target: &str) -> Result<(bool, Bytes)> {
    let stream = UnixStream::connect(socket)
        .await
        .with_context(|| format!("no agent listens on {} (another path? --control)", socket.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(target).header("host", "mirror-agent");
    let response =
        sender.send_request(request.body(Empty::<Bytes>::new())?).await.context("ask the agent")?;
    let ok = response.status().is_success();
    Ok((ok, response.into_body().collect().await.context("read the agent's answer")?.to_bytes()))
}
