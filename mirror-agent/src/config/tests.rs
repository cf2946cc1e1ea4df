//! Configurations: the sample, the defaults, and files that are hardly files.

mod merge;
mod mistakes;
mod probes;
mod rules;

use std::time::Duration;

use crate::compare::{Act, Tolerance};

use super::{Caps, Config, Draft, Judge, Limits, OnDisplaced, Share};
use crate::judge::Settings;

const SAMPLE: &str = include_str!("../../../deploy/config.yaml");

/// A right file; the tables of mistakes change one line of it.
const GOOD: &str = "\
interfaces: [eth0]
services:
  - name: a
    v1: 10.0.0.4:80
    v2: 10.0.0.5:80
    share: 5%
  - name: b
    v1: 10.0.1.4:80
    v2: 10.0.1.5:80
    share: 0%
";

fn build(text: &str) -> Result<Config, String> {
    Config::build(Draft::default(), Some(("c.yaml", text))).map_err(|errors| errors.to_string())
}

#[test]
fn the_sample_is_right_and_says_what_it_seems_to_say() {
    let config = build(SAMPLE).unwrap();
    let [service] = config.services.as_slice() else { panic!("{config:?}") };
    assert_eq!(config.interfaces, ["eth0"]);
    assert_eq!(config.listen, Some("127.0.0.1:9464".parse().unwrap()));
    assert_eq!((service.name.as_str(), service.share.ppm()), ("checkout", 50_000));
    assert_eq!(service.paths, ["/api/"]);
    assert_eq!(
        (&service.ignored_headers[..], &service.ignored_paths[..]),
        (&["x-build".into()][..], &["body.items[*].id".into()][..])
    );
    let names: Vec<_> = service.hiding.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["header.x-build", "body.items[*].id", "when", "body.total", "header.x-cache"]);
    assert_eq!(service.hiding[3].act, Act::Within(Tolerance::Relative(0.01)));
    assert_eq!(service.hiding[4].route.as_deref(), Some("/static/*"));
    assert_eq!(service.keys, ["body.lines[*].sku"]);
    assert_eq!(
        (&service.redact.names[..], &service.redact.patterns[..]),
        (&["ssn".into()][..], &["CUST-[0-9]+".into()][..])
    );
    let tail = Some(Duration::from_millis(250));
    assert_eq!(service.judge, Judge { tail, ..Judge::default() });
    let settings = Settings::from(&Judge::default());
    assert_eq!(settings, Settings::default());
    crate::service::Service::new(0, service, std::time::Instant::now()).unwrap();
    assert_eq!(service.limits, Limits { bytes_per_second: Some(100_000_000), ..Limits::DEFAULT });
    let caps = Caps {
        packets_per_second: Some(100_000),
        bytes_per_second: Some(1_000_000_000),
        connections_per_second: Some(1000),
        connections: Some(10_000),
        burst: Caps::BURST,
    };
    assert_eq!(service.caps, caps);
    assert_eq!(service.thresholds, [100, 250, 1000].map(Duration::from_millis));
    let [team, office] = config.rings.as_slice() else { panic!("{:?}", config.rings) };
    assert_eq!((team.name.as_str(), team.share, office.share), ("team", Some(Share::FULL), None));
    let [first, second, third] = service.rules.as_slice() else { panic!("{:?}", service.rules) };
    assert_eq!((&first.clients, first.share), (&team.clients, Share::FULL));
    assert_eq!((second.ring.as_deref(), second.ports.len()), (Some("office"), 2));
    assert_eq!((&third.ring, third.share), (&None, Share::ZERO));
}

#[test]
fn the_sample_holds_every_key_and_its_defaults_are_the_defaults() {
    let every_line = SAMPLE
        .replace("\n# shadow", "\nshadow")
        .replace("\n# diff", "\ndiff")
        .replace("\n# summ", "\nsumm")
        .replace("\n# work", "\nwork");
    let config = build(&every_line).unwrap();
    assert!(config.shadow_interface.is_some() && config.differences.is_some() && config.summary.is_some());
    assert_eq!(config.workers, 4);

    let (sample, least) = (build(SAMPLE).unwrap(), build(GOOD).unwrap());
    assert_eq!((&sample.control, sample.transit), (&least.control, least.transit));
    assert_eq!(sample.services[0].methods, least.services[0].methods);
    assert_eq!(sample.services[0].request_share, least.services[0].request_share);
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = build(GOOD).unwrap();
    let service = &config.services[0];
    assert_eq!((config.listen, config.shadow_interface, config.run_for), (None, None, None));
    assert_eq!(config.control.to_str(), Some("/run/mirror-agent/control.sock"));
    assert!((1..=4).contains(&config.workers) && !config.transit);
    assert_eq!(config.on_displaced, OnDisplaced::Report);
    assert_eq!(service.methods, ["GET", "HEAD", "OPTIONS"]);
    assert_eq!(
        (service.request_share, service.limits, service.caps),
        (Share::FULL, Limits::DEFAULT, Caps::default())
    );
    let limits = service.limits;
    assert_eq!((limits.rps, limits.in_flight, limits.connections), (1000, 64, 256));
    assert_eq!((limits.timeout, limits.bytes_per_second), (Duration::from_secs(5), None));
}

#[test]
fn all_mistakes_are_said_at_once_from_the_top() {
    let text = "\
interfaces: [a:b, eth0]
lisen: 127.0.0.1:9464
services:
  - name: a
    v1: 10.0.0.4:80
    v2: 10.0.0.4:80
    share: 5
  - v1: 10.0.0.4:80
    share: 5%
    limits: {rps: many}
";
    let expected = "\
c.yaml:1:14: interfaces: \"a:b\" is not an interface name: no space, slash or colon may be in it
c.yaml:2:1: unknown key \"lisen\": is listen meant?
c.yaml:6:9: v2: 10.0.0.4:80 is v1 itself, which would get its own requests again
c.yaml:7:12: share: 5 is ambiguous: write 5%
c.yaml:8:5: a service needs a name
c.yaml:8:5: service default has no v2: say which ADDR:PORT gets the copy
c.yaml:8:9: v1: 10.0.0.4:80 is a v1 already, at c.yaml:5:9
c.yaml:10:19: rps: \"many\" is not a whole number from 1 to 1000000";
    assert_eq!(build(text).unwrap_err(), expected);
}

#[test]
fn files_that_are_no_configuration() {
    let nothing = "c.yaml: names no interface that carries a service: give it interfaces, or use --interface
c.yaml: names no service: give it one under services, or use --v1, --v2 and --share";
    for text in ["", "# only a comment\n", "~", "{}", "---\n"] {
        assert_eq!(build(text).unwrap_err(), nothing, "{text:?}");
    }
    assert_eq!(build("- a").unwrap_err(), "c.yaml:1:1: a configuration must be a mapping, `key: value`");
    assert_eq!(build("eth0").unwrap_err(), "c.yaml:1:1: a configuration must be a mapping, `key: value`");
    for text in ["a: b: c", "a: &x [*x]", "a: *b", "{", "a: 1\n---\nb: 2", "\u{0}", "? [a]\n: b"] {
        let said = build(text).unwrap_err();
        assert!(said.starts_with("c.yaml") && !said.contains('\n'), "{text:?}: {said}");
    }
}

#[test]
fn a_file_that_is_all_depth_ends_in_an_error() {
    for open in ["[", "{a: ", "- "] {
        assert!(build(&open.repeat(100_000)).unwrap_err().starts_with("c.yaml"), "{open}");
    }
}

#[test]
fn anchors_are_followed_and_mistakes_named_where_they_were_written() {
    let text = GOOD.replace("share: 5%", "share: &s 5%").replace("share: 0%", "share: *s");
    assert_eq!(build(&text).unwrap().services[1].share.ppm(), 50_000);
    let text = GOOD.replace("share: 5%", "share: &s 5").replace("share: 0%", "share: *s");
    assert_eq!(build(&text).unwrap_err(), "c.yaml:6:15: share: 5 is ambiguous: write 5%");
}

#[test]
fn no_prefix_of_the_sample_and_no_lost_line_panics() {
    for end in (0..=SAMPLE.len()).filter(|&end| SAMPLE.is_char_boundary(end)) {
        let _ = build(&SAMPLE[..end]);
    }
    let lines: Vec<&str> = SAMPLE.lines().collect();
    for lost in 0..lines.len() {
        let _ = build(&[&lines[..lost], &lines[lost + 1..]].concat().join("\n"));
    }
}

#[test]
fn services_up_to_sixty_four() {
    let service =
        |i: usize| format!("  - {{name: s{i}, v1: '10.0.0.1:{0}', v2: '10.0.0.2:{0}', share: 1%}}\n", i + 1);
    let file =
        |count| format!("interfaces: [eth0]\nservices:\n{}", (0..count).map(service).collect::<String>());
    assert_eq!(build(&file(64)).unwrap().services.len(), 64);
    assert_eq!(
        build(&file(65)).unwrap_err(),
        "c.yaml:67:5: more than 64 services, which is all the kernel side holds"
    );
}

#[test]
fn what_is_said_twice_counts_once() {
    let text = GOOD
        .replace("[eth0]", "[eth1, eth0, eth1]")
        .replace("5%", "5%\n    methods: [PUT, GET, PUT]\n    ignore: {headers: [X-A, x-a]}");
    let config = build(&text).unwrap();
    assert_eq!(config.interfaces, ["eth1", "eth0"]);
    assert_eq!(
        (&config.services[0].methods[..], &config.services[0].ignored_headers[..]),
        (&["PUT".into(), "GET".into()][..], &["x-a".into()][..])
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = std::env::temp_dir().join("no-such-directory-of-mirror-agent/config.yaml");
    let said = Config::load(Draft::default(), Some(&missing)).unwrap_err().to_string();
    assert!(said.starts_with(&format!("--config: {} cannot be opened: ", missing.display())), "{said}");
    let said = Config::load(Draft::default(), Some("/dev/zero".as_ref())).unwrap_err().to_string();
    assert_eq!(said, "--config: /dev/zero is larger than 1 MiB, too large for a configuration");
}
