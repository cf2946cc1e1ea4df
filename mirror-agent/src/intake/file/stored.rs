//! The bytes of a capture: out of the file as it is stored, through the decoder that its first bytes ask for.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::path::Path;

use super::error::Fault;
use super::gzip::Gzip;
use super::zstd::Zstd;

/// Compressed bytes are read in pieces of this size.
const PIECE: usize = 256 << 10;

/// What a capture is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Nothing.
    Plain,
    /// gzip (RFC 1952), of one member or more.
    Gzip,
    /// Zstandard (RFC 8878), of one frame or more.
    Zstd,
}

impl Packing {
    /// The packing's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    fn of(head: &[u8]) -> Packing {
        match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Packing::Zstd,
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Packing::Zstd, // a skippable frame, as parallel compressors write first
            _ => Packing::Plain,
        }
    }
}

/// A file whose bytes are counted; those that were looked at come again.
pub(super) struct Counted {
    reader: Box<dyn Read + Send>,
    head: Vec<u8>,
    /// Bytes of the head that came again.
    given: usize,
    /// Bytes read.
    position: u64,
}

/// The bytes of a capture.
pub(super) enum Stored {
    Plain(Counted),
    Gzip(Gzip),
    Zstd(Zstd),
}

/// Opens a file, or standard input for `-`; with its size if it is a regular file.
pub(super) fn open(path: &Path) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path == Path::new("-") {
        // Not `Stdin`: that would copy everything through a small buffer of its own.
        return Ok((Box::new(fs::File::from(io::stdin().as_fd().try_clone_to_owned()?)), None));
    }
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let size = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(file), size))
}

impl Counted {
    fn new(mut reader: Box<dyn Read + Send>) -> Result<Counted, Fault> {
        let mut head = Vec::new();
        reader.by_ref().take(4).read_to_end(&mut head).map_err(Fault::Read)?;
        Ok(Counted { reader, position: head.len() as u64, head, given: 0 })
    }
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut head = self.head.get(self.given..).unwrap_or_default();
        if !head.is_empty() {
            let read = head.read(into)?;
            self.given += read;
            return Ok(read);
        }
        let read = self.reader.read(into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Stored {
    /// Looks at the first bytes and chooses the decoder.
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Result<Stored, Fault> {
        let counted = Counted::new(reader)?;
        Ok(match Packing::of(&counted.head) {
            Packing::Plain => Stored::Plain(counted),
            Packing::Gzip => Stored::Gzip(Gzip::new(BufReader::with_capacity(PIECE, counted))),
            Packing::Zstd => Stored::Zstd(Zstd::new(BufReader::with_capacity(PIECE, counted))?),
        })
    }

    /// Reads some bytes of the capture; 0 at its end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        match self {
            Stored::Plain(counted) => loop {
                match counted.read(into) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => return result.map_err(Fault::Read),
                }
            },
            Stored::Gzip(gzip) => gzip.read(into),
            Stored::Zstd(zstd) => zstd.read(into),
        }
    }

    pub(super) fn position(&self) -> u64 {
        match self {
            Stored::Plain(counted) => counted.position,
            Stored::Gzip(gzip) => gzip.input().position,
            Stored::Zstd(zstd) => zstd.input().position,
        }
    }

    pub(super) fn packing(&self) -> Packing {
        match self {
            Stored::Plain(_) => Packing::Plain,
            Stored::Gzip(_) => Packing::Gzip,
            Stored::Zstd(_) => Packing::Zstd,
        }
    }
}

/// What a decoder is to read next, without an interruption; nothing at the end.
pub(super) fn peek(input: &mut BufReader<Counted>) -> Result<&[u8], Fault> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::Read(error)),
        }
    }
    Ok(input.buffer())
}
