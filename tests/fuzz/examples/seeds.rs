//! Writes the seeds of the fuzz targets into `corpus`: captures made by seed, frames of them, and messages by hand.

#![expect(clippy::unwrap_used, reason = "it is run by hand")]

use std::fs;
use std::path::{Path, PathBuf};

use mirror_tests::traffic::{Capture, Damage, Options, Timed, write};

const REQUESTS: [&[u8]; 10] = [
    b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    b"\r\n\r\nGET /bare HTTP/1.1\nHost: a\n\n",
    b"CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX:\t a \r\n\r\n",
];
const RESPONSES: [&[u8]; 8] = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 304 X\r\nContent-Length: 7\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nopaque",
    b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200\nContent-Length: 1\n\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: 2\r\n\r\nx",
];
const CHUNKED: [&[u8]; 6] = [
    b"5\r\nhello\r\n0\r\n\r\n",
    b"a;name=\"quoted\"\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\n",
    b"ffffffffffffffff\r\nx",
    b"10000000000000000\r\n",
    b"1 \t;e\r\nx\r\n0\r\n\r\n",
    b"1\nx\n0\n\n",
];
/// Pairs of bodies, each with its type and coding.
const ANSWERS: [(u8, &[u8], u8, &[u8]); 8] = [
    (0, br#"{"a":[1,2,{"id":7}],"b":"x"}"#, 0, br#"{"b":"y","a":[{"id":7},2,1.0]}"#),
    (0, br#"{"4711":{"n":1},"4712":{"n":2}}"#, 4, br#"{"4711":{"n":null}}"#),
    (0, b"[[[[[[]]]]]]", 0, b"[[[[[{}]]]]]"),
    (0, br#"{"a":1,"a":2}"#, 0, b"{"),
    (1, b"<p id=a>x<script nonce=1>y</script>", 1, b"<p id=b>x<b>z</b>"),
    (2, b"one\ntwo\n", 2, b"one\nthree\n"),
    (3, b"\x00\x01", 3, b"\x00\x01\x02"),
    (5, b"\x1f\x8b\x08\x00", 10, b"\x0b\x02\x80hello\x03"),
];
/// What controllers of deployments send.
const CONTRACTS: [&[u8]; 4] = [
    br#"{"name":"a","namespace":"b","phase":"Progressing","checksum":"1","metadata":{"service":"c","window":"5m"}}"#,
    br#"{"name":"a","metadata":null}"#,
    br#"{"canaryConfig":{"metrics":[{"name":"m","groups":["G"],"analysisConfigurations":{"canary":{"direction":"either","nanStrategy":"replace","critical":true,"effectSize":{"allowedIncrease":1.1}}}}],"classifier":{"groupWeights":{"G":100}}},"scoreThresholds":{"pass":95,"marginal":75},"metricSetPairList":[{"name":"m","id":"1","tags":{},"values":{"control":[1,"NaN",null,2],"experiment":[3,4,5,1e308]},"scopes":{},"attributes":{}}]}"#,
    br#"{"canaryConfig":{"metrics":[]},"scoreThresholds":{"pass":95,"marginal":75},"metricSetPairList":[]}"#,
];
/// Steps of `engine`: turns, a pipeline, chunks, an upgrade, losses, copies, a swap, time.
const SCRIPTS: [&[u8]; 8] = [
    &[0, 0, 4, 1, 0, 2, 4, 24, 152, 156],
    &[0, 0, 0, 0, 0, 0, 4, 1, 4, 1, 4, 1, 152, 156],
    &[0, 5, 0, 6, 0, 7, 4, 8, 4, 6, 4, 7, 168],
    &[0, 13, 4, 14, 4, 26, 0, 26],
    &[248, 50, 1, 0, 5, 1, 2, 0, 130, 20, 2, 0, 6, 1, 6, 1, 240, 200, 2, 0, 6, 1],
    &[0, 17, 0, 18, 208, 0, 19, 0, 20, 0, 20, 4, 1, 4, 1, 176, 3, 3, 184, 0, 0],
    &[0, 4, 4, 9, 0, 26, 4, 27, 4, 26, 156, 152, 224, 0, 0, 4, 1],
    &[0, 15, 1, 16, 2, 12, 6, 1, 2, 26, 6, 26],
];
/// Steps of `stream`, behind a byte of limits.
const STREAMS: [&[u8]; 6] = [
    &[0, 0, 20, 0, 4, 30, 0, 0, 10, 4, 4, 0, 4],
    &[0, 0, 20, 32, 0, 20, 0, 0, 20, 0, 96, 84, 0, 20, 0, 224, 255],
    &[1, 8, 30, 0, 12, 30, 1, 9, 96, 70, 0, 12, 1, 7, 4, 20, 2, 40],
    &[0, 0, 9, 32, 0, 9, 0, 200, 100, 0, 160, 16, 0, 5, 0],
    &[0, 0, 50, 32, 1, 50, 0, 2, 50, 32, 3, 50, 0, 4, 60, 16, 100, 0, 228, 120, 229, 120],
    &[1, 128, 0, 0, 0, 64, 5, 0, 128, 0, 1, 0, 0, 9, 0, 192, 216, 0, 2],
];

fn main() {
    for (index, request) in REQUESTS.iter().enumerate() {
        put("request", index, &[&[2, 9, 20], *request].concat());
    }
    for (index, response) in RESPONSES.iter().enumerate() {
        put("response", index, &[&[0, 2, 9, 20], *response].concat());
    }
    for (index, body) in CHUNKED.iter().enumerate() {
        put("chunked", index, &[&[2, 1, 3], *body].concat());
    }
    for (index, script) in SCRIPTS.iter().enumerate() {
        put("engine", index, script);
    }
    for (index, script) in STREAMS.iter().enumerate() {
        put("stream", index, script);
    }
    for (index, (kind, v1, other, v2)) in ANSWERS.iter().enumerate() {
        let len = (v1.len() as u16).to_le_bytes();
        put("compare", index, &[&[*kind, *other], &len[..], *v1, *v2].concat());
    }
    for (index, body) in CONTRACTS.iter().enumerate() {
        put("contracts", index, body);
    }
    captures();
}

/// Small captures as they are and damaged, as files and as frames.
fn captures() {
    let mut index = 0;
    for seed in 0..40 {
        let options =
            Options { connections: 1, quirks: seed % 2 == 1, partial: seed % 3 == 1, decoys: false };
        let mut frames = Capture::new(seed, options).frames;
        if seed % 4 == 3 {
            frames = Damage::all(100).done_to(&frames, seed).frames;
        }
        if frames.iter().map(|frame| frame.bytes.len()).sum::<usize>() > 3000 {
            continue;
        }
        let mut file = Vec::new();
        write(&mut file, &frames).unwrap();
        put("pipeline", index, &file);
        put("file", index, &[&[16], &file[..]].concat());
        put("packet", index, &packets(&frames));
        index += 1;
    }
}

/// One byte of options, and Ethernet frames.
fn packets(frames: &[Timed]) -> Vec<u8> {
    let mut all = vec![frames.len() as u8 & 1];
    for frame in frames.iter().take(6) {
        let cut = (frame.len - frame.bytes.len()).min(255) as u8;
        all.extend([0, 0, cut]);
        all.extend((frame.bytes.len() as u16).to_le_bytes());
        all.extend(&frame.bytes);
    }
    all
}

fn put(target: &str, index: usize, data: &[u8]) {
    let directory: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(format!("seed-{index:02}")), data).unwrap();
}
