//! Two directions: how they start, what they learn from each other, and how they end.

use crate::packet::{Flags, Segment, Side};
use crate::time::Nanos;

use super::assembler::{Arrival, Assembler, Output};
use super::early::Early;
use super::event::{Close, Event};
use super::limits::Limits;
use super::seq::Seq;
use super::timers::Entry;
use super::{ConnectionId, Shared};

/// A connection that is followed. A direction exists once its first sequence number is known.
#[derive(Debug)]
pub(super) struct Connection {
    pub id: ConnectionId,
    /// When its timer fires; never later than [`Connection::deadline`].
    pub due: Nanos,
    client: Option<Assembler>,
    server: Option<Assembler>,
    /// Answers that wait for their questions; nearly always none.
    early: Option<Box<Early>>,
    last_seen: Nanos,
}

impl Connection {
    pub fn new(id: ConnectionId, at: Nanos, limits: &Limits) -> Connection {
        Connection { id, due: at + limits.idle, client: None, server: None, early: None, last_seen: at }
    }

    /// Whether a timer's entry is this connection's present one.
    pub fn waits_for(&self, entry: &Entry) -> bool {
        self.due == entry.due && self.id.low() == entry.number
    }

    /// Whether a segment with SYN belongs to this connection: it repeats our first number, or acknowledges the
    /// other end's. Any other SYN is a new connection between the same addresses.
    pub fn continues_with(&self, from: Side, syn: &Segment<'_>) -> bool {
        // With Fast Open the answer acknowledges data too (RFC 7413, section 4.2).
        let answered = self.get(from.other()).filter(|_| syn.flags.has(Flags::ACK));
        let answers = answered.is_some_and(|direction| direction.has_sent(Seq(syn.ack)));
        answers || self.get(from).is_some_and(|direction| direction.starts_at(first_byte(syn)))
    }

    /// Takes a segment; says how the connection ended, if it did.
    pub fn on_segment(
        &mut self,
        from: Side,
        segment: &Segment<'_>,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Option<Close> {
        if from == Side::Server && self.is_early(segment) {
            let size = Early::cost(segment.payload);
            if !self.early_is_full() && shared.held + size <= shared.limits.held_overall {
                shared.stats.early_segments += 1;
                shared.held += size;
                self.last_seen = self.last_seen.max(segment.at);
                self.early.get_or_insert_default().hold(segment);
                // What it acknowledges is known at once; only what it says waits.
                self.on_ack(from, segment, shared, sink);
                return self.release_early(segment.at, shared, sink);
            }
            // No room to wait: those before it go first.
            while !self.early_is_empty() {
                if let Some(ended) = self.take_early(shared, sink) {
                    self.take(from, segment, shared, sink);
                    return Some(ended);
                }
            }
        }
        let ended = self.take(from, segment, shared, sink);
        if ended.is_none() && !self.early_is_empty() {
            return self.release_early(segment.at, shared, sink);
        }
        ended
    }

    /// Whether a segment of the server must wait for bytes of the client, or behind one that does.
    fn is_early(&self, segment: &Segment<'_>) -> bool {
        let says_something = segment.claimed_len() > 0 || segment.flags.has(Flags::FIN);
        if !says_something || segment.flags.has(Flags::RST) {
            return false;
        }
        !self.early_is_empty() || (segment.flags.has(Flags::ACK) && self.is_ahead_of_client(segment.ack))
    }

    fn is_ahead_of_client(&self, ack: u32) -> bool {
        let is_waived = self.early.as_ref().is_some_and(|early| early.is_waived(ack));
        !is_waived && self.client.as_ref().is_some_and(|client| client.is_behind(Seq(ack)))
    }

    fn early_is_empty(&self) -> bool {
        self.early.as_ref().is_none_or(|early| early.is_empty())
    }

    fn early_is_full(&self) -> bool {
        self.early.as_ref().is_some_and(|early| early.is_full())
    }

    fn early_deadline(&self, limits: &Limits) -> Option<Nanos> {
        self.early.as_ref()?.since().map(|since| since + limits.patience)
    }

    /// Takes what has waited long enough: its question has come, or its time is over.
    fn release_early(
        &mut self,
        now: Nanos,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Option<Close> {
        let is_over = self.early_deadline(&shared.limits).is_some_and(|deadline| deadline <= now);
        if is_over {
            // What they wait for is given up first: it stands before them.
            self.give_up_old(now, shared, sink);
        }
        while let Some(ack) = self.early.as_ref().and_then(|early| early.first_ack()) {
            if self.is_ahead_of_client(ack) {
                if !is_over {
                    break;
                }
                self.early.get_or_insert_default().waive(ack);
            }
            if let Some(ended) = self.take_early(shared, sink) {
                return Some(ended);
            }
        }
        None
    }

    fn take_early(&mut self, shared: &mut Shared, sink: &mut impl FnMut(Event<'_>)) -> Option<Close> {
        let (segment, payload) = self.early.as_mut()?.pop()?;
        shared.held -= Early::cost(&payload);
        self.take(Side::Server, &Segment { payload: &payload, ..segment }, shared, sink)
    }

    fn take(
        &mut self,
        from: Side,
        segment: &Segment<'_>,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Option<Close> {
        if segment.flags.has(Flags::RST) {
            shared.stats.reset_bytes += segment.payload.len() as u64;
            return self.on_reset(from, segment, shared);
        }
        self.last_seen = self.last_seen.max(segment.at);
        if segment.flags.has(Flags::ACK) {
            self.on_ack(from, segment, shared, sink);
        }
        self.on_payload(from, segment, shared, sink);
        self.give_up_old(segment.at, shared, sink)
    }

    /// Gives up old holes; says how the connection ended, if it did.
    pub fn expire(
        &mut self,
        now: Nanos,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Option<Close> {
        if self.last_seen + shared.limits.idle <= now {
            return Some(Close::Idle);
        }
        self.give_up_old(now, shared, sink).or_else(|| self.release_early(now, shared, sink))
    }

    /// Gives up all holes, of the client first.
    pub fn give_up(&mut self, at: Nanos, shared: &mut Shared, sink: &mut impl FnMut(Event<'_>)) {
        while !self.early_is_empty() {
            self.take_early(shared, sink);
        }
        for side in [Side::Client, Side::Server] {
            if let Some(direction) = self.get_mut(side) {
                direction.give_up(at, shared, &mut |output| sink(event(output, side, at)));
            }
        }
    }

    /// When something is to be done if no more segments come.
    pub fn deadline(&self, limits: &Limits) -> Nanos {
        let idle = self.last_seen + limits.idle;
        self.hole_deadline(limits).map_or(idle, |hole| hole.min(idle))
    }

    /// When the older of the holes at the front is to be given up, or an early answer let go, if there is one.
    pub fn hole_deadline(&self, limits: &Limits) -> Option<Nanos> {
        let due = |direction: &Option<Assembler>| direction.as_ref().and_then(Assembler::hole_due);
        let server = due(&self.server).filter(|_| self.early_is_empty());
        [due(&self.client), server, self.early_deadline(limits)].into_iter().flatten().min()
    }

    fn on_reset(&self, from: Side, segment: &Segment<'_>, shared: &mut Shared) -> Option<Close> {
        let is_plausible = match self.get(from) {
            Some(direction) => direction.may_reset(Seq(segment.seq)),
            // RFC 9293, section 3.10.7.3: before the handshake, a RST counts if it acknowledges the SYN.
            None => {
                let sent = self.get(from.other());
                segment.flags.has(Flags::ACK)
                    && sent.is_some_and(|direction| direction.may_acknowledge(Seq(segment.ack)))
            }
        };
        shared.stats.implausible_resets += u64::from(!is_plausible);
        is_plausible.then_some(Close::Reset)
    }

    fn on_ack(
        &mut self,
        from: Side,
        segment: &Segment<'_>,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) {
        let ack = Seq(segment.ack);
        let side = from.other();
        // A client waits for the server's next byte, so that is where the server's direction starts if its SYN
        // was not seen. Of a client only a SYN-ACK says as much: its late direction starts at a request.
        if from == Side::Client || segment.flags.has(Flags::SYN) {
            self.get_mut(side).get_or_insert_with(|| Assembler::new(ack, false));
        }
        if let Some(direction) = self.get_mut(side) {
            direction.on_ack(ack, segment.at, shared, &mut |output| sink(event(output, side, segment.at)));
        }
    }

    fn on_payload(
        &mut self,
        from: Side,
        segment: &Segment<'_>,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) {
        let arrival = Arrival {
            at: segment.at,
            seq: first_byte(segment),
            payload: segment.payload,
            missing: segment.missing,
            fin: segment.flags.has(Flags::FIN),
            ack: self.acknowledged(from, segment),
        };
        let is_empty = segment.claimed_len() == 0 && !arrival.fin;
        let is_syn = segment.flags.has(Flags::SYN);
        if is_empty && !is_syn {
            return;
        }
        let direction = self.get_mut(from).get_or_insert_with(|| Assembler::new(arrival.seq, is_syn));
        direction.begins_with(arrival.seq, is_syn);
        if !is_empty || is_syn {
            direction.accept(&arrival, shared, &mut |output| sink(event(output, from, segment.at)));
        }
    }

    /// What a segment of `from` acknowledges, as an offset in the other direction.
    fn acknowledged(&self, from: Side, segment: &Segment<'_>) -> Option<i64> {
        let other = self.get(from.other()).filter(|_| segment.flags.has(Flags::ACK))?;
        other.locate(Seq(segment.ack))
    }

    fn give_up_old(
        &mut self,
        now: Nanos,
        shared: &mut Shared,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Option<Close> {
        let mut finished = 0;
        let is_waiting = !self.early_is_empty();
        for side in [Side::Client, Side::Server] {
            // What waits may be what the server's hole is waiting for.
            if let Some(direction) =
                self.get_mut(side).as_mut().filter(|_| side == Side::Client || !is_waiting)
            {
                direction.expire(now, shared, &mut |output| sink(event(output, side, now)));
                finished += u8::from(direction.is_finished());
            }
        }
        (finished == 2).then_some(Close::Fin)
    }

    fn get(&self, side: Side) -> Option<&Assembler> {
        match side {
            Side::Client => self.client.as_ref(),
            Side::Server => self.server.as_ref(),
        }
    }

    fn get_mut(&mut self, side: Side) -> &mut Option<Assembler> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// The number of a segment's first payload byte: a SYN stands before it (RFC 9293, section 3.4).
fn first_byte(segment: &Segment<'_>) -> Seq {
    Seq(segment.seq).plus(i64::from(segment.flags.has(Flags::SYN)))
}

fn event(output: Output<'_>, from: Side, at: Nanos) -> Event<'_> {
    match output {
        Output::Chunk(offset, data, ack) => Event::Chunk { from, at, offset, ack, data },
        Output::Gap(offset, bytes) => Event::Gap { from, at, offset, bytes },
        Output::Finished => Event::Finished { from, at },
    }
}
