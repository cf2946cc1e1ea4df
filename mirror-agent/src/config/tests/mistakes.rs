//! Every mistake, with its words and its place.

use super::{GOOD, build};

/// Mistakes in one line: what replaces what, and what is said of it.
const MISTAKES: [(&str, &str, &str); 63] = [
    ("share: 5%", "share: 5", "c.yaml:6:12: share: 5 is ambiguous: write 5%"),
    ("share: 5%", "share: 0.50", "c.yaml:6:12: share: 0.50 is ambiguous: write 0.50%"),
    ("share: 5%", "share: 101%", "c.yaml:6:12: share: 101% is more than 100%"),
    ("share: 5%", "share:", "c.yaml:6:10: share: has no value"),
    ("share: 5%", "share: [5%]", "c.yaml:6:12: share: must be a single value"),
    (
        "share: 5%",
        "request_share: 1%",
        "c.yaml:3:5: service a has no share: say how much to mirror, for example 5%; it has no default, and 0% is fine",
    ),
    (
        "share: 5%",
        "shares: 5%",
        "c.yaml:3:5: service a has no share: say how much to mirror, for example 5%; it has no default, and 0% is fine\nc.yaml:6:5: unknown key \"shares\": is share meant?",
    ),
    (
        "share: 5%",
        "share: 5%\n    zzz: 1",
        "c.yaml:7:5: unknown key \"zzz\": known here are name, v1, v2, share, rules, request_share, methods, paths, ignore, compare, limits, kernel_caps, thresholds, second_answers, judge, v2_role, split, slo, guards, ramp, fence, probes",
    ),
    ("name: a", "name: b", "c.yaml:7:11: name: b is taken already, at c.yaml:3:11"),
    (
        "name: a",
        "name: Shop",
        "c.yaml:3:11: name: \"Shop\" is not a service name: 1 to 32 of a-z, 0-9, _ and -",
    ),
    ("name: a", "name: é", "c.yaml:3:11: name: \"é\" is not a service name: 1 to 32 of a-z, 0-9, _ and -"),
    ("name: a\n    v1: 10.0.0.4:80", "v1: 10.0.0.4:80", "c.yaml:3:5: a service needs a name"),
    (
        "v1: 10.0.0.4:80",
        "share_: 1",
        "c.yaml:3:5: service a has no v1: say which ADDR:PORT serves users now\nc.yaml:4:5: unknown key \"share_\": is share meant?",
    ),
    (
        "v1: 10.0.0.4:80",
        "v1: 10.0.0.4",
        "c.yaml:4:9: v1: 10.0.0.4 has no port: write for example 10.0.0.4:8080",
    ),
    (
        "v1: 10.0.0.4:80",
        "v1: \"fd00::4\"",
        "c.yaml:4:9: v1: fd00::4 has no port: write for example [fd00::4]:8080",
    ),
    (
        "v1: 10.0.0.4:80",
        "v1: shop:80",
        "c.yaml:4:9: v1: \"shop:80\" is not ADDR:PORT: write for example 10.0.0.4:8080 or [fd00::4]:8080",
    ),
    (
        "v1: 10.0.0.4:80",
        "v1: 10.0.0.4:0",
        "c.yaml:4:9: v1: 10.0.0.4:0 has port 0, which no service listens on",
    ),
    (
        "v1: 10.0.0.4:80",
        "v1: 10.0.0.5:80",
        "c.yaml:5:9: v2: 10.0.0.5:80 is v1 itself, which would get its own requests again",
    ),
    (
        "v1: 10.0.0.4:80",
        "v1: \"[::ffff:10.0.0.5]:80\"",
        "c.yaml:5:9: v2: 10.0.0.5:80 is v1 itself, which would get its own requests again",
    ),
    ("v1: 10.0.0.4:80", "v1: 10.0.1.4:80", "c.yaml:8:9: v1: 10.0.1.4:80 is a v1 already, at c.yaml:4:9"),
    ("v2: 10.0.0.5:80", "v2: 10.0.1.4:80", "c.yaml:8:9: v1: 10.0.1.4:80 is a v2 already, at c.yaml:5:9"),
    ("v2: 10.0.0.5:80", "v2: 10.0.1.5:80", "c.yaml:9:9: v2: 10.0.1.5:80 is a v2 already, at c.yaml:5:9"),
    (
        "v2: 10.0.0.5:80",
        "v2: 0.0.0.0:80",
        "c.yaml:5:9: v2: 0.0.0.0:80 is no address that can be connected to",
    ),
    ("v2: 10.0.0.5:80", "v2: \"[::]:80\"", "c.yaml:5:9: v2: [::]:80 is no address that can be connected to"),
    (
        "v2: 10.0.0.5:80",
        "v2: 224.0.0.1:80",
        "c.yaml:5:9: v2: 224.0.0.1:80 is a multicast address, not a service",
    ),
    (
        "v2: 10.0.0.5:80",
        "v2: 255.255.255.255:80",
        "c.yaml:5:9: v2: 255.255.255.255:80 is the broadcast address, not a service",
    ),
    (
        "interfaces: [eth0]",
        "interfaces: []",
        "c.yaml: names no interface that carries a service: give it interfaces, or use --interface",
    ),
    ("interfaces: [eth0]", "interfaces: eth0", "c.yaml:1:13: interfaces: must be a list, `[a, b]`"),
    (
        "interfaces: [eth0]",
        "interfaces: [a/b]",
        "c.yaml:1:14: interfaces: \"a/b\" is not an interface name: no space, slash or colon may be in it",
    ),
    (
        "interfaces: [eth0]",
        "interfaces: [eth0, sixteen-letters-]",
        "c.yaml:1:20: interfaces: \"sixteen-letters-\" is longer than the 15 bytes of an interface name",
    ),
    (
        "interfaces: [eth0]",
        "interfaces: [eth0]\nshadow_interface: eth0",
        "c.yaml:2:19: shadow_interface: eth0 is tapped too: its clones would be cloned again",
    ),
    (
        "interfaces: [eth0]",
        "interfaces: [eth0]\nshadow_interface: vxlan:10.0.0.9:x",
        "c.yaml:2:19: shadow_interface: \"x\" is not a VNI: a whole number from 0 to 16777215",
    ),
    ("interfaces: [eth0]", "interfaces: [eth0]\nworkers: 0", "c.yaml:2:10: workers: 0 is not from 1 to 256"),
    (
        "interfaces: [eth0]",
        "interfaces: [eth0]\ntransit: yes",
        "c.yaml:2:10: transit: \"yes\" is neither true nor false",
    ),
    (
        "interfaces: [eth0]",
        "interfaces: [eth0]\nfor: 5s",
        "c.yaml:2:1: unknown key \"for\": known here are interfaces, shadow_interface, on_displaced, listen, control, summary, differences, workers, transit, state, guards, preflight, rings, services, redact",
    ),
    (
        "share: 5%",
        "share: 5%\n    methods: [get]",
        "c.yaml:7:15: methods: methods are case-sensitive: write GET, not get",
    ),
    ("share: 5%", "share: 5%\n    methods: [\"A B\"]", "c.yaml:7:15: methods: \"A B\" is not an HTTP method"),
    (
        "share: 5%",
        "share: 5%\n    methods: [CONNECT]",
        "c.yaml:7:15: methods: CONNECT opens a tunnel and cannot be replayed",
    ),
    (
        "share: 5%",
        "share: 5%\n    methods: []",
        "c.yaml:3:5: service a replays no method: a share of 0% says that better",
    ),
    (
        "share: 5%",
        "share: 5%\n    paths: [api]",
        "c.yaml:7:13: paths: \"api\" is not the beginning of a path: it starts with / and has no space",
    ),
    (
        "share: 5%",
        "share: 5%\n    ignore: {paths: [items]}",
        "c.yaml:7:22: paths: bad path `items` at byte 0: expected status, header.NAME or body, then .NAME, [N], [*] or [\"NAME\"]",
    ),
    (
        "share: 5%",
        "share: 5%\n    compare: {rules: [{path: body.a, matches: \"a(\", route: x, tolerance: -1}, {route: /a}], keys: [body.a]}",
        "c.yaml:7:47: matches: \"a(\" is not a regular expression: unclosed group
c.yaml:7:60: route: \"x\" is not a route: write a path, for example /users/{id}/orders or /admin/*
c.yaml:7:74: tolerance: \"-1\" is no tolerance: write for example 0.01, or 1% for a part of the larger
c.yaml:7:79: a rule of compare has either a header or a path
c.yaml:7:100: keys: \"body.a\" is no key: write for example body.items[*].sku",
    ),
    (
        "share: 5%",
        "share: 5%\n    compare: {rules: [{name: a, path: body.a, matches: x, tolerance: 1}, {name: a, header: b}, {name: volatile_html, header: c}]}",
        "c.yaml:7:23: a rule of compare has matches or a tolerance, not both: make it two rules
c.yaml:7:81: name: a is a rule of this service already
c.yaml:7:103: name: volatile_html is what is counted under that is left out by default",
    ),
    (
        "interfaces: [eth0]",
        "interfaces: [eth0]\nredact: {names: [\"-\"], patterns: [\"a*\", \"[\"]}",
        "c.yaml:2:18: names: \"-\" is in no name: it has neither letter nor digit
c.yaml:2:35: patterns: \"a*\" matches an empty text: it would hide nothing, everywhere
c.yaml:2:41: patterns: \"[\" is not a regular expression: unclosed character class",
    ),
    ("share: 5%", "share: 5%\n    ignore: [x]", "c.yaml:7:13: ignore must be a mapping, `key: value`"),
    (
        "share: 5%",
        "share: 5%\n    ignore: {headers: [\"a b\"], paths: [\"\"]}",
        "c.yaml:7:24: headers: \"a b\" is not a header name\nc.yaml:7:40: paths: \"\" is not the path of a field: write for example body.items[*].id",
    ),
    (
        "share: 5%",
        "share: 5%\n    limits: {rps: 1e3, in_flight: 0}",
        "c.yaml:7:19: rps: \"1e3\" is not a whole number from 1 to 1000000\nc.yaml:7:35: in_flight: 0 is not from 1 to 65536",
    ),
    (
        "share: 5%",
        "share: 5%\n    limits: {timeout: 5, rp: 1}",
        "c.yaml:7:23: timeout: \"5\" is not a time: write for example 5s, 250ms or 1m 30s\nc.yaml:7:26: unknown key \"rp\": is rps meant?",
    ),
    (
        "share: 5%",
        "share: 5%\n    limits: {timeout: 0s, bytes_per_second: big}",
        "c.yaml:7:23: timeout: 0s is no time at all\nc.yaml:7:45: bytes_per_second: \"big\" is not a size: write for example 100MB or 1GiB",
    ),
    (
        "share: 5%",
        "share: 5%\n    kernel_caps: {packets_per_second: -1}",
        "c.yaml:7:39: packets_per_second: \"-1\" is not a whole number from 1 to 1000000000",
    ),
    (
        "share: 5%",
        "share: 5%\n    second_answers: {from: v3, share: 0%}\n    judge: {alpha: 60%, margin: 1, tail: 5}",
        "c.yaml:7:28: from: \"v3\" is neither v1, v2 nor off\nc.yaml:7:39: share: 0% is no part at all\nc.yaml:8:20: alpha: 60% is more than a half\nc.yaml:8:33: margin: 1 is ambiguous: write 1%\nc.yaml:8:42: tail: \"5\" is not a time: write for example 5s, 250ms or 1m 30s",
    ),
    (
        "share: 5%",
        "share: 5%\n    v2_role: observed\n    split: 100%",
        "c.yaml:6:12: share: v2 carries users' traffic (v2_role: observed): nothing is mirrored to it, leave the share out\nc.yaml:8:12: split: 100% leaves nothing for v1",
    ),
    (
        "share: 5%",
        "share: 5%\n    split: 5%",
        "c.yaml:7:12: split: only a v2 with v2_role: observed gets a part of the traffic",
    ),
    (
        "share: 5%",
        "share: 5%\n    ramp: {steps: [{share: 1%, for: 5m}]}",
        "c.yaml:6:12: share: the ramp says how much is mirrored: leave the share out\nc.yaml:7:11: no step would ever end: it takes a PASS, and without second_answers: {from: v1} latency is not judged",
    ),
    (
        "share: 5%",
        "ramp: {steps: [{share: 25%, for: 5m}, {share: 5%, for: 5m}, {share: 120%, for: 1m}]}\n    second_answers: {from: v1}",
        "c.yaml:6:51: share: 5% comes after 25%: a ramp only rises\nc.yaml:6:73: share: 120% is more than 100%",
    ),
    (
        "share: 5%",
        "ramp: {steps: [{share: 25%}, {for: 5m, blocks: 0}]}\n    second_answers: {from: v1}",
        "c.yaml:6:20: a step of the ramp has no for: say how long it lasts at least, for example 5m\nc.yaml:6:34: a step of the ramp has no share: say how much is mirrored, for example 5%\nc.yaml:6:52: blocks: ",
    ),
    (
        "share: 5%",
        "ramp: {steps: []}\n    second_answers: {from: v1}",
        "c.yaml:6:11: ramp has no steps: write for example steps: [{share: 1%, for: 5m}, {share: 25%, for: 10m}]",
    ),
    (
        "share: 5%",
        "v2_role: observed\n    ramp: {steps: [{share: 1%, for: 5m}]}\n    second_answers: {from: v1}",
        "c.yaml:7:11: nothing is mirrored to a v2 that carries users' traffic (v2_role: observed): leave the ramp out",
    ),
    (
        "share: 5%",
        "share: 5%\n    slo: {objective: 100%, period: 5m}",
        "c.yaml:7:22: objective: 100% leaves no error budget: the first error would be too many; write for example 99.9%\nc.yaml:7:36: period: 5m is shorter than an hour",
    ),
    (
        "share: 5%",
        "share: 5%\n    slo: {latency: 250ms}",
        "c.yaml:7:10: slo has no objective: say which share of v1's answers must be good, for example 99.9%",
    ),
    (
        "share: 5%",
        "share: 5%\n    guards: {losses: 0%, v2_errors: on, v2_unreachable: 0s, switchback: maybe}",
        "c.yaml:7:22: losses: 0% is no part at all; or off\nc.yaml:7:37: v2_errors: ",
    ),
    (
        "share: 5%",
        "share: 5%\n    share: 6%",
        "c.yaml:7:5: duplicate mapping key `share` is not allowed here",
    ),
    ("share: 5%", "share: 5%\n   x: [", "c.yaml:7:4: "),
];

#[test]
fn every_mistake_is_named_with_its_place() {
    build(GOOD).unwrap();
    for (line, instead, expected) in MISTAKES {
        let said = build(&GOOD.replacen(line, instead, 1)).expect_err(instead);
        match expected.strip_suffix(": ") {
            Some(place) => assert!(said.starts_with(place), "{instead}: {said}"),
            None => assert_eq!(said, expected, "{instead}"),
        }
    }
}
