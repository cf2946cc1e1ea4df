//! A capture file as a source of frames: pcap or pcapng, plain or in gzip or zstd, told apart by their first bytes. It is
//! streamed: memory depends on the longest record, not on the file.
//!
//! pcap-file, which writes our captures, does not read them: it refuses a whole file for a time in picoseconds or before
//! 1970, for reserved bits, or for a name that is not UTF-8, and its "need more" errors mix lengths with and without the
//! header. So the formats are read here, and that crate is the tests' second opinion.

mod error;
mod gzip;
mod order;
mod pcap;
mod pcapng;
mod stats;
mod stored;
#[cfg(test)]
mod tests;
mod window;
mod zstd;

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use crate::time::Nanos;

use self::pcap::Pcap;
use self::pcapng::Pcapng;
use self::stored::Stored;
use self::window::Window;

pub use error::{Error, Fault};
pub use stats::Stats;
pub use stored::Packing;

/// A record or block of more bytes than this is a lie, and the end of the file for us.
pub const LONGEST: usize = 64 << 20;

/// A capture file that is being read.
#[derive(Debug)]
pub struct File {
    name: String,
    size: Option<u64>,
    window: Window,
    format: Format,
    stats: Stats,
    /// It came to its end, or to an error.
    over: bool,
}

/// One captured packet, borrowed until the next one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it passed, Unix time. A pcapng Simple Packet Block has no time: it gets that of the record before it.
    pub at: Nanos,
    /// What the bytes begin with, by the list of link types of tcpdump.org.
    pub linktype: u32,
    /// The bytes that were captured.
    pub data: &'a [u8],
    /// How many bytes passed; never less than `data` holds.
    pub wire_len: u32,
    /// The interface it was captured on, counted over all sections of the file from 0.
    pub interface: u32,
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// A record whose bytes are in the window.
#[derive(Debug)]
struct Found {
    at: Nanos,
    linktype: u32,
    interface: u32,
    wire_len: u32,
    data: Range<usize>,
}

impl File {
    /// Opens the file at `path`, or standard input for `-`, and reads as far as it takes to know the format.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or read, is empty, or is no capture.
    pub fn open(path: &Path) -> Result<File, Error> {
        let name = if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
        match stored::open(path) {
            Ok((reader, size)) => File::begin(name, reader, size),
            Err(error) => Err(Error::new(name, Packing::Plain, 0, Fault::Open(error))),
        }
    }

    /// Reads a capture from anything; `name` stands for it in errors.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is empty, or is no capture.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Result<File, Error> {
        File::begin(name.into(), Box::new(reader), None)
    }

    fn begin(name: String, reader: Box<dyn Read + Send>, size: Option<u64>) -> Result<File, Error> {
        let stored = match Stored::new(reader) {
            Ok(stored) => stored,
            Err(fault) => return Err(Error::new(name, Packing::Plain, 0, fault)),
        };
        let mut window = Window::new(stored);
        match recognise(&mut window) {
            Ok(format) => Ok(File { name, size, window, format, stats: Stats::default(), over: false }),
            Err(fault) => Err(error(name, &window, fault)),
        }
    }

    /// The next record; `None` at the end of the file, and after an error.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read on. All records before that place have been returned.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it owns")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        if self.over {
            return Ok(None);
        }
        let found = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.window, &mut self.stats),
            Format::Pcapng(pcapng) => pcapng.next(&mut self.window, &mut self.stats),
        };
        match found {
            Ok(Some(found)) => Ok(Some(self.record(found))),
            Ok(None) => {
                self.over = true;
                Ok(None)
            }
            Err(fault) => {
                self.over = true;
                Err(error(self.name.clone(), &self.window, fault))
            }
        }
    }

    fn record(&mut self, found: Found) -> Record<'_> {
        let data = self.window.bytes(found.data);
        let captured = data.len() as u32;
        self.stats.records += 1;
        self.stats.captured_bytes += u64::from(captured);
        self.stats.short_wire_lengths += u64::from(found.wire_len < captured);
        let wire_len = found.wire_len.max(captured);
        Record { at: found.at, linktype: found.linktype, data, wire_len, interface: found.interface }
    }

    /// Bytes taken from the file as it is stored, compressed or not; for a progress bar, up to a buffer ahead of
    /// [`File::offset`].
    pub fn position(&self) -> u64 {
        self.window.position()
    }

    /// Bytes of the file as it is stored; `None` for standard input, pipes and devices.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes of the capture, decompressed, up to the end of the last record.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// What the capture is packed in.
    pub fn packing(&self) -> Packing {
        self.window.packing()
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}

/// Tells the format by its first bytes.
fn recognise(window: &mut Window) -> Result<Format, Fault> {
    let held = window.fill(4)?;
    match window.held().first_chunk() {
        _ if held == 0 => Err(Fault::Empty),
        Some(&pcapng::MAGIC) => Ok(Format::Pcapng(Pcapng::default())),
        Some(&magic) => match Pcap::open(magic, window)? {
            Some(pcap) => Ok(Format::Pcap(pcap)),
            None => Err(error::no_capture(window.held())),
        },
        None => Err(error::no_capture(window.held())),
    }
}

/// What the source could not give is missing behind all that it gave; everything else is wrong where a record begins.
fn error(name: String, window: &Window, fault: Fault) -> Error {
    let offset = if fault.is_of_source() { window.received() } else { window.offset() };
    Error::new(name, window.packing(), offset, fault)
}
