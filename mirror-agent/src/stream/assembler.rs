//! One direction of a connection: payload in any order becomes bytes in order, and gaps beside them.

mod held;
#[cfg(test)]
mod tests;

use crate::time::Nanos;

use super::Shared;
use super::seq::Seq;
use super::stats::GaveUp;
use held::{Held, Piece};

/// Segments further away than this belong to no window (RFC 7323, section 2.2) and are not looked at.
const FAR: i32 = 1 << 30;

/// How far beyond the expected byte a RST may lie. Windows are not followed; this is a large one.
const RESET_WINDOW: i64 = 1 << 20;

/// How far beyond what was seen an acknowledgment is believed. No usual receive window is larger.
const ACK_WINDOW: i64 = 16 << 20;

/// Behind every offset, and far enough from the end of the type for sums and differences with it.
const NEVER: i64 = i64::MAX / 2;

/// No hole.
const NO_HOLE: Nanos = Nanos(u64::MAX);

/// One direction. Bytes are numbered by offset from the first one after the SYN; what lies before is negative.
///
/// Invariant between calls: everything before `next` was handed on, as bytes or as gap; every held chunk begins
/// after `next`; no two overlap; none reaches beyond `seen`; if `fin` is known, it equals `seen`.
#[derive(Debug)]
pub(super) struct Assembler {
    start: Seq,
    /// The start was said by a SYN, and not only guessed by what was seen first.
    is_sure: bool,
    /// Something was handed on.
    has_begun: bool,
    next: i64,
    /// Behind the last byte that is known to have been sent.
    seen: i64,
    /// Behind the last byte that the other end is known to have.
    acked: i64,
    /// Where the FIN stands, or [`NEVER`].
    fin: i64,
    is_finished: bool,
    /// When the hole at the front is to be given up: bytes from `next` on that were not seen although later ones were
    /// sent, or they were acknowledged. [`NO_HOLE`] if there is none, or it was just reached.
    hole_due: Nanos,
    held: Held,
}

/// The part of a segment that matters to its own direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub at: Nanos,
    pub seq: Seq,
    pub payload: &'a [u8],
    pub missing: u32,
    pub fin: bool,
    /// What the segment acknowledges, as an offset in the other direction.
    pub ack: Option<i64>,
}

/// What a direction hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output<'a> {
    /// Bytes from an offset on, and what their segment acknowledged.
    Chunk(i64, &'a [u8], Option<i64>),
    /// An offset, and how many bytes.
    Gap(i64, u32),
    Finished,
}

impl Assembler {
    /// A direction whose first byte has the number `start`: by a SYN if it `is_sure`.
    pub fn new(start: Seq, is_sure: bool) -> Assembler {
        Assembler {
            start,
            is_sure,
            has_begun: false,
            next: 0,
            seen: 0,
            acked: 0,
            fin: NEVER,
            is_finished: false,
            hole_due: NO_HOLE,
            held: Held::default(),
        }
    }

    /// Learns that there is a byte `seq`, or that a SYN says it is the first. What was only guessed to be the start may
    /// be moved before anything was handed on, but not over bytes that came: a SYN that says so is of no use.
    pub fn begins_with(&mut self, seq: Seq, is_sure: bool) {
        if self.is_sure || self.has_begun || self.is_finished {
            return;
        }
        let Some(at) = self.locate(seq) else { return };
        if at > self.held.first().unwrap_or(NEVER).min(self.fin) {
            return;
        }
        if at < self.next || is_sure {
            self.next = at;
            self.seen = self.seen.max(at);
        }
        self.is_sure = is_sure;
    }

    /// Takes payload, hands on all that is now in order, and gives up holes that the caps do not allow.
    pub fn accept(&mut self, arrival: &Arrival<'_>, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        let Some(begin) = self.locate(arrival.seq) else {
            shared.stats.far_segments += 1;
            shared.stats.far_bytes += arrival.payload.len() as u64;
            return;
        };
        let data_end = begin + len(arrival.payload);
        let end = data_end + i64::from(arrival.missing);
        let last = self.fin;
        if begin < end {
            self.seen = self.seen.max(end.min(last));
        }
        let piece = Piece { data: until(arrival.payload, last - begin), at: arrival.at, ack: arrival.ack };
        shared.stats.after_fin_bytes += (arrival.payload.len() - piece.data.len()) as u64;
        self.place(begin, piece, shared, out);
        if data_end <= self.next {
            self.skip_to(end.min(last), GaveUp::Snap, shared, out);
        }
        if arrival.fin {
            self.note_fin(end, shared);
        }
        self.enforce_caps(shared, out);
        self.settle(arrival.at, shared, out);
    }

    /// Learns that the other end has every byte before `ack`. A hole that lies before it was lost on the way to us
    /// only, and nobody will send it again.
    pub fn on_ack(&mut self, ack: Seq, at: Nanos, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        let Some(acked) = self.locate(ack) else { return };
        if acked <= self.acked {
            return;
        }
        self.acked = acked;
        self.settle(at, shared, out);
    }

    /// Gives up the holes that are too old at `now`.
    pub fn expire(&mut self, now: Nanos, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        while self.hole_due <= now {
            let is_acked = self.hole_end().is_some_and(|end| end <= self.acked);
            self.give_up_hole(if is_acked { GaveUp::Ack } else { GaveUp::Age }, shared, out);
            self.settle(now, shared, out);
        }
    }

    /// Gives up all holes: everything known to have been sent is handed on, as bytes or as gap.
    pub fn give_up(&mut self, at: Nanos, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        self.skip_to(self.known(), GaveUp::Close, shared, out);
        self.settle(at, shared, out);
    }

    /// When the hole at the front is to be given up, if there is one.
    pub fn hole_due(&self) -> Option<Nanos> {
        (self.hole_due != NO_HOLE).then_some(self.hole_due)
    }

    /// Whether the last byte was handed on.
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Whether `seq` numbers the first byte.
    pub fn starts_at(&self, seq: Seq) -> bool {
        self.start == seq
    }

    /// Whether the receiver may take a RST with this number for real (RFC 9293, section 3.5.3). It knows where
    /// its window begins and we do not: somewhere between what it acknowledged and what we expect.
    pub fn may_reset(&self, seq: Seq) -> bool {
        let lowest = self.acked.max(self.next - RESET_WINDOW).min(self.next);
        self.locate(seq).is_some_and(|at| at >= lowest && at <= self.seen.max(self.next) + RESET_WINDOW)
    }

    /// Whether `ack` acknowledges something that was sent, or the SYN.
    pub fn may_acknowledge(&self, ack: Seq) -> bool {
        self.locate(ack).is_some_and(|at| at >= 0 && at <= self.seen.max(self.next) + RESET_WINDOW)
    }

    /// Whether `ack` acknowledges the SYN, or what is known to have been sent.
    pub fn has_sent(&self, ack: Seq) -> bool {
        self.locate(ack).is_some_and(|at| at >= 0 && at <= self.seen.max(self.next))
    }

    /// Whether `ack` acknowledges bytes that were not handed on yet, as far as one window.
    pub fn is_behind(&self, ack: Seq) -> bool {
        let fin = i64::from(self.fin != NEVER);
        self.locate(ack)
            .is_some_and(|at| at > self.next + fin && at <= self.seen.max(self.next) + RESET_WINDOW)
    }

    /// The offset that `seq` stands for, unless it is too far away to say.
    pub fn locate(&self, seq: Seq) -> Option<i64> {
        let distance = seq.distance(self.start.plus(self.next))?;
        (-FAR..=FAR).contains(&distance).then(|| self.next + i64::from(distance))
    }

    /// Hands on or holds the bytes of `piece` that are new. The first copy of a byte wins.
    fn place(&mut self, begin: i64, piece: Piece<'_>, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        let old = until(piece.data, self.next - begin).len();
        *if begin < 0 && !self.is_sure {
            &mut shared.stats.before_bytes
        } else {
            &mut shared.stats.duplicate_bytes
        } += old as u64;
        let (mut offset, mut data) = (begin + old as i64, after(piece.data, old));
        while !data.is_empty() {
            let done = if let Some(first) = self.held.covering(offset) {
                compare(first, data, shared)
            } else {
                let new = until(data, self.held.room(offset));
                self.take(offset, Piece { data: new, ..piece }, shared, out);
                new.len()
            };
            offset += done as i64;
            data = after(data, done);
        }
        self.drain(shared, out);
    }

    /// Takes bytes of which no copy is held.
    fn take(&mut self, offset: i64, piece: Piece<'_>, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        let size = piece.data.len() as u64;
        self.drain(shared, out);
        if offset == self.next {
            self.advance(len(piece.data));
            shared.stats.chunk_bytes += size;
            out(Output::Chunk(offset, piece.data, piece.ack));
        } else if shared.held.saturating_add(held::cost(piece.data)) > shared.limits.held_overall {
            shared.stats.refused_bytes += size;
        } else {
            shared.stats.copied_bytes += size;
            shared.held += held::cost(piece.data);
            self.held.insert(offset, piece);
        }
    }

    /// Hands on what is held and in order.
    fn drain(&mut self, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        while let Some((data, ack)) = self.held.take(self.next) {
            let offset = self.next;
            self.advance(len(&data));
            shared.held -= held::cost(&data);
            shared.stats.chunk_bytes += data.len() as u64;
            out(Output::Chunk(offset, &data, ack));
        }
    }

    /// Gives up every byte before `limit` that is not held.
    fn skip_to(&mut self, limit: i64, why: GaveUp, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        while self.next < limit {
            let end = self.held.first().unwrap_or(limit).min(limit);
            let bytes = u32::try_from(end - self.next).unwrap_or(u32::MAX);
            let offset = self.next;
            self.advance(i64::from(bytes));
            shared.stats.count_gap(why, bytes);
            out(Output::Gap(offset, bytes));
            self.drain(shared, out);
        }
    }

    fn advance(&mut self, bytes: i64) {
        self.next += bytes;
        self.has_begun = true;
        self.hole_due = NO_HOLE;
    }

    /// Behind the last byte that must have been sent: because it was seen, or acknowledged. Of what was only
    /// acknowledged, the last may have been a FIN.
    fn known(&self) -> i64 {
        let told = (self.acked - 1).min(self.fin);
        if told > self.seen && told <= self.seen + ACK_WINDOW { told } else { self.seen }
    }

    /// Where the hole at the front ends, if there is one.
    fn hole_end(&self) -> Option<i64> {
        let known = self.known();
        (self.next < known).then(|| self.held.first().unwrap_or(known))
    }

    fn give_up_hole(&mut self, why: GaveUp, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        if let Some(end) = self.hole_end() {
            self.skip_to(end, why, shared, out);
        }
    }

    fn note_fin(&mut self, end: i64, shared: &mut Shared) {
        if self.fin == NEVER && end >= self.seen {
            self.seen = end;
            self.fin = end;
        } else if self.fin != end {
            shared.stats.contradicting_fins += 1;
        }
    }

    fn enforce_caps(&mut self, shared: &mut Shared, out: &mut impl FnMut(Output<'_>)) {
        while self.held.cost() > shared.limits.held_per_direction {
            self.give_up_hole(GaveUp::Bytes, shared, out);
        }
        while self.held.count() > shared.limits.chunks_per_direction {
            self.give_up_hole(GaveUp::Chunks, shared, out);
        }
    }

    /// Brings the front hole and the end up to date.
    fn settle(&mut self, at: Nanos, shared: &Shared, out: &mut impl FnMut(Output<'_>)) {
        self.hole_due = match self.hole_end() {
            None => NO_HOLE,
            Some(end) => {
                let since = self.held.first_since().unwrap_or(at);
                let limit = if end <= self.acked { at + shared.limits.patience } else { NO_HOLE };
                let due = if self.hole_due == NO_HOLE { since + shared.limits.hole } else { self.hole_due };
                due.min(limit)
            }
        };
        if self.fin == self.next && !self.is_finished {
            self.is_finished = true;
            out(Output::Finished);
        }
    }
}

/// Counts how a later copy compares with the first one; says how many bytes both have.
fn compare(first: &[u8], later: &[u8], shared: &mut Shared) -> usize {
    let both = first.len().min(later.len());
    let conflicting = first.iter().zip(later).filter(|(a, b)| a != b).count();
    shared.stats.duplicate_bytes += both as u64;
    shared.stats.conflicting_bytes += conflicting as u64;
    both
}

fn len(data: &[u8]) -> i64 {
    data.len() as i64
}

/// The first `len` bytes of `data`, or all, or none.
fn until(data: &[u8], len: i64) -> &[u8] {
    let len = usize::try_from(len.max(0)).unwrap_or(usize::MAX);
    data.get(..len).unwrap_or(data)
}

/// What is left of `data` behind its first `len` bytes.
fn after(data: &[u8], len: usize) -> &[u8] {
    data.get(len..).unwrap_or_default()
}
