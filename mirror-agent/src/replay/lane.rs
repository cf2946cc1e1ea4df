//! A lane: the requests of one client connection, one after the other, over one connection to v2.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::client::Connection;
use super::{MARKER, Target};
use crate::compare::{Answer, Comparison, compare};
use crate::differences::Record;
use crate::exchange::Exchange;
use crate::http::Response;
use crate::ledger::{End, Shed, Ticket, V2Failure};
use crate::rewrite::mark;

/// A request that waits, and v1's answer to it.
pub struct Job {
    /// What the client asked and v1 answered.
    pub exchange: Exchange,
    /// Its place in the ledger.
    pub ticket: Ticket,
    /// Its room in memory.
    pub _room: OwnedSemaphorePermit,
}

/// The state of a lane.
pub struct Lane {
    target: Arc<Target>,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Lane {
    /// A lane that is not connected yet.
    pub fn new(target: Arc<Target>, permit: OwnedSemaphorePermit) -> Self {
        Lane { target, connection: None, _permit: permit }
    }

    /// Works until the client's connection is over and nothing waits any more.
    pub async fn run(mut self, mut job_rx: mpsc::Receiver<Job>) {
        while let Some(job) = job_rx.recv().await {
            let Job { exchange, ticket, .. } = job;
            ticket.end(self.replay(&exchange).await);
        }
    }

    async fn replay(&mut self, exchange: &Exchange) -> End {
        if self.target.is_stopped() {
            return End::Shed(Shed::Stopped);
        }
        if !self.target.limiter.admit(exchange.request.wire.len()) {
            return End::Shed(Shed::Rate);
        }
        let Some(_in_flight) = self.target.limiter.in_flight() else { return End::Shed(Shed::Inflight) };
        match timeout(self.target.service.timeout(), self.ask(exchange)).await {
            Ok(Ok(response)) => {
                self.compare(exchange, &response);
                End::Compared
            }
            Ok(Err(failure)) => self.failed(failure),
            Err(_elapsed) => self.failed(V2Failure::Timeout),
        }
    }

    /// An answer that was given up may still come: never on a connection that is used again.
    fn failed(&mut self, failure: V2Failure) -> End {
        self.connection = None;
        End::V2Failed(failure)
    }

    async fn ask(&mut self, exchange: &Exchange) -> Result<Response, V2Failure> {
        let request = &exchange.request;
        let wire = mark(&request.wire, request.line_end, MARKER.0, MARKER.1);
        let used = self.connection.is_some();
        match self.send(&wire, exchange).await {
            // v2 may close a connection that was idle at any time (RFC 9112, section 9.3.1): that says nothing of this
            // request. A fresh connection, once, and only for a request that may be sent twice.
            Err((V2Failure::Reset, false)) if used && is_idempotent(request.method.as_str()) => {
                self.connection = None;
                self.send(&wire, exchange).await.map_err(|(failure, _)| failure)
            }
            answer => answer.map_err(|(failure, _)| failure),
        }
    }

    /// Sends a request and reads the answer; a failure says whether any byte of the answer had come.
    async fn send(&mut self, wire: &[u8], exchange: &Exchange) -> Result<Response, (V2Failure, bool)> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self
                .connection
                .insert(Connection::open(self.target.service.v2).await.map_err(|e| (e, false))?),
        };
        let (response, reuse) = connection.ask(wire, &exchange.request.method).await?;
        if !reuse {
            self.connection = None;
        }
        Ok(response)
    }

    fn compare(&self, exchange: &Exchange, v2: &Response) {
        let service = &self.target.service;
        let comparison = compare(&answer(&exchange.response), &answer(v2), &service.rules);
        service.differences.note(&comparison);
        if comparison.is_same() {
            return;
        }
        let record = self.record(exchange, v2, comparison);
        if let Some(record_tx) = &self.target.records {
            let _ = record_tx.try_send(record.clone());
        }
        service.differences.add(record);
    }

    fn record(&self, exchange: &Exchange, v2: &Response, comparison: Comparison) -> Record {
        let service = &self.target.service;
        let target = String::from_utf8_lossy(&exchange.request.target);
        Record {
            service: service.name.clone(),
            at_ns: exchange.response.finished.0,
            method: exchange.request.method.as_str().into(),
            target: service.rules.redactor().text(&target),
            v1_status: exchange.response.status,
            v2_status: v2.status,
            differences: comparison.differences,
            dropped: comparison.dropped,
        }
    }
}

/// RFC 9110, section 9.2.2.
fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
}

fn answer(response: &Response) -> Answer<'_> {
    Answer {
        status: response.status,
        headers: &response.headers,
        body: &response.body.kept,
        len: response.body.len,
        sha256: response.body.sha256,
        whole: response.body.whole,
    }
}
