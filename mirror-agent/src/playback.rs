//! `replay`: the requests in capture files go to v2, and its answers are compared.
//! A composition root of its own: frames come from files, and everything behind them is as for live traffic.

mod interrupt;
mod progress;
mod reader;
mod summary;
mod text;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;

use crate::cli::{ReadFormat, Replay};
use crate::config;
use crate::pipeline::Pipeline;
use crate::replay::{Feed, Target, Terms};
use crate::roles::Roles;
use crate::run::records;
use crate::service::Service;
use progress::Progress;
use reader::Reader;
use summary::Summary;

/// Replays the files and sums up, also when one of them cannot be read to its end, or it is interrupted.
///
/// # Errors
///
/// When a file cannot be read to its end, no connection can be made to a version, nothing could be compared, it was
/// interrupted, or the output cannot be written. Differences are none.
pub fn run(args: &Replay, config: &config::Service) -> Result<()> {
    let runtime = runtime()?;
    let service = Arc::new(Service::new(0, config, Instant::now())?);
    let records = args.differences.as_ref().map(|path| create(path, &runtime)).transpose()?;
    let terms = Terms { speed: args.speed(), against: args.against };
    let target = Target::for_captures(service.clone(), records, terms);
    let interrupted = interrupt::watch(&runtime, &target)?;
    eprintln!("{}", announcement(args, config));

    let started = Instant::now();
    let progress = Progress::start(&args.files, service.clone(), &runtime);
    let mut reader =
        Reader::new(pipeline(args, service), Feed::new(target.clone(), runtime.handle().clone()));
    for path in &args.files {
        reader.file(path, &progress);
    }
    let read = reader.finish();
    progress.clear();
    let summary = Summary::new(args, &target, &read, started.elapsed());
    let faults = faults(&read.faults, &target, &summary, interrupted.came());
    drop((target, interrupted));
    drop(runtime); // once the differences are written
    show(&summary, args.format.unwrap_or_default()).context("cannot write")?;
    if faults.is_empty() { Ok(()) } else { bail!(faults.join("\nmirror-agent: ")) }
}

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .thread_name("replay")
        .enable_all()
        .build()
        .context("start the replayer's threads")
}

fn create(
    path: &std::path::Path,
    runtime: &Runtime,
) -> Result<tokio::sync::mpsc::Sender<crate::differences::Record>> {
    let file = File::create(path).with_context(|| format!("write {}", path.display()))?;
    Ok(records::start(file, runtime.handle()))
}

fn pipeline(args: &Replay, service: Arc<Service>) -> Pipeline {
    let is_told = !args.services.is_empty();
    let roles = if is_told { Roles::told(args.services.iter().copied()) } else { Roles::found() };
    Pipeline::for_captures(service, roles)
}

/// What is about to be done to whom.
fn announcement(args: &Replay, config: &config::Service) -> String {
    let files = match args.files.as_slice() {
        [file] => file.display().to_string(),
        files => format!("{} files", files.len()),
    };
    let against = args.against.map_or(String::new(), |v1| format!(" and to {v1}, to compare with"));
    let methods = config.methods.join(", ");
    format!("replaying {files} to {}{against}, speed {}: {methods}", args.to, args.speed())
}

/// Why it did not do what it was asked to.
fn faults(files: &[String], target: &Target, summary: &Summary, interrupted: bool) -> Vec<String> {
    let mut faults = files.to_vec();
    let unreached = target.unreached();
    let is_reached = unreached.is_empty();
    faults.extend(unreached);
    if interrupted {
        faults.push("interrupted: the rest was not replayed".into());
    } else if files.is_empty() && is_reached && summary.requests.compared == 0 {
        faults.push(summary.nothing_compared());
    }
    faults
}

fn show(summary: &Summary, format: ReadFormat) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        ReadFormat::Text => write!(out, "{}", text::summary(summary))?,
        ReadFormat::Json => writeln!(out, "{}", serde_json::to_string(summary)?)?,
    }
    Ok(out.flush()?)
}
