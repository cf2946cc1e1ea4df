//! How long both versions took, and how late requests went, when a capture is replayed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::client::Answered;
use crate::exchange::Exchange;
use crate::latency::Latency;
use crate::time::Nanos;

/// The two phases of a turn. What is not certain is in neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Last request byte to first response byte.
    pub ttfb: Latency,
    /// First request byte to last response byte.
    pub total: Latency,
}

/// Everything that is timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// v1's turns: as captured, or as asked now.
    pub v1: Phases,
    /// v2's turns.
    pub v2: Phases,
    /// From when a request was due to when it was sent.
    pub lateness: Latency,
    /// The longest of these.
    pub latest: Duration,
}

/// The times of one replay, added to by all lanes.
#[derive(Debug, Default)]
pub struct Timings(Mutex<Times>);

impl Timings {
    /// The times so far.
    pub fn times(&self) -> Times {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request went `late` after it was due.
    pub fn sent(&self, late: Duration) {
        self.change(|times| {
            times.lateness.record(late);
            times.latest = times.latest.max(late);
        });
    }

    /// Both versions have answered; v1's turn is not there if it is not certain.
    pub fn compared(&self, v1: Option<Turn>, v2: Turn) {
        self.change(|times| {
            v1.iter().for_each(|v1| times.v1.record(v1));
            times.v2.record(&v2);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Times)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// When the first and last bytes of a request and its answer passed.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    asked: Nanos,
    sent: Option<Nanos>,
    begun: Nanos,
    ended: Nanos,
}

impl Turn {
    /// v1's turn as it was captured; `None` behind a request that was still open then: the server may have been busy
    /// with that one.
    pub fn captured(exchange: &Exchange, answered_before: Nanos) -> Option<Turn> {
        let Exchange { request, response } = exchange;
        let turn = Turn {
            asked: request.started,
            sent: Some(request.finished),
            begun: response.started,
            ended: response.finished,
        };
        (request.started >= answered_before).then_some(turn)
    }

    /// Last byte of the request to first byte of the answer; `None` where the answer began before.
    pub fn ttfb(&self) -> Option<Duration> {
        self.sent.filter(|sent| *sent <= self.begun).map(|sent| self.begun.since(sent))
    }

    /// A turn that we made ourselves.
    pub fn made(answered: &Answered) -> Turn {
        let Answered { response, asked, sent, .. } = answered;
        Turn { asked: *asked, sent: *sent, begun: response.started, ended: response.finished }
    }
}

impl Phases {
    /// An answer that began before the request had ended has no time to its first byte, and nothing about it is sure.
    fn record(&mut self, turn: &Turn) {
        let Some(ttfb) = turn.ttfb() else { return };
        self.ttfb.record(ttfb);
        self.total.record(turn.ended.since(turn.asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(asked: u64, sent: Option<u64>, begun: u64, ended: u64) -> Turn {
        Turn { asked: Nanos(asked), sent: sent.map(Nanos), begun: Nanos(begun), ended: Nanos(ended) }
    }

    #[test]
    fn an_early_answer_is_not_timed() {
        let timings = Timings::default();
        let sure = turn(10_000, Some(20_000), 50_000, 90_000);
        for unsure in [Some(turn(10, Some(20), 19, 40)), Some(turn(10, None, 15, 40)), None] {
            timings.compared(unsure, sure);
        }
        let times = timings.times();
        assert_eq!((times.v1.ttfb.count(), times.v1.total.count()), (0, 0));
        assert_eq!((times.v2.ttfb.count(), times.v2.ttfb.sum_ns), (3, 3 * 30_000));
        assert_eq!((times.v2.total.count(), times.v2.total.sum_ns), (3, 3 * 80_000));
    }

    #[test]
    fn the_latest_is_exact() {
        let timings = Timings::default();
        for late in [5, 1_234_567, 77] {
            timings.sent(Duration::from_nanos(late));
        }
        assert_eq!(timings.times().latest, Duration::from_nanos(1_234_567));
        assert_eq!(timings.times().lateness.count(), 3);
    }
}
