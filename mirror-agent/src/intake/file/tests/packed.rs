//! Captures in gzip and zstd, whole and damaged. The decoders' own readers are the oracle for damaged ones: asked for
//! few bytes at a time they give everything before the fault, but for those that come in the same call.

use std::io::Write;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::build::{LITTLE, bytes, pcapng, records};
use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    for block in bytes.chunks(3_000) {
        encoder.write_all(block).unwrap();
        encoder.flush().unwrap();
    }
    encoder.finish().unwrap()
}

/// How many bytes the oracle is asked for.
const FEW: usize = 16;

/// Everything that comes out before a fault, but for the last [`FEW`] bytes.
fn until_fault(mut reader: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    let mut few = [0; FEW];
    while let Ok(read @ 1..) = reader.read(&mut few) {
        all.extend_from_slice(&few[..read]);
    }
    all
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    until_fault(MultiGzDecoder::new(bytes))
}

fn unzstd(bytes: &[u8]) -> Vec<u8> {
    until_fault(::zstd::Decoder::new(bytes).unwrap())
}

/// Some blocks of either packing, that do not compress too well.
fn large() -> Vec<u8> {
    let mut state = 1u64;
    let mut file = LITTLE.pcap_header(0xa1b2_c3d4, 65535, 1);
    for index in 0..250 {
        let data: Vec<u8> = (0..index)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 60) as u8
            })
            .collect();
        file.extend(LITTLE.record(index, 0, &data, index));
    }
    file
}

#[test]
fn packed_captures_read_the_same() {
    let pieces = pcapng();
    let whole = bytes(&pieces);
    let (first, second) = whole.split_at(whole.len() / 2);
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(&whole)].concat();
    let many = |pack: fn(&[u8]) -> Vec<u8>| [pack(b""), pack(first), pack(b""), pack(second)].concat();
    for packed in [gzip(&whole), zstd(&whole), many(gzip), many(zstd), skippable] {
        let (read, error, _) = read(&packed);
        assert_eq!(read, records(&pieces));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(read_from(slow(&packed)).0, read);
    }
    let large = large();
    let (plain, ..) = read(&large);
    assert_eq!(plain.len(), 250);
    for packed in [gzip(&large), zstd(&large)] {
        let mut file = File::from_reader("f", io::Cursor::new(packed.clone())).unwrap();
        for expected in &plain {
            assert_eq!(file.next().unwrap().unwrap().data, expected.data);
        }
        assert!(file.next().unwrap().is_none());
        assert_eq!((file.position(), file.offset()), (packed.len() as u64, large.len() as u64));
    }
}

/// Reads a damaged file, and what the oracle makes of it without its packing.
fn check(packed: &[u8], unpack: fn(&[u8]) -> Vec<u8>, place: &str) -> String {
    let unpacked = unpack(packed);
    let (expected, plain, _) = read(&unpacked);
    let (records, error, _) = read(packed);
    let more = records.len() - expected.len();
    assert!(more <= 1, "{place}: {more} more, {error:?}, without packing {plain:?}");
    assert!(records.starts_with(&expected));
    let offset =
        error.as_ref().filter(|error| error.fault().is_of_source()).map(|error| error.offset() as usize);
    assert!(offset.is_none_or(|offset| (unpacked.len()..=unpacked.len() + FEW).contains(&offset)));
    error.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_cut_packing_gives_what_is_there() {
    let large = large();
    for (name, unpack, packed) in
        [("gzip", gunzip as fn(&[u8]) -> Vec<u8>, gzip(&large)), ("zstd", unzstd, zstd(&large))]
    {
        for len in (4..packed.len()).step_by(701).chain([packed.len() - 1]) {
            let error = check(&packed[..len], unpack, name);
            let place = unpack(&packed[..len]).len(); // nothing fails beside it
            assert_eq!(error, format!("f: the {name} is cut at byte {place} of the capture in the {name}"));
        }
    }
}

#[test]
fn a_corrupt_packing_gives_what_was_before() {
    let large = large();
    for (name, unpack, packed) in
        [("gzip", gunzip as fn(&[u8]) -> Vec<u8>, gzip(&large)), ("zstd", unzstd, zstd(&large))]
    {
        let mut corrupt = 0;
        for at in (0..packed.len()).step_by(397) {
            let mut packed = packed.clone();
            packed[at..].iter_mut().take(8).for_each(|byte| *byte ^= 0xff);
            let error = check(&packed, unpack, &format!("{name} {at}"));
            corrupt += usize::from(error.starts_with(&format!("f: cannot unpack the {name} at byte ")));
        }
        assert!(corrupt > 10, "{name}: {corrupt}");
    }
}

#[test]
fn what_is_wrong_in_or_behind_a_packing() {
    let whole = bytes(&LITTLE.pcap(true));
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let said = |packed: &[u8]| read(packed).1.unwrap().to_string();
        assert_eq!(said(&pack(b"")), format!("f: empty: it ends at byte 0 of the capture in the {name}"));
        let cut = said(&pack(&whole[..whole.len() - 1]));
        let place = format!("at byte {} of the capture in the {name}", whole.len() - 316);
        assert_eq!(cut, format!("f: cut in mid-record {place}: the record says 316 bytes, 315 are left"));
        let behind = said(&[&pack(&whole)[..], b"and something else"].concat());
        let place =
            format!("f: cannot unpack the {name} at byte {} of the capture in the {name}: ", whole.len());
        assert!(behind.starts_with(&place), "{behind}");
    }
}
