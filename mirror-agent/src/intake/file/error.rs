//! Why a capture file cannot be read on, and at which byte.

use std::fmt;
use std::io;

use super::stored::Packing;

/// Why a capture file cannot be read on. It prints as one line, with the file's name and the place.
#[derive(Debug)]
pub struct Error {
    name: String,
    packing: Packing,
    offset: u64,
    fault: Fault,
}

/// What is wrong. Lengths are in bytes and count the header of the record or block.
#[derive(Debug)]
pub enum Fault {
    /// The file cannot be opened.
    Open(io::Error),
    /// The system failed to read it.
    Read(io::Error),
    /// The gzip or zstd around the capture is damaged, or asks for too much memory: what its decoder says.
    Packing(String),
    /// The gzip or zstd around the capture is cut.
    PackingCut,
    /// There is nothing in it.
    Empty,
    /// No capture: its first bytes, at most four.
    NotACapture(Vec<u8>),
    /// A format that is known and not read.
    Unsupported(&'static str),
    /// A version of pcap or pcapng that is not known.
    Version {
        /// The format.
        format: &'static str,
        /// The major version.
        major: u16,
        /// The minor version.
        minor: u16,
    },
    /// The file ends inside something.
    Cut {
        /// What it ends inside.
        part: Part,
        /// How long that is said to be.
        needed: usize,
        /// What is left of the file.
        left: usize,
    },
    /// A record or block that says it is longer than any may be.
    TooLong {
        /// What it is.
        part: Part,
        /// How long it is said to be.
        len: u64,
        /// The longest that is taken.
        most: u64,
    },
    /// A block's length is no multiple of four, or too small for its kind.
    BlockLength {
        /// The kind of the block.
        kind: u32,
        /// Its length.
        len: u32,
    },
    /// The two lengths of a block differ.
    Trailer {
        /// The one before it.
        first: u32,
        /// The one behind it.
        last: u32,
    },
    /// A section header without a byte-order magic.
    ByteOrder(u32),
    /// A packet of an interface that was not described.
    Interface {
        /// The number of the interface.
        id: u32,
        /// How many the section has described.
        described: usize,
    },
    /// A packet that does not fit its block.
    CapturedLength {
        /// The packet's length.
        captured: u32,
        /// The room in the block.
        room: usize,
    },
    /// The options of an interface contradict their block.
    Options,
    /// A section that describes more interfaces than are kept.
    Interfaces(usize),
}

/// A part of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file's header.
    Header,
    /// A record of a pcap file.
    Record,
    /// A block of a pcapng file.
    Block,
}

impl Error {
    pub(super) fn new(name: String, packing: Packing, offset: u64, fault: Fault) -> Error {
        Error { name, packing, offset, fault }
    }

    /// The byte of the capture, decompressed: where the faulty record begins, or where the source ended.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl Fault {
    /// Whether the bytes did not come, rather than being wrong.
    pub(super) fn is_of_source(&self) -> bool {
        matches!(self, Fault::Read(_) | Fault::Packing(_) | Fault::PackingCut)
    }
}

/// Names what a file that is no capture begins with.
pub(super) fn no_capture(head: &[u8]) -> Fault {
    const KNOWN: [(&[u8], &str); 7] = [
        (&[0xa1, 0xb2, 0xcd, 0x34], "a modified pcap (magic a1b2cd34)"),
        (&[0x34, 0xcd, 0xb2, 0xa1], "a modified pcap (magic a1b2cd34)"),
        (b"snoo", "a snoop capture"),
        (&[0xfd, b'7', b'z', b'X'], "compressed with xz"),
        (b"BZh", "compressed with bzip2"),
        (&[0x04, 0x22, 0x4d, 0x18], "compressed with lz4"),
        (b"PK\x03\x04", "a zip archive"),
    ];
    match KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => Fault::Unsupported(what),
        None => Fault::NotACapture(head.get(..4).unwrap_or(head).to_vec()),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        let inside = match self.packing {
            Packing::Plain => "",
            Packing::Gzip => " of the capture in the gzip",
            Packing::Zstd => " of the capture in the zstd",
        };
        let at = format_args!("at byte {}{inside}", self.offset);
        match &self.fault {
            Fault::Open(error) => write!(f, "cannot be opened: {error}"),
            Fault::Read(error) => write!(f, "cannot be read {at}: {error}"),
            Fault::Packing(why) => write!(f, "cannot unpack the {} {at}: {why}", self.packing.as_str()),
            Fault::PackingCut => write!(f, "the {} is cut {at}", self.packing.as_str()),
            Fault::Empty => write!(f, "empty: it ends {at}"),
            Fault::NotACapture(head) => {
                write!(f, "not a capture {at}: neither pcap nor pcapng begins with {head:02x?}")
            }
            Fault::Unsupported(what) => write!(f, "not read here: {what}"),
            fault => fault.say(f, &at),
        }
    }
}

impl Fault {
    /// What is wrong with a record or block.
    fn say(&self, f: &mut fmt::Formatter<'_>, at: &fmt::Arguments<'_>) -> fmt::Result {
        match self {
            Fault::Version { format, major, minor } => {
                write!(f, "unknown version {at}: {format} {major}.{minor}")
            }
            Fault::Cut { part, needed, left } => {
                write!(f, "cut in mid-{part} {at}: the {part} says {needed} bytes, {left} are left")
            }
            Fault::TooLong { part, len, most } => {
                write!(f, "bad length {at}: the {part} says {len} bytes, the most is {most}")
            }
            Fault::BlockLength { kind, len } => {
                write!(f, "bad length {at}: a block of kind {kind:#x} cannot have {len} bytes")
            }
            Fault::Trailer { first, last } => {
                write!(f, "bad length {at}: the block says {first} bytes before it and {last} behind it")
            }
            Fault::ByteOrder(magic) => {
                write!(f, "bad section {at}: {magic:08x} is no byte-order magic")
            }
            Fault::Interface { id, described } => {
                write!(f, "unknown interface {at}: the packet is of {id}, the section describes {described}")
            }
            Fault::CapturedLength { captured, room } => {
                write!(f, "bad length {at}: the packet says {captured} bytes, its block has room for {room}")
            }
            Fault::Options => write!(f, "bad interface {at}: its options contradict their lengths"),
            Fault::Interfaces(most) => write!(f, "too many interfaces {at}: a section may have {most}"),
            _ => Ok(()), // said by the caller
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Header => "header",
            Part::Record => "record",
            Part::Block => "block",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Open(error) | Fault::Read(error) => Some(error),
            _ => None,
        }
    }
}
