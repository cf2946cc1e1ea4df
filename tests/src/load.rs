//! Steady traffic: an open loop, so that a slow service does not slow its users down, over kept-alive connections.

mod connection;
mod plan;
mod slice;
mod start;

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

pub use slice::{Slice, now_s};
pub use start::Load;

use connection::Connection;
use plan::{Job, Plan};
use slice::Recorder;

/// What a load is told on its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The service to ask.
    #[arg(long)]
    pub target: SocketAddr,
    /// Requests per second.
    #[arg(long, default_value_t = 300.0)]
    pub rate: f64,
    /// How long.
    #[arg(long, default_value_t = 20.0)]
    pub seconds: f64,
    /// Connections of clients that wait for their answers, beside the one of a client that pipelines. A request waits
    /// while all are busy, and the wait counts.
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// GET only this target, instead of the mix of `plan`; `{n}` in it is the number of the request.
    #[arg(long)]
    pub get: Option<String>,
    /// Write a line of JSON (see [`Slice`]) about every so many milliseconds.
    #[arg(long, default_value_t = 250)]
    pub slice_ms: u64,
}

/// A job, and when it was due to be sent.
type Due = (Instant, Job);

/// Drives the traffic to its end, writing slices to standard output as it goes.
///
/// # Errors
///
/// When a slice cannot be written; failed requests are counted in the slices.
pub fn run(options: &Options) -> Result<()> {
    let recorder = Arc::new(Recorder::new(Duration::from_millis(options.slice_ms.max(1))));
    // Clients that pipeline are few, and always do: most connections must stay plain.
    let (plain_queue, plain) = channel::<Due>();
    let (pipelined_queue, pipelined) = channel::<Due>();
    let (plain, pipelined) = (Mutex::new(plain), Mutex::new(pipelined));
    std::thread::scope(|scope| {
        for _ in 0..options.connections.max(1) {
            scope.spawn(|| work(Connection::new(options.target), &plain, &recorder));
        }
        scope.spawn(|| work(Connection::new(options.target), &pipelined, &recorder));
        let start = Instant::now();
        for (after, job) in Plan::new(options).take_while(|(after, _)| after.as_secs_f64() < options.seconds)
        {
            std::thread::sleep((start + after).saturating_duration_since(Instant::now()));
            recorder.roll()?;
            // Counted from now and not from when it should have been now: waking up late is our fault, not v1's.
            let queue = if job.requests.len() > 1 { &pipelined_queue } else { &plain_queue };
            let _ = queue.send((Instant::now(), job));
        }
        drop((plain_queue, pipelined_queue));
        anyhow::Ok(())
    })?;
    recorder.finish()
}

/// Sends jobs on one connection until there will be no more.
fn work(mut connection: Connection, due: &Mutex<Receiver<Due>>, recorder: &Recorder) {
    loop {
        let next = due.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((since, job)) = next else { return };
        let expected = job.requests.len();
        let mut answered = 0;
        let result = connection.exchange(&job, |status| {
            answered += 1;
            recorder.answered(status, since.elapsed());
        });
        if let Err(error) = result {
            recorder.failed(expected - answered, &error);
        }
    }
}
