use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

fn check(v1: &str, v2: &str, expect: &[&str]) {
    check_with(v1, v2, &[], expect, 0);
}

fn check_with(v1: &str, v2: &str, ignored: &[&str], expect: &[&str], count: u32) {
    super::check(&Made::json(v1), &Made::json(v2), &ignoring(ignored), expect, count);
}

#[test]
fn objects_by_name() {
    check(r#"{"a":1,"b":{"c":[]}}"#, r#" { "b" : {"c":[ ]}, "\u0061":1 } "#, &[]);
    check(r#"{"a":1}"#, r#"{"a":2}"#, &["body value body.a: 1 | 2"]);
    check(
        r#"{"a":1,"c":{"x":true},"d":0}"#,
        r#"{"b":[null],"c":{"x":false},"d":0}"#,
        &[
            "missing missing body.a: 1 | -",
            "missing extra body.b: - | [null]",
            "body value body.c.x: true | false",
        ],
    );
    check(r#"{"a.b":{"":1}}"#, r#"{"a.b":{"":2}}"#, &[r#"body value body["a.b"][""]: 1 | 2"#]);
}

#[test]
fn arrays_by_what_belongs_together_and_order_apart() {
    check("[1,2,3]", "[1,5,3]", &["body value body[1]: 2 | 5"]);
    check("[1]", "[1,2,3]", &["missing extra body[1]: - | 2", "missing extra body[2]: - | 3"]);
    check("[1,2,3]", "[3,1,2]", &["body order body: [1,2,3] | [3,1,2]"]);
    check("[1,1,2]", "[1,2,2]", &["body value body[1]: 1 | 2"]);
    check("[1,2,1]", "[2,1,2]", &["body order body: [1,2,1] | [2,1,2]", "body value body[2]: 1 | 2"]);
    check("[2,3]", "[1,2,3]", &["missing extra body[0]: - | 1"]);
    check(
        r#"[{"id":"a","n":1},{"id":"b","n":2},{"id":"c","n":3}]"#,
        r#"[{"id":"c","n":3},{"id":"x"},{"id":"a","n":7},{"id":"b","n":2}]"#,
        &[
            r#"body order body: [{"id":"a","n":1},{"id":"b","n":2},{"id":"c","n":3}] | [{"id":"c","n":3},{"id":"x"},{"id":"a","n":7},{"id":"b","n":2}]"#,
            "body value body[0].n: 1 | 7",
            r#"missing extra body[1]: - | {"id":"x"}"#,
        ],
    );
    let (v1, v2) = (r#"{"a":[{"x":1,"y":2},{"x":3}]}"#, r#"{"a":[{"x":3},{"y":2,"x":1}]}"#);
    check(v1, v2, &[r#"body order body.a: [{"x":1,"y":2},{"x":3}] | [{"x":3},{"x":1,"y":2}]"#]);
    check(
        "[[1,2],[3,4]]",
        "[[2,1],[3,5]]",
        &["body order body[0]: [1,2] | [2,1]", "body value body[1][1]: 4 | 5"],
    );
    check("[]", "{}", &["body type body: [] | {}"]);
}

#[test]
fn types_are_told_apart() {
    let values = ["null", "true", "1", "\"1\"", "[1]", "{\"1\":1}"];
    for v1 in values {
        check(v1, v1, &[]);
        for v2 in values.into_iter().filter(|v2| *v2 != v1) {
            check(v1, v2, &[&format!("body type body: {v1} | {v2}")]);
        }
    }
    check("true", "false", &["body value body: true | false"]);
    check("\"a\"", "\"b\\n\"", &[r#"body value body: "a" | "b\n""#]);
}

#[test]
fn numbers_by_value() {
    for (v1, v2) in [
        ("1", "1.0"),
        ("1", "10e-1"),
        ("0", "-0"),
        ("0", "-0.0e5"),
        ("1.1", "1.10"),
        ("0.1", "100e-3"),
        ("-5", "-5.0"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808.0"),
        ("1e22", "10000000000000000000000"),
        ("9007199254740992", "9007199254740992.0"),
    ] {
        check(v1, v2, &[]);
        check(&format!("[{v1}]"), &format!("[{v2}]"), &[]);
    }
    for (v1, v2) in [
        ("1", "2"),
        ("1", "-1"),
        ("18446744073709551615", "18446744073709551614"),
        ("9007199254740993", "9007199254740992"),
        ("1.1", "1.1000000000000003"),
        ("1e300", "1e299"),
        ("-9223372036854775808", "9223372036854775808"),
    ] {
        check(v1, v2, &[&format!("body value body: {v1} | {v2}")]);
    }
}

#[test]
fn hidden_places() {
    let items = |a: &str, b: &str| format!(r#"{{"items":[{{"id":{a},"n":1}},{{"id":{b},"n":2}}]}}"#);
    check_with(&items("1", "2"), &items("3", "4"), &["body.items[*].id"], &[], 2);
    check_with(&items("1", "2"), &items("1", "4"), &["body.items[*].id"], &[], 1);
    check_with(
        &items("1", "2"),
        &items("3", "4"),
        &["body.items[0].id"],
        &["body value body.items[1].id: 2 | 4"],
        1,
    );
    check_with(&items("1", "2"), &items("3", "[4]"), &["body.*"], &[], 1);
    check_with(&items("1", "2"), "[]", &["body"], &[], 1);
    check_with(r#"{"a":1}"#, r#"{"b":1}"#, &["body.a"], &["missing extra body.b: - | 1"], 1);
    check_with(r#"{"a":1}"#, r#"{"b":1}"#, &["body.*"], &[], 2);
    check_with("[1,2]", "[1]", &["body[1]"], &[], 1);
}

#[test]
fn order_is_seen_past_hidden_places() {
    let (v1, v2) = (r#"[{"id":1,"n":1},{"id":2,"n":2}]"#, r#"[{"id":3,"n":2},{"id":4,"n":1}]"#);
    check_with(v1, v2, &["body[*].id"], &[&format!("body order body: {v1} | {v2}")], 2);
}

#[test]
fn secrets_are_redacted() {
    let rules = Rules::default();
    let mask = |text: &str| rules.redactor().mask(text);
    for (v1, v2, path, shown1, shown2) in [
        (r#"{"token":"abc"}"#, r#"{"token":null}"#, "body.token", mask("abc"), "null".to_owned()),
        (r#"{"pin":{"secret":1234}}"#, r#"{"pin":{"secret":9}}"#, "body.pin.secret", mask("1234"), mask("9")),
        (r#"{"tokens":[{"v":"x"}]}"#, r#"{"tokens":[{"v":"y"}]}"#, "body.tokens[0].v", mask("x"), mask("y")),
        (
            r#"{"a":{"api_key":["x"],"b":"a@b.example"}}"#,
            r#"{"a":1}"#,
            "body.a",
            format!(r#"{{"api_key":{},"b":"{}"}}"#, mask(r#"["x"]"#), mask("a@b.example")),
            "1".to_owned(),
        ),
        (r#"{"n":4111111111111111}"#, r#"{"n":4}"#, "body.n", mask("4111111111111111"), "4".to_owned()),
    ] {
        let got = run(&Made::json(v1), &Made::json(v2), &rules);
        let [difference] = got.differences.as_slice() else { panic!("{got:?}") };
        assert_eq!(difference.path, path);
        assert_eq!(difference.v1.as_ref(), Some(&shown1), "{v1}");
        assert_eq!(difference.v2.as_ref(), Some(&shown2), "{v2}");
    }
}

#[test]
fn what_is_no_json_is_text() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    for (v1, v2, coarse) in [
        ("{}", "{} ", false),
        ("{}", "{", true),
        ("<html>", "{}", true),
        ("{} {}", "{}", true),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true),
        ("1e999", "1", true),
        (r#""\ud800""#, "1", true),
        (&deep(127), &deep(126), false),
        (&deep(129), &deep(126), true),
        ("NaN", "1", true),
    ] {
        let got = run(&Made::json(v1), &Made::json(v2), &Rules::default());
        assert_eq!(got.coarse, coarse, "{v1} {v2}");
        assert_eq!(coarse, lines(&got).iter().any(|line| line.contains("line 1: ")), "{v1} {v2}");
    }
}

#[test]
fn too_many_values_are_text() {
    let zeros = |n: usize| format!("[0{}]", ",0".repeat(n - 1));
    let got = |n: usize| run(&Made::json(zeros(n)), &Made::json("[0]"), &Rules::default());
    assert!(!got(MAX_NODES - 1).coarse);
    assert_eq!(got(MAX_NODES - 1).dropped as usize, MAX_NODES - 2 - 32);
    assert!(got(MAX_NODES).coarse);
}

/// A small JSON value, from few enough parts that two of them are often alike.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        "[a-b]".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Without arrays.
fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), "[a-b]".prop_map(Value::from)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop::collection::btree_map("[a-c]|[0-9]", inner, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    })
}

/// The plainest way to the same findings: no weights, no sorting, every pair of elements tried.
fn plainly(v1: &Value, v2: &Value, path: &str, found: &mut BTreeSet<String>) {
    match (v1, v2) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                maybe(a.get(key), b.get(key), &format!("{path}.{key}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            let (pairs, reordered) = aligned(a, b);
            if reordered {
                found.insert(format!("order {path}"));
            }
            for (one, two) in pairs {
                let path = format!("{path}[{}]", one.or(two).unwrap());
                maybe(one.map(|one| &a[one]), two.map(|two| &b[two]), &path, found);
            }
        }
        (a, b) if a == b => {}
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {
            found.insert(format!("value {path}"));
        }
        _ => {
            found.insert(format!("type {path}"));
        }
    }
}

fn maybe(v1: Option<&Value>, v2: Option<&Value>, path: &str, found: &mut BTreeSet<String>) {
    match (v1, v2) {
        (Some(v1), Some(v2)) => plainly(v1, v2, path, found),
        (Some(_), None) => drop(found.insert(format!("missing {path}"))),
        (None, _) => drop(found.insert(format!("extra {path}"))),
    }
}

type Pairs = Vec<(Option<usize>, Option<usize>)>;

/// Equal elements from both ends, at one index, and anywhere; then what is left, in order.
fn aligned(a: &[Value], b: &[Value]) -> (Pairs, bool) {
    let (mut i, mut tail, short) = (0, 0, a.len().min(b.len()));
    let mut equal = Vec::new();
    while i < short && a[i] == b[i] {
        equal.push((i, i));
        i += 1;
    }
    while tail < short - i && a[a.len() - 1 - tail] == b[b.len() - 1 - tail] {
        tail += 1;
        equal.push((a.len() - tail, b.len() - tail));
    }
    equal.extend((i..short - tail).filter(|&i| a[i] == b[i]).map(|i| (i, i)));
    for (i, one) in a.iter().enumerate() {
        let free = |j: &usize| *one == b[*j] && equal.iter().all(|(one, two)| *one != i && two != j);
        let found = (0..b.len()).find(free);
        equal.extend(found.map(|j| (i, j)));
    }
    equal.sort_unstable();
    let left1: Vec<_> = (0..a.len()).filter(|i| equal.iter().all(|(one, _)| one != i)).collect();
    let left2: Vec<_> = (0..b.len()).filter(|j| equal.iter().all(|(_, two)| two != j)).collect();
    let mut pairs: Pairs = equal.iter().map(|(i, j)| (Some(*i), Some(*j))).collect();
    pairs.extend((0..left1.len().max(left2.len())).map(|n| (left1.get(n).copied(), left2.get(n).copied())));
    (pairs, !equal.is_sorted_by_key(|(_, j)| *j))
}

/// The same value in other bytes: names in reverse, white space, whole numbers as fractions, escapes.
fn otherwise(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{number}.0e0"),
        Value::String(text) => {
            text.chars().fold("\"".to_owned(), |out, c| format!("{out}\\u{:04x}", c as u32)) + "\""
        }
        Value::Array(items) => {
            format!("[ {} ]", items.iter().map(otherwise).collect::<Vec<_>>().join("\n, "))
        }
        Value::Object(map) => {
            let member = |(name, member): (&String, &Value)| format!("\t\"{name}\" :{}", otherwise(member));
            format!("{{{}}}", map.iter().rev().map(member).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn same_as_the_plain_way(v1 in any_json(), v2 in any_json()) {
        let rules = at_most(1000);
        let got = run(&Made::json(v1.to_string()), &Made::json(v2.to_string()), &rules);
        let places: BTreeSet<_> = got.differences.iter().map(|d| format!("{} {}", d.kind.as_str(), d.path)).collect();
        let mut want = BTreeSet::new();
        plainly(&v1, &v2, "body", &mut want);
        prop_assert_eq!(got.differences.len(), want.len());
        prop_assert_eq!(places, want);
    }

    #[test]
    fn the_same_value_in_other_bytes(value in any_json()) {
        let got = run(&Made::json(value.to_string()), &Made::json(otherwise(&value)), &Rules::default());
        prop_assert_eq!(got, Comparison::default());
    }

    /// Every prefix of a JSON text is text, and none panics.
    #[test]
    fn every_prefix(value in any_json()) {
        let text = value.to_string();
        for end in 0..text.len() {
            let cut = text.get(..end).unwrap_or_default();
            prop_assert!(!run(&Made::json(&text), &Made::json(cut), &Rules::default()).is_same());
        }
    }

    /// Hiding every field that differs leaves nothing. (What is hidden in the elements of an array makes others of them
    /// equal, and then their order is seen.)
    #[test]
    fn a_field_can_be_hidden(v1 in any_object(), v2 in any_object()) {
        let (v1, v2) = (Made::json(v1.to_string()), Made::json(v2.to_string()));
        let shown = run(&v1, &v2, &Rules::default());
        let names: Vec<_> = shown.fields.iter().map(|field| field.name.as_str()).collect();
        let hidden = run(&v1, &v2, &ignoring(&names));
        prop_assert!(hidden.is_same(), "{:?}", hidden);
        prop_assert_eq!(hidden.ignored > 0, !names.is_empty());
        prop_assert_eq!(hidden.hidden.values().sum::<u32>(), hidden.ignored);
    }

    /// A shuffled array is one finding.
    #[test]
    fn a_shuffled_array_is_only_in_another_order(items in prop::collection::vec(any_json(), 2..20), turn in 1_usize..20) {
        let mut turned = items.clone();
        turned.rotate_left(turn % items.len());
        let list = |items: &[Value]| Made::json(Value::from(items.to_vec()).to_string());
        let got = run(&list(&items), &list(&turned), &Rules::default());
        let places: Vec<_> = got.differences.iter().map(|d| (d.kind, d.path.as_str())).collect();
        prop_assert_eq!(places, if items == turned { vec![] } else { vec![(Kind::Order, "body")] });
        prop_assert!(got.fields.iter().all(|field| !field.is_broad()));
    }
}

fn ruled(rules: &[(&str, &str, Option<&str>, Act)]) -> Rules {
    let mut all = Rules::default();
    for (name, path, route, act) in rules {
        let route = route.map(str::to_owned);
        all.add(&Rule { name: (*name).into(), path: (*path).into(), route, act: act.clone() }).unwrap();
    }
    all
}

#[test]
fn rules_hide_what_they_say_and_are_counted() {
    let matches = |text: &str| Act::Matches(text.to_owned());
    let within = |tolerance| Act::Within(tolerance);
    let (absolute, relative) = (within(Tolerance::Absolute(0.5)), within(Tolerance::Relative(0.01)));
    for (path, act, v1, v2, hides) in [
        ("body.a", Act::Ignore, "1", "[2]", true),
        ("body.b", Act::Ignore, "1", "2", false),
        ("body.a", absolute.clone(), "1", "1.5", true),
        ("body.a", absolute.clone(), "1", "1.51", false),
        ("body", absolute.clone(), "-1", "-0.5", true),
        ("body.a", absolute.clone(), "18446744073709551615", "18446744073709551614", false),
        ("body.a", absolute.clone(), "\"1\"", "\"1.1\"", false),
        ("body.a", absolute, "[1,2]", "[1.1,2.2]", true),
        ("body.a", relative.clone(), "100", "101", true),
        ("body.a", relative.clone(), "-100", "-99", true),
        ("body.a", relative.clone(), "100", "102", false),
        ("body.a", relative, "0", "0.001", false),
        ("body.a", matches("^[0-9]+$"), "\"12\"", "\"345\"", true),
        ("body.a", matches("^[0-9]+$"), "\"12\"", "\"x\"", false),
        ("body.a", matches("^[0-9]+$"), "\"12\"", "34", false),
        ("body.a", matches("^[0-9]+$"), "12", "34", true),
        ("body.a", matches("[0-9]+"), "\"at 12 o'clock\"", "\"at 3 o'clock\"", true),
        ("body.a", matches("[0-9]+"), "\"at 12 o'clock\"", "\"by 3 o'clock\"", false),
        ("body.a", matches("[0-9]+"), "[\"a1\",\"b2\"]", "[\"a3\",\"b4\"]", true),
    ] {
        let body = |value: &str| Made::json(format!(r#"{{"a":{value}}}"#));
        let got = run(&body(v1), &body(v2), &ruled(&[("mine", path, None, act.clone())]));
        assert_eq!(got.is_same(), hides, "{path} {act:?} {v1} {v2} {got:?}");
        assert_eq!(got.hidden.contains_key("mine"), hides, "{path} {v1} {v2}");
    }
}

#[test]
fn a_rule_holds_for_its_route_alone() {
    // Every comparison of these tests is of a request to /users/7.
    for (route, hides) in [("/users/{id}", true), ("/users/7", true), ("/users/*", true), ("/users/8", false)]
    {
        let rules = ruled(&[("mine", "body", Some(route), Act::Ignore)]);
        assert_eq!(run(&Made::json("1"), &Made::json("2"), &rules).is_same(), hides, "{route}");
    }
}

#[test]
fn shuffled_items_are_seen_past_what_rules_tolerate() {
    let rules = ruled(&[
        ("time", "body[*].at", None, Act::Matches("^[0-9:]+$".into())),
        ("sum", "body[*].sum", None, Act::Within(Tolerance::Absolute(1.0))),
    ]);
    let v1 = r#"[{"n":1,"at":"10:00","sum":1},{"n":2,"at":"10:01","sum":2}]"#;
    let v2 = r#"[{"n":2,"at":"11:00","sum":2.5},{"n":1,"at":"11:01","sum":1}]"#;
    let got = run(&Made::json(v1), &Made::json(v2), &rules);
    let kinds: Vec<_> = got.differences.iter().map(|d| d.kind).collect();
    assert_eq!(kinds, [Kind::Order]);
    assert_eq!(
        got.hidden.iter().map(|(name, count)| (&**name, *count)).collect::<Vec<_>>(),
        [("sum", 1), ("time", 2)]
    );
}
