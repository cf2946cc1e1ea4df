//! What is read of an experiment's file, and everything that is refused, with its place.

use std::time::Duration;

use crate::chaos::{Bound, Experiment, Fault, Kind, Limit, Metric, Radius};
use crate::config::Share;

const GOOD: &str = "\
title: v2 is slow
service: checkout
hypothesis:
  v1_p99: {grows_at_most: 15%}
  v2_errors: {at_most: 5%}
  v2_p99: {at_most: 1s}
  verdict: not_fail
method:
- {fault: delay, latency: 200ms, jitter: 50ms, share: 20%, duration: 30s}
- {fault: bandwidth, bytes_per_second: 64KiB, share: 5%, duration: 10s}
- {fault: blackhole, share: 0.5%, duration: 1m}
blast_radius: {share: 20%, max_active: 8, services: [checkout]}
abort_conditions:
- v1_errors: {above: 1%}
- v1_p99: {grows_above: 20%, above: 250ms}
rollback: {wait: 20s}
baseline: 15s
seed: 7
";

fn parse(text: &str) -> Result<Experiment, Vec<String>> {
    let parsed = Experiment::parse("e.yaml", text, &["checkout", "search"]);
    parsed.map_err(|errors| errors.to_string().lines().map(str::to_owned).collect())
}

fn share(percent: u32) -> Share {
    Share::from_ppm(percent * 10_000).unwrap()
}

#[test]
fn every_key_goes_where_it_belongs() {
    let limit = |metric, bound| Limit { metric, bound };
    let seconds = Duration::from_secs;
    let parsed = parse(GOOD).unwrap();
    assert_eq!((parsed.title.as_str(), parsed.service.as_str()), ("v2 is slow", "checkout"));
    assert_eq!(parsed.radius, Radius { share: share(20), max_active: 8 });
    assert_eq!((parsed.baseline, parsed.wait), (seconds(15), seconds(20)));
    assert_eq!(
        parsed.hypothesis,
        [
            limit(Metric::V1P99, Bound::Growth(0.15)),
            limit(Metric::V2Errors, Bound::Share(share(5))),
            limit(Metric::V2P99, Bound::Time(seconds(1))),
            limit(Metric::Verdict, Bound::NotFail),
        ]
    );
    assert_eq!(
        parsed.abort,
        [
            limit(Metric::V1Errors, Bound::Share(share(1))),
            limit(Metric::V1P99, Bound::Time(Duration::from_millis(250))),
            limit(Metric::V1P99, Bound::Growth(0.2)),
        ]
    );
    let kind = Kind::Delay { latency: Duration::from_millis(200), jitter: Duration::from_millis(50) };
    let slow = Kind::Bandwidth { bytes_per_second: 65_536 };
    let half = Share::from_ppm(5_000).unwrap();
    assert_eq!(
        parsed.method,
        [
            Fault { kind, share: share(20), duration: seconds(30) },
            Fault { kind: slow, share: share(5), duration: seconds(10) },
            Fault { kind: Kind::Blackhole, share: half, duration: seconds(60) },
        ]
    );
}

#[test]
fn what_may_be_left_out_has_its_default_and_v1_stays_flat() {
    let text = "\
title: v2 resets
method: [{fault: reset, share: 1%, duration: 10s}]
blast_radius: {share: 1%}
abort_conditions: [{v1_errors: {above: 1%}}]
";
    let parsed = Experiment::parse("e.yaml", text, &["only"]).unwrap();
    assert_eq!(parsed.service, "only");
    assert_eq!(parsed.hypothesis, [Limit { metric: Metric::V1P99, bound: Bound::Growth(0.1) }]);
    assert_eq!((parsed.baseline, parsed.wait), (Duration::from_secs(10), Duration::from_secs(10)));
    assert_eq!(parsed.radius.max_active, 32);
    let with_other = text.replace("method:", "hypothesis: {v2_errors: {at_most: 9%}}\nmethod:");
    let parsed = Experiment::parse("e.yaml", &with_other, &["only"]).unwrap();
    assert_eq!(parsed.hypothesis[0], Limit::V1_FLAT);
    assert_eq!(parsed.hypothesis.len(), 2);
}

#[test]
fn every_mistake_is_named_at_once_with_its_place() {
    let text = "\
title: ''
service: checkot
hypothesis:
  v1_p99: {grows_at_mots: 10%}
  v2_errors: {at_most: 5}
  v3_errors: {at_most: 5%}
method:
- {fault: delay, share: 30%, duration: 30s}
- {fault: reset, latency: 1ms, share: 5%}
- {fault: teapot, share: 5%, duration: 10s}
- {fault: delay, latency: 1ms, jitter: 2ms, share: 5%, duration: 2h}
blast_radius: {share: 20%, max_active: 0, services: [search]}
";
    let expected = [
        "e.yaml: has no abort_conditions",
        "e.yaml:1:8: title: is empty",
        "e.yaml:2:10: no such service: checkot; there is: checkout, search",
        "e.yaml:2:10: service checkot is outside the blast radius",
        "e.yaml:4:11: says no bound",
        "e.yaml:4:12: unknown key \"grows_at_mots\": is grows_at_most meant?",
        "e.yaml:5:24: at_most: 5 is ambiguous: write 5%",
        "e.yaml:6:3: unknown key \"v3_errors\": is v2_errors meant?",
        "e.yaml:8:3: delay has no latency",
        "e.yaml:8:3: share 30% is more than the blast radius of 20%",
        "e.yaml:9:3: has no duration",
        "e.yaml:9:27: latency is of delay, not of reset",
        "e.yaml:10:11: fault: \"teapot\" is no fault: there is delay, abort, reset, blackhole, bandwidth",
        "e.yaml:11:40: jitter is more than the latency",
        "e.yaml:11:66: duration: 2h is longer than an hour",
        "e.yaml:12:40: max_active: 0 is not from 1 to 65536",
    ];
    let found = parse(text).unwrap_err();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn nothing_that_could_go_on_for_ever_or_unwatched_is_accepted() {
    let without = |line: &str| -> String {
        GOOD.lines()
            .filter(|one| !one.starts_with(line))
            .map(|one| {
                format!(
                    "{one}
"
                )
            })
            .collect()
    };
    let (head, rest) = GOOD.split_once("method:").unwrap();
    let no_method = format!("{head}method: []\n{}", &rest[rest.find("blast").unwrap()..]);
    for (text, expected) in [
        (GOOD.replace(", duration: 1m", ""), "has no duration"),
        (no_method, "has no method"),
        (
            GOOD.replace("- v1_errors: {above: 1%}\n- v1_p99: {grows_above: 20%, above: 250ms}", "- {}"),
            "has no abort",
        ),
        (without("blast"), "has no blast_radius"),
        (GOOD.replace("services: [checkout]", "services: [search]"), "outside the blast radius"),
        (GOOD.replace("services: [checkout]", "services: [shop]"), "no such service: shop"),
        (without("service"), "names no service, and several run: checkout, search"),
        (GOOD.replace("duration: 30s", "duration: 59m").replace("1m", "30m"), "more than an hour together"),
        (GOOD.replace("wait: 20s", "wait: 20h"), "longer than ten minutes"),
        (GOOD.replace("{above: 1%}", "{at_most: 1%}"), "unknown key \"at_most\""),
        ("[]".to_owned(), "an experiment must be a mapping"),
        ("title: [".to_owned(), "e.yaml:1:"),
    ] {
        let found = parse(&text).unwrap_err().join("\n");
        assert!(found.contains(expected), "{expected}: {found}");
    }
}
