//! Captures with damage: nothing is invented, nothing is lost in silence, and no less is found than tshark finds.

use std::collections::BTreeSet;
use std::ops::Range;

use mirror_tests::traffic::{Act, Body, Capture, Damage, Damaged, Exchange, Fate, Options};

use super::clean::{check_ends, check_nothing_else, check_request, check_response};
use super::ours::{Said, read};
use super::tshark::{self, Start};

/// Seeds of captures whose bodies look like bodies.
const SEEDS: Range<u64> = 2000..2030;

/// Seeds of captures whose bodies may look like messages.
const DECOY_SEEDS: Range<u64> = 3000..3010;

/// Every damage, more of it with every seed.
fn damage(seed: u64) -> Damage {
    match seed % 6 {
        0 => Damage { drop: 20, ..Damage::default() },
        1 => Damage { cut: 20, ..Damage::default() },
        2 => Damage { reorder: 50, ..Damage::default() },
        3 => Damage { delay: 20, duplicate: 100, ..Damage::default() },
        4 => Damage::all(5),
        _ => Damage::all(40),
    }
}

fn damaged(seed: u64, decoys: bool) -> (Capture, Damaged) {
    let capture = Capture::new(
        seed,
        Options { connections: 40, quirks: !seed.is_multiple_of(2), partial: false, decoys },
    );
    let damaged = damage(seed).done_to(&capture.frames, seed);
    (capture, damaged)
}

#[test]
fn what_is_complete_happened_and_what_happened_is_accounted_for() {
    for seed in SEEDS {
        let (capture, damaged) = damaged(seed, false);
        let said = read(super::file(&damaged.frames).path());
        check(&capture, &damaged, &said, &format!("seed {seed}, {:?}", damage(seed)));
    }
}

#[test]
fn a_body_that_looks_like_messages_is_not_believed() {
    for seed in DECOY_SEEDS {
        let (capture, damaged) = damaged(seed, true);
        let said = read(super::file(&damaged.frames).path());
        check(&capture, &damaged, &said, &format!("seed {seed}, {:?}", damage(seed)));
    }
}

fn check(capture: &Capture, damaged: &Damaged, said: &Said, context: &str) {
    said.check_well();
    assert_eq!(said.summary["frames"]["total"], damaged.frames.len(), "{context}");
    check_nothing_else(capture, said, context);
    let (hurt, mixed) = (hurt(capture, damaged), mixed(capture, damaged));
    let mut lost = Vec::new();
    for (index, connection) in capture.connections.iter().enumerate() {
        if mixed.contains(&index) {
            continue;
        }
        for exchange in &connection.exchanges {
            let context = || format!("{context}, {:?}: {exchange:#?}", connection.features);
            let mut complete = said.of(&exchange.id).filter(|shown| shown.end == "complete");
            if let Some(shown) = complete.next() {
                check_ends(connection, shown, &context());
                check_request(exchange, shown, &context());
                check_response(exchange, shown, &context());
                assert_eq!(exchange.fate, Fate::Complete, "{}", context());
            } else if !hurt.contains(&index) {
                assert_ne!(exchange.fate, Fate::Complete, "{}", context());
            }
            assert_eq!(complete.count(), 0, "twice: {}", context());
            if said.of(&exchange.id).next().is_none() {
                assert!(hurt.contains(&index), "{}", context());
                lost.push(&exchange.id);
            }
        }
    }
    let counted: u64 = said.summary["lost"].as_object().unwrap().values().filter_map(|n| n.as_u64()).sum();
    assert!(lost.is_empty() || counted > 0, "{context}: {lost:?} are nowhere");
}

/// The connections whose addresses another one has too, of which a frame came late: it may have come into this one, and
/// then no receiver could tell.
fn mixed(capture: &Capture, damaged: &Damaged) -> BTreeSet<usize> {
    let late = damaged.acts.iter().filter(|(_, act)| matches!(act, Act::Delayed(_)));
    let late: BTreeSet<usize> = late.map(|(frame, _)| capture.frames[*frame].connection).collect();
    let ends = |index: usize| (capture.connections[index].client, capture.connections[index].server);
    let is_mixed = |index: &usize| late.iter().any(|other| other != index && ends(*other) == ends(*index));
    (0..capture.connections.len()).filter(is_mixed).collect()
}

/// The connections to which anything was done.
fn hurt(capture: &Capture, damaged: &Damaged) -> BTreeSet<usize> {
    let both = damaged.acts.iter().flat_map(|(frame, act)| match act {
        Act::Swapped(with) => vec![*frame, *with],
        _ => vec![*frame],
    });
    both.map(|frame| capture.frames[frame].connection).collect()
}

/// Of what tshark finds right, this many in a thousand may be missing with us: bytes that are acknowledged are waited for
/// 100 ms, and those of a connection that was reset not at all, where tshark waits for them to the end of the file. The
/// damage delays frames by up to a second.
const GIVEN_UP_PER_MILLE: usize = 45;

#[test]
fn no_less_is_found_than_tshark_finds() {
    let (mut by_tshark, mut by_us, mut missing) = (0, 0, Vec::new());
    for seed in 4000..4008 {
        let (capture, damaged) = damaged(seed, false);
        let file = super::file(&damaged.frames);
        let (said, found) = (read(file.path()), tshark::messages(file.path()));
        said.check_well();
        let complete: BTreeSet<&str> = said.complete().filter_map(|shown| shown.id()).collect();
        let pairs = tshark::pairs(&found);
        let right = capture.exchanges().filter(|(_, exchange)| {
            pairs.get(&exchange.id) == Some(&Some(exchange.id.clone())) && found_by_tshark(exchange, &found)
        });
        let right: BTreeSet<&str> = right.map(|(_, exchange)| exchange.id.as_str()).collect();
        by_tshark += right.len();
        by_us += complete.len();
        missing.extend(right.difference(&complete).map(|id| format!("seed {seed}: {id}")));
    }
    assert!(by_us >= by_tshark, "{by_us} found by us, {by_tshark} by tshark");
    assert!(missing.len() * 1000 <= by_tshark * GIVEN_UP_PER_MILLE, "of {by_tshark}: {missing:#?}");
}

/// Whether tshark has both messages, whole.
fn found_by_tshark(exchange: &Exchange, found: &[tshark::Message]) -> bool {
    let Some((status, response)) = &exchange.response else { return false };
    let start = Start::Request { method: exchange.method.clone(), target: exchange.target.clone() };
    let is_there = |start: &Start, body: &Body| {
        found.iter().any(|m| m.id.as_ref() == Some(&exchange.id) && m.start == *start && m.body == *body)
    };
    exchange.fate == Fate::Complete
        && is_there(&start, &exchange.request.body)
        && is_there(&Start::Response(*status), &response.body)
}
