//! The server's direction of a conversation.

use super::client::reason;
use super::step::Step;
use super::{Conversation, Sink, Unmirrorable};
use crate::http::{Problem, RESPONSE_START, ResponseItem};
use crate::time::Nanos;

impl Conversation {
    pub(super) fn server_chunk(&mut self, at: Nanos, mut data: &[u8], sink: &mut Sink<'_>) {
        match self.step {
            Step::Kept => {}
            Step::Adrift if self.queue.unanswered() > 0 => {}
            Step::Awaiting if data.starts_with(RESPONSE_START) => self.step = Step::Kept,
            Step::Awaiting => {
                // The rest of another answer: the client did not wait for it, or the server broke a status line
                // in two. Either way the next head need not be the one that is awaited.
                self.lose_all(sink);
                return self.skip(data);
            }
            Step::Lost { .. } => {
                self.step = Step::Lost { heard: true };
                return self.skip(data);
            }
            Step::Adrift => return self.skip(data),
        }
        while !self.over
            && let Some(item) = self.responses.push(at, &mut data)
        {
            if let ResponseItem::Refused(Problem::Unexpected) = item {
                return self.on_orphan(data);
            }
            self.on_response(item, sink);
        }
    }

    pub(super) fn server_gap(&mut self, bytes: u32, sink: &mut Sink<'_>) {
        let is_read = matches!(self.step, Step::Kept | Step::Adrift) && self.queue.unanswered() > 0;
        if is_read && self.responses.gap(u64::from(bytes)) {
            self.stats.gaps_inside += 1;
            return self.queue.end_front(Unmirrorable::Gap.into(), sink);
        }
        self.stats.gaps_between += 1;
        let unanswered = self.queue.unanswered();
        self.queue.end_unanswered(Unmirrorable::Gap.into(), sink);
        self.lose_step(unanswered);
    }

    pub(super) fn server_finished(&mut self, sink: &mut Sink<'_>) {
        match self.responses.end() {
            Some(ResponseItem::Refused(_)) => self.queue.end_front(Unmirrorable::Truncated.into(), sink),
            Some(item) => self.on_response(item, sink),
            None => {}
        }
    }

    fn on_response(&mut self, item: ResponseItem, sink: &mut Sink<'_>) {
        match item {
            ResponseItem::Interim(_) => self.stats.interim += 1,
            ResponseItem::Complete { response, .. } => {
                self.queue.answer(Some(response), sink);
                self.habit.on_answer(self.queue.unanswered());
            }
            ResponseItem::Holed => self.queue.answer(None, sink),
            ResponseItem::Switched(_) => self.give_up(Unmirrorable::Upgrade.into(), sink),
            ResponseItem::Refused(problem) => self.give_up(reason(problem).into(), sink),
        }
    }

    /// The server sent what nobody asked for: a request went unseen, or it is closing (as with 408).
    fn on_orphan(&mut self, data: &[u8]) {
        self.stats.orphans += u64::from(self.step == Step::Kept && !self.requests.is_dead());
        self.skip(data);
        self.lose_step(0);
    }

    /// It is no longer known what the server's next bytes answer. `lost` requests were under way; the rest of the
    /// answer to one of them is over when the next request comes, of several only if the client waits.
    fn lose_step(&mut self, lost: usize) {
        self.responses.reset();
        self.habit.on_loss();
        if self.habit.pipelines() || (lost > 1 && !self.habit.waits()) {
            self.drift();
        } else if self.step != Step::Adrift {
            self.step = Step::Lost { heard: true };
        }
    }

    fn skip(&mut self, data: &[u8]) {
        self.stats.server_skipped += data.len() as u64;
    }
}
