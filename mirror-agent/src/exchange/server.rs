//! The server's direction of a conversation.

use super::end::End;
use super::queue::{Lost, Place};
use super::step::Step;
use super::{Conversation, Mark, Progress, Sink};
use crate::http::{Asked, Problem, RESPONSE_START, Response, ResponseItem};

/// Whose answer the server's message is that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Answering {
    /// None is being read.
    #[default]
    Nothing,
    /// The oldest request's.
    Front,
    /// Of no request that was seen.
    Unasked,
}

impl Conversation {
    pub(super) fn server_chunk(&mut self, (at, begin, ack): Mark, data: &[u8], sink: &mut Sink<'_>) {
        let mut rest = data;
        while !self.over && !rest.is_empty() {
            let offset = begin + (data.len() - rest.len()) as i64;
            let mut piece = self.before_anchor(offset, rest, sink);
            let len = piece.len();
            self.server_piece((at, offset, ack), &mut piece, sink);
            rest = rest.get(len - piece.len()..).unwrap_or_default();
        }
        sink.stats.opaque_bytes += rest.len() as u64;
    }

    /// As much of `data` as belongs together: what no seen request asked for ends where the next answer begins.
    fn before_anchor<'a>(&mut self, offset: i64, data: &'a [u8], sink: &mut Sink<'_>) -> &'a [u8] {
        if self.answering == Answering::Front {
            return data;
        }
        if self.step == Step::Anchored {
            self.end_passed(offset, sink);
        }
        let anchor = self.queue.front().and_then(|(place, _)| place.anchor);
        let Some(ahead) = anchor.map(|anchor| anchor - offset) else { return data };
        if ahead == 0 && self.answering == Answering::Unasked {
            self.drop_answer(sink);
            self.boundary = true;
        }
        let ahead = usize::try_from(ahead).ok().filter(|ahead| *ahead > 0);
        ahead.and_then(|ahead| data.get(..ahead)).unwrap_or(data)
    }

    /// Takes bytes from the front of `data`: at least one, up to the end of a message.
    fn server_piece(&mut self, (at, offset, ack): Mark, data: &mut &[u8], sink: &mut Sink<'_>) {
        if self.answering == Answering::Nothing && !self.find_answer(offset, ack, data, sink) {
            sink.stats.server_skipped += data.len() as u64;
            self.boundary = false;
            *data = &[];
            return;
        }
        let before = data.len();
        let item = self.responses.push(at, data, sink.limits);
        let taken = before - data.len();
        sink.stats.response_bytes += taken as u64;
        if let Some(item) = item {
            self.on_response(Some(offset + taken as i64), item, sink);
        }
    }

    /// Decides what the server's byte at `offset` begins, if it is known to begin a message.
    fn find_answer(&mut self, offset: i64, ack: Option<i64>, data: &[u8], sink: &mut Sink<'_>) -> bool {
        let Some((place, asked)) = self.queue.front() else { return self.begin_unasked(data, sink) };
        // The server had none of the request yet, or the client had these bytes when it asked: no answer to it.
        let is_other = ack.is_some_and(|ack| ack <= place.start) || place.anchor.is_some_and(|a| offset < a);
        if is_other && self.step != Step::Adrift {
            return self.begin_unasked(data, sink);
        }
        match self.step {
            Step::Kept => self.habit.on_turn(place.anchor, offset),
            // The rest of another answer, or nothing came between what was lost and this request: the client did not
            // wait.
            Step::Anchored if !is_start(data) || self.is_hasty(place, offset) => {
                self.lose_all(sink);
                return false;
            }
            Step::Anchored => sink.stats.anchored += 1,
            Step::Adrift => {}
        }
        self.responses.expect(asked);
        self.answering = Answering::Front;
        true
    }

    /// Whether a request was lost before this one that cannot have been answered when this one was sent.
    fn is_hasty(&self, place: Place, offset: i64) -> bool {
        place.lost == Some(Lost::Requests) && self.answer_end.unwrap_or(0) == offset && !self.late
    }

    /// Ends the requests whose answers began before `offset`: they were not seen.
    fn end_passed(&mut self, offset: i64, sink: &mut Sink<'_>) {
        let is_passed = |anchor: Option<i64>| anchor.is_none_or(|anchor| anchor < offset);
        while self.queue.front().is_some_and(|(place, _)| is_passed(place.anchor)) {
            self.queue.end_front(End::ResponseGap, None, None, sink);
        }
    }

    fn begin_unasked(&mut self, data: &[u8], sink: &mut Sink<'_>) -> bool {
        if !self.boundary || self.step == Step::Adrift || !is_start(data) {
            return false;
        }
        sink.stats.unasked += 1;
        // Nothing says what was asked. An answer to HEAD is cut short by the next anchor, if there is one.
        self.responses.expect(Asked::Other);
        self.answering = Answering::Unasked;
        if self.habit.pipelines() {
            self.drift(sink);
        } else if self.step == Step::Kept {
            self.step = Step::Anchored;
        }
        true
    }

    pub(super) fn server_gap(&mut self, offset: i64, bytes: u32, sink: &mut Sink<'_>) {
        // Where the length is a guess, a gap over the place of the next answer is not inside.
        let anchor = self.queue.front().and_then(|(place, _)| place.anchor);
        let is_over = anchor.is_some_and(|anchor| anchor >= offset && anchor < offset + i64::from(bytes));
        let may_be_inside = match self.answering {
            Answering::Nothing => false,
            Answering::Front => true,
            Answering::Unasked => !is_over,
        };
        if may_be_inside && self.responses.gap(u64::from(bytes)) {
            sink.stats.gaps_inside += 1;
            return;
        }
        sink.stats.gaps_between += 1;
        self.boundary = false;
        self.habit.on_loss();
        let (unanswered, is_front) = (self.queue.unanswered(), self.answering == Answering::Front);
        let response = self.drop_answer(sink);
        let is_lost = self.step == Step::Adrift || self.habit.pipelines();
        if is_lost || (unanswered > 1 && !self.habit.waits()) {
            self.unpaired |= self.queue.end_unanswered(End::ResponseGap, response, sink);
            self.drift(sink);
        } else if is_front {
            self.queue.end_front(End::ResponseGap, None, response, sink);
        }
        if self.step == Step::Kept {
            self.step = Step::Anchored;
        }
    }

    pub(super) fn server_finished(&mut self, sink: &mut Sink<'_>) {
        match self.responses.end() {
            Some(ResponseItem::Refused { begun, .. }) => self.end_answer(End::Truncated, None, begun, sink),
            Some(item) => self.on_response(None, item, sink),
            None => {}
        }
    }

    /// What is being read ends here, and whom it answers with it.
    pub(super) fn end_answer(
        &mut self,
        end: End,
        problem: Option<Problem>,
        response: Option<Box<Response>>,
        sink: &mut Sink<'_>,
    ) {
        match (std::mem::take(&mut self.answering), response) {
            (Answering::Front, response) => self.queue.end_front(end, problem, response, sink),
            (_, Some(response)) => sink.say(Progress::Unasked(response)),
            (_, None) => {}
        }
    }

    /// Stops reading what is being read. Hands out what was seen of it if it is the front's answer.
    pub(super) fn drop_answer(&mut self, sink: &mut Sink<'_>) -> Option<Box<Response>> {
        let response = self.responses.abandon();
        match std::mem::take(&mut self.answering) {
            Answering::Unasked => {
                response.into_iter().for_each(|response| sink.say(Progress::Unasked(response)));
                None
            }
            Answering::Front | Answering::Nothing => response,
        }
    }

    fn on_response(&mut self, end: Option<i64>, item: ResponseItem, sink: &mut Sink<'_>) {
        match item {
            ResponseItem::Interim(_) => sink.stats.interim += 1,
            ResponseItem::Complete { response, .. } | ResponseItem::Holed(response) => {
                self.boundary = true;
                match std::mem::take(&mut self.answering) {
                    Answering::Front => self.answered(end, response, sink),
                    _ => sink.say(Progress::Unasked(response)),
                }
            }
            ResponseItem::Switched(response) => {
                self.end_answer(End::Upgraded, None, Some(response), sink);
                self.give_up(End::Upgraded, sink);
            }
            // How an answer to an unseen request is framed is a guess: its end was missed, and no more.
            ResponseItem::Refused { begun, .. } if self.answering == Answering::Unasked => {
                self.boundary = false;
                self.responses.abandon();
                self.end_answer(End::Truncated, None, begun, sink);
            }
            ResponseItem::Refused { problem, begun } => {
                self.end_answer(End::of(problem), Some(problem), begun, sink);
                self.give_up(End::of(problem), sink);
            }
        }
    }

    fn answered(&mut self, end: Option<i64>, response: Box<Response>, sink: &mut Sink<'_>) {
        self.habit.on_answer();
        self.answer_end = end;
        self.queue.answer(response, sink);
        // From here on both directions are known without a gap.
        if self.step == Step::Anchored && self.client_lost.is_none() && !self.queue.has_gaps() {
            self.step = Step::Kept;
        }
    }
}

/// Whether `data` may begin a response, as far as it goes.
fn is_start(data: &[u8]) -> bool {
    data.iter().zip(RESPONSE_START).all(|(a, b)| a == b)
}
