//! From frames to records: the pure middle put together for files. Whatever goes in comes out, or is counted.

mod accounts;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use crate::exchange::{Conversation, Exchange, Progress, Shared};
use crate::http;
use crate::packet::{self, Decoder, FlowKey, Frame};
use crate::roles::Roles;
use crate::stream::{self, ConnectionId, Event, Heard, Streams};
use crate::time::Nanos;

use super::record::{COMPLETE, Record};
use super::summary::Summary;
use accounts::Accounts;

/// Bytes that all conversations may hold. Over it, the one that grew is given up.
const MEMORY: usize = 512 << 20;

/// How often, by packet time, what waits is looked at.
const TICK: Duration = Duration::from_millis(100);

/// The `end` of a response without a request.
pub const REQUEST_MISSING: &str = "request_missing";

/// Reads one input, which may be several files.
#[derive(Debug)]
pub struct Engine {
    decoder: Decoder,
    roles: Roles,
    streams: Streams<Conversation>,
    behind: Behind,
    /// The latest time of any frame.
    now: Nanos,
    ticked: Nanos,
}

impl Engine {
    /// An engine for the traffic of these services, or if there are none, of those it finds.
    pub fn new(services: &[SocketAddr], options: packet::Options) -> Engine {
        let is_told = !services.is_empty();
        Engine {
            decoder: Decoder::new(options),
            roles: if is_told { Roles::told(services.iter().copied()) } else { Roles::found() },
            streams: Streams::new(stream::Limits::default()),
            behind: Behind {
                shared: Shared::new(http::Limits::default(), MEMORY),
                accounts: Accounts::default(),
            },
            now: Nanos::default(),
            ticked: Nanos::default(),
        }
    }

    /// Takes a frame, and hands on the exchanges that have ended by it.
    pub fn on_frame(&mut self, frame: &Frame<'_>, sink: &mut (impl FnMut(&Record<'_>) + ?Sized)) {
        self.on_time(frame.at, sink);
        let accounts = &mut self.behind.accounts;
        let Ok(segment) = self.decoder.decode(frame) else { return };
        accounts.payload += segment.payload.len() as u64;
        let Some((from, key)) = self.roles.place(&segment) else {
            accounts.other_segments += 1;
            accounts.other_payload += segment.payload.len() as u64;
            return;
        };
        let behind = &mut self.behind;
        self.streams.on_segment(from, &key, &segment, &mut |heard, event| {
            behind.on_event(heard, &event, sink);
        });
    }

    /// Takes a frame of a link that is not known, and hands on the exchanges that have ended by its time.
    pub fn on_unknown_link(&mut self, at: Nanos, sink: &mut (impl FnMut(&Record<'_>) + ?Sized)) {
        self.on_time(at, sink);
        self.behind.accounts.unknown_links += 1;
    }

    fn on_time(&mut self, at: Nanos, sink: &mut (impl FnMut(&Record<'_>) + ?Sized)) {
        self.behind.accounts.frames += 1;
        self.behind.accounts.first.get_or_insert(at);
        self.now = self.now.max(at);
        if self.ticked + TICK <= self.now {
            self.ticked = self.now;
            let behind = &mut self.behind;
            self.streams.expire(self.now, &mut |heard, event| behind.on_event(heard, &event, sink));
        }
    }

    /// Ends the input: everything that is open ends too.
    pub fn end(&mut self, sink: &mut (impl FnMut(&Record<'_>) + ?Sized)) {
        let behind = &mut self.behind;
        self.streams.flush(self.now, &mut |heard, event| behind.on_event(heard, &event, sink));
    }

    /// Exchanges that have ended.
    pub fn exchanges(&self) -> u64 {
        self.behind.accounts.records
    }

    /// Where everything went. Balanced once the input has [ended](Engine::end).
    pub fn summary(&self) -> Summary {
        let Behind { accounts, shared } = &self.behind;
        let mut summary = accounts.summary(&self.decoder.stats(), &self.streams.stats(), &shared.stats);
        summary.counters.insert("services_not_remembered", self.roles.unremembered());
        summary.last = accounts.first.map(|_| self.now);
        summary
    }
}

/// Everything behind the streams.
#[derive(Debug)]
struct Behind {
    shared: Shared,
    accounts: Accounts,
}

impl Behind {
    fn on_event(
        &mut self,
        (conversation, id, key): Heard<'_, Conversation>,
        event: &Event<'_>,
        sink: &mut (impl FnMut(&Record<'_>) + ?Sized),
    ) {
        let Behind { shared, accounts } = self;
        accounts.connections += u64::from(matches!(event, Event::Opened { .. }));
        conversation.on_event(event, shared, &mut |progress| on_progress(accounts, id, key, &progress, sink));
    }
}

fn on_progress(
    accounts: &mut Accounts,
    id: ConnectionId,
    key: &FlowKey,
    progress: &Progress,
    sink: &mut (impl FnMut(&Record<'_>) + ?Sized),
) {
    let mut problems: &[&'static str] = &[];
    let problem;
    let (request, response, end) = match progress {
        Progress::Seen => return accounts.seen += 1,
        Progress::Complete(Exchange { request, response }) => {
            if response.started < request.finished {
                problems = &["early_response"];
            }
            (Some(&**request), Some(&**response), COMPLETE)
        }
        Progress::Ended(ended) => {
            if let Some(found) = ended.problem {
                problem = [found.as_str()];
                problems = &problem;
            }
            (ended.request.as_deref(), ended.response.as_deref(), ended.end.as_str())
        }
        Progress::Unasked(response) => {
            accounts.seen += 1;
            (None, Some(&**response), REQUEST_MISSING)
        }
    };
    accounts.records += 1;
    let record = Record {
        id: accounts.records,
        connection: id.0 + 1,
        client: key.client,
        server: key.server,
        request,
        response,
        end,
        problems,
    };
    accounts.count(&record);
    sink(&record);
}
