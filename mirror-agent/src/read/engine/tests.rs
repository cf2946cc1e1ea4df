//! What comes out of an engine, whatever let the time pass.

use super::*;
use crate::packet::Link;
use crate::packet::sample::{Tcp, ethernet, ipv4};

const GET: &[u8] = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";

fn asked(engine: &mut Engine) {
    let bytes = ethernet(&[0x0800], &ipv4(6, &[], &Tcp::with(GET).bytes()));
    let frame = Frame { at: Nanos(1), link: Link::Ethernet, data: &bytes, wire_len: bytes.len() as u32 };
    engine.on_frame(&frame, &mut |record| panic!("{record:?}"));
}

#[test]
fn a_frame_of_an_unknown_link_lets_time_pass_and_loses_no_record() {
    let mut engine = Engine::new(&[], packet::Options::default());
    asked(&mut engine);
    let mut ends = Vec::new();
    engine.on_unknown_link(Nanos(3_600_000_000_000), &mut |record| ends.push(record.end));
    assert_eq!(ends, ["response_missing"]);
    let summary = engine.summary();
    assert_eq!(summary.frames.fates["unknown_link"], 1);
    assert!(summary.balances().iter().all(|(_, fates)| fates.imbalance() == 0));
    assert_eq!(summary.exchanges.total, ends.len() as u64);
}

#[test]
fn the_end_of_the_input_ends_what_is_open() {
    let mut engine = Engine::new(&[], packet::Options::default());
    asked(&mut engine);
    let mut ends = Vec::new();
    engine.end(&mut |record| ends.push(record.end));
    assert_eq!(ends, ["unwatched"]);
    assert!(engine.summary().balances().iter().all(|(_, fates)| fates.imbalance() == 0));
}
