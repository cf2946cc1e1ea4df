//! What the two ends of a connection say to each other, before TCP carries it.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use super::message::{Draft, Encoded, Framing};
use super::rng::Rng;
use super::truth::{Exchange, Fate, Feature, Message, Side};

/// Everything that is said on one connection.
#[derive(Debug)]
pub(super) struct Dialogue {
    /// All bytes of each direction: the client's, the server's.
    pub streams: [Vec<u8>; 2],
    /// Who says which of them, one after another: each has heard all before it.
    pub sends: Vec<(Side, Range<usize>)>,
    /// What is said. Times are not known yet.
    pub exchanges: Vec<Exchange>,
    pub features: BTreeSet<Feature>,
    pub ending: Ending,
    /// Bodies may look like messages.
    pub decoys: bool,
    name: String,
    /// Exchanges that have no answer yet.
    owed: VecDeque<usize>,
}

/// How the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Fin(Side),
    Simultaneous,
    Reset(Side),
    Open,
}

impl Dialogue {
    pub fn new(name: &str, decoys: bool) -> Dialogue {
        Dialogue {
            streams: [Vec::new(), Vec::new()],
            sends: Vec::new(),
            exchanges: Vec::new(),
            features: BTreeSet::new(),
            ending: Ending::Fin(Side::Client),
            decoys,
            name: name.to_owned(),
            owed: VecDeque::new(),
        }
    }

    /// The id of the request that comes next.
    pub fn next_id(&self) -> String {
        format!("{}.{}", self.name, self.exchanges.len())
    }

    /// How many requests wait.
    pub fn owed(&self) -> usize {
        self.owed.len()
    }

    /// Says bytes.
    pub fn say(&mut self, from: Side, bytes: &[u8]) -> Range<usize> {
        let stream = &mut self.streams[from as usize];
        let range = stream.len()..stream.len() + bytes.len();
        stream.extend(bytes);
        if !range.is_empty() {
            self.sends.push((from, range.clone()));
        }
        range
    }

    /// Says a request, its body in pieces when `between` says something between them. Returns its index.
    pub fn ask(
        &mut self,
        rng: &mut Rng,
        method: &str,
        target: &str,
        draft: Draft,
        between: &mut dyn FnMut(&mut Dialogue, &mut Rng, usize),
    ) -> usize {
        self.note(&draft);
        let (id, version) = (self.next_id(), draft.version.to_owned());
        let Encoded { head, body, truth } = draft.encode(rng);
        let begin = self.streams[0].len();
        let message = Message {
            version,
            body: truth,
            place: begin..begin + head.len() + body.len(),
            head: head.len(),
            ..Message::default()
        };
        let (method, target) = (method.to_owned(), target.to_owned());
        let exchange = Exchange { id, method, target, request: message, response: None, fate: Fate::Broken };
        let index = self.exchanges.len();
        self.exchanges.push(exchange);
        self.owed.push_back(index);
        self.say(Side::Client, &head);
        between(self, rng, index);
        self.say(Side::Client, &body);
        index
    }

    /// Says the answer to the oldest request.
    pub fn answer(&mut self, rng: &mut Rng, status: u16, draft: Draft) {
        self.note(&draft);
        let Some(index) = self.owed.pop_front() else { return };
        let version = draft.version.to_owned();
        let Encoded { head, body, truth } = draft.encode(rng);
        let begin = self.streams[1].len();
        let place = begin..begin + head.len() + body.len();
        let message = Message { version, body: truth, place, head: head.len(), ..Message::default() };
        self.exchanges[index].response = Some((status, message));
        self.exchanges[index].fate = Fate::Complete;
        self.say(Side::Server, &head);
        self.say(Side::Server, &body);
    }

    /// The id and the method of the oldest request that waits.
    pub fn asked(&self) -> (String, String) {
        let exchange = &self.exchanges[self.owed[0]];
        (exchange.id.clone(), exchange.method.clone())
    }

    fn note(&mut self, draft: &Draft) {
        if draft.framing == Framing::Chunked {
            self.features.insert(Feature::Chunked);
        }
        if draft.framing == Framing::Close {
            self.features.insert(Feature::CloseDelimited);
        }
        if draft.version == "HTTP/1.0" {
            self.features.insert(Feature::Http10);
        }
        if draft.is_decoy {
            self.features.insert(Feature::Decoy);
        }
    }
}
