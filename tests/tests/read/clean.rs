//! Captures without damage: what is shown is the truth, to the byte and the nanosecond.

use std::collections::{BTreeMap, BTreeSet};

use mirror_tests::traffic::{Capture, Connection, Exchange, Fate, Feature, Options};

use super::ours::{Said, Shown, read};

const SEEDS: std::ops::Range<u64> = 1000..1020;

#[test]
fn everything_is_found_as_it_was() {
    for seed in SEEDS {
        // A third each: a network that only carries, one that does not, and a capture that lacks some of it.
        let (quirks, partial) = (seed % 3 > 0, seed % 3 > 1);
        let capture = Capture::new(seed, Options { connections: 60, quirks, partial, decoys: true });
        let file = super::file(&capture.frames);
        let said = read(file.path());
        let context = format!("seed {seed}");
        said.check_well();
        assert_eq!(said.summary["frames"]["total"], capture.frames.len(), "{context}");
        if !partial {
            assert_eq!(said.summary["connections"]["total"], capture.connections.len(), "{context}");
        }
        for connection in &capture.connections {
            let context = format!("{context}, {:?}", connection.features);
            connection.exchanges.iter().for_each(|exchange| check(connection, exchange, &said, &context));
        }
        check_nothing_else(&capture, &said, &context);
        check_order(&capture, &said, &context);
    }
}

/// An exchange of the truth is shown as it was.
fn check(connection: &Connection, exchange: &Exchange, said: &Said, context: &str) {
    let shown: Vec<&Shown> = said.of(&exchange.id).collect();
    let context = format!("{context}: {exchange:#?}\nis shown as {shown:#?}");
    assert!(shown.len() <= 1, "{context}");
    let is_seen = !connection.features.contains(&Feature::ServerOnly) && exchange.fate != Fate::Unsure;
    let Some(shown) = shown.first() else {
        assert!(!is_seen, "{context}");
        return;
    };
    check_ends(connection, shown, &context);
    check_request(exchange, shown, &context);
    match exchange.fate {
        Fate::Complete => {
            assert_eq!(shown.end, "complete", "{context}");
            check_response(exchange, shown, &context);
            check_times(exchange, shown, &context);
        }
        Fate::Upgraded => {
            assert_eq!(shown.end, "upgraded", "{context}");
            let status = shown.response.as_ref().map(|response| response.status);
            assert!(status.is_none() || status == exchange.response.as_ref().map(|(status, _)| *status));
        }
        Fate::Broken => assert_ne!(shown.end, "complete", "{context}"),
        Fate::Unsure => {}
    }
}

pub fn check_ends(connection: &Connection, shown: &Shown, context: &str) {
    let ends = (connection.client.to_string(), connection.server.to_string());
    assert_eq!((shown.client.clone(), shown.server.clone()), ends, "{context}");
}

/// What is shown of the request is right. The body is only known of a whole one.
pub fn check_request(exchange: &Exchange, shown: &Shown, context: &str) {
    let request = shown.request.as_ref().unwrap();
    assert_eq!((&request.method, &request.target), (&exchange.method, &exchange.target), "{context}");
    assert_eq!(request.version, exchange.request.version, "{context}");
    if shown.end == "complete" {
        assert_eq!(request.body, exchange.request.body, "{context}");
    }
}

pub fn check_response(exchange: &Exchange, shown: &Shown, context: &str) {
    let (response, (status, truth)) = (shown.response.as_ref().unwrap(), exchange.response.as_ref().unwrap());
    assert_eq!((response.status, &response.version), (*status, &truth.version), "{context}");
    assert_eq!(response.id.as_ref(), Some(&exchange.id), "{context}");
    assert_eq!(response.body, truth.body, "{context}");
}

fn check_times(exchange: &Exchange, shown: &Shown, context: &str) {
    let (request, (_, response)) = (&exchange.request, exchange.response.as_ref().unwrap());
    assert_eq!(shown.start_ns, Some(request.first_ns), "{context}");
    assert_eq!(shown.ttfb_ns, response.first_ns.checked_sub(request.last_ns), "{context}");
    assert_eq!(shown.total_ns, Some(response.last_ns - request.first_ns), "{context}");
}

/// What is called complete happened.
pub fn check_nothing_else(capture: &Capture, said: &Said, context: &str) {
    let ids: BTreeSet<&str> = capture.exchanges().map(|(_, exchange)| exchange.id.as_str()).collect();
    for shown in said.complete() {
        assert!(shown.id().is_some_and(|id| ids.contains(id)), "{context}: {shown:#?}");
    }
}

/// On each connection the order is that of the requests, and each connection has a number of its own.
fn check_order(capture: &Capture, said: &Said, context: &str) {
    let mut numbers = BTreeMap::new();
    for (index, connection) in capture.connections.iter().enumerate() {
        let ids: Vec<&str> = connection.exchanges.iter().map(|exchange| exchange.id.as_str()).collect();
        let shown = || said.complete().filter(|shown| shown.id().is_some_and(|id| ids.contains(&id)));
        let places = shown().map(|shown| ids.iter().position(|id| Some(*id) == shown.id()));
        assert!(places.is_sorted(), "{context}, connection {index}");
        for shown in shown() {
            assert_eq!(*numbers.entry(shown.connection).or_insert(index), index, "{context}: {shown:#?}");
        }
    }
}
