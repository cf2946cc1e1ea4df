//! Asks a v2 something harmless, to see that there is one.

use std::net::SocketAddr;
use std::time::Duration;

use super::client::Connection;
use super::server::Server;
use crate::http::Method;
use crate::rewrite::MARKER;

/// How long v2 may take. Longer than that, it would be shed anyway.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks for `HEAD /`, marked as every copy is; answers the status. Any HTTP answer will do: that v2 is there is what is asked.
///
/// # Errors
///
/// Why there was no answer, in words.
pub async fn probe(v2: SocketAddr) -> Result<String, String> {
    let (name, value) = MARKER;
    let wire = format!("HEAD / HTTP/1.1\r\nhost: {v2}\r\n{name}: {value}\r\nconnection: close\r\n\r\n");
    let asking = async {
        let server = Server::new("v2", v2, true);
        let mut connection = Connection::open(&server).await.map_err(|error| format!("{v2}: {error}"))?;
        let method = Method::new("HEAD").ok_or("HEAD is a method")?;
        let answered = connection.ask(wire.as_bytes(), &method, None).await;
        answered.map_err(|(how, _)| format!("{v2} accepts connections, but gives no HTTP answer ({how:?})"))
    };
    let answered = tokio::time::timeout(PATIENCE, asking).await;
    let answered =
        answered.map_err(|_| format!("{v2}: nothing came back within {} s", PATIENCE.as_secs()))??;
    Ok(format!("{} to HEAD /", answered.response.status))
}
