//! Fences: what is read, and every mistake with its words and its place.

use std::path::Path;

use super::*;
use crate::config::{Config, Draft};

/// A right file; `^` is where the fence goes.
const FILE: &str = "\
interfaces: [eth0]
services:
  - name: a
    v1: 10.0.0.4:80
    v2: 10.0.0.5:80
    share: 5%
^";

fn build(text: &str) -> Result<Config, String> {
    Config::build(Draft::default(), Some(("c", text))).map_err(|errors| errors.to_string())
}

fn fence(fence: &str) -> Result<Option<Fence>, String> {
    let config = build(&FILE.replace('^', &format!("    fence:\n{fence}")))?;
    Ok(config.services.into_iter().next().and_then(|service| service.fence))
}

fn said(text: &str) -> String {
    fence(text).map_or_else(|said| said, |fence| format!("{fence:?}"))
}

#[test]
fn a_fence_is_read_as_it_stands() {
    let read = fence(
        "      cgroup: kubepods.slice/./pod1/v2/\n      v1_cgroup: /sys/fs/cgroup/v1\n      allow:\n\
         \x20     - {name: dns, to: [10.96.0.10/32], ports: [53]}\n\
         \x20     - {name: postgres, to: [10.0.3.0/24, 'fd00:3::/64'], ports: [6000-6010, 5432]}\n\
         \x20     - {name: cache, to: ['::ffff:10.0.4.1']}\n",
    );
    let fence = read.unwrap().unwrap();
    assert_eq!(fence.cgroup, Path::new("kubepods.slice/pod1/v2"));
    assert_eq!(fence.v1_cgroup.as_deref(), Some(Path::new("/sys/fs/cgroup/v1")));
    assert_eq!(fence.mode, FenceMode::Deny);
    let names: Vec<_> = fence.allow.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["dns", "postgres", "cache"]);
    assert_eq!(fence.allow[1].ports, [Ports { low: 5432, high: 5432 }, Ports { low: 6000, high: 6010 }]);
    assert_eq!(fence.allow[1].to, ["10.0.3.0/24", "fd00:3::/64"].map(|text| Prefix::parse(text).unwrap()));
    assert_eq!(fence.allow[2].to, [Prefix::parse("10.0.4.1/32").unwrap()]);
    assert_eq!(fence.allow[2].ports, [Ports::ALL]);
}

#[test]
fn a_service_without_a_fence_has_none() {
    assert_eq!(build(&FILE.replace('^', "")).unwrap().services[0].fence, None);
}

#[test]
fn mistakes_are_said_with_their_places() {
    let cases = [
        ("      mode: report\n", "c:8:7: a fence has no cgroup: name the one that v2's processes are in"),
        ("      cgroup: v2\n      mode: allow\n", "c:9:13: mode: \"allow\" is neither deny nor report"),
        (
            "      cgroup: /\n",
            "c:8:15: cgroup: \"/\" names no cgroup: write for example system.slice/checkout-v2.service",
        ),
        (
            "      cgroup: a/../b\n",
            "c:8:15: cgroup: \"a/../b\" is not the path of a cgroup: write it without ..",
        ),
        ("      cgruop: v2\n      cgroup: v2\n", "c:8:7: unknown key \"cgruop\": is cgroup meant?"),
        (
            "      cgroup: v2\n      allow: [{to: [10.0.0.1]}, {name: b}, {name: Other, to: [10.0.0.1]}]\n",
            "c:9:15: a destination needs a name\n\
             c:9:33: a destination has no addresses: give it prefixes, for example to: [10.0.3.0/24]\n\
             c:9:51: name: \"Other\" is not a destination's name: 1 to 32 of a-z, 0-9, _ and -",
        ),
        (
            "      cgroup: v2\n      allow: [{name: other, to: [10.0.0.1], ports: []}]\n",
            "c:9:15: a destination whose ports are none can never be called: leave ports out to name all\n\
             c:9:22: name: other is what no destination covers: choose another name",
        ),
        (
            "      cgroup: v2\n      allow: [{name: a, to: [10.0.0.1]}, {name: a, to: [10.0.0.2/8]}]\n",
            "c:9:49: name: a is taken already, at c:9:22\n\
             c:9:57: to: 10.0.0.2/8 has bits behind its prefix: is 10.0.0.0/8 meant?",
        ),
        (
            "      cgroup: v2\n      v1_cgroup: v2/inner\n",
            "c:9:18: v1_cgroup: v2/inner is fenced, at c:8:15: v1's calls must never be denied",
        ),
    ];
    for (text, expect) in cases {
        assert_eq!(said(text), expect, "{text}");
    }
}

#[test]
fn a_list_that_leaves_nothing_out_is_no_fence() {
    let no_fence = |lists: &[&str]| {
        let lists: Vec<_> = (0..).zip(lists).map(|(n, rest)| format!("{{name: d{n}, {rest}}}")).collect();
        said(&format!("      cgroup: v2\n      allow: [{}]\n", lists.join(", "))).contains("that is no fence")
    };
    assert!(no_fence(&["to: [0.0.0.0/0]"]));
    assert!(no_fence(&["to: ['::/0']"]));
    assert!(no_fence(&["to: [0.0.0.0/0], ports: [1-1000, 1001-65535]"]));
    assert!(no_fence(&["to: [0.0.0.0/1]", "to: [128.0.0.0/1]"]));
    assert!(!no_fence(&["to: [0.0.0.0/0, '::/0'], ports: [443]"]));
    assert!(!no_fence(&["to: [0.0.0.0/1]", "to: [128.0.0.0/1], ports: [443]"]));
    assert!(!no_fence(&["to: [0.0.0.0/1, '8000::/1']"]));
}

#[test]
fn the_one_destination_too_many_is_named() {
    let list = |count| {
        let lines: String =
            (0..count).map(|n| format!("      - {{name: d{n}, to: [10.0.0.{n}]}}\n")).collect();
        fence(&format!("      cgroup: v2\n      allow:\n{lines}"))
    };
    assert_eq!(list(64).unwrap().unwrap().allow.len(), 64);
    let said = list(65).unwrap_err();
    assert_eq!(said, "c:74:9: more than 64 destinations, which is all the kernel side holds for a fence");
}

#[test]
fn users_traffic_is_not_fenced_in() {
    let observed = FILE.replace("    share: 5%\n", "    v2_role: observed\n");
    let with = |mode| build(&observed.replace('^', &format!("    fence: {{cgroup: v2, mode: {mode}}}\n")));
    assert!(with("report").is_ok());
    assert!(with("deny").unwrap_err().contains("say mode: report"));
}

#[test]
fn a_cgroup_is_fenced_once() {
    let fenced = FILE.replace('^', "    fence: {cgroup: v2}\n");
    let second = "  - {name: b, v1: '10.0.0.6:80', v2: '10.0.0.7:80', share: 5%, fence: {cgroup: v2/}}\n";
    let said = build(&format!("{fenced}{second}")).unwrap_err();
    assert_eq!(said, "c:8:80: cgroup: v2 is fenced already, at c:7:21");
}
