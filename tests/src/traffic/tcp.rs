//! Two TCP ends that carry a dialogue: sequence numbers, acknowledgements, flags, and a clock.

use super::dialogue::{Dialogue, Ending};
use super::rng::Rng;
use super::truth::{Feature, Side};

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const PSH: u8 = 8;
pub(super) const ACK: u8 = 16;

/// A segment at the place where the capture is taken.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub at: u64,
    pub from: Side,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub payload: Vec<u8>,
    /// Where the payload lies in its direction; before the first byte it is negative.
    pub place: i64,
}

/// A connection under way.
pub(super) struct Tcp<'a> {
    pub dialogue: &'a mut Dialogue,
    pub segments: Vec<Segment>,
    pub now: u64,
    pub mss: usize,
    /// Whether the network does anything but carry.
    pub quirks: bool,
    isn: [u32; 2],
    /// How much of each direction has arrived without a hole. What was sent is the same between two flights.
    pub arrived: [usize; 2],
    finished: [bool; 2],
}

/// All segments of a connection that begins at `start`.
pub(super) fn carry(rng: &mut Rng, dialogue: &mut Dialogue, start: u64, quirks: bool) -> Vec<Segment> {
    let isn = [isn(rng), isn(rng)];
    let total: usize = dialogue.streams.iter().map(Vec::len).sum();
    let smallest = total / 300; // so that no connection is thousands of segments
    let mss = rng.pick(&[61, 536, 1220, 1448, 1460, 1460, 1460, 8960, 32_000]).max(smallest);
    for (side, isn) in isn.iter().enumerate() {
        if isn.checked_add(dialogue.streams[side].len() as u32 + 2).is_none() {
            dialogue.features.insert(Feature::Wrapped);
        }
    }
    let mut tcp = Tcp {
        dialogue,
        segments: Vec::new(),
        now: start,
        mss,
        quirks,
        isn,
        arrived: [0; 2],
        finished: [false; 2],
    };
    tcp.run(rng);
    tcp.segments
}

/// Often just before zero.
fn isn(rng: &mut Rng) -> u32 {
    let any = rng.bits() as u32;
    if rng.chance(400) { u32::MAX - any % 20_000 } else { any }
}

impl Tcp<'_> {
    fn run(&mut self, rng: &mut Rng) {
        let early = self.open(rng);
        let sends = self.merged(rng);
        for (from, mut range) in sends {
            range.start = range.start.max(if from == Side::Client { early } else { 0 });
            self.pause(rng);
            if self.quirks && rng.chance(30) {
                self.probe_alive(rng);
            }
            if !range.is_empty() {
                self.fly(rng, from, range);
            }
        }
        self.pause(rng);
        self.close(rng);
    }

    /// The handshake. Returns how many bytes of the client were taken with the SYN (RFC 7413).
    fn open(&mut self, rng: &mut Rng) -> usize {
        let first = self.dialogue.sends.first().map_or(0, |(_, range)| range.end);
        let fast = self.quirks && rng.chance(60);
        let early = if fast { rng.len(1, first.min(1400)) } else { 0 };
        let data = self.dialogue.streams[0][..early].to_vec();
        self.push(Side::Client, -1, SYN, 64_240, data);
        if fast {
            self.dialogue.features.insert(Feature::FastOpen);
        }
        let taken = if rng.chance(700) { early } else { 0 };
        self.arrived[0] = taken;
        self.tick(rng);
        self.push(Side::Server, -1, SYN | ACK, 65_160, Vec::new());
        self.tick(rng);
        self.acknowledge(Side::Client);
        taken
    }

    /// What one end says in a row goes out in one flight at times, so that messages share segments.
    fn merged(&self, rng: &mut Rng) -> Vec<(Side, std::ops::Range<usize>)> {
        let mut merged: Vec<(Side, std::ops::Range<usize>)> = Vec::new();
        for (from, range) in &self.dialogue.sends {
            match merged.last_mut() {
                Some((last, before)) if last == from && rng.chance(600) => before.end = range.end,
                _ => merged.push((*from, range.clone())),
            }
        }
        merged
    }

    fn close(&mut self, rng: &mut Rng) {
        match self.dialogue.ending {
            Ending::Open => _ = self.dialogue.features.insert(Feature::Open),
            Ending::Reset(from) => {
                self.dialogue.features.insert(Feature::Reset);
                let place = self.arrived[from as usize] as i64;
                self.push(from, place, RST | ACK, 0, Vec::new());
            }
            Ending::Fin(first) => {
                self.finish(first);
                self.tick(rng);
                self.acknowledge(first.other());
                self.pause(rng);
                self.finish(first.other());
                self.tick(rng);
                self.acknowledge(first);
            }
            Ending::Simultaneous => {
                self.dialogue.features.insert(Feature::SimultaneousClose);
                self.finish_unheard(Side::Client);
                self.tick(rng);
                self.finish_unheard(Side::Server);
                self.finished = [true; 2];
                self.tick(rng);
                self.acknowledge(Side::Client);
                self.acknowledge(Side::Server);
            }
        }
    }

    fn finish(&mut self, from: Side) {
        self.finish_unheard(from);
        self.finished[from as usize] = true;
    }

    fn finish_unheard(&mut self, from: Side) {
        let place = self.arrived[from as usize] as i64;
        self.push(from, place, FIN | ACK, 500, Vec::new());
    }

    /// A pure ACK of all that arrived.
    pub fn acknowledge(&mut self, from: Side) {
        let place = self.sent(from);
        self.push(from, place, ACK, 502, Vec::new());
    }

    /// Where the next new byte of this end lies.
    pub fn sent(&self, from: Side) -> i64 {
        (self.arrived[from as usize] + usize::from(self.finished[from as usize])) as i64
    }

    /// Puts a segment on the wire. `place` is -1 for a SYN.
    pub fn push(&mut self, from: Side, place: i64, flags: u8, window: u16, payload: Vec<u8>) {
        let number =
            |side: Side, place: i64| self.isn[side as usize].wrapping_add(1).wrapping_add(place as u32);
        let heard = if flags & ACK == 0 { 0 } else { number(from.other(), self.sent(from.other())) };
        let data = if flags & SYN != 0 { place + 1 } else { place };
        let (seq, at) = (number(from, place), self.now);
        self.segments.push(Segment { at, from, seq, ack: heard, flags, window, payload, place: data });
    }

    /// From one segment to the next.
    pub fn tick(&mut self, rng: &mut Rng) {
        self.now += rng.between(300, 60_000);
    }

    /// Until the other end has thought.
    pub fn pause(&mut self, rng: &mut Rng) {
        let most = rng.pick(&[50_000, 500_000, 5_000_000, 40_000_000]);
        self.now += rng.between(1_000, most);
    }
}
