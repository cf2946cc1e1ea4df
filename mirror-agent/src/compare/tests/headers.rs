use super::*;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn check(v1: Fields<'_>, v2: Fields<'_>, rules: &Rules, expect: &[&str], ignored: u32) {
    super::check(&Made::new(v1, "x"), &Made::new(v2, "x"), rules, expect, ignored);
}

#[test]
fn by_name_as_multisets() {
    let rules = Rules::default();
    check(&[("A", "1"), ("b", "2")], &[("B", "2"), ("a", "1")], &rules, &[], 0);
    check(&[("a", "1"), ("a", "2")], &[("A", "2"), ("a", "1")], &rules, &[], 0);
    check(&[("a", "1"), ("a", "2")], &[("a", "1, 2")], &rules, &[], 0);
    check(&[("a", "1 ")], &[("a", "\t1")], &rules, &[], 0);
    check(&[("a", "1"), ("a", "1")], &[("a", "1")], &rules, &["header value header.a: 1, 1 | 1"], 0);
    check(&[("a", "1")], &[("a", "2")], &rules, &["header value header.a: 1 | 2"], 0);
    check(&[("a", "")], &[], &rules, &["missing missing header.a:  | -"], 0);
    check(&[], &[("B-c", "é")], &rules, &["missing extra header.b-c: - | é"], 0);
    let sorted = ["header value header.a: 1 | 2", "missing missing header.b: 1 | -"];
    check(&[("b", "1"), ("A", "1")], &[("a", "2")], &rules, &sorted, 0);
}

#[test]
fn what_names_the_connection_or_the_moment_is_ignored() {
    let rules = Rules::default();
    for name in ["Date", "server", "ETag", "Last-Modified", "Set-Cookie", "Age", "Expires", "Via"] {
        check(&[(name, "1")], &[(name, "2")], &rules, &[], 1);
        check(&[(name, "1")], &[], &rules, &[], 1);
        check(&[(name, "1")], &[(name, "1")], &rules, &[], 0);
    }
    for name in
        ["Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "X-Request-Id", "traceparent"]
    {
        check(&[], &[(name, "x-none")], &rules, &[], 1);
    }
    // RFC 9110, section 7.6.1: what `connection` names is hop by hop too, in either answer.
    let hop = [("Connection", "close, X-Hop ,")];
    check(&[hop[0], ("x-hop", "1")], &hop, &rules, &[], 1);
    check(&[("x-hop", "1")], &[hop[0], ("X-HOP", "2")], &rules, &[], 2);
}

#[test]
fn rules_can_be_widened_and_narrowed() {
    let mut rules = ignoring(&["header.X-Build"]);
    rules.ignore_path("header.X-Node").unwrap();
    rules.compare_header("ETag");
    let v1 = [("x-node", "1"), ("x-build", "1"), ("etag", "1"), ("x-node-b", "1")];
    let expect = ["missing missing header.etag: 1 | -", "missing missing header.x-node-b: 1 | -"];
    check(&v1, &[], &rules, &expect, 2);
}

#[test]
fn secrets_are_redacted() {
    let mut rules = Rules::default();
    rules.compare_header("set-cookie");
    rules.redactor_mut().add_name("Internal");
    let value = "sid=abc; Path=/";
    let fields = |value| [("Set-Cookie", value), ("x-internal-user", value), ("x-plain", value)];
    let (v1, v2) = (Made::new(&fields(value), ""), Made::new(&fields("sid=abd; Path=/"), ""));
    let got = run(&v1, &v2, &rules);
    let [cookie, internal, plain] = got.differences.as_slice() else { panic!("{got:?}") };
    assert_eq!(cookie.v1, Some(rules.redactor().mask(value)));
    assert!(cookie.v1 != cookie.v2);
    assert_eq!(internal.v1, cookie.v1);
    assert_eq!(plain.v1.as_deref(), Some(value));

    let location = [("Location", "/next?access_token=abc&page=2")];
    let got = run(&Made::new(&location, ""), &Made::new(&[], ""), &rules);
    assert!(got.differences[0].v1.as_ref().is_some_and(|v| v.starts_with("/next?access_token=<redacted 3 ")));
}

#[test]
fn bytes_that_are_no_text_are_shown_as_such() {
    let made = |byte: u8| Made { headers: [(b"a\xff", [byte])].into_iter().collect(), ..Made::new(&[], "") };
    check_lossy(&made(0xfe), &made(0xfd));
}

fn check_lossy(v1: &Made, v2: &Made) {
    super::check(v1, v2, &Rules::default(), &["header value header.a\u{fffd}: \u{fffd} | \u{fffd}"], 0);
}
