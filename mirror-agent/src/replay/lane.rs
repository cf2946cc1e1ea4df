//! A lane: the requests of one client connection, one after the other, over one connection to v2.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until};

use super::Target;
use super::client::Answered;
use super::peer::Peer;
use super::timings::Turn;
use crate::chaos::Kind;
use crate::compare::{Answer, Comparison, compare};
use crate::differences::Record;
use crate::exchange::Exchange;
use crate::http::{Request, Response};
use crate::ledger::{End, Shed, Ticket, V2Failure};
use crate::rewrite::{MARKER, mark};
use crate::route::Place;
use crate::time::Nanos;

/// A request that waits, and v1's answer to it.
pub struct Job {
    /// What the client asked and v1 answered.
    pub exchange: Exchange,
    /// Its place in the ledger.
    pub ticket: Ticket,
    /// When it is to be sent; `None`: as soon as it may.
    pub due: Option<Instant>,
    /// Its room in memory.
    pub _room: OwnedSemaphorePermit,
}

/// The state of a lane.
pub struct Lane {
    pub(super) target: Arc<Target>,
    pub(super) v2: Peer,
    pub(super) v1: Option<Peer>,
    /// Its number, by which the coin says whether it meets a fault.
    pub(super) number: u64,
    permit: Option<OwnedSemaphorePermit>,
    /// It found no room once: a connection goes whole or not at all.
    is_left_out: bool,
    /// Until when v1 was busy with the requests before, by the clock of the capture.
    answered: Nanos,
}

/// What a request was answered, if it was.
struct Answers {
    v1: Option<Result<Answered, V2Failure>>,
    v2: Result<Answered, V2Failure>,
    /// What it met on its way to v2.
    met: Option<Kind>,
}

impl Lane {
    /// A lane that is not connected yet. Without a permit it gets one when it needs one.
    pub fn new(target: Arc<Target>, permit: Option<OwnedSemaphorePermit>) -> Self {
        let (v2, v1) = (Peer::new(target.v2.clone()), target.v1.clone().map(Peer::new));
        let number = target.faults.number();
        Lane { target, v2, v1, number, permit, is_left_out: false, answered: Nanos::default() }
    }

    /// Works until the client's connection is over and nothing waits any more.
    pub async fn run(mut self, mut job_rx: mpsc::Receiver<Job>) {
        while let Some(job) = self.next(&mut job_rx).await {
            let Job { exchange, ticket, due, .. } = job;
            ticket.end(self.replay(&exchange, due).await);
        }
    }

    /// The next job. While there is none, a lane that others wait for gives its connection away.
    async fn next(&mut self, job_rx: &mut mpsc::Receiver<Job>) -> Option<Job> {
        loop {
            let may_give = self.permit.is_some() && self.target.waits();
            tokio::select! {
                biased;
                job = job_rx.recv() => return job,
                () = self.target.limiter.connection_wanted(), if may_give => self.disconnect(),
            }
        }
    }

    fn disconnect(&mut self) {
        self.v2.close();
        self.v1.iter_mut().for_each(Peer::close);
        self.permit = None;
    }

    async fn replay(&mut self, exchange: &Exchange, due: Option<Instant>) -> End {
        let captured = Turn::captured(exchange, self.answered);
        self.answered = self.answered.max(exchange.response.finished);
        let target = self.target.clone();
        if target.is_stopped() {
            return End::Shed(Shed::Stopped);
        }
        let may_go = async {
            if let Some(due) = due {
                sleep_until(due).await;
            }
            self.place(exchange.request.wire.len()).await
        };
        let _in_flight = tokio::select! {
            biased;
            () = target.until_stopped() => return End::Shed(Shed::Stopped),
            place = may_go => match place {
                Ok(place) => place,
                Err(full) => return End::Shed(full),
            },
        };
        let answers = self.ask(exchange, due).await;
        self.end(exchange, captured, answers).await
    }

    /// A place under every limit, or the limit that is full.
    async fn place(&mut self, bytes: usize) -> Result<OwnedSemaphorePermit, Shed> {
        let limiter = &self.target.limiter;
        if self.target.waits() {
            if self.permit.is_none() {
                self.permit = limiter.wait_connection().await;
            }
            let in_flight = limiter.wait_in_flight().await.ok_or(Shed::Inflight)?;
            limiter.wait_to_admit(bytes).await;
            return Ok(in_flight);
        }
        if self.permit.is_none() && !self.is_left_out {
            self.permit = limiter.connection();
        }
        if self.permit.is_none() {
            self.is_left_out = true;
            return Err(Shed::Queue);
        }
        if !limiter.admit(bytes) {
            return Err(Shed::Rate);
        }
        limiter.in_flight().ok_or(Shed::Inflight)
    }

    async fn ask(&mut self, exchange: &Exchange, due: Option<Instant>) -> Answers {
        let (request, wire) = (&exchange.request, marked(&exchange.request));
        let (limit, timings) = (self.target.service.timeout(), &self.target.timings);
        let sent = || due.iter().for_each(|due| timings.sent(due.elapsed()));
        let watched = self.target.faults.watch(self.number);
        let met = watched.as_ref().and_then(|watched| watched.met.as_ref());
        let kind = met.map(|met| met.kind);
        let v2 = self.v2.ask(request, &wire, limit, met, sent);
        let answers = match self.v1.as_mut().filter(|_| self.target.terms.is_some()) {
            None => Answers { v1: None, v2: v2.await, met: kind },
            Some(v1) => {
                let (v1, v2) = tokio::join!(v1.ask(request, &wire, limit, None, || ()), v2);
                Answers { v1: Some(v1), v2, met: kind }
            }
        };
        watched.into_iter().for_each(|watched| watched.end(&answers.v2));
        answers
    }

    async fn end(&mut self, exchange: &Exchange, captured: Option<Turn>, answers: Answers) -> End {
        let target = self.target.clone();
        if target.terms.is_some() && !target.unreached().is_empty() {
            target.stop(); // there is nobody: the rest of the file would fail as this did
        }
        match answers {
            Answers { met: Some(kind), .. } => return End::Faulted(kind),
            Answers { v1: Some(Err(_)), .. } => return End::V1Unanswered,
            Answers { v2: Err(failure), .. } => {
                self.judge_failure(exchange, captured, failure);
                return End::V2Failed(failure);
            }
            Answers { v1: Some(Ok(v1)), v2: Ok(v2), .. } => {
                target.timings.compared(Some(Turn::made(&v1)), Turn::made(&v2));
                let comparison = self.compare(exchange, &v1.response, &v2.response);
                self.keep(exchange, (&v1.response, &v2.response), comparison).await;
            }
            Answers { v1: None, v2: Ok(v2), .. } => {
                let mut comparison = self.compare(exchange, &exchange.response, &v2.response);
                if target.terms.is_some() {
                    target.timings.compared(captured, Turn::made(&v2));
                } else {
                    comparison = self.judge(exchange, captured, &v2, comparison).await;
                }
                self.keep(exchange, (&exchange.response, &v2.response), comparison).await;
            }
        }
        End::Compared
    }

    pub(super) fn compare(&self, exchange: &Exchange, first: &Response, other: &Response) -> Comparison {
        let path = String::from_utf8_lossy(Place::of(&exchange.request).path);
        compare(&Answer::of(first), &Answer::of(other), &path, &self.target.service.rules)
    }

    /// Counts what differs, and keeps a record of it.
    async fn keep(&self, exchange: &Exchange, answers: (&Response, &Response), comparison: Comparison) {
        let service = &self.target.service;
        service.differences.note(&comparison);
        if comparison.is_same() {
            return;
        }
        let record = self.record(exchange, answers, comparison);
        if let Some(record_tx) = &self.target.records {
            if self.target.terms.is_some() {
                let _ = record_tx.send(record.clone()).await;
            } else {
                let _ = record_tx.try_send(record.clone());
            }
        }
        service.differences.add(record);
    }

    fn record(
        &self,
        exchange: &Exchange,
        (v1, v2): (&Response, &Response),
        comparison: Comparison,
    ) -> Record {
        let service = &self.target.service;
        let (redactor, path) = (service.rules.redactor(), Place::of(&exchange.request).path);
        let target = String::from_utf8_lossy(&exchange.request.target);
        Record {
            service: service.name.clone(),
            at_ns: exchange.response.finished.0,
            method: exchange.request.method.as_str().into(),
            target: redactor.text(&target),
            route: service.routes.of(path, |route| redactor.text(route)),
            v1_status: v1.status,
            v2_status: v2.status,
            differences: comparison.differences,
            dropped: comparison.dropped,
        }
    }
}

/// The bytes to send.
pub(super) fn marked(request: &Request) -> Vec<u8> {
    mark(&request.wire, request.line_end, MARKER.0, MARKER.1)
}
