//! What a fence denies and what it lets through, as the programs inside see it.

use std::collections::BTreeMap;

use mirror_tests::service::{Service, Version};
use mirror_tests::world::Host;
use serde_json::{Value, json};

use crate::caller::{calls, every, shell};
use crate::scene::{Scene, around};
use mirror_tests::cgroup::Cgroup;

#[test]
fn real_programs_are_told_that_it_is_not_permitted() {
    let scene = Scene::new();
    let _service = Service::start(&scene.world, Host::V1, Version::V1).unwrap();
    let allow = json!([{"name": "v1", "to": ["10.77.1.2", "fd77:1::2"], "ports": [8080]}]);
    let fence = around(scene.cgroup.path(), "deny", &allow);
    fence.prove().unwrap();
    let say = |script: &str| shell(&scene.world, Host::V2, scene.cgroup.path(), script);
    let curl = "curl --silent --show-error --max-time 10 --output /dev/null --write-out '%{http_code}'";
    assert_eq!(say(&format!("{curl} http://10.77.1.2:8080/users/1")), "200");
    assert_eq!(say(&format!("{curl} http://[fd77:1::2]:8080/users/1")), "200");
    assert_eq!(say(&format!("{curl} 'http://[::ffff:10.77.1.2]:8080/users/1'")), "200");
    let denied = say("exec 3<>/dev/tcp/10.77.1.2/8081");
    assert!(denied.contains("connect: Operation not permitted"), "{denied}");
    let denied = say(&format!("{curl} --verbose http://10.77.0.2:8080/"));
    assert!(denied.contains("Operation not permitted"), "{denied}");
}

/// Names that overlap, so that the first of the list has to count; an IPv6 prefix that has all mapped addresses in it;
/// and edges of prefixes and ranges.
fn list() -> Value {
    json!([
        {"name": "narrow", "to": ["10.77.1.2"], "ports": [80]},
        {"name": "wide", "to": ["10.77.0.0/16", "fd77:1::/64"], "ports": ["79-80", 443, 65535]},
        {"name": "mapped", "to": ["::/0"], "ports": [7]},
        {"name": "odd", "to": ["10.77.1.128/25", "fd77:2::2"]},
    ])
}

const ADDRESSES: [&str; 14] = [
    "10.77.1.2",
    "10.77.1.3",
    "10.77.1.127",
    "10.77.1.128",
    "10.77.1.255",
    "10.76.255.255",
    "10.78.0.0",
    "::ffff:10.77.1.2",
    "::ffff:10.77.1.128",
    "::ffff:10.78.0.0",
    "fd77:1::2",
    "fd77:1:0:1::2",
    "fd77:2::2",
    "fd77:2::3",
];
const PORTS: [u16; 9] = [1, 7, 78, 79, 80, 81, 443, 65534, 65535];

#[test]
fn every_kind_of_call_is_judged_as_the_list_says() {
    let scene = Scene::new();
    let fence = around(scene.cgroup.path(), "deny", &list());
    fence.prove().unwrap();
    let made = calls(&scene.world, Host::V2, Some(scene.cgroup.path()), &list(), &every(&ADDRESSES, &PORTS));
    assert_eq!(made.len(), 3 * 14 * 9);
    for call in &made {
        assert_eq!(call.is_denied(), call.covered.is_none(), "{call:?}");
    }
    let mut expect: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for call in &made {
        let (allowed, denied) = expect.entry(call.covered.as_deref().unwrap_or("other")).or_default();
        if call.covered.is_some() { *allowed += 1 } else { *denied += 1 }
    }
    let counts = fence.counts();
    let counted: BTreeMap<_, _> =
        counts.iter().map(|one| (&*one.name, (one.v2_allowed, one.v2_denied))).collect();
    assert_eq!(counted, expect, "calls by the first destination that covers them");
    assert!(counts.iter().all(|one| one.v1.is_none()));
    assert!(expect.len() == 5 && expect.values().all(|(allowed, denied)| allowed + denied > 0), "{expect:?}");
}

#[test]
fn outside_of_the_cgroup_nothing_changes() {
    let scene = Scene::new();
    let other = Cgroup::new().unwrap();
    let _fence = around(scene.cgroup.path(), "deny", &json!([]));
    for cgroup in [None, Some(other.path())] {
        let made =
            calls(&scene.world, Host::V2, cgroup, &json!([]), &every(&["10.77.1.2", "fd77:1::2"], &[80]));
        assert!(made.iter().all(|call| !call.is_denied()), "{made:?}");
    }
}

#[test]
fn cgroups_inside_are_fenced_too() {
    let scene = Scene::new();
    let fence = around(scene.cgroup.path(), "deny", &json!([]));
    let inner = scene.cgroup.inner("container").unwrap();
    let made =
        calls(&scene.world, Host::V2, Some(&inner), &json!([]), &every(&["10.77.1.2", "fd77:1::2"], &[80]));
    assert!(made.iter().all(|call| call.is_denied()), "{made:?}");
    assert_eq!(fence.counts().last().unwrap().v2_denied, 6);
}

#[test]
fn all_64_destinations_are_told_apart() {
    let scene = Scene::new();
    let one = |n: u16| json!({"name": format!("d{n}"), "to": [format!("10.77.1.{n}")], "ports": [1000 + n]});
    let allow = Value::Array((0..64).map(one).collect());
    let fence = around(scene.cgroup.path(), "deny", &allow);
    let addresses: Vec<String> = (0..64).map(|n| format!("10.77.1.{n}")).collect();
    let both = |(n, to): (u16, _)| [("udp-send", to, 1000 + n), ("udp-send", to, 1001 + n)];
    let list: Vec<_> = (0..).zip(addresses.iter().map(String::as_str)).flat_map(both).collect();
    let made = calls(&scene.world, Host::V2, Some(scene.cgroup.path()), &allow, &list);
    for call in &made {
        assert_eq!(call.is_denied(), call.covered.is_none(), "{call:?}");
    }
    let counts = fence.counts();
    assert!(counts[..64].iter().all(|one| (one.v2_allowed, one.v2_denied) == (1, 0)), "{counts:?}");
    assert_eq!(counts[64].v2_denied, 64);
}
