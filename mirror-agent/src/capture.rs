//! `capture`: both directions of whole sampled connections go into a pcapng file.
//! A composition root of its own: the kernel's copies go from the ring to the file, and production notices nothing.

mod asked;
mod connections;
mod output;
mod pcapng;
mod progress;
mod recorder;
mod rights;
mod signals;
mod source;
mod tally;
mod vantage;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use crate::cli::Capture;
use crate::config::ShadowInterface;
use crate::intake::ring::RingFrame;
use crate::kernel::{interface, warn};
use crate::packet::{Frame, Link};
use crate::time::Nanos;

use asked::Wanted;
use output::Output;
use pcapng::{Blocks, Interface, Statistics};
use progress::{Progress, Report, sizes};
use recorder::{Owners, Recorder};
use source::Source;
use tally::Tally;
use vantage::Vantage;

/// How long one wait for packets may be, and so how late an end is noticed.
const WAIT: Duration = Duration::from_millis(50);
/// How often the progress is shown, and what is captured goes to the file at the latest.
const TICK: Duration = Duration::from_millis(250);

/// Captures until it is told to stop, and says at the end what is in the file.
///
/// # Errors
///
/// When it cannot begin, which leaves no file and taps nothing, or when it cannot go on: then the file holds what was
/// captured by then.
pub fn run(args: &Capture) -> Result<()> {
    let interfaces = asked::interfaces(args)?;
    let existing = args.shadow_interface.as_ref().and_then(ShadowInterface::existing);
    rights::check(existing.is_none())?;
    warn::of_lengths(args.shadow_interface.as_ref(), &interfaces);
    let output = Output::open(&args.write)?;
    signals::watch()?;
    let source = Source::prepare(args)?;
    let vantages: Vec<Vantage> = interfaces.iter().map(|name| Vantage::of(name)).collect();
    let described = describe(args, &vantages, source.mechanism());
    let blocks = Blocks::begin(output, args.max_size, &comment(args, &interfaces), &described, now())?;
    let recorder = Recorder::new(blocks, Wanted::by(args), vantages);
    source.tap(&interfaces, args.share())?;
    let session = Session { args, interfaces, source, recorder, started: Instant::now(), failed: None };
    session.run()
}

/// A capture that has begun.
struct Session<'a> {
    args: &'a Capture,
    interfaces: Vec<String>,
    source: Source,
    recorder: Recorder,
    started: Instant,
    /// Why the file could not be written.
    failed: Option<anyhow::Error>,
}

impl Session<'_> {
    fn run(mut self) -> Result<()> {
        let progress = Progress::new();
        let end = self.follow(&progress);
        progress.clear();
        let (recorder, failed) = (&mut self.recorder, &mut self.failed);
        let tally = self.source.stop(|frame, owners| record(recorder, failed, frame, owners));
        let (end, tally) = match (self.failed, end, tally) {
            (Some(error), _, _) => return Err(error),
            (None, end, Ok(tally)) => (end, tally),
            (None, end, Err(error)) => return Err(end.err().unwrap_or(error)),
        };
        tracing::debug!(?tally, forgotten = self.recorder.forgotten(), "the capture has ended");
        let took = self.started.elapsed();
        let words = end.as_ref().copied().unwrap_or("broken off");
        let report = Report { sizes: sizes(&self.recorder, &tally), end: words, took, tally };
        match self.recorder.end(totals(&tally), now()) {
            Ok(output) => report.print(output.path()),
            Err(error) => return Err(end.err().unwrap_or(error)),
        }
        end.map(drop)
    }

    /// Captures until something ends it, and says what.
    fn follow(&mut self, progress: &Progress) -> Result<&'static str> {
        let mut tick = Instant::now();
        loop {
            let (recorder, failed) = (&mut self.recorder, &mut self.failed);
            self.source.read(WAIT, |frame, owners| record(recorder, failed, frame, owners))?;
            if let Some(end) = self.end() {
                return Ok(end);
            }
            if Instant::now() >= tick {
                tick = Instant::now() + TICK;
                self.recorder.flush()?;
                progress.show(&self.recorder, &self.source.tally()?);
                self.check_interfaces()?;
            }
        }
    }

    fn end(&self) -> Option<&'static str> {
        if self.failed.is_some() {
            return Some("the file cannot be written");
        }
        if self.recorder.is_full() {
            return Some("ended by --max-size");
        }
        if self.args.run_for.is_some_and(|time| self.started.elapsed() >= time) {
            return Some("ended by --for");
        }
        signals::asked().then_some("ended by a signal")
    }

    /// An interface that goes takes its tap along.
    fn check_interfaces(&self) -> Result<()> {
        if self.interfaces.iter().all(|name| interface::index(name).is_err()) {
            bail!("nothing is left to capture: {} is gone", self.interfaces.join(", "));
        }
        Ok(())
    }
}

/// The first failure is remembered, and nothing is written after it.
fn record(
    recorder: &mut Recorder,
    failed: &mut Option<anyhow::Error>,
    frame: &RingFrame<'_>,
    owners: Owners<'_>,
) {
    if failed.is_none() {
        let plain = Frame { at: frame.at, link: Link::Ethernet, data: frame.data, wire_len: frame.wire_len };
        *failed = recorder.record(&plain, frame.vlan, owners).err();
    }
}

/// What was asked, for the head of the file.
fn comment(args: &Capture, interfaces: &[String]) -> String {
    format!(
        "{} of the connections matching \"{}\" on {}. Each sampled connection is here whole, both directions, but for \
         those that were open before the capture began or when it ended.",
        args.share(),
        Wanted::by(args).filter(),
        interfaces.join(", ")
    )
}

/// One description an interface, and with several one more for frames whose interface cannot be told.
fn describe(args: &Capture, vantages: &[Vantage], mechanism: &str) -> Vec<Interface> {
    let filter = Wanted::by(args).filter();
    let mut all: Vec<Interface> = Vec::new();
    for vantage in vantages {
        let hooks = if vantage.name == "lo" { "ingress" } else { "ingress and egress" };
        let description = format!("tapped at {hooks} by {mechanism}");
        all.push(Interface {
            name: vantage.name.clone(),
            description,
            mac: vantage.mac,
            filter: filter.clone(),
        });
    }
    if vantages.len() > 1 {
        let description = "one of the others, it is not known which; its statistics are those of all".into();
        all.push(Interface { name: "unknown".into(), description, mac: None, filter });
    }
    all
}

fn totals(tally: &Tally) -> Statistics {
    let lost = tally.lost;
    Statistics {
        matched: Some(tally.matched),
        sampled: Some(tally.sampled()),
        dropped: Some(lost.link + lost.ring),
        not_cloned: Some(lost.clone_failed + lost.lease_expired + lost.flow_table_full),
        written: None,
    }
}

fn now() -> Nanos {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
}
