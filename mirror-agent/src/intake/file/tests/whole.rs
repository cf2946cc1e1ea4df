//! Files without a fault.

use std::borrow::Cow;
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::{DataLink, Endianness};

use super::build::{BIG, LITTLE, bytes, pcapng, records};
use super::*;

fn check(file: &[u8], expected: &[Kept]) -> Stats {
    let (records, error, stats) = read(file);
    assert_eq!(records, expected);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read_from(slow(file)).0, expected);
    stats
}

#[test]
fn pcap_in_both_orders_and_resolutions() {
    for build in [LITTLE, BIG] {
        for nanos in [false, true] {
            let pieces = build.pcap(nanos);
            let stats = check(&bytes(&pieces), &records(&pieces));
            assert_eq!(stats, Stats { records: 5, captured_bytes: 368, ..Stats::default() });
        }
    }
}

#[test]
fn pcap_tells_odd_times_lengths_and_link_types() {
    let mut file = BIG.pcap_header(0xa1b2_c3d4, 16, 0x5400_0001); // four bytes of frame check sequence
    file.extend(BIG.record(u32::MAX, u32::MAX, b"late", 3));
    file.extend(BIG.record(0, 0, &[1; 100], 1500));
    let late = kept((u64::from(u32::MAX)) * 1_000_000_000 + u64::from(u32::MAX) * 1000, 1, 0, b"late");
    let stats = check(&file, &[late, Kept { wire_len: 1500, ..kept(0, 1, 0, &[1; 100]) }]);
    assert_eq!(stats.short_wire_lengths, 1);
}

#[test]
fn pcapng_with_everything() {
    let pieces = pcapng();
    let stats = check(&bytes(&pieces), &records(&pieces));
    let expected = Stats {
        records: 5,
        captured_bytes: 29,
        sections: 2,
        interfaces: 3,
        untimed: 2,
        name_blocks: 1,
        statistics_blocks: 1,
        secrets_blocks: 1,
        custom_blocks: 1,
        other_blocks: 1,
        ..Stats::default()
    };
    assert_eq!(stats, expected);
}

#[test]
fn pcapng_clamps_times_and_wire_lengths() {
    let offset = LITTLE.i64(-10);
    let file = [
        LITTLE.section(),
        LITTLE.interface(1, 0, &[(14, &offset)]),
        LITTLE.enhanced(0, 9_999_999, b"before 1970", 2),
        LITTLE.enhanced(0, u64::MAX, b"after", 5),
    ];
    let expected = [kept(0, 1, 0, b"before 1970"), kept(u64::MAX, 1, 0, b"after")];
    let stats = check(&file.concat(), &expected);
    assert_eq!((stats.clamped_times, stats.short_wire_lengths), (2, 1));
}

#[test]
fn a_section_alone_is_a_capture() {
    check(&LITTLE.section(), &[]);
    check(&BIG.pcap_header(0xa1b2_3c4d, 0, 1), &[]);
}

#[test]
fn records_longer_than_the_buffer() {
    let long: Vec<u8> = (0..3_000_000u32).map(|index| (index / 1000) as u8).collect();
    let mut pcap = LITTLE.pcap_header(0xa1b2_c3d4, 3_000_000, 1);
    let mut pcapng = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    for data in [&b"a"[..], &long, b"b", &long[..70_000]] {
        pcap.extend(LITTLE.record(0, 0, data, data.len() as u32));
        pcapng.extend(LITTLE.enhanced(0, 0, data, data.len() as u32));
    }
    for file in [pcap, pcapng] {
        let (records, error, _) = read(&file);
        assert!(error.is_none());
        let lens: Vec<usize> = records.iter().map(|record| record.data.len()).collect();
        assert_eq!(lens, [1, 3_000_000, 1, 70_000]);
        assert!(records[1].data == long && records[3].data == long[..70_000]);
    }
}

#[test]
fn what_the_library_writes() {
    let time = Duration::new(1_700_000_000, 123_456_789);
    let frames = [vec![1; 60], vec![2; 61], Vec::new()];
    let expected = |linktype| frames.each_ref().map(|data| kept(time.as_nanos() as u64, linktype, 0, data));
    for endianness in [Endianness::Big, Endianness::Little] {
        let header = PcapHeader {
            ts_resolution: PcapTsResolution::NanoSecond,
            datalink: DataLink::LINUX_SLL2,
            endianness,
            ..PcapHeader::default()
        };
        let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
        for data in &frames {
            writer.write_packet(&PcapPacket::new(time, data.len() as u32, data).unwrap()).unwrap();
        }
        check(&writer.into_inner(), &expected(276));
        check(&library_pcapng(endianness, time, &frames), &expected(1));
    }
}

fn library_pcapng(endianness: Endianness, time: Duration, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = PcapNgWriter::with_endianness(Vec::new(), endianness).unwrap();
    let mut interface = InterfaceDescriptionBlock::new(DataLink::ETHERNET, 0);
    interface.options.push(InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO));
    interface.options.push(InterfaceDescriptionOption::IfTsOffset(-3));
    writer.write_pcapng_block(interface).unwrap();
    for data in frames {
        let original_len = data.len() as u32;
        let data = Cow::Borrowed(&data[..]);
        let packet =
            EnhancedPacketBlock { interface_id: 0, timestamp: time, original_len, data, options: vec![] };
        writer.write_pcapng_block(packet).unwrap();
    }
    writer.into_inner()
}

#[test]
fn a_path_has_a_size_and_positions() {
    let path = std::env::temp_dir().join(format!("mirror-agent-file-{}", std::process::id()));
    let whole = bytes(&LITTLE.pcap(false));
    std::fs::write(&path, &whole).unwrap();
    let mut file = File::open(&path).unwrap();
    assert_eq!((file.size(), file.offset(), file.packing()), (Some(whole.len() as u64), 24, Packing::Plain));
    file.next().unwrap().unwrap();
    assert_eq!(file.offset(), 24 + 76);
    while file.next().unwrap().is_some() {}
    assert_eq!((file.offset(), file.position()), (whole.len() as u64, whole.len() as u64));
    std::fs::remove_file(&path).unwrap();
    let error = File::open(&path).unwrap_err().to_string();
    assert!(error.contains(&path.display().to_string()) && error.contains("cannot be opened"), "{error}");
    let error = File::open(&std::env::temp_dir()).unwrap_err().to_string();
    assert!(error.contains("cannot be read at byte 0: Is a directory"), "{error}");
    assert_eq!(
        File::open(Path::new("/dev/null")).unwrap_err().to_string(),
        "/dev/null: empty: it ends at byte 0"
    );
}
