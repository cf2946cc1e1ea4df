//! What is written: lines for people, objects for programs, a HAR file for browsers.

mod decoded;
pub mod har;
pub mod json;
mod shown;
pub mod text;
mod totals;
pub mod wire;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, LineWriter, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Result;

use super::record::Record;
use super::summary::Summary;
use crate::cli::{Read, ReadFormat};
use har::Har;
use json::Json;
use text::Text;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// Takes the exchanges one by one, then the summary.
pub trait Output {
    /// Writes an exchange.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn exchange(&mut self, record: &Record<'_>) -> io::Result<()>;

    /// Writes what was gathered: nothing more may come for a while.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes the summary and ends.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn end(self: Box<Self>, summary: &Summary) -> io::Result<()>;
}

/// Everything that the command line asked for.
pub struct Outputs {
    /// Lines or objects. None once nobody reads them any more.
    lines: Option<Box<dyn Output>>,
    summary_only: bool,
    har: Option<Har>,
}

impl Outputs {
    /// Standard output, and the HAR file if there is to be one.
    ///
    /// # Errors
    ///
    /// When the HAR file cannot be made.
    pub fn open(args: &Read) -> Result<Outputs> {
        let har = args.har.as_deref().map(Har::create).transpose()?;
        Ok(Outputs { lines: Some(to_stdout(args)), summary_only: args.summary_only, har })
    }

    /// Whether nobody is left to write for, as after `read | head`. That is an end and no error.
    pub fn is_closed(&self) -> bool {
        self.lines.is_none() && self.har.is_none()
    }

    /// Writes an exchange.
    ///
    /// # Errors
    ///
    /// When it cannot be written; a closed standard output only means [`Outputs::is_closed`].
    pub fn exchange(&mut self, record: &Record<'_>) -> io::Result<()> {
        if !self.summary_only {
            self.on_lines(|lines| lines.exchange(record))?;
        }
        self.har.as_mut().map_or(Ok(()), |har| har.exchange(record))
    }

    /// Writes what was gathered: nothing more may come for a while.
    ///
    /// # Errors
    ///
    /// As [`Outputs::exchange`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.on_lines(|lines| lines.flush())
    }

    /// Writes the summary, and puts the HAR file in its place.
    ///
    /// # Errors
    ///
    /// As [`Outputs::exchange`]. Then what stood in the HAR file's place still stands there.
    pub fn end(mut self, summary: &Summary) -> io::Result<()> {
        let lines = self.lines.take().map_or(Ok(()), |lines| lines.end(summary));
        self.har.map_or(Ok(()), |har| har.end(summary))?;
        unless_closed(lines).map(drop)
    }

    fn on_lines(&mut self, act: impl FnOnce(&mut dyn Output) -> io::Result<()>) -> io::Result<()> {
        if let Some(lines) = &mut self.lines
            && unless_closed(act(lines.as_mut()))?.is_none()
        {
            self.lines = None;
        }
        Ok(())
    }
}

/// None if the reader went away.
fn unless_closed(written: io::Result<()>) -> io::Result<Option<()>> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
        written => written.map(Some),
    }
}

fn to_stdout(args: &Read) -> Box<dyn Output> {
    let stdout = io::stdout();
    let colour = AutoStream::choice(&stdout) != ColorChoice::Never;
    // A terminal shows each line at once.
    let to: Box<dyn Write> = if stdout.is_terminal() {
        Box::new(LineWriter::new(stdout.lock()))
    } else {
        Box::new(BufWriter::with_capacity(BUFFER, stdout.lock()))
    };
    match args.format() {
        ReadFormat::Text => Box::new(Text::new(to, colour)),
        ReadFormat::Json => Box::new(Json::new(to, args.bodies)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::record::tests::record;

    /// A pipe whose reader went away, or a disk that is full.
    struct Fails(ErrorKind);

    impl Output for Fails {
        fn exchange(&mut self, _: &Record<'_>) -> io::Result<()> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }

        fn end(self: Box<Self>, _: &Summary) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn outputs(kind: ErrorKind) -> Outputs {
        Outputs { lines: Some(Box::new(Fails(kind))), summary_only: false, har: None }
    }

    #[test]
    fn a_reader_that_went_away_is_an_end_and_no_error() {
        let record = record(None, None, "tls");
        let mut closed = outputs(ErrorKind::BrokenPipe);
        assert!(!closed.is_closed());
        closed.exchange(&record).unwrap();
        assert!(closed.is_closed());
        closed.exchange(&record).unwrap();
        closed.end(&Summary::default()).unwrap();
        outputs(ErrorKind::BrokenPipe).end(&Summary::default()).unwrap();
        let mut flushed = outputs(ErrorKind::BrokenPipe);
        flushed.flush().unwrap();
        assert!(flushed.is_closed());
    }

    #[test]
    fn every_other_error_is_heard() {
        let mut full = outputs(ErrorKind::StorageFull);
        assert_eq!(full.exchange(&record(None, None, "tls")).unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(full.end(&Summary::default()).unwrap_err().kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn a_har_is_finished_though_nobody_reads_the_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.har");
        let mut outputs = outputs(ErrorKind::BrokenPipe);
        outputs.har = Some(Har::create(&path).unwrap());
        outputs.exchange(&record(None, None, "tls")).unwrap();
        assert!(!outputs.is_closed());
        outputs.end(&Summary::default()).unwrap();
        assert!(path.exists());
    }
}
