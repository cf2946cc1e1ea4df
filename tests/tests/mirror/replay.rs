//! At share 100 %: every request that may be replayed reaches v2, once, in its order, on a connection of its own.

use std::collections::BTreeMap;

use mirror_tests::nginx::{Line, Nginx};
use mirror_tests::world::Host;

use crate::ledger::{assert_all_compared, assert_balanced, count, settle};
use crate::setup::{curl, finish, mirror, nginx, start_curl, url};

/// Fewer than a lane's queue holds, so that nothing is shed however slow this machine is.
const PER_CONNECTION: usize = 60;
const CONNECTIONS: usize = 12;

/// Methods and targets by connection, each in the order of its requests.
fn by_connection(lines: &[Line]) -> BTreeMap<u64, Vec<(String, String)>> {
    let mut connections = BTreeMap::<u64, Vec<_>>::new();
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| (line.connection, line.request));
    for line in sorted {
        connections.entry(line.connection).or_default().push((line.method.clone(), line.target.clone()));
    }
    connections
}

/// The same connections whatever their numbers, only with requests that may be replayed.
fn conversations(nginx: &Nginx, replayed: &[&str]) -> Vec<Vec<(String, String)>> {
    let mut connections: Vec<Vec<_>> = by_connection(&nginx.log().unwrap()).into_values().collect();
    for requests in &mut connections {
        requests.retain(|(method, _)| replayed.contains(&method.as_str()));
    }
    connections.retain(|requests| !requests.is_empty());
    connections.sort();
    connections
}

#[test]
fn every_get_reaches_v2_once_and_in_order_on_a_connection_of_its_own() {
    let (world, v1, v2) = nginx(1000);
    let agent = mirror(&world, &["--share", "100%"]);
    let target = |n| url(Host::V1, &format!("/c{n}/[1-{PER_CONNECTION}]?q=a%20b"));
    let curls = (0..CONNECTIONS).map(|n| start_curl(&world, &["-H", "Host: shop.example", &target(n)]));
    finish(curls.collect());
    settle(&agent, CONNECTIONS * PER_CONNECTION);
    let status = agent.stop().unwrap();

    let sent = conversations(&v1, &["GET"]);
    assert_eq!(sent.len(), CONNECTIONS);
    assert!(sent.iter().all(|requests| requests.len() == PER_CONNECTION));
    assert_eq!(conversations(&v2, &["GET"]), sent);
    let log = v2.log().unwrap();
    assert!(log.iter().all(|line| line.shadow == "1" && line.host == "shop.example" && line.status == 200));
    assert!(v1.log().unwrap().iter().all(|line| line.shadow.is_empty()));
    assert_all_compared(&status, CONNECTIONS * PER_CONNECTION);
    assert_eq!(count(&status, "/differences"), 0);
    assert_balanced(&status);
}

/// curl's arguments for four methods, one after the other, on one connection.
fn mixed(connection: usize) -> Vec<String> {
    let to = |n: usize| url(Host::V1, &format!("/m{connection}/{n}"));
    let one = |n: usize, more: &[&str]| {
        let mut arguments: Vec<String> = more.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.extend(["-o".to_owned(), "/dev/null".to_owned(), to(n)]);
        arguments
    };
    let requests = [
        one(1, &[]),
        one(2, &["-I"]),
        one(3, &["--data-binary", "a=1"]),
        one(4, &["-X", "OPTIONS"]),
        one(5, &["-X", "DELETE"]),
        one(6, &["--data-binary", "b=2", "-X", "PUT"]),
        one(7, &[]),
    ];
    requests.join(&"--next".to_owned())
}

#[test]
fn head_and_options_are_replayed_and_what_may_write_is_seen_and_left_alone() {
    let (world, v1, v2) = nginx(1000);
    let agent = mirror(&world, &["--share", "100%"]);
    for connection in 0..5 {
        let arguments = mixed(connection);
        curl(&world, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
    settle(&agent, 5 * 7);
    let status = agent.stop().unwrap();

    let safe = ["GET", "HEAD", "OPTIONS"];
    let sent = conversations(&v1, &safe);
    assert_eq!((sent.len(), v1.log().unwrap().len()), (5, 5 * 7), "one connection for each curl");
    assert_eq!(conversations(&v2, &safe), sent);
    assert_eq!(v2.log().unwrap().len(), 5 * 4, "nothing else reached v2");
    assert_eq!(count(&status, "/requests/seen"), 5 * 7);
    assert_eq!(count(&status, "/requests/compared"), 5 * 4);
    assert_eq!(count(&status, "/requests/unselected/method"), 5 * 3);
    assert_eq!(count(&status, "/differences"), 0);
    assert_balanced(&status);
}
