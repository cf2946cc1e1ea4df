//! Captures are put together here byte by byte, from the format drafts; the records that must come out are known from
//! how they were put in.

mod build;
mod faults;
mod hostile;
mod packed;
mod whole;

use std::io::{self, Read};

use super::*;

/// A record that outlives its file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    at: u64,
    linktype: u32,
    interface: u32,
    wire_len: u32,
    data: Vec<u8>,
}

fn kept(at: u64, linktype: u32, interface: u32, data: &[u8]) -> Kept {
    Kept { at, linktype, interface, wire_len: data.len() as u32, data: data.into() }
}

/// All records, and how the file ended: `None` for well.
fn read_from(reader: impl Read + Send + 'static) -> (Vec<Kept>, Option<Error>, Stats) {
    let mut records = Vec::new();
    let mut file = match File::from_reader("f", reader) {
        Ok(file) => file,
        Err(error) => return (records, Some(error), Stats::default()),
    };
    let error = loop {
        match file.next() {
            Ok(Some(Record { at, linktype, data, wire_len, interface })) => {
                records.push(Kept { at: at.0, linktype, interface, wire_len, data: data.into() })
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(file.next(), Ok(None)), "nothing comes after the end");
    assert_eq!(file.stats().records, records.len() as u64);
    (records, error, file.stats())
}

fn read(bytes: &[u8]) -> (Vec<Kept>, Option<Error>, Stats) {
    read_from(io::Cursor::new(bytes.to_vec()))
}

/// Gives one byte at a time, and an interruption before each.
struct Slow(io::Cursor<Vec<u8>>, bool);

fn slow(bytes: &[u8]) -> Slow {
    Slow(io::Cursor::new(bytes.to_vec()), false)
}

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let one = into.len().min(1);
        self.0.read(&mut into[..one])
    }
}
