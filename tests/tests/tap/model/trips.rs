//! Round trips: who waits for which echo.

use super::span::Span;
use super::turn::Turns;
use super::wire::Seen;
use super::{CLIENT, SERVER};

/// What of a connection is awaited, by the side that will answer.
#[derive(Clone, Debug, Default)]
pub struct Trips {
    syn: Option<Span>,
    answer: Option<Span>,
    pub handshake: bool,
    /// The stamp that is awaited, and when it passed.
    awaited: [Option<(u32, Span)>; 2],
    newest: [u32; 2],
}

impl Trips {
    /// Whether something is awaited from a side.
    pub fn awaits(&self, side: usize) -> bool {
        let handshake = if side == CLIENT { self.answer } else { self.syn };
        handshake.is_some() || self.awaited[side].is_some()
    }

    /// The newest stamps towards each side.
    pub fn newest(&self) -> [u32; 2] {
        self.newest
    }

    /// Follows a segment; returns a round trip that it ends: kind, side that answered, duration.
    pub fn follow(
        &mut self,
        seen: &Seen,
        side: usize,
        now: Span,
        turns: &Turns,
    ) -> Option<(&'static str, usize, Span)> {
        if seen.syn {
            return self.syn(seen, side, now, turns);
        }
        if self.handshake && side == CLIENT {
            return self.handshake_ends(seen, now, turns);
        }
        let [stamp, echo] = seen.stamps.filter(|_| !seen.fin && !seen.rst)?;
        let trip = self.echo(echo, seen, side, now);
        self.await_echo(stamp, seen, 1 - side, now);
        trip
    }

    fn syn(
        &mut self,
        seen: &Seen,
        side: usize,
        now: Span,
        turns: &Turns,
    ) -> Option<(&'static str, usize, Span)> {
        if side == CLIENT {
            self.syn = (turns.next[CLIENT].is_none() && !seen.ack).then_some(now);
            self.awaited[SERVER] = None;
            return None;
        }
        let first = turns.next[SERVER].is_none();
        let syn = self.syn.take();
        self.answer = first.then_some(now);
        self.awaited = [None, None];
        self.handshake = true;
        let syn = syn.filter(|_| first)?;
        Some(("handshake", SERVER, now.since(syn)))
    }

    fn handshake_ends(
        &mut self,
        seen: &Seen,
        now: Span,
        turns: &Turns,
    ) -> Option<(&'static str, usize, Span)> {
        self.handshake = false;
        if let Some([stamp, _]) = seen.stamps {
            self.newest[SERVER] = stamp;
        }
        let answer = self.answer.take();
        self.awaited[CLIENT] = None;
        let plain = seen.payload.is_empty() && seen.ack && !seen.fin && !seen.rst;
        let fits = turns.next[SERVER].unwrap_or(0) == seen.acknowledged;
        Some(("handshake", CLIENT, now.since(answer.filter(|_| plain && fits)?)))
    }

    fn echo(
        &mut self,
        echo: u32,
        seen: &Seen,
        side: usize,
        now: Span,
    ) -> Option<(&'static str, usize, Span)> {
        let (stamp, since) = self.awaited[side]?;
        let behind = (i64::from(stamp) - i64::from(echo)).rem_euclid(1 << 32);
        if behind != 0 && behind < 1 << 31 {
            return None;
        }
        self.awaited[side] = None;
        (behind == 0 && seen.payload.is_empty()).then(|| ("timestamp", side, now.since(since)))
    }

    fn await_echo(&mut self, stamp: u32, seen: &Seen, to: usize, now: Span) {
        let newest = self.newest[to];
        let ahead = (i64::from(stamp) - i64::from(newest)).rem_euclid(1 << 32);
        if newest != 0 && (ahead == 0 || ahead >= 1 << 31) {
            return;
        }
        self.newest[to] = stamp;
        if newest != 0 && !seen.payload.is_empty() && !self.awaits(to) && !self.handshake {
            self.awaited[to] = Some((stamp, now));
        }
    }
}
