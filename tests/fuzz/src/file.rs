//! Capture files: any bytes are records and then an end or one error, however the source hands them out.

use std::io::{self, Read};

use mirror_agent::intake::file::{File, LONGEST};

use crate::input::Input;
use crate::memory::Meter;

/// Records that are looked at: a packed file of a few bytes may hold millions.
const ENOUGH: usize = 20_000;
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How many bytes the source gives at a time, and the file.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let step = usize::from(input.u8()) + 1;
    let meter = Meter::start();
    let whole = read(Source { left: input.0.to_vec().into(), step: usize::MAX });
    assert!(meter.peak() < 4 * LONGEST as u64, "{} bytes", meter.peak());
    let pieces = read(Source { left: input.0.to_vec().into(), step });
    // How much of a broken zstd frame comes out depends on how it is handed in.
    if !input.0.starts_with(&ZSTD) {
        assert_eq!(whole, pieces, "{step} bytes at a time");
    }
}

/// What is read, as digests and text.
fn read(source: Source) -> Vec<String> {
    let mut said = Vec::new();
    let mut file = match File::from_reader("fuzz", source) {
        Ok(file) => file,
        Err(error) => return vec![error.to_string()],
    };
    let mut offset = 0;
    for _ in 0..ENOUGH {
        match file.next() {
            Ok(Some(record)) => {
                assert!(record.data.len() <= record.wire_len as usize && record.data.len() <= LONGEST);
                let sum = record.data.iter().fold(0u64, |sum, byte| sum.rotate_left(5) ^ u64::from(*byte));
                let (at, link, interface) = (record.at, record.linktype, record.interface);
                said.push(format!(
                    "{at:?} {link} {interface} {} {} {sum}",
                    record.data.len(),
                    record.wire_len
                ));
                assert!(file.offset() > offset);
                offset = file.offset();
            }
            Ok(None) => break,
            Err(error) => {
                said.push(error.to_string());
                assert!(matches!(file.next(), Ok(None)), "an error ends it");
                break;
            }
        }
    }
    said.push(format!("{:?}", file.stats()));
    said
}

/// Bytes that come so many at a time.
struct Source {
    left: std::collections::VecDeque<u8>,
    step: usize,
}

impl Read for Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let len = to.len().min(self.step);
        self.left.read(to.get_mut(..len).unwrap_or_default())
    }
}
