//! `read`: the HTTP exchanges in capture files, one by one and summed up.
//! A composition root of its own: frames from files go through the pure middle to what people and programs read.

pub mod engine;
pub mod output;
pub mod paths;
pub mod progress;
pub mod record;
pub mod summary;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cli::Read;
use crate::intake::file::File;
use crate::packet::{Frame, Link, Options};
use engine::Engine;
use output::Outputs;
use progress::Progress;
use record::Record;

/// How long what was found in a pipe may wait to be shown.
const PATIENCE: Duration = Duration::from_millis(50);

/// Reads the files and shows what is in them, also when one of them cannot be read to its end.
///
/// # Errors
///
/// When a file cannot be read to its end, or the output cannot be written.
pub fn run(args: &Read) -> Result<()> {
    let mut reading = Reading::begin(args)?;
    let mut faults = Vec::new();
    for path in &args.files {
        if let Err(fault) = reading.file(path)? {
            faults.push(fault);
        }
    }
    reading.end()?;
    match faults.as_slice() {
        [] => Ok(()),
        faults => bail!(faults.join("\nmirror-agent: ")),
    }
}

/// Files that are being read, one after the other, as one input.
struct Reading {
    engine: Engine,
    outputs: Outputs,
    progress: Progress,
    /// Bytes of the files before the present one.
    before: u64,
    /// The first failure of the output.
    failed: Option<io::Error>,
    flushed: Instant,
}

impl Reading {
    fn begin(args: &Read) -> Result<Reading> {
        let size = |path: &std::path::PathBuf| std::fs::metadata(path).ok().map(|about| about.len());
        let total: Option<u64> = args.files.iter().map(size).sum();
        let options = Options { verify_checksums: args.verify_checksums, ..Options::default() };
        Ok(Reading {
            engine: Engine::new(&args.services, options),
            outputs: Outputs::open(args)?,
            progress: Progress::new(total, !args.summary_only),
            before: 0,
            failed: None,
            flushed: Instant::now(),
        })
    }

    /// Reads one file, as far as it goes. The inner error is the file's, the outer one the output's.
    fn file(&mut self, path: &Path) -> Result<Result<(), String>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        let is_live = file.size().is_none();
        let mut unknown = UnknownLink::default();
        while !self.outputs.is_closed() {
            let offset = file.offset();
            let record = match file.next() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(fault) => return Ok(Err(fault.to_string())),
            };
            match Link::from_linktype(record.linktype) {
                Some(link) => {
                    let frame = Frame { at: record.at, link, data: record.data, wire_len: record.wire_len };
                    self.take(|engine, sink| engine.on_frame(&frame, sink))?;
                }
                None => {
                    unknown.count(record.linktype, offset);
                    let at = record.at;
                    self.take(|engine, sink| engine.on_unknown_link(at, sink))?;
                }
            }
            self.progress.show(self.before + file.position(), self.engine.exchanges());
            if is_live {
                self.flush()?;
            }
        }
        self.before += file.position();
        Ok(unknown.fault(path))
    }

    /// Lets the engine act, and writes the exchanges that have ended by it.
    fn take(&mut self, act: impl FnOnce(&mut Engine, &mut dyn FnMut(&Record<'_>))) -> Result<()> {
        let Reading { engine, outputs, failed, .. } = self;
        act(engine, &mut |record| {
            if failed.is_none() {
                *failed = outputs.exchange(record).err();
            }
        });
        self.written()
    }

    fn end(mut self) -> Result<()> {
        let ended = self.take(|engine, sink| engine.end(sink));
        self.progress.clear();
        ended?;
        self.outputs.end(&self.engine.summary()).context("cannot write")
    }

    /// Shows what a pipe has brought, before the next wait for more of it.
    fn flush(&mut self) -> Result<()> {
        if self.flushed.elapsed() < PATIENCE {
            return Ok(());
        }
        self.flushed = Instant::now();
        self.outputs.flush().context("cannot write")
    }

    fn written(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), |error| Err(error).context("cannot write"))
    }
}

/// The first link type of a file that is not known, and how many frames are left out for their link types.
#[derive(Default)]
pub(crate) struct UnknownLink {
    first: Option<(u32, u64)>,
    frames: u64,
}

impl UnknownLink {
    /// Counts a frame of it; `offset` is where it stands in the file.
    pub(crate) fn count(&mut self, linktype: u32, offset: u64) {
        self.first.get_or_insert((linktype, offset));
        self.frames += 1;
    }

    /// The fault of the file at `path`, if there was any such frame.
    pub(crate) fn fault(self, path: &Path) -> Result<(), String> {
        let Some((linktype, offset)) = self.first else { return Ok(()) };
        let (path, frames) = (path.display(), self.frames);
        Err(format!("{path}: unknown link type {linktype} at byte {offset}: {frames} frames are left out"))
    }
}
