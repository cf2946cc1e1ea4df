//! Whether the two directions of a connection are known to be at the same exchange.

/// How sure it is which request the server's next message answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The front of the queue.
    Kept,
    /// Bytes were lost. A client that waits has received everything before the answer to a request when it sends
    /// that request, and says so in its acknowledgment number: there, and only there, the answer begins.
    Anchored,
    /// It will not be known again. What is in the queue can be answered, every further request ends as unpaired.
    Adrift,
}

/// Whether the client waits for an answer before it sends the next request. Only with a client that does, an
/// acknowledgment number says where the answer begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    waits: bool,
    pipelines: bool,
    /// A request was answered, and no byte between messages was lost since.
    answered: bool,
}

impl Habit {
    /// Whether the client was seen waiting, and never otherwise.
    pub fn waits(self) -> bool {
        self.waits && !self.pipelines
    }

    /// Whether the client was seen not waiting.
    pub fn pipelines(self) -> bool {
        self.pipelines
    }

    /// An answer begins at `start`, and the client had everything before `anchor` when it asked.
    pub fn on_turn(&mut self, anchor: Option<i64>, start: i64) {
        let Some(anchor) = anchor else { return };
        self.waits |= self.answered && anchor == start;
        self.pipelines |= anchor < start;
    }

    /// A request was sent although nothing had come since the one before.
    pub fn on_haste(&mut self) {
        self.pipelines = true;
    }

    /// An answer is whole.
    pub fn on_answer(&mut self) {
        self.answered = true;
    }

    /// Bytes between two messages were lost.
    pub fn on_loss(&mut self) {
        self.answered = false;
    }
}
