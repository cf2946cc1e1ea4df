//! How bytes that one end says at once cross the network: in pieces, and not always well.

use std::ops::Range;

use super::rng::Rng;
use super::tcp::{ACK, PSH, Tcp};
use super::truth::{Feature, Side};

/// How long a sender waits before it sends again what was lost before our eyes.
const RETRANSMIT: [u64; 2] = [1_000_000, 250_000_000];

impl Tcp<'_> {
    /// Sends a range of what `from` says until all of it has arrived.
    pub fn fly(&mut self, rng: &mut Rng, from: Side, range: Range<usize>) {
        if self.quirks && rng.chance(25) {
            self.close_window(rng, from, range.start);
        }
        let mut pieces = self.cut(rng, range.clone());
        let first = range.start;
        let lost = self.quirks && self.disorder(rng, &mut pieces);
        let mut done: Vec<Range<usize>> = Vec::new();
        let count = pieces.len();
        for (number, piece) in pieces.into_iter().enumerate() {
            if lost && number + 1 == count {
                self.now += rng.between(RETRANSMIT[0], RETRANSMIT[1]);
            }
            self.send_piece(rng, from, first, piece.clone());
            done.push(piece);
            self.arrived[from as usize] = reach(first, &done);
            if rng.chance(300) {
                self.acknowledge(from.other());
                self.tick(rng);
            }
        }
        if rng.chance(700) {
            self.acknowledge(from.other());
        }
        if self.quirks && rng.chance(60) {
            self.send_again(rng, from, first..range.end);
        }
    }

    /// One piece, which may begin with bytes of the piece before it, and may come twice.
    fn send_piece(&mut self, rng: &mut Rng, from: Side, first: usize, piece: Range<usize>) {
        let mut sent = piece.clone();
        if self.quirks && rng.chance(30) && piece.start > first {
            sent.start -= rng.len(1, (piece.start - first).min(self.mss));
            self.dialogue.features.insert(Feature::Overlapped);
        }
        self.data(from, sent);
        self.tick(rng);
        if self.quirks && rng.chance(20) {
            self.dialogue.features.insert(Feature::Retransmitted);
            self.data(from, piece);
            self.tick(rng);
        }
    }

    /// Any range of a flight, long after it has arrived; at times with other bytes.
    fn send_again(&mut self, rng: &mut Rng, from: Side, range: Range<usize>) {
        self.now += rng.between(RETRANSMIT[0], RETRANSMIT[1]);
        let begin = rng.len(range.start, range.end - 1);
        let end = rng.len(begin + 1, range.end.min(begin + self.mss.max(1)));
        let mut payload = self.dialogue.streams[from as usize][begin..end].to_vec();
        self.dialogue.features.insert(Feature::Overlapped);
        if rng.chance(200) {
            self.dialogue.features.insert(Feature::Conflict);
            payload.iter_mut().for_each(|byte| *byte ^= 0x20);
        }
        self.push(from, begin as i64, ACK, 502, payload);
        self.tick(rng);
    }

    /// Into segments: mostly full ones.
    fn cut(&self, rng: &mut Rng, range: Range<usize>) -> Vec<Range<usize>> {
        let (mut at, mut pieces) = (range.start, Vec::new());
        while at < range.end {
            let most = self.mss.min(range.end - at);
            let len = if rng.chance(100) { rng.len(1, most) } else { most };
            pieces.push(at..at + len);
            at += len;
        }
        pieces
    }

    /// Changes the order within a few places, or moves one piece to the end, sent again after it was lost. Then `true`.
    fn disorder(&mut self, rng: &mut Rng, pieces: &mut Vec<Range<usize>>) -> bool {
        if pieces.len() < 2 || !rng.chance(150) {
            return false;
        }
        self.dialogue.features.insert(Feature::Reordered);
        if rng.chance(400) {
            let lost = pieces.remove(rng.len(0, pieces.len() - 2));
            pieces.push(lost);
            return true;
        }
        for at in 0..pieces.len() - 1 {
            if rng.chance(300) {
                let with = rng.len(at, (at + 4).min(pieces.len() - 1));
                pieces.swap(at, with);
            }
        }
        false
    }

    /// A probe with the sequence number before the next one, and no byte or one of garbage (RFC 9293, 3.8.4).
    pub fn probe_alive(&mut self, rng: &mut Rng) {
        let from = rng.pick(&[Side::Client, Side::Server]);
        self.dialogue.features.insert(Feature::KeepAliveProbe);
        self.now += rng.between(1_000_000, 1_000_000_000);
        let garbage = rng.pick(&[0, 0, 1]);
        let place = self.sent(from) - 1;
        self.push(from, place, ACK, 502, vec![0; garbage]);
        self.tick(rng);
        self.acknowledge(from.other());
        self.tick(rng);
    }

    /// The receiver has no room, and the sender asks with the next byte until it has (RFC 9293, 3.8.6.1).
    fn close_window(&mut self, rng: &mut Rng, from: Side, next: usize) {
        self.dialogue.features.insert(Feature::ZeroWindow);
        for _ in 0..rng.len(1, 3) {
            let place = self.sent(from.other());
            self.push(from.other(), place, ACK, 0, Vec::new());
            self.now += rng.between(RETRANSMIT[0], RETRANSMIT[1]);
            self.data(from, next..next + 1);
            self.tick(rng);
        }
        self.acknowledge(from.other());
        self.tick(rng);
    }

    fn data(&mut self, from: Side, range: Range<usize>) {
        let payload = self.dialogue.streams[from as usize][range.clone()].to_vec();
        self.push(from, range.start as i64, PSH | ACK, 502, payload);
    }
}

/// Up to where there is no hole.
fn reach(first: usize, pieces: &[Range<usize>]) -> usize {
    let mut reached = first;
    while let Some(next) = pieces.iter().find(|piece| piece.start <= reached && piece.end > reached) {
        reached = next.end;
    }
    reached
}
