//! A fence that only reports, and calls of v1 that are only counted.

use mirror_agent::kernel::fence::Fence;
use mirror_tests::world::Host;
use serde_json::{Value, json};

use crate::caller::{calls, every};
use crate::scene::{Scene, around, fence};
use mirror_tests::cgroup::Cgroup;

/// The proposal of a fence as a list in the words of the config, without its comments.
fn proposed(fence: &Fence) -> Value {
    let text = fence.proposal().unwrap();
    let items = text.lines().filter_map(|line| line.strip_prefix("- ")).map(|line| {
        let item = line.split(" #").next().unwrap();
        let (name, rest) = item.strip_prefix("{name: ").unwrap().split_once(", to: [").unwrap();
        let (to, ports) = rest.split_once("], ports: [").unwrap();
        let to: Vec<_> = to.split(", ").map(|one| one.trim_matches('\'')).collect();
        let port: u16 = ports.strip_suffix("]}").unwrap().parse().unwrap();
        json!({"name": name, "to": to, "ports": [port]})
    });
    Value::Array(items.collect())
}

#[test]
fn a_report_denies_nothing_and_proposes_exactly_what_was_used() {
    let scene = Scene::new();
    let allow = json!([{"name": "known", "to": ["10.77.1.0/24"], "ports": [80]}]);
    let fence = around(scene.cgroup.path(), "report", &allow);
    fence.prove().unwrap();
    let asked = [
        ("udp-send", "10.77.0.2", 53),
        ("udp-send", "10.77.0.2", 53),
        ("connect", "10.77.0.2", 53),
        ("udp-connect", "fd77:0::2", 53),
        ("connect", "::ffff:10.77.1.2", 5432),
        ("connect", "10.77.1.2", 5432),
        ("connect", "10.77.1.2", 80),
        ("udp-send", "fd77:1::2", 9),
    ];
    let made = calls(&scene.world, Host::V2, Some(scene.cgroup.path()), &allow, &asked);
    assert!(made.iter().all(|call| !call.is_denied()), "{made:?}");
    let other = fence.counts().pop().unwrap();
    assert_eq!((other.v2_allowed, other.v2_denied), (0, 7), "what would have been denied");
    let expect = json!([
        {"name": "port-53", "to": ["10.77.0.2/32", "fd77::2/128"], "ports": [53]},
        {"name": "port-5432", "to": ["10.77.1.2/32"], "ports": [5432]},
        {"name": "port-9", "to": ["fd77:1::2/128"], "ports": [9]},
    ]);
    assert_eq!(proposed(&fence), expect, "the probes of the self-test are not in it");
    assert_eq!(fence.status().unwrap().unknown, 5);
}

#[test]
fn the_proposal_lets_through_what_it_was_made_of_and_nothing_else() {
    let scene = Scene::new();
    let path = scene.cgroup.path();
    let used = every(&["10.77.0.2", "fd77:1::2", "::ffff:10.77.1.2"], &[80, 5432]);
    let reporting = around(path, "report", &json!([]));
    calls(&scene.world, Host::V2, Some(path), &json!([]), &used);
    let allow = proposed(&reporting);
    drop(reporting);
    let fence = around(path, "deny", &allow);
    fence.prove().unwrap();
    let made = calls(&scene.world, Host::V2, Some(path), &allow, &used);
    assert!(made.iter().all(|call| !call.is_denied()), "{made:?}");
    let others = every(&["10.77.0.3", "fd77:1::3"], &[80]).into_iter().chain(every(&["10.77.0.2"], &[81]));
    let made = calls(&scene.world, Host::V2, Some(path), &allow, &others.collect::<Vec<_>>());
    assert!(made.iter().all(|call| call.is_denied()), "{made:?}");
}

#[test]
fn calls_of_v1_are_counted_beside_and_never_denied() {
    let scene = Scene::new();
    let v1 = Cgroup::new().unwrap();
    let allow = json!([{"name": "known", "to": ["10.77.1.0/24"], "ports": [80]}]);
    let fence = fence(
        &json!({"cgroup": scene.cgroup.path(), "v1_cgroup": v1.path(), "mode": "deny", "allow": allow}),
    );
    fence.prove().unwrap();
    let used = every(&["10.77.1.2", "10.77.0.2", "fd77:1::2"], &[80]);
    let of_v1 = calls(&scene.world, Host::V1, Some(v1.path()), &allow, &used);
    assert!(of_v1.iter().all(|call| !call.is_denied()), "{of_v1:?}");
    let of_v2 = calls(&scene.world, Host::V2, Some(scene.cgroup.path()), &allow, &used[..1]);
    assert!(!of_v2[0].is_denied());
    let figures = |one: &mirror_agent::status::Destination| (one.v2_allowed, one.v2_denied, one.v1);
    let counts: Vec<_> = fence.counts().iter().map(figures).collect();
    assert_eq!(counts, [(1, 0, Some(3)), (0, 0, Some(6))]);
    let probe = calls(&scene.world, Host::V1, Some(v1.path()), &allow, &[("udp-connect", "192.0.2.1", 9)]);
    assert!(!probe[0].is_denied(), "not even where the self-test calls");
}
