//! A lane's side of one version: a connection that is made when it is needed, and made again when it was closed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::client::{Answered, Connection};
use super::faults::Met;
use super::server::Server;
use crate::http::{Method, Request};
use crate::ledger::V2Failure;

/// One version, as one lane asks it.
pub struct Peer {
    /// The version.
    pub server: Arc<Server>,
    connection: Option<Connection>,
}

impl Peer {
    /// Not connected yet.
    pub fn new(server: Arc<Server>) -> Self {
        Peer { server, connection: None }
    }

    /// Asks within `limit`: connects if need be, says `now` when the request is about to be sent, and reads the answer.
    /// An answer that was given up may still come, but never on a connection that is used again. What the request has
    /// `met` goes wrong on the way.
    pub async fn ask(
        &mut self,
        request: &Request,
        wire: &[u8],
        limit: Duration,
        met: Option<&Met>,
        now: impl FnOnce(),
    ) -> Result<Answered, V2Failure> {
        let asking = async {
            if let Some(met) = met {
                met.hold().await;
            }
            let used = self.connection.is_some();
            self.connect().await?;
            now();
            match self.send(wire, &request.method, met).await {
                // It may close a connection that was idle at any time (RFC 9112, section 9.3.1): that says nothing of
                // this request. A fresh connection, once, and only for a request that may be sent twice.
                Err((V2Failure::Reset, false)) if used && is_idempotent(request.method.as_str()) => {
                    self.connection = None;
                    self.connect().await?;
                    self.send(wire, &request.method, met).await.map_err(|(failure, _)| failure)
                }
                answer => answer.map_err(|(failure, _)| failure),
            }
        };
        let answer = timeout(limit, asking).await.unwrap_or(Err(V2Failure::Timeout));
        if let Err(failure) = &answer {
            if *failure == V2Failure::Timeout && self.connection.is_none() && met.is_none() {
                self.server.not_reached(format_args!("nothing came back within {limit:?}"));
            }
            self.connection = None;
        }
        answer
    }

    /// Closes the connection.
    pub fn close(&mut self) {
        self.connection = None;
    }

    async fn connect(&mut self) -> Result<(), V2Failure> {
        if self.connection.is_some() {
            return Ok(());
        }
        match Connection::open(&self.server).await {
            Ok(connection) => self.connection = Some(connection),
            Err(error) => {
                self.server.not_reached(error);
                return Err(V2Failure::Connect);
            }
        }
        self.server.reached();
        Ok(())
    }

    /// A failure says whether any byte of the answer had come.
    async fn send(
        &mut self,
        wire: &[u8],
        method: &Method,
        met: Option<&Met>,
    ) -> Result<Answered, (V2Failure, bool)> {
        let Some(connection) = &mut self.connection else { return Err((V2Failure::Connect, false)) };
        let answered = connection.ask(wire, method, met).await?;
        if !answered.reuse {
            self.connection = None;
        }
        Ok(answered)
    }
}

/// RFC 9110, section 9.2.2.
fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
}
