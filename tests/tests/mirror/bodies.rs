//! Bodies from nothing to 8 MiB, both ways and in every framing, arrive as they were sent.

use std::fs;
use std::path::PathBuf;

use mirror_tests::service::Entry;
use mirror_tests::world::{Host, World};

use crate::ledger::{assert_all_compared, assert_balanced, count, settle};
use crate::setup::{curl, mirror, services, url};

const SIZES: [usize; 6] = [0, 1, 1 << 10, 64 << 10, 1 << 20, 8 << 20];

/// Ways to send a body: by its length, in chunks, and only after the server has said 100.
const WAYS: [(&str, &[&str]); 3] = [
    ("length", &["-H", "Expect:"]),
    ("chunked", &["-H", "Transfer-Encoding: chunked", "-H", "Expect:"]),
    ("continue", &["-H", "Expect: 100-continue"]),
];

/// What a version was asked, without the connections, of which v2 has others.
fn asked(log: Vec<Entry>) -> Vec<(String, String, String, u16)> {
    let mut asked: Vec<_> =
        log.into_iter().map(|entry| (entry.target, entry.method, entry.body_sha256, entry.status)).collect();
    asked.sort();
    asked
}

/// A file of `size` bytes, in which no two stretches of a segment's size are alike.
fn file(world: &World, size: usize) -> PathBuf {
    let path = world.directory().join(format!("body-{size}"));
    let words = (0..size.div_ceil(8) as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    let mut bytes: Vec<u8> = words.flatten().collect();
    bytes.truncate(size);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn uploads_reach_v2_byte_for_byte() {
    let (world, v1, v2) = services();
    let agent = mirror(&world, &["--share", "100%", "--methods", "GET,HEAD,OPTIONS,POST"]);
    for size in SIZES {
        let body = format!("@{}", file(&world, size).display());
        for (way, headers) in WAYS {
            let target = url(Host::V1, &format!("/echo?{way}={size}"));
            let answer = curl(&world, &[&["--data-binary", &body, &target], headers].concat());
            assert!(answer.contains(&format!(r#""length":{size},"#)), "{way} {size}: {answer}");
        }
    }
    let uploads = SIZES.len() * WAYS.len();
    settle(&agent, uploads);
    let status = agent.stop().unwrap();

    let sent = asked(v1.log().unwrap());
    assert_eq!(sent.len(), uploads);
    assert_eq!(asked(v2.log().unwrap()), sent);
    assert!(v2.log().unwrap().iter().all(|entry| entry.shadow));
    assert_all_compared(&status, uploads);
    assert_eq!(count(&status, "/differences"), 0);
    assert_balanced(&status);
}

#[test]
fn downloads_are_compared_to_their_end() {
    let (world, v1, v2) = services();
    let agent = mirror(&world, &["--share", "100%"]);
    for size in SIZES {
        for framing in ["bytes", "chunked"] {
            let target = url(Host::V1, &format!("/{framing}/{size}"));
            let length = curl(&world, &["-o", "/dev/null", "-w", "%{size_download}", &target]);
            assert_eq!(length, size.to_string());
        }
    }
    settle(&agent, SIZES.len() * 2);
    let status = agent.stop().unwrap();
    assert_eq!(asked(v2.log().unwrap()), asked(v1.log().unwrap()));
    assert_all_compared(&status, SIZES.len() * 2);
    assert_eq!(count(&status, "/differences"), 0);
    assert_balanced(&status);
}
