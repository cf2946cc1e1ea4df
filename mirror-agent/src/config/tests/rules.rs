//! Rings, rules, thresholds: every mistake with its words and its place, all of them at once.

use super::build;

/// A right file; `%` is where rules go, `^` where rings go.
const FILE: &str = "\
interfaces: [eth0]
rings:
  team: {clients: [10.1.0.0/16]}
  office: {clients: [10.2.0.0/16, 'fd02::/16'], share: 20%}
^services:
  - name: a
    v1: 10.0.0.4:80
    v2: 10.0.0.5:80
    share: 5%
%";

fn said(rings: &str, service: &str) -> String {
    let text = FILE.replace('^', rings);
    let (head, _) = text.rsplit_once('%').unwrap();
    build(&format!("{head}{service}")).map_or_else(|said| said, |_| String::new())
}

fn rules(rules: &str) -> String {
    said("", &format!("    rules:\n{rules}"))
}

#[test]
fn mistakes_of_rules() {
    let cases = [
        ("      - {ring: team, share: 1%}\n      - {ring: office}\n", ""),
        (
            "      - {ring: team}\n",
            "c.yaml:11:9: a rule has no share: say how much to mirror, for example 5%; 0% is fine",
        ),
        (
            "      - {ring: teem, share: 1%}\n",
            "c.yaml:11:16: ring: teem is not defined under rings: there is team, office",
        ),
        (
            "      - {share: 1%}\n",
            "c.yaml:11:9: a rule that names neither ring, clients nor ports is what the service's own share is for",
        ),
        (
            "      - {ring: team, clients: [10.0.0.1], share: 1%}\n",
            "c.yaml:11:9: a rule names a ring or clients, not both: make it two rules",
        ),
        (
            "      - {clients: [], share: 1%}\n",
            "c.yaml:11:9: a rule whose clients are none names nobody: leave clients out to name all",
        ),
        (
            "      - {ports: [], share: 1%}\n",
            "c.yaml:11:9: a rule whose ports are none names nobody: leave ports out to name all",
        ),
        ("      - {ports: [9-7], share: 1%}\n", "c.yaml:11:18: ports: 9-7 is out of order: is 7-9 meant?"),
        (
            "      - {ports: [65536], share: 1%}\n",
            "c.yaml:11:18: ports: \"65536\" is neither a port nor a range: write for example 40000-40099",
        ),
        (
            "      - {clients: [10.1.2.3/16], share: 1%}\n",
            "c.yaml:11:20: clients: 10.1.2.3/16 has bits behind its prefix: is 10.1.0.0/16 meant?",
        ),
        ("      - {ring: team, share: 101%}\n", "c.yaml:11:29: share: 101% is more than 100%"),
        (
            "      - {ring: team, shre: 1%}\n",
            "c.yaml:11:9: a rule has no share: say how much to mirror, for example 5%; 0% is fine\nc.yaml:11:22: unknown key \"shre\": is share meant?",
        ),
        (
            "      - {clients: [10.0.0.0/8], share: 1%}\n      - {ring: team, share: 2%}\n",
            "c.yaml:12:9: a rule that never matches: all it names is named before, at c.yaml:11:9",
        ),
        (
            "      - {clients: [10.1.0.0/17, 10.1.128.0/17], share: 1%}\n      - {clients: [10.1.0.0/24, 10.1.200.0/24], ports: [7], share: 2%}\n",
            "c.yaml:12:9: a rule that never matches: all it names is named before, at c.yaml:11:9",
        ),
        ("      - {clients: [10.0.0.0/8], ports: [1-9], share: 1%}\n      - {ring: team, share: 2%}\n", ""),
        ("      - {ports: [1-9], share: 1%}\n      - {clients: ['::1'], ports: [3-10], share: 2%}\n", ""),
        ("      - team\n", "c.yaml:11:9: rules: each item must be a mapping, `key: value`"),
    ];
    for (text, expected) in cases {
        assert_eq!(rules(text), expected, "{text}");
    }
}

#[test]
fn mistakes_of_rings_and_thresholds_are_said_together() {
    let rings = "  rest: {clients: [10.3.0.0/16]}\n  7up: {clients: [10.3.0.0/16]}\n  none: {}\n  odd: {clients: [10.3.0.1/16], shares: 5}\n";
    let expected = "\
c.yaml:5:3: rings: rest is what is in no ring: choose another name
c.yaml:6:3: rings: \"7up\" is not a ring's name: 1 to 32 of a-z, 0-9, _ and -, a letter first
c.yaml:7:3: ring none has no clients: give it prefixes, for example [10.1.0.0/16]
c.yaml:8:19: clients: 10.3.0.1/16 has bits behind its prefix: is 10.3.0.0/16 meant?
c.yaml:8:33: unknown key \"shares\": is share meant?
c.yaml:14:22: thresholds: 100ms comes after 1s: write thresholds from the shortest to the longest
c.yaml:14:29: thresholds: \"fast\" is not a time: write for example 5s, 250ms or 1m 30s";
    assert_eq!(said(rings, "    thresholds: [1s, 100ms, fast]\n"), expected);
    let twice = said("  team: {clients: [10.3.0.0/16]}\n", "");
    assert_eq!(twice, "c.yaml:5:3: duplicate mapping key `team` is not allowed here");
}

#[test]
fn no_more_than_the_kernel_holds() {
    let many = |count: usize| {
        (0..count).map(|n| format!("      - {{ports: [{}], share: 1%}}\n", 2 * n + 1)).collect::<String>()
    };
    assert_eq!(rules(&many(15)), "");
    let too_many = "c.yaml:26:9: more than 15 rules (each range of ports counts), which is all the kernel side holds for a service";
    assert_eq!(rules(&many(16)), too_many);
    let ports: Vec<_> = (0..16).map(|n| (2 * n + 1).to_string()).collect();
    assert_eq!(
        rules(&format!("      - {{ports: [{}], share: 1%}}\n", ports.join(", "))),
        too_many.replace("26:9", "11:9")
    );

    let rings = |count: usize| {
        (0..count).map(|n| format!("  r{n}: {{clients: [10.3.{n}.0/24]}}\n")).collect::<String>()
    };
    assert_eq!(said(&rings(61), ""), "");
    assert_eq!(said(&rings(62), ""), "c.yaml:66:3: more than 63 rings, which is all the kernel side holds");

    let prefixes = |count: usize| {
        (0..count).map(|n| format!("10.3.{}.{}", n / 256, n % 256)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(rules(&format!("      - {{clients: [{}], share: 1%}}\n", prefixes(4095))), "");
    let too_many = "c.yaml:6:5: more than 4096 prefixes in the rules of all services, which is all the kernel side holds";
    assert_eq!(rules(&format!("      - {{clients: [{}], share: 1%}}\n", prefixes(4096))), too_many);

    let thresholds = |count: usize| (1..=count).map(|n| format!("{n}ms")).collect::<Vec<_>>().join(", ");
    assert_eq!(said("", &format!("    thresholds: [{}]\n", thresholds(8))), "");
    assert_eq!(
        said("", &format!("    thresholds: [{}]\n", thresholds(9))),
        "c.yaml:10:58: more than 8 thresholds, which is all the kernel side holds for a service"
    );
}
