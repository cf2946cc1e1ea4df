//! Watches the interfaces and the taps, on a thread of its own: news wakes it, and it looks by itself too, since a chain
//! of programs changes without a word.

use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsFd;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use super::news::{self, Heard, News};

/// How often it looks when it hears nothing.
pub const EVERY: Duration = Duration::from_millis(250);
/// After a look it does not look again for this long, however much happens.
const REST: Duration = Duration::from_millis(20);

/// A running watch. Dropping it ends it, and waits for a look that has begun.
pub struct Watch {
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Calls `look` with what was heard: at once (as if interfaces had changed), then at every news and every [`EVERY`],
    /// and as long as it says that there is more to do.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the socket or the thread.
    pub fn start(look: impl FnMut(Heard) -> bool + Send + 'static) -> Result<Self> {
        let news = News::open(news::ROOM).context("listen for news of interfaces")?;
        let (ended, stop) = pipe().context("make a pipe")?;
        let run = move || {
            if let Err(error) = run(&news, &ended, look) {
                tracing::error!("interfaces and taps are no longer watched: {error}");
            }
        };
        let thread = Builder::new().name("watch".into()).spawn(run).context("start the thread watch")?;
        Ok(Watch { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in there has been reported by its own thread
        }
    }
}

fn run(news: &News, ended: &PipeReader, mut look: impl FnMut(Heard) -> bool) -> std::io::Result<()> {
    let mut heard = Heard { links: true, ..Heard::default() }; // what came between the first list and this
    loop {
        let has_more = look(heard);
        if news::is_over(ended.as_fd(), REST)? {
            return Ok(());
        }
        match news.wait(ended.as_fd(), if has_more { Duration::ZERO } else { EVERY - REST })? {
            Some(next) => heard = Heard { links: next.links || has_more, ..next },
            None => return Ok(()),
        }
    }
}
