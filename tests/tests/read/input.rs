//! What a shell can hand to `read`: pipes, packed files, several files, and files that are none.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use mirror_tests::traffic::{Capture, Options, Timed};
use tempfile::NamedTempFile;

use super::ours::{Said, command, read, read_input, read_packed, said};

/// The lengths of the heads of a pcap file and of each of its records.
const FILE_HEAD: usize = 24;
const RECORD_HEAD: usize = 16;

fn capture() -> Capture {
    Capture::new(5000, Options { connections: 40, quirks: true, partial: false, decoys: false })
}

fn raw(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn a_pipe_and_a_packed_file_are_as_good_as_the_file() {
    let file = super::file(&capture().frames);
    let plain = read(file.path());
    plain.check_well();
    let others = [
        read_input(file.path()),
        read_packed(file.path(), "gzip", ".pcap.gz"),
        read_packed(file.path(), "zstd", ".pcap.zst"),
        read_packed(file.path(), "gzip", ""), // what it is, not what it is called
        read_packed(file.path(), "zstd", ""),
    ];
    for other in others {
        other.check_well();
        assert_eq!(other.exchanges, plain.exchanges);
        assert_eq!(other.summary, plain.summary);
    }
}

#[test]
fn several_files_are_one_capture() {
    let frames = capture().frames;
    let (first, second) = frames.split_at(frames.len() / 2);
    let files = [super::file(first), super::file(second)];
    let both = said(&command(&[files[0].path(), files[1].path()]).output().unwrap());
    both.check_well();
    let whole = read(super::file(&frames).path());
    assert_eq!(both.exchanges, whole.exchanges);
    assert_eq!(both.summary["frames"], whole.summary["frames"]);
}

/// What was readable is shown, then one line says what is wrong and where.
fn check_failed(said: &Said, path: &Path, at: std::ops::Range<usize>) {
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let [line] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("one line: {}", said.stderr) };
    let rest = line.replace(path.to_str().unwrap(), "FILE");
    assert!(rest.contains("FILE"), "{line}");
    let numbers = rest.split(|c: char| !c.is_ascii_digit()).filter_map(|text| text.parse::<usize>().ok());
    assert!(numbers.into_iter().any(|number| at.contains(&number)), "no offset in {at:?}: {line}");
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: no capture at all, but long enough for a head\r\n\r\n"[..],
        b"",
        b"\xd4\xc3",
    ] {
        let file = raw(bytes);
        let said = read(file.path());
        check_failed(&said, file.path(), 0..bytes.len().max(1));
        assert!(said.exchanges.is_empty());
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let path = Path::new("/nonexistent/capture.pcap");
    let said = read(path);
    assert_eq!((said.code, said.stderr.lines().count()), (Some(1), 1), "{}", said.stderr);
    assert!(said.stderr.contains("/nonexistent/capture.pcap"), "{}", said.stderr);
}

#[test]
fn what_is_before_a_cut_is_shown() {
    let frames = capture().frames;
    let whole = std::fs::read(super::file(&frames).path()).unwrap();
    let readable = frames.len() / 2;
    let offset = offset(&frames[..readable]);
    let expected = read(super::file(&frames[..readable]).path());
    for cut in [1, RECORD_HEAD - 1, RECORD_HEAD, RECORD_HEAD + 7] {
        let file = raw(&whole[..offset + cut]);
        let said = read(file.path());
        check_failed(&said, file.path(), offset..offset + cut + 1);
        assert_eq!(said.exchanges, expected.exchanges, "cut {cut} bytes into a record");
        said.check_balance();
    }
}

/// Where the record behind these frames begins.
fn offset(frames: &[Timed]) -> usize {
    FILE_HEAD + frames.iter().map(|frame| RECORD_HEAD + frame.bytes.len()).sum::<usize>()
}

#[test]
fn a_record_whose_length_lies_ends_the_reading() {
    let frames = capture().frames;
    let mut bytes = std::fs::read(super::file(&frames).path()).unwrap();
    let readable = frames.len() / 2;
    let offset = offset(&frames[..readable]);
    bytes[offset + 8..offset + 12].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    let file = raw(&bytes);
    let said = read(file.path());
    check_failed(&said, file.path(), offset..offset + RECORD_HEAD + 1);
    assert_eq!(said.exchanges, read(super::file(&frames[..readable]).path()).exchanges);
}

#[test]
fn a_link_type_that_is_not_known_is_named() {
    let mut bytes = std::fs::read(super::file(&capture().frames).path()).unwrap();
    bytes[20..24].copy_from_slice(&147u32.to_le_bytes()); // LINKTYPE_USER0
    let file = raw(&bytes);
    let said = read(file.path());
    check_failed(&said, file.path(), 0..FILE_HEAD + 1);
    assert!(said.stderr.contains("147"), "{}", said.stderr);
    assert!(said.exchanges.is_empty());
}

/// The blocks of a pcapng file (draft-ietf-opsawg-pcapng, section 4): a section, an interface, then a packet each.
fn pcapng(frames: &[Timed]) -> Vec<Vec<u8>> {
    let block = |kind: u32, body: &[u8]| {
        let body_len = body.len().next_multiple_of(4);
        let len = (body_len as u32 + 12).to_le_bytes();
        let mut block = [kind.to_le_bytes(), len].concat();
        block.extend(body);
        block.resize(8 + body_len, 0);
        block.extend(len);
        block
    };
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let nanoseconds = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let interface = [&[1, 0, 0, 0, 0, 0, 4, 0][..], &nanoseconds].concat();
    let packet = |frame: &Timed| {
        let words = [0, (frame.at >> 32) as u32, frame.at as u32, frame.bytes.len() as u32, frame.len as u32];
        let mut body: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        body.extend(&frame.bytes);
        block(6, &body)
    };
    let heads = [block(0x0a0d_0d0a, &section), block(1, &interface)];
    heads.into_iter().chain(frames.iter().map(packet)).collect()
}

#[test]
fn pcapng_is_read_like_pcap_until_a_block_lies_about_its_length() {
    let frames = capture().frames;
    let blocks = pcapng(&frames);
    let pcap = read(super::file(&frames).path());
    let whole = read(raw(&blocks.concat()).path());
    whole.check_well();
    assert_eq!((&whole.exchanges, &whole.summary), (&pcap.exchanges, &pcap.summary));
    let readable = frames.len() / 2;
    let expected = read(super::file(&frames[..readable]).path());
    let before = blocks[..readable + 2].concat();
    for lie in [0, 8, 13, 0xffff_fffc_u32] {
        let mut bytes = before.clone();
        bytes.extend([6u32.to_le_bytes(), lie.to_le_bytes()].concat());
        bytes.extend(&blocks[readable + 2][8..]);
        let file = raw(&bytes);
        let said = read(file.path());
        check_failed(&said, file.path(), before.len()..bytes.len() + 1);
        assert_eq!(said.exchanges, expected.exchanges, "a length of {lie}");
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let options = Options { connections: 300, quirks: false, partial: false, decoys: false };
    let file = super::file(&Capture::new(5001, options).frames);
    let agent = mirror_tests::agent_binary().unwrap();
    let script = r#""$0" read "$1" --format json | head -n 1; exit "${PIPESTATUS[0]}""#;
    let output = Command::new("bash").args(["-c", script]).arg(agent).arg(file.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "");
    // SIGPIPE's death is as quiet as an end.
    assert!(matches!(output.status.code(), Some(0 | 141)), "{:?}", output.status);
    let first: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(first["request"].is_object(), "{first}");
}
