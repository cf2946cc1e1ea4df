//! Bytes of any kind: no panic, no end that does not come, no memory for a length that is only claimed.

use proptest::prelude::*;

use super::build::{BIG, LITTLE, bytes, pcapng};
use super::*;

/// A file ends, with at most a record for each 12 bytes; and in pieces of one byte it reads the same.
fn check(file: &[u8]) {
    let (records, error, stats) = read(file);
    assert!(records.len() <= file.len() / 12, "{file:02x?}");
    let slowly = read_from(slow(file));
    assert_eq!((&records, stats), (&slowly.0, slowly.2));
    assert_eq!(error.map(|error| error.to_string()), slowly.1.map(|error| error.to_string()));
}

#[test]
fn every_corrupt_byte() {
    for whole in [bytes(&pcapng()), bytes(&LITTLE.pcap(false)), bytes(&BIG.pcap(true))] {
        for at in 0..whole.len() {
            for change in [0x01, 0x02, 0x04, 0x10, 0x80, 0xff] {
                let mut file = whole.clone();
                file[at] ^= change;
                check(&file);
            }
        }
    }
}

#[test]
fn a_claimed_length_takes_no_memory() {
    let claim = [LITTLE.u32(6), LITTLE.u32(60 << 20), vec![0; 1000]].concat();
    let block = [LITTLE.section(), claim].concat();
    let mut record = LITTLE.pcap_header(0xa1b2_c3d4, u32::MAX, 1);
    record.extend([LITTLE.u32(0), LITTLE.u32(0), LITTLE.u32(60 << 20), vec![0; 1000]].concat());
    for file in [block, record] {
        let mut file = File::from_reader("f", io::Cursor::new(file)).unwrap();
        assert!(matches!(file.next().unwrap_err().fault(), Fault::Cut { .. }));
        assert!(file.window.capacity() <= 1 << 20);
    }
}

#[test]
fn memory_follows_the_longest_record() {
    let mut file = LITTLE.pcap_header(0xa1b2_c3d4, u32::MAX, 1);
    file.extend(LITTLE.record(0, 0, &[0; 200_000], 0).repeat(100));
    file.extend([LITTLE.u32(0), LITTLE.u32(0), LITTLE.u32(u32::MAX), LITTLE.u32(0)].concat());
    let endless = io::Cursor::new(file).chain(io::repeat(0xff));
    let mut file = File::from_reader("f", endless).unwrap();
    for _ in 0..100 {
        assert!(file.next().unwrap().is_some());
    }
    assert!(matches!(file.next().unwrap_err().fault(), Fault::TooLong { .. }));
    assert!(file.window.capacity() <= 1 << 20);
}

/// Bytes that look like a capture at first, or like a packing.
fn head() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(LITTLE.pcap_header(0xa1b2_c3d4, 65535, 1)),
        Just(BIG.pcap_header(0xa1b2_3c4d, 65535, 1)),
        Just([LITTLE.section(), LITTLE.interface(1, 0, &[])].concat()),
        Just([BIG.section(), BIG.interface(1, 9, &[(9, &[3])])].concat()),
        Just(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        Just(vec![0x28, 0xb5, 0x2f, 0xfd]),
    ]
}

/// Blocks of any body, with lengths that are right.
fn blocks() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![0u32..12, Just(0x0a0d_0d0a)];
    let block = (any::<bool>(), kind, prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60));
    let block = block.prop_map(|(big, kind, body)| build::Build { big }.block(kind, &body));
    prop::collection::vec(block, 0..12).prop_map(|blocks| blocks.concat())
}

proptest! {
    #[test]
    fn random_bytes(head in head(), tail in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..300)) {
        check(&[head, tail].concat());
    }

    #[test]
    fn random_blocks(head in head(), tail in blocks()) {
        check(&[head, tail].concat());
    }
}
