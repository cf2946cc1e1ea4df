//! The files, one after the other as one input, through the pipeline to the replayer.

use std::path::Path;

use super::progress::Progress;
use crate::intake::file::File;
use crate::packet::{Frame, Link};
use crate::pipeline::{Pipeline, Stats};
use crate::read::UnknownLink;
use crate::replay::Feed;
use crate::time::Nanos;

/// How often, by packet time, what waits is looked at.
const TICK: std::time::Duration = std::time::Duration::from_millis(100);

/// Files that are being read.
pub(super) struct Reader {
    pipeline: Pipeline,
    feed: Feed,
    /// The latest time of any frame.
    now: Nanos,
    ticked: Nanos,
    faults: Vec<String>,
}

/// What was read, when all of it has been replayed.
pub(super) struct Read {
    /// Why files were not read to their end, a line each.
    pub(super) faults: Vec<String>,
    /// What the pipeline counted.
    pub(super) stats: Stats,
}

impl Reader {
    /// Nothing is read yet.
    pub(super) fn new(pipeline: Pipeline, feed: Feed) -> Reader {
        let (now, ticked) = (Nanos::default(), Nanos::default());
        Reader { pipeline, feed, now, ticked, faults: Vec::new() }
    }

    /// Reads one file as far as it goes, or until all is stopped.
    pub(super) fn file(&mut self, path: &Path, progress: &Progress) {
        if self.feed.is_stopped() {
            return;
        }
        let mut unknown = UnknownLink::default();
        match self.records(path, progress, &mut unknown) {
            Err(fault) => self.faults.push(fault.to_string()),
            Ok(()) => self.faults.extend(unknown.fault(path).err()),
        }
    }

    /// Ends the input, and waits until everything in it has been replayed.
    pub(super) fn finish(mut self) -> Read {
        let Reader { pipeline, feed, now, .. } = &mut self;
        let first = pipeline.first().unwrap_or(*now);
        pipeline.flush(*now, &mut |output| feed.take(output, first));
        self.feed.finish();
        Read { faults: self.faults, stats: self.pipeline.stats() }
    }

    fn records(
        &mut self,
        path: &Path,
        progress: &Progress,
        unknown: &mut UnknownLink,
    ) -> Result<(), crate::intake::file::Error> {
        let mut file = File::open(path)?;
        while !self.feed.is_stopped() {
            let offset = file.offset();
            let Some(record) = file.next()? else { break };
            match Link::from_linktype(record.linktype) {
                Some(link) => {
                    self.frame(&Frame { at: record.at, link, data: record.data, wire_len: record.wire_len });
                }
                None => unknown.count(record.linktype, offset),
            }
            progress.at(file.position());
        }
        progress.behind(file.position());
        Ok(())
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let Reader { pipeline, feed, now, ticked, .. } = self;
        *now = frame.at.max(*now);
        let first = pipeline.first().unwrap_or(*now);
        let mut sink = |output| feed.take(output, first);
        if *ticked + TICK <= *now {
            *ticked = *now;
            pipeline.expire(*now, &mut sink);
        }
        pipeline.on_frame(frame, &mut sink);
    }
}
