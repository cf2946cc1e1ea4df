//! Does something again and again, on a thread of its own that no other work can hold up.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

/// A running pulse. Dropping it ends it, and waits for a beat that has begun.
pub struct Pulse {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// Calls `beat` after each `every`. `name` is the thread's.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a thread.
    pub fn start(name: &str, every: Duration, beat: impl FnMut() + Send + 'static) -> Result<Self> {
        let (end, ended) = channel();
        let thread = Builder::new().name(name.into()).spawn(move || run(&ended, every, beat));
        Ok(Pulse {
            end: Some(end),
            thread: Some(thread.with_context(|| format!("start the thread {name}"))?),
        })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in there has been reported by its own thread
        }
    }
}

fn run(ended: &Receiver<()>, every: Duration, mut beat: impl FnMut()) {
    while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        beat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_until_it_is_dropped() {
        let (beat, beats) = channel();
        let pulse = Pulse::start("test", Duration::from_millis(1), move || beat.send(()).unwrap()).unwrap();
        (0..3).for_each(|_| beats.recv().unwrap());
        drop(pulse);
        beats.iter().for_each(|()| ()); // ends, because the thread is gone and its sender with it
    }

    #[test]
    fn does_not_wait_for_the_next_beat() {
        drop(Pulse::start("test", Duration::MAX, || {}).unwrap());
    }
}
