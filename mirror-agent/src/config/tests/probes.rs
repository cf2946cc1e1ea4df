//! Probes: what is read, and every mistake with its words and its place.

use std::time::Duration;

use super::{GOOD, build};
use crate::probe::{Expect, Spec};

fn with(probes: &str) -> String {
    GOOD.replacen("share: 5%", &format!("share: 5%\n    probes:\n{probes}"), 1)
}

fn said(probes: &str) -> String {
    build(&with(probes)).map_or_else(|said| said, |_| String::new())
}

#[test]
fn a_probe_says_little_or_all() {
    let all = "    - {name: all, method: HEAD, path: '/x?y=1', headers: {Accept: text/html, X-A: 1}, every: 30s, timeout: 2s, \
               expect: {status: [204, 200], body: '\"ok\"'}}\n";
    let config = build(&with(&format!(
        "    - {{name: health, path: /healthz}}\n{all}    - {{name: fast, path: /, every: 1s}}\n"
    )));
    let probes = &config.unwrap().services[0].probes;
    let little = Spec {
        name: "health".into(),
        method: "GET".into(),
        path: "/healthz".into(),
        headers: Vec::new(),
        every: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        expect: Expect::default(),
    };
    let all = Spec {
        name: "all".into(),
        method: "HEAD".into(),
        path: "/x?y=1".into(),
        headers: vec![("accept".into(), "text/html".into()), ("x-a".into(), "1".into())],
        every: Duration::from_secs(30),
        timeout: Duration::from_secs(2),
        expect: Expect { status: vec![200, 204], body: Some("\"ok\"".into()) },
    };
    assert_eq!(probes[..2], [little, all]);
    assert_eq!(probes[2].timeout, Duration::from_millis(500), "it never overlaps the next");
}

#[test]
fn mistakes_of_probes() {
    let cases = [
        ("    - {name: a}\n", "c.yaml:8:7: a probe has no path: say what is asked, for example /healthz"),
        ("    - {path: /}\n", "c.yaml:8:7: a probe has no name: it is a label in the metrics"),
        (
            "    - {name: A, path: /}\n",
            "c.yaml:8:14: name: \"A\" is not a service name: 1 to 32 of a-z, 0-9, _ and -",
        ),
        (
            "    - {name: a, path: x y}\n",
            "c.yaml:8:23: path: \"x y\" is not what can be asked for: it starts with / and has neither space nor #",
        ),
        (
            "    - {name: a, path: /, method: POST}\n",
            "c.yaml:8:34: method: POST may change something: a probe is GET, HEAD or OPTIONS",
        ),
        (
            "    - {name: a, path: /, every: 5s, timeout: 5s}\n",
            "c.yaml:8:46: timeout: 5s is not less than 5s, which is how often it is sent: probes would overlap",
        ),
        (
            "    - {name: a, path: /, every: 100ms}\n",
            "c.yaml:8:33: every: 100ms is shorter than 1s, the shortest interval of a probe",
        ),
        (
            "    - {name: a, path: /, every: 5m, timeout: 2m}\n",
            "c.yaml:8:46: timeout: 2m is longer than a minute, the longest timeout of a probe",
        ),
        (
            "    - {name: a, path: /}\n    - {name: a, path: /}\n",
            "c.yaml:9:14: name: a is taken already, at c.yaml:8:14",
        ),
        (
            "    - {name: a, path: /, expect: {status: [99, 200]}}\n",
            "c.yaml:8:44: status: \"99\" is not the status of an answer: 200 to 599",
        ),
        (
            "    - {name: a, path: /, headers: {X-Mirror-Probe: b}}\n",
            "c.yaml:8:36: headers: x-mirror-probe is what the probe itself sets, or cannot have",
        ),
        (
            "    - {name: a, path: /, headers: {x: \"a\\r\\nb: c\"}}\n",
            "c.yaml:8:39: x: \"a\\r\\nb: c\" has a character that no field may have",
        ),
        (
            "    - {name: a, path: /, expect: {body: 'a(', bodi: x}, evry: 1s}\n",
            "c.yaml:8:41: body: \"a(\" is not a regular expression: unclosed group\n\
             c.yaml:8:47: unknown key \"bodi\": is body meant?\nc.yaml:8:57: unknown key \"evry\": is every meant?",
        ),
    ];
    for (probes, expected) in cases {
        assert_eq!(said(probes), expected, "{probes}");
    }
}

#[test]
fn sixteen_are_enough() {
    let probes = |count| (0..count).map(|n| format!("    - {{name: p{n}, path: /}}\n")).collect::<String>();
    assert_eq!(said(&probes(16)), "");
    assert_eq!(said(&probes(17)), "c.yaml:24:7: more than 16 probes of one service");
}
