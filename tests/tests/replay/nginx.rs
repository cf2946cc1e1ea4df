//! Captures made by seed, with everything that HTTP/1.x allows, replayed to a real nginx: its access log is the witness.

use std::path::Path;
use std::process::Command;

use mirror_tests::nginx::{Line, Nginx};
use mirror_tests::traffic::{Capture, Exchange, Fate, Options};
use mirror_tests::world::{Host, World};

use crate::tool::{command, said};

const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// The method and target of every exchange of a connection that must reach v2, in order. nginx writes down no authority.
fn expected(exchanges: &[Exchange]) -> Vec<(String, String)> {
    let is_sent = |one: &&Exchange| one.fate == Fate::Complete && SAFE.contains(&one.method.as_str());
    exchanges
        .iter()
        .filter(is_sent)
        .map(|one| (one.method.clone(), one.target.replace("http://service.test", "")))
        .collect()
}

/// What v2 was asked, by connection. nginx closes after `Connection: close` and HTTP/1.0, so that one connection of a
/// client may be several here: these are told apart by their targets, which name the client's connection.
fn asked(log: &[Line], of: usize) -> Vec<(String, String)> {
    let mine =
        |target: &str| target.split(['/', '?']).any(|part| part.strip_prefix(&format!("c{of}.")).is_some());
    let of = log.iter().filter(|line| mine(&line.target));
    of.map(|line| (line.method.clone(), line.target.clone())).collect()
}

#[test]
fn what_was_complete_in_a_capture_reaches_nginx_in_its_order() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V2, 100_000).unwrap();
    let mut before = 0;
    for (seed, quirks, speed) in [(11, false, "max"), (12, true, "max"), (13, false, "20x")] {
        let capture = Capture::new(seed, Options { connections: 60, quirks, partial: false, decoys: false });
        let file = crate::script::file(&capture.frames);
        let mut command: Command =
            command(&[Path::new(file.path())], Host::V2.service(), &["--speed", speed]);
        let said = said(&world.output(Host::Node, &mut command).unwrap());
        said.check_balanced();
        assert_eq!(said.code, Some(0), "{said:?}");
        let log = nginx.log().unwrap().split_off(before);
        before += log.len();
        let (mut all, mut asterisks) = (0, 0);
        for (index, connection) in capture.connections.iter().enumerate() {
            let mut expected = expected(&connection.exchanges);
            all += expected.len();
            // nginx refuses `OPTIONS *` with 400, and writes down nothing of it.
            asterisks += expected.extract_if(.., |(_, target)| target == "*").count();
            assert_eq!(asked(&log, index), expected, "seed {seed}, connection {index}");
        }
        assert_eq!(log.len(), all, "seed {seed}: nothing else reached it");
        let (marked, refused): (Vec<_>, Vec<_>) = log.iter().partition(|line| line.shadow == "1");
        assert_eq!(refused.len(), asterisks, "seed {seed}: {refused:?}");
        assert!(refused.iter().all(|line| line.status == 400 && line.method.is_empty()), "{refused:?}");
        assert_eq!(marked.len(), all - asterisks);
        assert_eq!(said.count("/requests/compared"), all as u64, "{said:?}");
        assert!(said.count("/requests/unselected/method") > 0, "{said:?}");
    }
}
