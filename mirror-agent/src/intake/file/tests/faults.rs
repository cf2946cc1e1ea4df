//! Files with a fault: what is before it is read, and the error says where it is.

use super::build::{BIG, Build, LITTLE, Pieces, bytes, pcapng, records};
use super::*;

/// What comes before the fault is one packet, and the fault is said so.
fn check(tail: &[u8], expected: &str) {
    let head = [LITTLE.section(), LITTLE.interface(1, 0, &[]), LITTLE.enhanced(0, 0, b"good", 4)].concat();
    let place = format!("at byte {}", head.len());
    let (records, error, _) = read(&[&head, tail].concat());
    assert_eq!(records, [kept(0, 1, 0, b"good")], "{expected}");
    assert_eq!(error.unwrap().to_string(), format!("f: {}", expected.replace("HERE", &place)));
}

fn check_pcap(file: &[u8], expected: &str) {
    let (records, error, _) = read(file);
    assert_eq!(records, []);
    assert_eq!(error.unwrap().to_string(), format!("f: {expected}"));
}

/// A block with lengths of one's own.
fn lengths(build: Build, kind: u32, first: u32, last: u32) -> Vec<u8> {
    [build.u32(kind), build.u32(first), vec![0; 20], build.u32(last)].concat()
}

#[test]
fn blocks_whose_lengths_lie() {
    let bad = "bad length HERE: a block of kind";
    check(&lengths(LITTLE, 9, 8, 8), &format!("{bad} 0x9 cannot have 8 bytes"));
    check(&lengths(LITTLE, 9, 0, 0), &format!("{bad} 0x9 cannot have 0 bytes"));
    check(&lengths(LITTLE, 9, 33, 33), &format!("{bad} 0x9 cannot have 33 bytes"));
    check(&LITTLE.block(6, &[0; 16]), &format!("{bad} 0x6 cannot have 28 bytes"));
    check(&LITTLE.block(2, &[0; 16]), &format!("{bad} 0x2 cannot have 28 bytes"));
    check(&LITTLE.block(3, &[]), &format!("{bad} 0x3 cannot have 12 bytes"));
    check(&LITTLE.block(1, &[0; 4]), &format!("{bad} 0x1 cannot have 16 bytes"));
    let two = "bad length HERE: the block says 32 bytes before it and 36 behind it";
    check(&lengths(LITTLE, 9, 32, 36), two);
    let most = "bad length HERE: the block says 67108868 bytes, the most is 67108864";
    check(&lengths(LITTLE, 9, 67_108_868, 67_108_868), most);
}

#[test]
fn packets_that_do_not_fit() {
    let unknown = "unknown interface HERE: the packet is of 1, the section describes 1";
    check(&LITTLE.enhanced(1, 0, b"", 0), unknown);
    check(&LITTLE.obsolete(1, 0, b""), unknown);
    let mut packet = LITTLE.enhanced(0, 0, b"12345678", 8);
    let room = packet.len() - 32;
    packet[20] = (room + 1) as u8;
    let long = format!("the packet says {} bytes, its block has room for {room}", room + 1);
    check(&packet, &format!("bad length HERE: {long}"));
    packet[20..24].fill(0xff);
    let long = format!("the packet says 4294967295 bytes, its block has room for {room}");
    check(&packet, &format!("bad length HERE: {long}"));
    let simple = "bad length HERE: the packet says 9 bytes, its block has room for 8";
    check(&LITTLE.simple(b"12345", 9), simple);
}

#[test]
fn sections_and_interfaces_that_contradict_themselves() {
    let mut magic = BIG.section();
    magic[8] = 0;
    check(&magic, "bad section HERE: 002b3c4d is no byte-order magic");
    let mut version = BIG.section();
    version[13] = 2;
    check(&version, "unknown version HERE: pcapng 2.0");
    check(
        &BIG.block(0x0a0d_0d0a, &[0x1a, 0x2b, 0x3c, 0x4d]),
        "bad length HERE: a block of kind 0xa0d0d0a cannot have 16 bytes",
    );
    let options = "bad interface HERE: its options contradict their lengths";
    check(&LITTLE.interface(1, 0, &[(9, &[9, 9])]), options);
    check(&LITTLE.interface(1, 0, &[(14, &[0; 4])]), options);
    let mut over = LITTLE.interface(1, 0, &[(2, b"eth0")]);
    over[18] = 200;
    check(&over, options);
    // A new section forgets the interfaces of the one before.
    let (records, error, _) = read(&[bytes(&pcapng()), BIG.section(), BIG.enhanced(0, 0, b"", 0)].concat());
    assert_eq!(records.len(), 5);
    assert!(error.unwrap().to_string().contains("is of 0, the section describes 0"));
}

#[test]
fn too_many_interfaces() {
    let file = [LITTLE.section(), LITTLE.interface(1, 0, &[]).repeat(65537)].concat();
    let (_, error, stats) = read(&file);
    assert_eq!(
        error.unwrap().to_string(),
        "f: too many interfaces at byte 1310748: a section may have 65536"
    );
    assert_eq!(stats.interfaces, 65536);
}

#[test]
fn pcap_headers_and_lengths() {
    let mut version = BIG.pcap_header(0xa1b2_c3d4, 1, 1);
    version[5] = 3;
    check_pcap(&version, "unknown version at byte 0: pcap 3.4");
    let mut long = LITTLE.pcap_header(0xa1b2_c3d4, 65535, 1);
    long.extend(LITTLE.record(0, 0, &vec![0; 262_145], 262_145));
    check_pcap(&long, "bad length at byte 24: the record says 262161 bytes, the most is 262160");
    let mut longest = LITTLE.pcap_header(0xa1b2_c3d4, u32::MAX, 1);
    longest.extend([[0xff; 4]; 4].concat());
    check_pcap(&longest, "bad length at byte 24: the record says 4294967311 bytes, the most is 67108864");
}

#[test]
fn no_captures() {
    check_pcap(b"", "empty: it ends at byte 0");
    check_pcap(b"G", "not a capture at byte 0: neither pcap nor pcapng begins with [47]");
    let not = "not a capture at byte 0: neither pcap nor pcapng begins with [47, 45, 54, 20]";
    check_pcap(b"GET / HTTP/1.1\r\n", not);
    check_pcap(&LITTLE.pcap_header(0xa1b2_cd34, 1, 1), "not read here: a modified pcap (magic a1b2cd34)");
    check_pcap(b"\xfd7zXZ\0", "not read here: compressed with xz");
}

/// What must be read of the first `len` bytes: the records in whole pieces, and where a cut piece begins.
fn expect(pieces: &Pieces, len: usize) -> (Vec<Kept>, Option<usize>) {
    let (mut at, mut records) = (0, Vec::new());
    for (bytes, record) in pieces {
        if at + bytes.len() > len {
            return (records, (at < len).then_some(at));
        }
        at += bytes.len();
        records.extend(record.clone());
    }
    (records, None)
}

fn check_prefixes(pieces: &Pieces, part: &str) {
    let whole = bytes(pieces);
    assert_eq!(expect(pieces, whole.len()), (records(pieces), None));
    for len in 4..whole.len() {
        let (records, error, _) = read(&whole[..len]);
        let (expected, cut) = expect(pieces, len);
        assert_eq!(records, expected, "{len}");
        let said = error.map(|error| (error.offset() as usize, error.to_string()));
        let place = said.as_ref().map(|(offset, _)| *offset);
        assert_eq!(place, cut, "{len}: {said:?}");
        if let Some((offset, said)) = said.filter(|(offset, _)| *offset > 0) {
            let place = format!("f: cut in mid-{part} at byte {offset}: the {part} says ");
            assert!(said.starts_with(&place), "{said}");
            assert!(said.ends_with(&format!("bytes, {} are left", len - offset)), "{said}");
        }
    }
}

#[test]
fn every_prefix() {
    check_prefixes(&LITTLE.pcap(true), "record");
    check_prefixes(&BIG.pcap(false), "record");
    check_prefixes(&pcapng(), "block");
    let cut = "cut in mid-header at byte 0: the header says 24 bytes, 23 are left";
    check_pcap(&BIG.pcap_header(0xa1b2_c3d4, 0, 1)[..23], cut);
}

#[test]
fn a_source_that_fails() {
    struct Fails(io::Cursor<Vec<u8>>);
    impl Read for Fails {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }
    let pieces = pcapng();
    let whole = bytes(&pieces);
    let (records, error, _) = read_from(Fails(io::Cursor::new(whole.clone())));
    assert_eq!(records, build::records(&pieces));
    let place = format!("f: cannot be read at byte {}: the disk is gone", whole.len());
    assert_eq!(error.unwrap().to_string(), place);
}
