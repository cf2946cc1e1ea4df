//! Whether the two directions of a connection are known to be at the same exchange.

/// How sure it is which request the server's next bytes answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// They answer the front of the queue.
    Kept,
    /// It is not known. They are skipped until a request comes, which a client that waits sends only after the
    /// answers to all its requests before.
    Lost {
        /// The server was heard since the client's bytes were lost. If it was not when the next request comes,
        /// then this client did not wait.
        heard: bool,
    },
    /// That request has come. The server's next chunk must begin with the answer to it.
    Awaiting,
    /// It will not be known again. What is still in the queue can be answered, every further request ends as
    /// `Gap`.
    Adrift,
}

/// Whether the client waits for an answer before it sends the next request. A lost step can be found again only
/// with a client that does: how many requests another one has under way is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    waits: bool,
    pipelines: bool,
    /// A request was answered, and the step was kept since.
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

    /// A request came, with no byte lost since the one before, when `unanswered` others were under way.
    pub fn on_request(&mut self, unanswered: usize) {
        self.waits |= self.answered && unanswered == 0;
    }

    /// An answer is whole, and `unanswered` others are under way. They were sent before it was whole; had it not
    /// been whole, its missing end might only have been lost.
    pub fn on_answer(&mut self, unanswered: usize) {
        self.answered = true;
        self.pipelines |= unanswered > 0;
    }

    /// Bytes between two messages were lost.
    pub fn on_loss(&mut self) {
        self.answered = false;
    }
}
