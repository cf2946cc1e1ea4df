//! Tests walk the file by its block lengths, and read it back with the crate's reader.

use std::path::{Path, PathBuf};

use pcap_file::pcapng::{Block, PcapNgReader};

use super::*;

const NOW: Nanos = Nanos(1_700_000_000_123_456_789);

fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("mirror-agent-pcapng-{}-{name}", std::process::id()))
}

fn interface(name: &str) -> Interface {
    let description = "tapped".into();
    Interface { name: name.into(), description, mac: Some([2, 0, 0, 0, 0, 1]), filter: "port 80".into() }
}

fn begin(path: &Path, limit: Option<u64>) -> Result<Blocks> {
    Blocks::begin(
        Output::open(path)?,
        limit,
        "what was asked",
        &[interface("eth0"), interface("unknown")],
        NOW,
    )
}

fn packet(data: &[u8]) -> EnhancedPacketBlock<'_> {
    EnhancedPacketBlock {
        interface_id: 1,
        timestamp: since_epoch(NOW),
        original_len: data.len() as u32,
        data: Cow::Borrowed(data),
        options: Vec::new(),
    }
}

/// The kinds of the blocks of a file, by their lengths alone; panics where one is cut or its two lengths differ.
fn kinds(file: &[u8]) -> Vec<u32> {
    let word = |at: usize| u32::from_ne_bytes(file[at..at + 4].try_into().unwrap());
    let (mut at, mut kinds) = (0, Vec::new());
    while at < file.len() {
        let len = word(at + 4) as usize;
        assert_eq!(word(at + len - 4) as usize, len);
        kinds.push(word(at));
        at += len;
    }
    kinds
}

#[test]
fn a_file_is_whole_and_says_everything() {
    let path = place("whole");
    let mut blocks = begin(&path, None).unwrap();
    assert!(blocks.packet(packet(b"frame")).unwrap());
    let some = Statistics { matched: Some(3), dropped: Some(1), ..Statistics::default() };
    drop(blocks.end(&[some, Statistics::default()], NOW).unwrap());
    let file = std::fs::read(&path).unwrap();
    assert_eq!(kinds(&file), [0x0a0d_0d0a, 1, 1, 6, 5, 5]);
    let text = String::from_utf8_lossy(&file);
    for part in ["mirror-agent ", "Linux ", "what was asked", "eth0", "\0port 80"] {
        assert!(text.contains(part), "{part}");
    }
    let mut reader = PcapNgReader::new(&file[..]).unwrap();
    let mut times = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.unwrap().0 {
            times.push(packet.timestamp.as_nanos());
        }
    }
    assert_eq!(times, [u128::from(NOW.0)]);
    std::fs::remove_file(path).unwrap();
}

/// Every limit, byte by byte: never over it, never a cut block, and never less than what would fit.
#[test]
fn a_limit_cuts_between_blocks() {
    let path = place("limit");
    let len = |limit: Option<u64>| {
        let mut blocks = begin(&path, limit)?;
        let mut packets = 0;
        while packets < 3 && blocks.packet(packet(b"a frame of 21 bytes.."))? {
            packets += 1;
        }
        let full = Statistics {
            matched: Some(u64::MAX),
            sampled: Some(1),
            dropped: Some(1),
            ..Statistics::default()
        };
        let full = Statistics { not_cloned: Some(1), written: Some(1), ..full };
        drop(blocks.end(&[full, full], NOW)?);
        let file = std::fs::read(&path)?;
        kinds(&file);
        anyhow::Ok((packets, file.len() as u64))
    };
    let (_, all) = len(None).unwrap();
    let one = 32 + 24;
    let least = all - 3 * one;
    for limit in least..=all {
        let (packets, len) = len(Some(limit)).unwrap();
        assert_eq!(packets, (limit - least) / one);
        assert_eq!(len, least + packets * one);
    }
    let error = len(Some(least - 1)).unwrap_err().to_string();
    assert!(error.contains("too small") && error.contains(&least.to_string()), "{error}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_full_disk_is_an_error() {
    let error = begin(Path::new("/dev/full"), None).err().unwrap();
    assert!(format!("{error:#}").contains("/dev/full"), "{error:#}");
}
