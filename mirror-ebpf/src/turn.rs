//! The turn clock: times a request from its bytes to the bytes of its answer, and only where that is certain.
//!
//! A turn begins with a segment that starts with an HTTP/1 method while no other is outstanding. Its response begins
//! with a status line and ends when the next request begins or the server closes. It is recorded only once the next
//! response has begun with a status line too: that proves that the bytes before it were whole, and not the rest of an
//! answer that a pipelining client did not wait for.

use aya_ebpf::programs::TcContext;
use mirror_common::count::{TurnCount, side};
use mirror_common::flow::{Flow, known, mark, phase};
use mirror_common::histogram::series;
use mirror_common::limits::REQUEST_SCAN;
use mirror_common::policy::ServicePolicy;
use mirror_common::turn::{Ambiguous, measure, outcome};

use crate::histogram::record_under;
use crate::maps::turn_count;
use crate::packet::{Segment, load, tcp};
use crate::scan::{self, Head, Method, PEEK, Peek, Text};
use crate::sequence::{Place, place};
use crate::subject::Sighting;

/// Follows one TCP segment. Returns whether the connection is over.
#[inline(always)]
pub fn follow(ctx: &TcContext, seen: &Sighting, flow: &mut Flow) -> bool {
    let segment = seen.packet.segment;
    let nothing = tcp::SYN | tcp::FIN | tcp::RST;
    if segment.payload == 0 && segment.tcp_flags & nothing == 0 {
        return false; // an acknowledgement moves no clock
    }
    let Some(count) = turn_count(flow.service, flow.version) else { return false };
    // SAFETY: a live entry of this processor's own array; nothing else runs on it meanwhile.
    let count = unsafe { &mut *count };
    let mut clock = Clock { ctx, segment, flow, count, policy: seen.policy, now: seen.now };
    if seen.subject.side == side::CLIENT {
        clock.client()
    } else {
        clock.server()
    }
    clock.settle(seen.subject.side)
}

/// Counts the turns of a connection whose entry goes without a word: another connection has taken its addresses.
#[inline(always)]
pub fn abandon(flow: &Flow) {
    let Some(count) = turn_count(flow.service, flow.version) else { return };
    let open = (flow.phase != phase::IDLE) as u64 + (flow.known & known::PENDING != 0) as u64;
    // SAFETY: a live entry of this processor's own array.
    unsafe { (*count).ambiguous[Ambiguous::Reset as usize] += open };
}

struct Clock<'a> {
    ctx: &'a TcContext,
    segment: Segment,
    flow: &'a mut Flow,
    count: &'a mut TurnCount,
    policy: &'a ServicePolicy,
    now: u64,
}

impl Clock<'_> {
    #[inline(always)]
    fn client(&mut self) {
        let flags = self.segment.tcp_flags;
        if flags & tcp::SYN != 0 {
            self.client_syn();
        }
        if self.segment.payload > 0 {
            self.request_bytes();
        }
        if flags & tcp::FIN != 0 {
            self.flow.known |= known::CLIENT_FIN;
        }
    }

    #[inline(always)]
    fn server(&mut self) {
        let flags = self.segment.tcp_flags;
        if flags & tcp::SYN != 0 {
            self.server_syn();
        }
        if self.segment.payload > 0 {
            self.response_bytes();
        }
        if flags & tcp::FIN != 0 {
            self.server_finished();
        }
    }

    #[inline(always)]
    fn client_syn(&mut self) {
        if self.flow.known & known::REQUEST_NEXT != 0 {
            self.count.retransmits[side::CLIENT as usize] += 1;
            return;
        }
        self.flow.known |= known::REQUEST_NEXT | known::START;
        self.flow.request_next = self.segment.sequence.wrapping_add(1);
    }

    #[inline(always)]
    fn server_syn(&mut self) {
        if self.flow.known & known::RESPONSE_NEXT != 0 {
            self.count.retransmits[side::SERVER as usize] += 1;
            return;
        }
        self.flow.known |= known::RESPONSE_NEXT;
        self.flow.response_next = self.segment.sequence.wrapping_add(1);
    }

    #[inline(always)]
    fn request_bytes(&mut self) {
        if self.flow.known & known::REQUEST_NEXT == 0 {
            self.flow.known |= known::REQUEST_NEXT;
            self.flow.request_next = self.sequence();
        }
        let sequence = self.sequence();
        let doubt = match place(&mut self.flow.request_next, sequence, self.segment.payload) {
            // One old byte is a keep-alive probe (RFC 9293, section 3.8.4).
            Place::Old if self.segment.payload == 1 => return,
            Place::Old => return self.sent_again(side::CLIENT),
            Place::Overlap => {
                self.count.retransmits[side::CLIENT as usize] += 1;
                Some(Ambiguous::Retransmit)
            }
            Place::Ahead => Some(Ambiguous::Reordered),
            Place::Next => None,
        };
        self.doubt(doubt); // what stands before these bytes
        let text = scan::copy(self.ctx, self.segment.payload_at, self.segment.payload);
        let peek = match &text {
            Some(text) => text.peek(),
            None => self.peek(),
        };
        let method = peek.map_or(Method::None, scan::method);
        if self.flow.poison != 0 {
            return self.poisoned_request(method);
        }
        match self.flow.phase {
            phase::IDLE => self.request_when_idle(method, doubt),
            phase::REQUEST => self.request_goes_on(method),
            _ => self.request_after_response(method),
        }
        self.doubt(doubt); // and what begins with them
        self.look_for_end(text);
    }

    /// Bytes that were seen before.
    #[inline(always)]
    fn sent_again(&mut self, by: u8) {
        self.count.retransmits[(by & 1) as usize] += 1;
        self.doubt(Some(Ambiguous::Retransmit));
    }

    /// The sequence number of the first payload byte: a SYN with data (TCP Fast Open) takes one number itself.
    #[inline(always)]
    fn sequence(&self) -> u32 {
        let syn = (self.segment.tcp_flags & tcp::SYN != 0) as u32;
        self.segment.sequence.wrapping_add(syn)
    }

    #[inline(always)]
    fn peek(&self) -> Option<Peek> {
        scan::peek(self.ctx, self.segment.payload_at, self.segment.payload)
    }

    /// Requests of a poisoned connection are still counted where they can be recognised.
    #[inline(always)]
    fn poisoned_request(&mut self, method: Method) {
        if method == Method::Bodiless || method == Method::Body {
            self.count.started += 1;
            self.ambiguous(self.flow.poison);
        }
    }

    #[inline(always)]
    fn request_when_idle(&mut self, method: Method, doubt: Option<Ambiguous>) {
        match method {
            Method::Bodiless | Method::Body => self.begin(method),
            Method::Http2 => self.refuse(Ambiguous::Http2),
            // Joined in the middle of something: wait for the next request.
            Method::None if self.flow.known & known::START == 0 => {}
            // The rest of a request that the server did not wait for.
            Method::None if self.flow.known & known::SERVER_FIN != 0 => {}
            Method::None => match doubt {
                Some(why) => self.lose(why),
                None => self.refuse(Ambiguous::NotHttp),
            },
        }
    }

    #[inline(always)]
    fn request_goes_on(&mut self, method: Method) {
        let ended = known::BODILESS | known::HEAD_DONE;
        let head_end = self.cut_blank_line();
        let followed = head_end != 0 && head_end < self.segment.payload;
        if method != Method::None || self.flow.known & ended == ended || followed {
            return self.poison_with_another(Ambiguous::Pipelined);
        }
        if head_end != 0 {
            self.flow.known |= known::HEAD_DONE;
        }
        self.flow.request_last = self.now;
    }

    /// How many bytes at the start of this segment end a blank line that began in the one before; 0 where none do.
    #[inline(always)]
    fn cut_blank_line(&self) -> u32 {
        let after = self.flow.marks & (mark::AFTER_LF | mark::AFTER_LF_CR);
        if after == 0 || self.flow.known & known::BODILESS == 0 {
            return 0;
        }
        let byte = |at: u32| load::<u8>(self.ctx, self.segment.payload_at + at).unwrap_or(0);
        match byte(0) {
            b'\n' => 1,
            b'\r' if after & mark::AFTER_LF != 0 && self.segment.payload > 1 && byte(1) == b'\n' => 2,
            _ => 0,
        }
    }

    /// Remembers whether the segment may end within a blank line.
    #[inline(always)]
    fn note_tail(&mut self, text: &Option<Text>) {
        let end = self.segment.payload_at + self.segment.payload;
        let before = if self.flow.marks & mark::AFTER_LF != 0 { b'\n' } else { 0 };
        let [before, last] = match text {
            Some(text) => text.last_two(),
            None if self.segment.payload > 1 => load::<[u8; 2]>(self.ctx, end - 2).unwrap_or([0; 2]),
            None => [before, load::<u8>(self.ctx, end - 1).unwrap_or(0)],
        };
        let after = match (before, last) {
            (_, b'\n') => mark::AFTER_LF,
            (b'\n', b'\r') => mark::AFTER_LF_CR,
            _ => 0,
        };
        self.flow.marks = self.flow.marks & !(mark::AFTER_LF | mark::AFTER_LF_CR) | after;
    }

    #[inline(always)]
    fn request_after_response(&mut self, method: Method) {
        if method == Method::None {
            self.flow.request_last = self.now;
            return self.doubt(Some(Ambiguous::EarlyResponse));
        }
        self.finish();
        self.begin(method);
    }

    #[inline(always)]
    fn begin(&mut self, method: Method) {
        self.count.started += 1;
        let flow = &mut *self.flow;
        flow.phase = phase::REQUEST;
        flow.known = (flow.known | known::START) & !(known::BODILESS | known::HEAD_DONE);
        flow.marks &= !(mark::AFTER_LF | mark::AFTER_LF_CR);
        flow.request_first = self.now;
        flow.request_last = self.now;
        flow.outcome = outcome::UNKNOWN;
        if method == Method::Bodiless {
            flow.known |= known::BODILESS;
        }
    }

    /// A head that is its request's end must be the last thing in its segment.
    #[inline(always)]
    fn look_for_end(&mut self, text: Option<Text>) {
        if self.flow.phase != phase::REQUEST || self.flow.known & known::BODILESS == 0 {
            return;
        }
        self.note_tail(&text);
        match text.map(|text| text.head()) {
            Some(Head::Ends) => self.flow.known |= known::HEAD_DONE,
            Some(Head::Continues) => {}
            Some(Head::Followed) => self.poison_with_another(Ambiguous::Pipelined),
            None if self.segment.payload > REQUEST_SCAN => self.doubt(Some(Ambiguous::LongRequest)),
            None => {}
        }
    }

    #[inline(always)]
    fn response_bytes(&mut self) {
        if self.flow.known & known::RESPONSE_NEXT == 0 {
            self.flow.known |= known::RESPONSE_NEXT;
            self.flow.response_next = self.sequence();
        }
        let sequence = self.sequence();
        match place(&mut self.flow.response_next, sequence, self.segment.payload) {
            Place::Old if self.segment.payload == 1 => return,
            Place::Old => return self.sent_again(side::SERVER),
            Place::Overlap => self.sent_again(side::SERVER),
            Place::Ahead => {
                // What was not seen may be the rest of the answer before.
                self.drop_pending(Ambiguous::Reordered);
                self.doubt(Some(Ambiguous::Reordered));
            }
            Place::Next => {}
        }
        if self.flow.poison != 0 || self.flow.phase == phase::IDLE {
            return;
        }
        let status = self.peek().and_then(scan::status);
        if self.flow.phase == phase::REQUEST {
            self.response_begins(status);
        } else if status.is_some() {
            // A second answer to one request: the request bytes held two.
            self.poison(Ambiguous::Pipelined);
        } else {
            self.flow.response_last = self.now;
        }
    }

    #[inline(always)]
    fn response_begins(&mut self, status: Option<u32>) {
        let Some(status) = status else { return self.response_without_status() };
        self.record_pending();
        match status {
            101 => self.poison(Ambiguous::Upgrade),
            100..=199 => {}
            200..=499 => self.answer(outcome::OK),
            500..=599 => self.answer(outcome::ERROR),
            _ => self.answer(outcome::UNKNOWN),
        }
    }

    /// The rest of an earlier answer, whose request was not waited for; or half a status line, or both.
    #[inline(always)]
    fn response_without_status(&mut self) {
        if self.segment.payload >= PEEK {
            return self.poison(Ambiguous::Pipelined);
        }
        self.drop_pending(Ambiguous::SplitHead);
        self.doubt(Some(Ambiguous::SplitHead));
        self.answer(outcome::UNKNOWN);
    }

    #[inline(always)]
    fn answer(&mut self, outcome: u8) {
        let flow = &mut *self.flow;
        flow.phase = phase::RESPONSE;
        flow.outcome = outcome;
        flow.response_first = self.now;
        flow.response_last = self.now;
    }

    /// The server's FIN ends the last response for certain, unless bytes before it were never seen.
    #[inline(always)]
    fn server_finished(&mut self) {
        let end = self.sequence().wrapping_add(self.segment.payload);
        if self.flow.known & known::RESPONSE_NEXT != 0 && end != self.flow.response_next {
            self.drop_pending(Ambiguous::Reordered);
            self.doubt(Some(Ambiguous::Reordered));
        }
        self.flow.known |= known::SERVER_FIN;
    }

    /// The response in flight has ended, as far as can be known now.
    #[inline(always)]
    fn finish(&mut self) {
        if self.flow.phase == phase::IDLE {
            return;
        }
        if self.flow.phase == phase::REQUEST {
            self.doubt(Some(Ambiguous::Reset)); // no answer came
        }
        self.flow.phase = phase::IDLE;
        let doubt = self.flow.doubt;
        self.flow.doubt = 0;
        if doubt != 0 {
            return self.ambiguous(doubt);
        }
        let flow = &mut *self.flow;
        flow.pending_ttfb = flow.response_first.saturating_sub(flow.request_last);
        flow.pending_total = flow.response_last.saturating_sub(flow.request_first);
        flow.pending_outcome = flow.outcome;
        flow.known |= known::PENDING;
    }

    #[inline(always)]
    fn record_pending(&mut self) {
        if self.flow.known & known::PENDING == 0 {
            return;
        }
        self.flow.known &= !known::PENDING;
        self.count.recorded += 1;
        let flow = &*self.flow;
        let of = |measure| series(flow.service, flow.version, measure, flow.pending_outcome);
        record_under(of(measure::TTFB), flow.pending_ttfb, self.policy);
        record_under(of(measure::TOTAL), flow.pending_total, self.policy);
    }

    /// The turn in flight is not certain. The first reason stands.
    #[inline(always)]
    fn doubt(&mut self, why: Option<Ambiguous>) {
        if self.flow.phase != phase::IDLE && self.flow.doubt == 0 {
            self.flow.doubt = why.map_or(0, |why| why as u8);
        }
    }

    #[inline(always)]
    fn ambiguous(&mut self, why: u8) {
        self.count.ambiguous[(why & 15) as usize] += 1;
    }

    /// The first bytes say that no turn of this connection can be timed: it counts as one.
    #[inline(always)]
    fn refuse(&mut self, why: Ambiguous) {
        self.count.started += 1;
        self.flow.poison = why as u8;
        self.ambiguous(why as u8);
    }

    /// The start of a request was not seen: it is counted, and the next one waited for.
    #[inline(always)]
    fn lose(&mut self, why: Ambiguous) {
        self.count.started += 1;
        self.flow.known &= !known::START;
        self.ambiguous(why as u8);
    }

    /// A further request was seen beside the one in flight: it is counted too.
    #[inline(always)]
    fn poison_with_another(&mut self, why: Ambiguous) {
        self.poison(why);
        self.count.started += 1;
        self.ambiguous(why as u8);
    }

    /// Nothing on this connection is certain any more: neither the turn in flight nor the one that waits.
    #[inline(always)]
    fn poison(&mut self, why: Ambiguous) {
        if self.flow.phase != phase::IDLE {
            self.ambiguous(why as u8);
        }
        self.drop_pending(why);
        self.flow.phase = phase::IDLE;
        self.flow.doubt = 0;
        self.flow.poison = why as u8;
    }

    #[inline(always)]
    fn drop_pending(&mut self, why: Ambiguous) {
        if self.flow.known & known::PENDING != 0 {
            self.flow.known &= !known::PENDING;
            self.ambiguous(why as u8);
        }
    }

    /// Ends what this packet has ended. After RST, or FIN from both ends, the entry goes.
    #[inline(always)]
    fn settle(&mut self, from: u8) -> bool {
        if self.segment.tcp_flags & tcp::RST != 0 {
            self.count.resets[(from & 1) as usize] += 1;
            self.poison(Ambiguous::Reset);
            return true;
        }
        if self.flow.known & known::SERVER_FIN == 0 {
            return false;
        }
        self.finish();
        self.record_pending();
        self.flow.known & known::CLIENT_FIN != 0
    }
}
