//! One worker: a ring, its share of the connections, and the thread that turns the one into the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::ring::{Ring, RingFrame};
use super::{Connections, Counters};
use crate::packet::{Frame, Link};
use crate::pipeline::{Output, Pipeline};
use crate::time::Nanos;

/// How long a worker waits for a block before it looks at the clock and at whether to stop.
const WAIT: Duration = Duration::from_millis(100);
/// How often what waited too long is ended, and drops are collected.
const CHORES: Duration = Duration::from_secs(1);

/// The kernel hands over its last block within this time.
const LAST_BLOCK: Duration = Duration::from_millis(50);

/// Orders that wait for a worker that is busy. One more is not taken.
pub const ORDERS: usize = 1024;

/// Asks a worker to forget connections of which clones are missing. It does so once it has read every clone that was
/// made before.
pub enum Forget {
    /// All of a service: nothing was cloned of them for a while.
    Service {
        /// Its index.
        service: usize,
        /// Dropped when it is done.
        done: Sender<()>,
    },
    /// One that a cap has cut, if it is this worker's.
    Connection([SocketAddr; 2]),
}

/// Reads a ring until told to stop and nothing comes any more. What leaves the pipeline goes to `sink`.
///
/// # Errors
///
/// When the kernel will not wait for packets.
pub fn run(
    mut ring: Ring,
    mut pipeline: Pipeline,
    counters: &Arc<Counters>,
    forget_rx: &Receiver<Forget>,
    stop: &AtomicBool,
    mut sink: impl FnMut(Output),
) -> Result<()> {
    let mut chores = Instant::now();
    let mut connections = Connections::default();
    let mut stopping: Option<Instant> = None;
    let mut waiting = 0;
    counters.add_ring();
    loop {
        if stopping.is_none() && stop.load(Ordering::Acquire) {
            stopping = Some(Instant::now());
        }
        let each = |frame: &RingFrame<'_>| {
            counters.note_length(frame);
            pipeline.on_frame(&to_frame(frame), &mut sink);
        };
        let before = std::mem::replace(&mut waiting, ring.waiting() as u64);
        counters.note_waiting(before, waiting);
        match ring.read_block(each) {
            Some(read) => counters.add_read(read),
            None if stopping.is_some_and(|since| since.elapsed() >= LAST_BLOCK) => break,
            None => {
                // Only now: everything that was cloned before the order was given has been read.
                while let Ok(forget) = forget_rx.try_recv() {
                    match forget {
                        Forget::Service { service, done: _ } => {
                            pipeline.forget(unix_now(), service, &mut sink);
                        }
                        Forget::Connection(ends) => pipeline.forget_cut(unix_now(), ends, &mut sink),
                    }
                }
                let at_most = if stopping.is_some() { LAST_BLOCK } else { WAIT };
                ring.wait(at_most).context("read the shadow interface")?;
            }
        }
        if chores.elapsed() >= CHORES {
            chores = Instant::now();
            counters.add_ring_dropped(ring.take_dropped());
            pipeline.expire(unix_now(), &mut sink);
            counters.add_connections(connections, of(&pipeline));
            connections = of(&pipeline);
        }
    }
    counters.add_ring_dropped(ring.take_dropped());
    pipeline.flush(unix_now(), &mut sink);
    counters.add_connections(connections, of(&pipeline));
    Ok(())
}

/// What a pipeline has counted so far.
fn of(pipeline: &Pipeline) -> Connections {
    let (stats, streams) = (pipeline.stats(), pipeline.stream_stats());
    Connections {
        joined_late: stats.joined_late,
        refused: streams.refused_connections,
        given_up: stats.over_memory,
    }
}

/// A VLAN tag that the kernel took out does not matter to who talks to whom, so it stays out.
fn to_frame<'a>(frame: &RingFrame<'a>) -> Frame<'a> {
    Frame { at: frame.at, link: Link::Ethernet, data: frame.data, wire_len: frame.wire_len }
}

/// The clock that stamps the frames.
fn unix_now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
