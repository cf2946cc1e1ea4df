//! Streams by hand, by encoders, cut, damaged and endless.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 64 << 10;

/// "hello" by hand, each as its format says.
const HELLO: [(&str, &[u8]); 9] = [
    // RFC 1951, section 3.2.4: the last block, stored, with its length and the complement of that.
    ("deflate", b"\x01\x05\x00\xfa\xffhello"),
    // RFC 1951, section 3.2.6: fixed Huffman codes.
    ("deflate", b"\xcb\x48\xcd\xc9\xc9\x07\x00"),
    // RFC 1950: the same behind CMF and FLG, with Adler-32 behind it.
    ("deflate", b"\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"),
    // RFC 1952: the same in a member without a name.
    ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\0\0\0"),
    // RFC 1952: two members, stored: "he" and "llo".
    (
        "X-GZIP",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x02\0\xfd\xffhe\x87\x66\x25\xd1\x02\0\0\0\
          \x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffllo\x34\xb3\xc9\xaa\x03\0\0\0",
    ),
    // RFC 7932, section 9: a window of 64 KiB, a block of 5 bytes that is not compressed, the empty last block.
    ("br", b"\x40\x00\x10hello\x03"),
    // RFC 8878, section 3.1.1: a single segment of 5 bytes, the last block, raw.
    ("zstd", b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello"),
    // The same with a window, no length, a raw block and a repeated byte.
    ("zstd", b"\x28\xb5\x2f\xfd\x00\x00\x10\0\0he\x12\0\0l\x09\0\0o"),
    // A frame to skip (section 3.1.2), then two frames.
    (
        "zstd",
        b"\x50\x2a\x4d\x18\x02\0\0\0..\x28\xb5\x2f\xfd\x20\x02\x11\0\0he\x28\xb5\x2f\xfd\x20\x03\x19\0\0llo",
    ),
];

fn decode_one(coding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    decode([coding.as_bytes()], body, limit).map(Cow::into_owned)
}

/// A body in one of the codings, by the encoder that servers use.
pub(crate) fn encode(coding: &str, content: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => finish(GzEncoder::new(Vec::new(), Compression::default()), content, GzEncoder::finish),
        "deflate" => {
            finish(ZlibEncoder::new(Vec::new(), Compression::default()), content, ZlibEncoder::finish)
        }
        "raw" => {
            finish(DeflateEncoder::new(Vec::new(), Compression::fast()), content, DeflateEncoder::finish)
        }
        "br" => {
            let mut encoder = ::brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(content).unwrap();
            encoder.into_inner()
        }
        "zstd" => ::zstd::encode_all(content, 3).unwrap(),
        other => panic!("no encoder for {other}"),
    }
}

fn finish<W: Write>(mut to: W, content: &[u8], end: impl FnOnce(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    to.write_all(content).unwrap();
    end(to).unwrap()
}

/// The name of what [`encode`] makes.
fn name(coding: &str) -> &str {
    if coding == "raw" { "deflate" } else { coding }
}

/// One of each coding, with back references, more than one kind of symbol, and checksums where there are any.
fn samples() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let text =
        r#"{"id":7,"name":"a name","tags":["a","b","a","b"],"text":"the name of the name of the text"}"#;
    let encoded = ["gzip", "deflate", "raw", "br", "zstd"]
        .map(|coding| (name(coding), encode(coding, text.as_bytes()), text.as_bytes().to_vec()));
    let by_hand = HELLO.iter().map(|(coding, body)| (*coding, body.to_vec(), b"hello".to_vec()));
    encoded.into_iter().chain(by_hand).collect()
}

#[test]
fn streams_by_hand() {
    for (coding, body) in HELLO {
        assert_eq!(decode_one(coding, body, LIMIT).as_deref(), Ok(&b"hello"[..]), "{coding} {body:x?}");
    }
    // RFC 7932, section 9.1: an empty stream is one byte.
    assert_eq!(decode_one("br", b"\x06", LIMIT), Ok(vec![]));
}

#[test]
fn every_field_of_a_gzip_header() {
    let named = GzBuilder::new().filename("a").comment("b").extra("cde").mtime(7);
    let body = finish(named.write(Vec::new(), Compression::default()), b"hello", GzEncoder::finish);
    assert_eq!(decode_one("gzip", &body, LIMIT).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(body[3], 0b1_1100);
    // With a checksum of the header: from Python, `zlib.crc32(header) & 0xffff`.
    let header = b"\x1f\x8b\x08\x12\0\0\0\0\0\x03b\0";
    let rest = &HELLO[3].1[10..];
    let with = |sum: [u8; 2]| decode_one("gzip", &[&header[..], &sum, rest].concat(), LIMIT);
    assert_eq!(with([0x46, 0x9b]).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(with([0, 0]), Err(Problem::Corrupt));
    let reserved = b"\x1f\x8b\x08\x20\0\0\0\0\0\x03";
    assert_eq!(decode_one("gzip", &[reserved, rest].concat(), LIMIT), Err(Problem::Corrupt));
}

/// Fields, body, and what is behind them.
type Row<'a> = (&'a [&'a str], &'a [u8], Result<&'a [u8], Problem>);

#[test]
fn codings_come_off_in_reverse() {
    let once = encode("gzip", b"hello");
    let twice = encode("br", &once);
    let thrice = encode("zstd", &twice);
    let table: [Row<'_>; 16] = [
        (&[], b"hello", Ok(b"hello")),
        (&["identity"], b"hello", Ok(b"hello")),
        (&["", " , ,Identity"], b"hello", Ok(b"hello")),
        (&["GZip"], &once, Ok(b"hello")),
        (&[" ,identity, gzip ,"], &once, Ok(b"hello")),
        (&["gzip, br"], &twice, Ok(b"hello")),
        (&["gzip", "br"], &twice, Ok(b"hello")),
        (&["br, gzip"], &twice, Err(Problem::Corrupt)),
        (&["br"], &twice, Ok(&once)),
        (&["gzip,br,zstd"], &thrice, Ok(b"hello")),
        (&["gzip,br", "zstd,gzip"], &thrice, Err(Problem::TooMany)),
        (&["compress"], &once, Err(Problem::Unknown)),
        (&["gzip, aws-chunked"], &once, Err(Problem::Unknown)),
        (&["gzip;q=1"], &once, Err(Problem::Unknown)),
        (&["gzip, br, zstd, unknown"], b"", Ok(b"")),
        (&["gzip, br"], b"\x06", Err(Problem::Truncated)),
    ];
    for (fields, body, expected) in table {
        let got = decode(fields.iter().map(|field| field.as_bytes()), body, LIMIT);
        assert_eq!(got.map(Cow::into_owned), expected.map(<[u8]>::to_vec), "{fields:?}");
    }
}

#[test]
fn what_has_no_coding_is_not_copied() {
    let body = vec![b'a'; 2 * LIMIT];
    assert!(matches!(decode([&b"identity"[..]], &body, LIMIT), Ok(Cow::Borrowed(same)) if same == body));
}

#[test]
fn every_prefix_is_cut() {
    for (coding, body, _) in samples() {
        // The end of a member or a frame is a whole body too: only these two have one within.
        let ends = |at| matches!((coding, at), ("X-GZIP", 25) | ("zstd", 10 | 21));
        let is_joined = body.starts_with(b"\x50\x2a") || coding == "X-GZIP";
        for at in 1..body.len() {
            let got = decode_one(coding, &body[..at], LIMIT);
            let whole = is_joined && ends(at);
            assert!(
                if whole { got.is_ok() } else { got == Err(Problem::Truncated) },
                "{coding} {at}: {got:?}"
            );
        }
    }
}

#[test]
fn bytes_behind_the_end_are_corrupt() {
    for (coding, body, _) in samples() {
        for tail in [&b"!"[..], b"\0", b"!!!!!!!!!"] {
            let got = decode_one(coding, &[&body, tail].concat(), LIMIT);
            assert_eq!(got, Err(Problem::Corrupt), "{coding} {tail:?}");
        }
    }
}

/// Every bit of every byte flipped: it ends, within the limit, and where there is a checksum of the content it never is
/// another content.
#[test]
fn every_damaged_byte() {
    for (coding, body, content) in samples() {
        let is_summed = coding.ends_with("gzip") || coding.ends_with("GZIP") || body.starts_with(b"\x78\x9c");
        for at in 0..body.len() {
            for flip in (0..8).map(|bit| 1 << bit).chain([0xff]) {
                let mut damaged = body.clone();
                damaged[at] ^= flip;
                if let Ok(got) = decode_one(coding, &damaged, LIMIT) {
                    assert!(got.len() <= LIMIT);
                    assert!(!is_summed || got == content, "{coding} {at} {flip:x}");
                }
            }
        }
    }
}

#[test]
fn the_limit_is_exact() {
    for coding in ["gzip", "deflate", "raw", "br", "zstd"] {
        for len in [0, 1, 5, 16 << 10, (16 << 10) + 1, 100_000] {
            let content = vec![b'x'; len];
            let body = encode(coding, &content);
            assert_eq!(decode_one(name(coding), &body, len).as_ref(), Ok(&content), "{coding} {len}");
            if let Some(less) = len.checked_sub(1) {
                assert_eq!(decode_one(name(coding), &body, less), Err(Problem::TooLong), "{coding} {len}");
            }
        }
    }
    let thrice = encode("zstd", &encode("br", &encode("gzip", &[b'x'; 100_000])));
    assert_eq!(decode([&b"gzip, br, zstd"[..]], &thrice, 99_999), Err(Problem::TooLong));
}

#[test]
fn a_window_beyond_http() {
    // RFC 8878, section 3.1.1.1.2: exponent and mantissa of the window; then a raw block of 5 bytes.
    let frame = |exponent: u8, mantissa: u8| {
        let window = (exponent << 3) | mantissa;
        decode_one("zstd", &[b"\x28\xb5\x2f\xfd\x00", &[window][..], b"\x29\0\0hello"].concat(), LIMIT)
    };
    assert_eq!(frame(13, 0).as_deref(), Ok(&b"hello"[..])); // 2^(10 + 13) is 8 MiB
    assert_eq!(frame(13, 1), Err(Problem::Window));
    assert_eq!(frame(31, 7), Err(Problem::Window));
    // RFC 7932, section 9.1, reserves what an extension uses for larger windows.
    assert_eq!(decode_one("br", b"\x11\x1a\x03\x03\x03\x03", LIMIT), Err(Problem::Corrupt));
}

#[test]
fn names_in_json_are_the_names_in_metrics() {
    for problem in Problem::ALL {
        assert_eq!(serde_json::to_value(problem).unwrap(), problem.as_str());
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(
        content in prop_oneof![
            prop::collection::vec(any::<u8>(), 1..4000).boxed(),
            "[a-d]{1,4000}".prop_map(String::into_bytes).boxed(),
        ],
        codings in prop::collection::vec(prop::sample::select(vec!["gzip", "deflate", "raw", "br", "zstd"]), 0..4),
    ) {
        let body = codings.iter().fold(content.clone(), |body, coding| encode(coding, &body));
        let fields = codings.iter().map(|coding| name(coding).as_bytes());
        let got = decode(fields, &body, LIMIT);
        prop_assert_eq!(got.as_deref(), Ok(content.as_slice()));
    }

    /// Nonsense behind a right beginning.
    #[test]
    fn nonsense_ends(
        (coding, head) in prop::sample::select(vec![
            ("gzip", &b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..]), ("deflate", b"\x78\x9c"), ("deflate", b""), ("br", b""),
            ("zstd", b"\x28\xb5\x2f\xfd"), ("zstd", b"\x28\xb5\x2f\xfd\x00\x58"),
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(content) = decode_one(coding, &[head, &tail].concat(), LIMIT) {
            prop_assert!(content.len() <= LIMIT);
        }
    }
}
