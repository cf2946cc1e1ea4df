//! The whole of `read`, from the bytes of a capture file to a summary: it always balances.

use std::io::Cursor;

use mirror_agent::intake::file::File;
use mirror_agent::packet::{Frame, Link, Options};
use mirror_agent::read::engine::Engine;
use mirror_agent::time::Nanos;

use crate::memory::Meter;

/// Records that are looked at: a packed file of a few bytes may hold millions.
const ENOUGH: usize = 20_000;
/// What an engine may hold of a small file: what it is made of when nothing has come yet, and what came, several times.
const HELD: u64 = 96 << 20;

/// A capture file.
pub(crate) fn run(data: &[u8]) {
    let Ok(mut file) = File::from_reader("fuzz", Cursor::new(data.to_vec())) else { return };
    let mut reading = Reading::new(data.first().is_some_and(|byte| byte & 1 == 1));
    for _ in 0..ENOUGH {
        let Ok(Some(record)) = file.next() else { break };
        match Link::from_linktype(record.linktype) {
            Some(link) => {
                reading.frame(&Frame { at: record.at, link, data: record.data, wire_len: record.wire_len })
            }
            None => reading.unknown_link(record.at),
        }
    }
    reading.end();
}

/// An engine whose records are counted.
pub(crate) struct Reading {
    engine: Engine,
    records: u64,
    meter: Meter,
}

impl Reading {
    pub fn new(verify_checksums: bool) -> Reading {
        let meter = Meter::start();
        let options = Options { verify_checksums, ..Options::default() };
        Reading { engine: Engine::new(&[], options), records: 0, meter }
    }

    pub fn frame(&mut self, frame: &Frame<'_>) {
        let records = &mut self.records;
        self.engine.on_frame(frame, &mut |record| {
            *records += 1;
            assert!(record.request.is_some() || record.response.is_some() || !record.is_complete());
        });
    }

    fn unknown_link(&mut self, at: Nanos) {
        let records = &mut self.records;
        self.engine.on_unknown_link(at, &mut |_| *records += 1);
    }

    /// Ends the input. Everything has one fate, and each exchange was shown once.
    pub fn end(mut self) {
        let records = &mut self.records;
        self.engine.end(&mut |_| *records += 1);
        let summary = self.engine.summary();
        for (name, fates) in summary.balances() {
            assert_eq!(fates.imbalance(), 0, "{name}: {fates:?}");
        }
        assert_eq!(summary.exchanges.total, self.records);
        assert!(self.meter.peak() < HELD, "{} bytes", self.meter.peak());
    }
}
