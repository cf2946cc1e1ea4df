//! The turns of one connection: what is outstanding, what waits for its proof, what is lost.

use super::span::Span;
use super::wire::Seen;
use super::{CLIENT, Count, SERVER};

/// The turn in flight.
#[derive(Clone, Debug)]
struct Turn {
    first: Span,
    last: Span,
    bodiless: bool,
    head_done: bool,
    /// First and last byte of the answer, and its outcome.
    answer: Option<(Span, Span, usize)>,
    doubt: Option<&'static str>,
}

/// A turn that is recorded: time to first byte, whole duration, outcome.
type Recorded = (Span, Span, usize);

/// Everything that is known of a connection's bytes.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// The next bytes without a request outstanding are the start of one.
    pub start: bool,
    pub next: [Option<u32>; 2],
    pub fin: [bool; 2],
    turn: Option<Turn>,
    waiting: Option<Recorded>,
    poison: Option<&'static str>,
    recorded: Vec<Recorded>,
}

/// Where a segment's bytes stand.
#[derive(PartialEq)]
enum Place {
    Next,
    Probe,
    Old,
    Overlap,
    Ahead,
}

#[derive(PartialEq)]
enum Method {
    Bodiless,
    Body,
    Http2,
    None,
}

const OK: usize = 0;
const ERROR: usize = 1;
const UNKNOWN: usize = 2;

impl Turns {
    /// A SYN at most 64 KiB behind what the client has sent is its own, sent again.
    pub fn has_sent_syn(&self, sequence: u32) -> bool {
        let behind = |next: u32| (i64::from(next) - i64::from(sequence) - 1).rem_euclid(1 << 32);
        self.next[CLIENT].is_some_and(|next| behind(next) < 1 << 16)
    }

    /// Turns that have begun and not ended.
    pub fn open(&self) -> u64 {
        u64::from(self.turn.is_some()) + u64::from(self.waiting.is_some())
    }

    /// Nothing, a request, or a request and its answer, in flight; whether a turn waits; why none is certain any more.
    pub fn state(&self) -> (u8, bool, Option<&'static str>, Option<&'static str>) {
        let phase = self.turn.as_ref().map_or(0, |turn| 1 + u8::from(turn.answer.is_some()));
        (phase, self.waiting.is_some(), self.poison, self.turn.as_ref().and_then(|turn| turn.doubt))
    }

    /// Follows a segment. Returns whether the connection is over, and what is recorded.
    pub fn follow(
        &mut self,
        seen: &Seen,
        side: usize,
        now: Span,
        count: &mut Count,
    ) -> (bool, Vec<Recorded>) {
        if seen.syn {
            self.syn(seen, side, count);
        }
        if !seen.payload.is_empty() {
            match side {
                CLIENT => self.request(seen, now, count),
                _ => self.response(seen, now, count),
            }
        }
        if seen.fin {
            self.finished(seen, side, count);
        }
        let speaks = seen.syn || seen.fin || seen.rst || !seen.payload.is_empty();
        (speaks && self.settle(seen, side, count), std::mem::take(&mut self.recorded))
    }

    fn syn(&mut self, seen: &Seen, side: usize, count: &mut Count) {
        if self.next[side].is_some() {
            count.retransmits[side] += 1;
            return;
        }
        self.next[side] = Some(seen.sequence.wrapping_add(1));
        if side == CLIENT {
            self.start = true;
        }
    }

    fn place(&mut self, seen: &Seen, side: usize) -> Place {
        let first = seen.sequence.wrapping_add(u32::from(seen.syn));
        let next = *self.next[side].get_or_insert(first);
        let signed = |value: i64| (value + (1 << 31)).rem_euclid(1 << 32) - (1 << 31);
        let from = signed(i64::from(first) - i64::from(next));
        let to = signed(from + seen.payload.len() as i64);
        if from < 0 && to <= 0 {
            return if seen.payload.len() == 1 { Place::Probe } else { Place::Old };
        }
        self.next[side] = Some(first.wrapping_add(seen.payload.len() as u32));
        match from {
            0 => Place::Next,
            1.. => Place::Ahead,
            _ => Place::Overlap,
        }
    }

    fn request(&mut self, seen: &Seen, now: Span, count: &mut Count) {
        let doubt = match self.place(seen, CLIENT) {
            Place::Probe => return,
            Place::Old => {
                count.retransmits[CLIENT] += 1;
                return self.doubt("retransmit");
            }
            Place::Overlap => {
                count.retransmits[CLIENT] += 1;
                Some("retransmit")
            }
            Place::Ahead => Some("reordered"),
            Place::Next => None,
        };
        let doubtful = |turns: &mut Self| doubt.iter().for_each(|why| turns.doubt(why));
        doubtful(self);
        let method = method(seen.payload);
        let is_request = matches!(method, Method::Bodiless | Method::Body);
        if let Some(why) = self.poison {
            if is_request {
                self.lost(why, 1, count);
            }
            return;
        }
        match self.turn.as_mut().map(|turn| (turn.answer.is_some(), turn.bodiless && turn.head_done)) {
            None => self.opening(method, doubt, now, count),
            Some((false, ended)) if ended || method != Method::None => {
                return self.poison_with_another(count);
            }
            Some((true, _)) if method != Method::None => {
                self.finish(count);
                self.begin(method, now, count);
            }
            Some((answered, _)) => {
                self.turn.as_mut().unwrap().last = now;
                if answered {
                    return self.doubt("early_response");
                }
            }
        }
        doubtful(self);
        self.look_for_end(seen.payload, count);
    }

    fn opening(&mut self, method: Method, doubt: Option<&'static str>, now: Span, count: &mut Count) {
        match method {
            Method::Bodiless | Method::Body => self.begin(method, now, count),
            Method::Http2 => {
                self.lost("http2", 1, count);
                self.poison = Some("http2");
            }
            Method::None if !self.start || self.fin[SERVER] => {}
            Method::None => {
                self.lost(doubt.unwrap_or("not_http"), 1, count);
                match doubt {
                    Some(_) => self.start = false,
                    None => self.poison = Some("not_http"),
                }
            }
        }
    }

    fn begin(&mut self, method: Method, now: Span, count: &mut Count) {
        count.started += 1;
        self.start = true;
        let bodiless = method == Method::Bodiless;
        self.turn =
            Some(Turn { first: now, last: now, bodiless, head_done: false, answer: None, doubt: None });
    }

    fn look_for_end(&mut self, payload: &[u8], count: &mut Count) {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.bodiless && turn.answer.is_none()) else {
            return;
        };
        if payload.len() > 4096 {
            return self.doubt("long_request");
        }
        if payload.len() < 4 {
            return;
        }
        let is_blank = |pair: &[u8]| pair == b"\n\r" || pair == b"\n\n";
        if payload[..payload.len() - 2].windows(2).any(is_blank) {
            return self.poison_with_another(count);
        }
        turn.head_done |= payload.ends_with(b"\r\n\r\n") || payload.ends_with(b"\n\n");
    }

    fn response(&mut self, seen: &Seen, now: Span, count: &mut Count) {
        match self.place(seen, SERVER) {
            Place::Probe => return,
            Place::Old => {
                count.retransmits[SERVER] += 1;
                return self.doubt("retransmit");
            }
            Place::Overlap => {
                count.retransmits[SERVER] += 1;
                self.doubt("retransmit");
            }
            Place::Ahead => {
                self.drop_waiting("reordered", count);
                self.doubt("reordered");
            }
            Place::Next => {}
        }
        let Some(turn) = self.turn.as_mut() else { return };
        match (&mut turn.answer, status(seen.payload)) {
            (Some(_), Some(_)) => self.spoil("pipelined", count),
            (Some(answer), None) => answer.1 = now,
            (None, Some(status)) => {
                count.recorded += u64::from(self.waiting.is_some());
                self.recorded.extend(self.waiting.take());
                match status {
                    101 => self.spoil("upgrade", count),
                    100..=199 => {}
                    200..=499 => turn.answer = Some((now, now, OK)),
                    500..=599 => turn.answer = Some((now, now, ERROR)),
                    _ => turn.answer = Some((now, now, UNKNOWN)),
                }
            }
            (None, None) if seen.payload.len() >= 16 => self.spoil("pipelined", count),
            (None, None) => {
                turn.answer = Some((now, now, UNKNOWN));
                self.drop_waiting("split_head", count);
                self.doubt("split_head");
            }
        }
    }

    fn finished(&mut self, seen: &Seen, side: usize, count: &mut Count) {
        let end = seen.sequence.wrapping_add(u32::from(seen.syn)).wrapping_add(seen.payload.len() as u32);
        if side == SERVER && self.next[SERVER].is_some_and(|next| next != end) {
            self.drop_waiting("reordered", count);
            self.doubt("reordered");
        }
        self.fin[side] = true;
    }

    fn settle(&mut self, seen: &Seen, side: usize, count: &mut Count) -> bool {
        if seen.rst {
            count.resets[side] += 1;
            self.spoil("reset", count);
            return true;
        }
        if !self.fin[SERVER] {
            return false;
        }
        self.finish(count);
        count.recorded += u64::from(self.waiting.is_some());
        self.recorded.extend(self.waiting.take());
        self.fin[CLIENT]
    }

    fn finish(&mut self, count: &mut Count) {
        let Some(turn) = self.turn.take() else { return };
        match (turn.doubt, turn.answer) {
            (Some(why), _) => *count.ambiguous.entry(why).or_default() += 1,
            (None, None) => *count.ambiguous.entry("reset").or_default() += 1,
            (None, Some((first, last, outcome))) => {
                self.waiting = Some((first.since(turn.last), last.since(turn.first), outcome));
            }
        }
    }

    fn doubt(&mut self, why: &'static str) {
        if let Some(turn) = self.turn.as_mut() {
            turn.doubt.get_or_insert(why);
        }
    }

    /// Turns that begin and end at once.
    fn lost(&self, why: &'static str, turns: u64, count: &mut Count) {
        count.started += turns;
        *count.ambiguous.entry(why).or_default() += turns;
    }

    fn poison_with_another(&mut self, count: &mut Count) {
        self.spoil("pipelined", count);
        self.lost("pipelined", 1, count);
    }

    fn spoil(&mut self, why: &'static str, count: &mut Count) {
        if self.turn.take().is_some() {
            *count.ambiguous.entry(why).or_default() += 1;
        }
        self.drop_waiting(why, count);
        self.poison = Some(why);
    }

    fn drop_waiting(&mut self, why: &'static str, count: &mut Count) {
        if self.waiting.take().is_some() {
            *count.ambiguous.entry(why).or_default() += 1;
        }
    }
}

/// The method at the start of a segment that is long enough for one.
fn method(payload: &[u8]) -> Method {
    let starts = |words: &[&[u8]]| payload.len() >= 16 && words.iter().any(|word| payload.starts_with(word));
    if starts(&[b"GET ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"TRACE "]) {
        Method::Bodiless
    } else if starts(&[b"POST ", b"PUT ", b"PATCH ", b"CONNECT "]) {
        Method::Body
    } else if starts(&[b"PRI * HT"]) {
        Method::Http2
    } else {
        Method::None
    }
}

/// `HTTP/1.x 200`, and nothing is said of `x` and the space.
fn status(payload: &[u8]) -> Option<u32> {
    let line = payload.get(..16)?;
    let digits = std::str::from_utf8(&line[9..12]).ok()?;
    let is_status = line.starts_with(b"HTTP/1.") && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_status.then(|| digits.parse().unwrap())
}
