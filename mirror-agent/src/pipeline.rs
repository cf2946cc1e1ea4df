//! From frame to exchange: the pure middle put together. Bytes and their times in, requests for v2 out.

use std::net::SocketAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use mirror_common::share::murmur3_32;

use crate::exchange::{self, Conversation, Exchange, Progress};
use crate::http;
use crate::ledger::{End, Ticket};
use crate::packet::{self, Decoder, FlowKey, Frame, Segment, Side};
use crate::rewrite::MARKER;
use crate::roles::Roles;
use crate::select::{Unselected, select};
use crate::service::Service;
use crate::stream::{self, ConnectionId, Event, Heard, Streams};
use crate::time::Nanos;

/// Bytes that all conversations of one pipeline may hold. Over it, the one that grew is given up.
const MEMORY: usize = 256 << 20;

/// A whole exchange of v1 that v2 is to be asked too.
#[derive(Debug)]
pub struct Selected {
    /// Index of the service.
    pub service: usize,
    /// What the client asked and v1 answered.
    pub exchange: Exchange,
    /// Its place in the ledger.
    pub ticket: Ticket,
}

/// What leaves the pipeline.
#[derive(Debug)]
pub enum Output {
    /// Ask v2 too, after everything before it on the same connection.
    Replay(ConnectionId, Selected),
    /// The client's connection is over.
    Closed(ConnectionId),
}

/// What a pipeline counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames taken.
    pub frames: u64,
    /// Frames that are no TCP segment of a service.
    pub skipped: u64,
    /// Connections that were given up because all together held too much.
    pub over_memory: u64,
    /// Connections whose beginning was not seen.
    pub joined_late: u64,
}

/// One worker's connections, or those of one capture.
pub struct Pipeline {
    services: Arc<[Arc<Service>]>,
    source: Source,
    streams: Streams<Conversation>,
    behind: Behind,
    frames: u64,
    skipped: u64,
    first: Option<Nanos>,
}

impl Pipeline {
    /// A pipeline for clones, which are of the services' own traffic alone.
    pub fn new(services: Arc<[Arc<Service>]>) -> Self {
        let endpoints = Endpoints::new(&services);
        Pipeline::of(Source::Clones(endpoints), services)
    }

    /// A pipeline for captures of anything: tunnels are opened, and whoever `roles` takes for a server is the service.
    pub fn for_captures(service: Arc<Service>, roles: Roles) -> Self {
        let decoder = Box::new(Decoder::new(packet::Options::default()));
        Pipeline::of(Source::Captures { decoder, roles }, Arc::new([service]))
    }

    fn of(source: Source, services: Arc<[Arc<Service>]>) -> Self {
        Pipeline {
            behind: Behind {
                services: services.clone(),
                is_live: matches!(source, Source::Clones(_)),
                shared: exchange::Shared::new(http::Limits::default(), MEMORY),
                joined_late: 0,
            },
            source,
            services,
            streams: Streams::new(stream::Limits::default()),
            frames: 0,
            skipped: 0,
            first: None,
        }
    }

    /// Takes a frame.
    pub fn on_frame(&mut self, frame: &Frame<'_>, sink: &mut impl FnMut(Output)) {
        self.frames += 1;
        let Some((segment, from, key, service)) = self.source.find(frame) else {
            self.skipped += 1;
            return;
        };
        if !segment.payload.is_empty() {
            self.first.get_or_insert(segment.at);
        }
        let behind = &mut self.behind;
        self.streams.on_segment(from, &key, &segment, &mut |heard, event| {
            behind.on_event(heard, service, &event, sink);
        });
    }

    /// Lets time pass: ends what waited too long. Call it about every second, and when nothing comes.
    pub fn expire(&mut self, now: Nanos, sink: &mut impl FnMut(Output)) {
        let (behind, source) = (&mut self.behind, &self.source);
        self.streams.expire(now, &mut |heard, event| {
            if let Some(service) = source.of(heard.2.server) {
                behind.on_event(heard, service, &event, sink);
            }
        });
    }

    /// Forgets a service's connections: they were not seen for a while, and are joined anew.
    pub fn forget(&mut self, now: Nanos, service: usize, sink: &mut impl FnMut(Output)) {
        let (behind, source) = (&mut self.behind, &self.source);
        let is_of_service = |key: &FlowKey| source.of(key.server) == Some(service);
        self.streams.forget(now, is_of_service, &mut |heard, event| {
            behind.on_event(heard, service, &event, sink);
        });
    }

    /// Forgets one connection, whichever end is the client: nothing more will be seen of it.
    pub fn forget_cut(&mut self, now: Nanos, [a, b]: [SocketAddr; 2], sink: &mut impl FnMut(Output)) {
        let (behind, source) = (&mut self.behind, &self.source);
        for key in [FlowKey { client: a, server: b }, FlowKey { client: b, server: a }] {
            let Some(service) = source.of(key.server) else { continue };
            self.streams.forget_one(now, &key, &mut |heard, event| {
                behind.on_event(heard, service, &event, sink);
            });
        }
    }

    /// Ends the input.
    pub fn flush(&mut self, now: Nanos, sink: &mut impl FnMut(Output)) {
        let (behind, source) = (&mut self.behind, &self.source);
        self.streams.flush(now, &mut |heard, event| {
            if let Some(service) = source.of(heard.2.server) {
                behind.on_event(heard, service, &event, sink);
            }
        });
    }

    /// When the first byte of any service passed.
    pub fn first(&self) -> Option<Nanos> {
        self.first
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        let Behind { joined_late, shared, .. } = &self.behind;
        Stats {
            frames: self.frames,
            skipped: self.skipped,
            over_memory: shared.stats.over_memory,
            joined_late: *joined_late,
        }
    }

    /// What the streams counted so far.
    pub fn stream_stats(&self) -> stream::Stats {
        self.streams.stats()
    }

    /// The services, by index.
    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }
}

/// Where frames come from: what may be in them, and which end of a connection is a service.
enum Source {
    /// Clones that the taps made.
    Clones(Endpoints),
    /// Capture files. There is one service, wherever it was served.
    Captures { decoder: Box<Decoder>, roles: Roles },
}

impl Source {
    fn of(&self, end: SocketAddr) -> Option<usize> {
        match self {
            Source::Clones(endpoints) => endpoints.of(end),
            Source::Captures { .. } => Some(0),
        }
    }

    fn find<'a>(&'a mut self, frame: &Frame<'a>) -> Option<(Segment<'a>, Side, FlowKey, usize)> {
        match self {
            Source::Clones(endpoints) => {
                let segment = packet::parse(frame).ok()?;
                let (from, key, service) = endpoints.find(&segment)?;
                Some((segment, from, key, service))
            }
            Source::Captures { decoder, roles } => {
                let segment = decoder.decode(frame).ok()?;
                let (from, key) = roles.place(&segment)?;
                Some((segment, from, key, 0))
            }
        }
    }
}

/// The endpoints of services that are known by their v1.
struct Endpoints {
    exact: HashMap<SocketAddr, usize>,
    any_address: HashMap<u16, usize>,
}

impl Endpoints {
    fn new(services: &[Arc<Service>]) -> Self {
        let (any, exact): (Vec<_>, Vec<_>) =
            services.iter().enumerate().partition(|(_, service)| service.v1.ip().is_unspecified());
        Endpoints {
            exact: exact.into_iter().map(|(index, service)| (service.v1, index)).collect(),
            any_address: any.into_iter().map(|(index, service)| (service.v1.port(), index)).collect(),
        }
    }

    fn of(&self, end: SocketAddr) -> Option<usize> {
        self.exact.get(&end).or_else(|| self.any_address.get(&end.port())).copied()
    }

    fn find(&self, segment: &Segment<'_>) -> Option<(Side, FlowKey, usize)> {
        if let Some(service) = self.of(segment.to) {
            return Some((Side::Client, FlowKey { client: segment.from, server: segment.to }, service));
        }
        let service = self.of(segment.from)?;
        Some((Side::Server, FlowKey { client: segment.to, server: segment.from }, service))
    }
}

/// Everything behind the streams.
struct Behind {
    services: Arc<[Arc<Service>]>,
    /// Whether it is of clones, not of captures.
    is_live: bool,
    shared: exchange::Shared,
    joined_late: u64,
}

impl Behind {
    fn on_event(
        &mut self,
        (conversation, id, _): Heard<'_, Conversation>,
        service: usize,
        event: &Event<'_>,
        sink: &mut impl FnMut(Output),
    ) {
        self.joined_late += u64::from(matches!(event, Event::Opened { late: true }));
        self.step((id, service), conversation, event, sink);
        if let Event::Closed { .. } = event {
            sink(Output::Closed(id));
        }
    }

    /// One event of one connection: what it means for the ledger is one change, then the requests for v2 go out.
    fn step(
        &mut self,
        (id, index): (ConnectionId, usize),
        conversation: &mut Conversation,
        event: &Event<'_>,
        sink: &mut impl FnMut(Output),
    ) {
        let (service, is_live) = (&*self.services[index], self.is_live);
        let mut selected = Vec::new();
        let mut change = service.ledger.change();
        let before = conversation.open();
        conversation.on_event(event, &mut self.shared, &mut |progress| match progress {
            Progress::Seen => change.seen(),
            Progress::Ended(ended) => {
                change.ended(ended.unmirrorable().map_or(End::V1Unanswered, End::Unmirrorable));
            }
            Progress::Unasked(_) => {}
            Progress::Complete(exchange) => match may_replay(&exchange, service, is_live) {
                Ok(()) => {
                    change.handed_over();
                    selected.push(exchange);
                }
                Err(why) => change.ended(End::Unselected(why)),
            },
        });
        change.decoding(before, conversation.open());
        drop(change);
        for exchange in selected {
            let ticket = Ticket::new(service.ledger.clone());
            sink(Output::Replay(id, Selected { service: index, exchange, ticket }));
        }
    }
}

/// The mark by which a tap knows our own packets does not cross from one host, or one network namespace, to another: there
/// the header tells. A capture may be one of copies on purpose.
fn may_replay(exchange: &Exchange, service: &Service, is_live: bool) -> Result<(), Unselected> {
    let request = &exchange.request;
    if is_live {
        service.popular().note(request, &exchange.response);
    }
    if is_live && request.headers.get(MARKER.0).is_some() {
        return Err(Unselected::Copy);
    }
    // When it began is as good a coin as any, and the same for whoever reads the same capture.
    let hash = murmur3_32(&request.started.0.to_le_bytes(), u32::from(service.index));
    select(request.method.as_str(), &request.target, hash, &service.selection)
}
