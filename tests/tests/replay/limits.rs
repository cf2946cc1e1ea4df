//! Limits: at a pace they shed, at `max` they set the pace.

use std::collections::BTreeSet;

use crate::script::Script;
use crate::tool::replay;
use crate::version::Version;

/// Twelve connections that are all open to the end, all asking at once.
fn crowd(rounds: u64) -> Script {
    let mut script = Script::default();
    for round in 0..rounds {
        (0..12).for_each(|connection| script.get(connection, round, &format!("/c{connection}/{round}")));
    }
    script
}

#[test]
fn at_max_what_is_over_a_limit_waits() {
    for limit in [["--max-connections", "3"], ["--max-inflight", "1"], ["--max-rps", "100"]] {
        let v2 = Version::honest();
        let said = replay(crowd(10).file().path(), v2.address, &[&["--speed", "max"], &limit[..]].concat());
        said.check_all_compared(120);
        let asked = v2.asked();
        for connection in 0..12 {
            let prefix = format!("/c{connection}/");
            let of = asked.iter().filter_map(|asked| asked.target.strip_prefix(&prefix));
            let rounds: Vec<u64> = of.map(|round| round.parse().unwrap()).collect();
            assert_eq!(rounds, (0..10).collect::<Vec<_>>(), "{limit:?}: in order");
        }
        if limit[0] == "--max-rps" {
            // 120 requests, of which a quarter of a second's worth may go at once.
            assert!(said.seconds("/elapsed_s") > 0.9, "{said:?}");
        }
    }
}

#[test]
fn at_a_pace_what_is_over_a_limit_is_shed_and_counted() {
    let v2 = Version::honest();
    let said = replay(crowd(10).file().path(), v2.address, &["--max-connections", "3"]);
    said.check_balanced();
    assert_eq!(said.code, Some(0), "{said:?}");
    // Three connections go whole, and one that finds no room does not go at all.
    assert_eq!((said.count("/requests/compared"), said.count("/requests/shed/queue")), (30, 90), "{said:?}");
    let connections: BTreeSet<usize> = v2.asked().iter().map(|asked| asked.connection).collect();
    assert_eq!(connections.len(), 3);

    let said = replay(crowd(10).file().path(), v2.address, &["--max-rps", "1"]);
    said.check_balanced();
    assert!(said.count("/requests/shed/rate") > 100, "{said:?}");
}
