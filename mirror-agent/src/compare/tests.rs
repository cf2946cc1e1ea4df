//! Tables and properties of whole comparisons.

mod body;
mod coded;
mod headers;
mod json;

use super::*;
use crate::coding::tests::encode;
use crate::http::Headers;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// An answer that owns its parts.
#[derive(Clone, Debug)]
struct Made {
    status: u16,
    headers: Headers,
    body: Vec<u8>,
    whole: bool,
}

impl Made {
    fn new(headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let headers = headers.iter().copied().collect();
        Made { status: 200, headers, body: body.as_ref().to_vec(), whole: true }
    }

    fn json(body: impl AsRef<[u8]>) -> Self {
        Made::new(&[("Content-Type", "application/json")], body)
    }

    /// Cut after one byte when it is not whole.
    fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            headers: &self.headers,
            body: if self.whole { &self.body } else { self.body.get(..1).unwrap_or_default() },
            len: self.body.len() as u64,
            digest: Some(Sha256::digest(&self.body).into()),
            whole: self.whole,
        }
    }
}

fn run(v1: &Made, v2: &Made, rules: &Rules) -> Comparison {
    compare(&v1.answer(), &v2.answer(), "/users/7", rules)
}

/// One difference on a line: part, kind, path, then both values.
fn lines(comparison: &Comparison) -> Vec<String> {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let line = |d: &Difference| {
        format!("{} {} {}: {} | {}", d.part.as_str(), d.kind.as_str(), d.path, value(&d.v1), value(&d.v2))
    };
    comparison.differences.iter().map(line).collect()
}

fn check(v1: &Made, v2: &Made, rules: &Rules, expect: &[&str], ignored: u32) {
    let got = run(v1, v2, rules);
    assert_eq!(lines(&got), expect, "{v1:?} {v2:?}");
    assert_eq!(got.ignored, ignored, "{v1:?} {v2:?}");
    assert_eq!(got.dropped, 0);
}

fn at_most(max: usize) -> Rules {
    let mut rules = Rules::default();
    rules.max_differences = max;
    rules
}

fn ignoring(paths: &[&str]) -> Rules {
    let mut rules = Rules::default();
    for path in paths {
        rules.ignore_path(path).unwrap();
    }
    rules
}

#[test]
fn status() {
    let v1 = Made::new(&[], "");
    let v2 = Made { status: 503, ..v1.clone() };
    check(&v1, &v2, &Rules::default(), &["status value status: 200 | 503"], 0);
    check(&v1, &v2, &ignoring(&["status"]), &[], 1);
    check(&v1, &v2, &ignoring(&["body", "header.*"]), &["status value status: 200 | 503"], 0);
}

#[test]
fn a_difference_as_others_read_it() {
    let v1 = Made::json(r#"{"a":1}"#);
    let v2 = Made { status: 500, ..Made::json("{}") };
    let json = serde_json::to_value(run(&v1, &v2, &Rules::default())).unwrap();
    let want = serde_json::json!({
        "differences": [
            {"part": "status", "path": "status", "kind": "value", "v1": "200", "v2": "500"},
            {"part": "missing", "path": "body.a", "kind": "missing", "v1": "1", "v2": null},
        ],
        "dropped": 0, "ignored": 0, "coarse": false,
        "undecodable": {"v1": null, "v2": null},
    });
    assert_eq!(json, want);
}

#[test]
fn names_in_json_are_the_names_in_metrics() {
    for part in Part::ALL {
        assert_eq!(serde_json::to_value(part).unwrap(), part.as_str());
    }
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[test]
fn the_rest_is_counted() {
    let body = |n: usize| format!("[{}]", vec![n.to_string(); 100].join(","));
    let (v1, v2) = (Made::json(body(1)), Made { status: 404, ..Made::json(body(2)) });
    for max in [0, 1, 32, 100, 101, 200] {
        let got = run(&v1, &v2, &at_most(max));
        assert_eq!(got.differences.len(), max.min(101));
        assert_eq!(got.dropped as usize, 101 - max.min(101));
        assert!(!got.is_same());
    }
    assert_eq!(run(&v1, &v2, &Rules::default()).differences.len(), 32);
}

/// Anything from nonsense to nearly JSON, with any claim about it.
fn any_answer() -> impl Strategy<Value = Made> {
    let kind = prop::sample::select(vec![
        "application/json",
        "text/plain",
        "text/html",
        "a/b+json; x",
        "image/png",
        "",
    ]);
    let coding = prop::sample::select(vec!["", "identity", "gzip", "deflate", "br", "zstd", "unknown"]);
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).boxed(),
        r#"[\[\]{}",:0-9eE+.a\\u -]{0,40}"#.prop_map(String::into_bytes).boxed(),
        r#"\{"[ab]":(1|\[[0-3],[0-3]\]|"x"|null)(,"[cd]":[0-9]{1,3})?\}"#.prop_map(String::into_bytes).boxed(),
        "(a|b|\n|é){0,12}".prop_map(String::into_bytes).boxed(),
    ];
    let extra = prop::collection::vec(("[a-cA-C]{0,2}", "[ -~é]{0,12}"), 0..4);
    (prop::sample::select(vec![200_u16, 500]), kind, coding, extra, body, prop::bool::weighted(0.8)).prop_map(
        |(status, kind, coding, extra, mut body, whole)| {
            if matches!(coding, "gzip" | "deflate" | "br" | "zstd") && body.len() % 4 > 0 {
                body = encode(coding, &body); // a fourth of them is none of what it says
            }
            let mut headers = vec![("content-type", kind), ("content-encoding", coding)];
            headers.extend(extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            Made { status, whole, ..Made::new(&headers, body) }
        },
    )
}

fn mirrored(kind: Kind) -> Kind {
    match kind {
        Kind::Missing => Kind::Extra,
        Kind::Extra => Kind::Missing,
        same => same,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_answer_is_the_same_as_itself(v in any_answer()) {
        prop_assert_eq!(run(&v, &v, &Rules::default()), Comparison::default());
    }

    /// Both ways round find the same places, with the values exchanged.
    #[test]
    fn symmetric(v1 in any_answer(), v2 in any_answer()) {
        let rules = ignoring(&["body.a", "header.a"]);
        let there = run(&v1, &v2, &rules);
        let mut back = run(&v2, &v1, &rules);
        back.undecodable = Undecodable { v1: back.undecodable.v2, v2: back.undecodable.v1 };
        for difference in &mut back.differences {
            std::mem::swap(&mut difference.v1, &mut difference.v2);
            difference.kind = mirrored(difference.kind);
            difference.field.kind = difference.kind;
        }
        back.fields.iter_mut().for_each(|field| field.kind = mirrored(field.kind));
        back.fields.sort();
        prop_assert_eq!(there, back);
    }

    #[test]
    fn bounded(v1 in any_answer(), v2 in any_answer(), max in 0_usize..4) {
        let got = run(&v1, &v2, &at_most(max));
        prop_assert!(got.differences.len() <= max);
        for difference in &got.differences {
            prop_assert!(got.fields.contains(&difference.field));
            prop_assert!(difference.path.len() <= MAX_PATH);
            for value in [&difference.v1, &difference.v2].into_iter().flatten() {
                prop_assert!(value.len() <= MAX_VALUE);
            }
        }
    }

    /// The fields are those of all differences, however many are shown.
    #[test]
    fn fields_do_not_depend_on_what_is_shown(v1 in any_answer(), v2 in any_answer()) {
        let (few, all) = (run(&v1, &v2, &at_most(0)), run(&v1, &v2, &at_most(1000)));
        prop_assert_eq!(&few.fields, &all.fields);
        prop_assert_eq!(all.fields.is_empty(), all.is_same());
        for field in &all.fields {
            prop_assert!(all.differences.iter().any(|d| (d.part, d.kind) == (field.part, field.kind)));
        }
    }

    /// A secret, wherever it stands, is in nothing that is kept.
    #[test]
    fn no_secret_is_kept(place in 0_usize..8, json: bool, secret in "[a-z]{8}[0-9]{8}") {
        // In a page that does not say it is one, no attribute is known to belong to another.
        prop_assume!(place != 5 || !json);
        let body = |secret: &str| match place {
            0 => format!(r#"{{"api_token":"{secret}"}}"#),
            1 => format!(r#"{{"a":[{{"password":{{"x":["{secret}"]}}}}]}}"#),
            2 => format!(r#"{{"{secret}@example.com":1}}"#),
            3 => format!(r#"{{"a":{{"{secret}@example.com":[1]}}}}"#),
            4 => format!(r#"["mail {secret}@example.com",1]"#),
            5 => format!("<input name=csrf value={secret}><p>{}</p>", secret.len()),
            6 => format!("<a href=\"/x?token={secret}\">"),
            _ => format!(r#"["CUST-{secret}"]"#),
        };
        let kind = [("Content-Type", if json { "application/json" } else { "text/html" })];
        let mut rules = Rules::default();
        rules.redactor_mut().add_pattern("CUST-[a-z0-9]+").unwrap();
        let got = run(&Made::new(&kind, body(&secret)), &Made::new(&kind, body("other1234")), &rules);
        let kept = format!("{got:?}");
        prop_assert!(!kept.contains(&secret), "{}", kept);
    }

    /// Hiding everything hides everything, and says so.
    #[test]
    fn hidden_is_counted(v1 in any_answer(), v2 in any_answer()) {
        let shown = run(&v1, &v2, &Rules::default());
        let hidden = run(&v1, &v2, &ignoring(&["status", "header", "body"]));
        prop_assert!(hidden.is_same());
        prop_assert!(shown.is_same() || hidden.ignored > shown.ignored);
    }
}
