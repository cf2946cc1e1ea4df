//! One probe at both versions at once: each over a connection of its own, so that what one does is not held against the
//! other, and no wait of one is in the other's time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::client::{Answered, Connection};
use super::reachable;
use super::server::Server;
use crate::http::Method;
use crate::ledger::V2Failure;
use crate::probe::{Answer, Check, Ended, Phases, Spec, wire};

/// A probe that is ready to be sent, again and again.
#[derive(Debug)]
pub struct Prober {
    wire: Vec<u8>,
    method: Method,
    check: Check,
    timeout: Duration,
    versions: [Server; 2],
}

impl Prober {
    /// Makes a probe of `v1` and `v2` ready.
    ///
    /// # Errors
    ///
    /// When what is expected, or the method, is none.
    pub fn new(probe: &Spec, v1: SocketAddr, v2: SocketAddr) -> Result<Prober, String> {
        let v1 = reachable(v1);
        Ok(Prober {
            wire: wire(probe, v1),
            method: Method::new(probe.method.clone())
                .ok_or_else(|| format!("{} is no method", probe.method))?,
            check: Check::new(&probe.expect)?,
            timeout: probe.timeout,
            versions: [Server::probed("v1", v1), Server::probed("v2", v2)],
        })
    }

    /// Asks both versions; answers when both have ended, within its timeout.
    pub async fn ask(&self) -> [Answer; 2] {
        let [v1, v2] = &self.versions;
        tokio::join!(self.ask_one(v1), self.ask_one(v2)).into()
    }

    async fn ask_one(&self, server: &Server) -> Answer {
        let began = Instant::now();
        let limit = tokio::time::Instant::from_std(began) + self.timeout;
        let failed = |ended, phases| Answer { ended, status: None, phases };
        let mut connection = match timeout_at(limit, Connection::open(server)).await {
            Err(_) => return failed(Ended::Timeout, Phases::default()),
            Ok(Err(_)) => return failed(Ended::Connect, Phases::default()),
            Ok(Ok(connection)) => connection,
        };
        let connect = Some(began.elapsed());
        let answered = timeout_at(limit, connection.ask(&self.wire, &self.method, None)).await;
        let phases = Phases { connect, ..phases(&connection, matches!(answered, Ok(Ok(_)))) };
        match answered {
            Err(_) => failed(Ended::Timeout, phases),
            Ok(Err((failure, _))) => failed(ended(failure), phases),
            Ok(Ok(Answered { response, .. })) => {
                let ended = self.check.judge(response.status, &response.body.kept);
                Answer { ended, status: Some(response.status), phases }
            }
        }
    }
}

/// What can be said of a request after it, whatever became of it.
fn phases(connection: &Connection, is_whole: bool) -> Phases {
    let moments = connection.moments();
    let sent = moments.sent.unwrap_or(moments.asked);
    Phases {
        connect: None,
        processing: moments.begun.map(|begun| begun.since(sent)),
        transfer: moments.begun.filter(|_| is_whole).map(|begun| connection.now().since(begun)),
    }
}

fn ended(failure: V2Failure) -> Ended {
    match failure {
        V2Failure::Connect => Ended::Connect,
        V2Failure::Timeout => Ended::Timeout,
        V2Failure::Reset => Ended::Reset,
        V2Failure::Malformed => Ended::Malformed,
    }
}
