use super::*;

const PLAIN: &[(&str, &str)] = &[("content-type", "text/plain")];

fn check(v1: &str, v2: &str, expect: &[&str]) {
    super::check(&Made::new(PLAIN, v1), &Made::new(PLAIN, v2), &Rules::default(), expect, 0);
}

#[test]
fn text_by_its_first_differing_line() {
    check("", "", &[]);
    check("a\nb\n", "a\nb\n", &[]);
    check("a\nb\nc", "a\nB\nC", &["body value body: line 2: b | line 2: B"]);
    check("a\nb", "a", &["body value body: line 2: b | -"]);
    check("a\n", "a", &["body value body: line 2:  | -"]);
    check("a", "a\r\n", &["body value body: line 1: a | line 1: a\r"]);
    check("é", "è", &["body value body: line 1: é | line 1: è"]);
}

#[test]
fn a_secret_in_text_is_redacted() {
    let (v1, v2) = (Made::new(PLAIN, "hi ann@example.com"), Made::new(PLAIN, "hi bob@example.com"));
    let got = run(&v1, &v2, &Rules::default());
    let mail = Redactor::default().mask("ann@example.com");
    assert_eq!(got.differences[0].v1, Some(format!("line 1: hi {mail}")));
    assert!(!format!("{got:?}").contains("@example"));
}

#[test]
fn one_empty_body_is_a_length() {
    check("", "abc", &["body length body: 0 bytes | 3 bytes"]);
    let rules = Rules::default();
    super::check(&Made::json("{}"), &Made::json(""), &rules, &["body length body: 2 bytes | 0 bytes"], 0);
}

#[test]
fn what_cannot_be_read_is_compared_by_digest() {
    // printf 'a\0' | sha256sum; printf 'b\0' | sha256sum
    let digests = "body digest body: sha256 ffe9aaeaa2a2d504 | sha256 1e57b933b0a78203";
    check("a\0", "b\0", &[digests]);
    let made = |body: &[u8]| Made::new(PLAIN, body);
    let rules = Rules::default();
    super::check(&made(b"\xff"), &made(b"\xfe"), &rules, &[&sum_line(b"\xff", b"\xfe")], 0);
    super::check(&made(b"\xff"), &made(b"a"), &rules, &[&sum_line(b"\xff", b"a")], 0);
    super::check(&made(b"\xff\xff"), &made(b"abc"), &rules, &["body length body: 2 bytes | 3 bytes"], 0);

    for (v1_whole, v2_whole) in [(false, true), (true, false), (false, false)] {
        let cut = |body: &str, whole| Made { whole, ..Made::json(body) };
        let (v1, v2) = (cut("[1,2]", v1_whole), cut("[1,3]", v2_whole));
        super::check(&v1, &v2, &rules, &[&sum_line(b"[1,2]", b"[1,3]")], 0);
        super::check(&v1, &cut("[1,2]", v2_whole), &rules, &[], 0);
        super::check(&v1, &cut("[1, 2]", v2_whole), &rules, &["body length body: 5 bytes | 6 bytes"], 0);
    }
}

fn sum_line(v1: &[u8], v2: &[u8]) -> String {
    let hex = |body| Sha256::digest(body).iter().take(8).map(|b| format!("{b:02x}")).collect::<String>();
    format!("body digest body: sha256 {} | sha256 {}", hex(v1), hex(v2))
}

#[test]
fn only_what_decodes_is_read() {
    for (coding, read) in [("gzip", false), ("x-mine, identity", false), ("Identity", true), ("", true)] {
        let made =
            |body: &str| Made::new(&[("content-type", "text/json"), ("Content-Encoding", coding)], body);
        let expect =
            if read { "body value body.a: 1 | 2".to_owned() } else { sum_line(br#"{"a":1}"#, br#"{"a":2}"#) };
        super::check(&made(r#"{"a":1}"#), &made(r#"{"a":2}"#), &Rules::default(), &[&expect], 0);
    }
}

#[test]
fn json_only_where_both_say_so() {
    let by_line = "body value body: line 1: {\"a\":1} | line 1: {\"a\": 1}";
    for (v1, v2, json) in [
        ("application/json", "application/json", true),
        ("Application/JSON; charset=utf-8", "text/json", true),
        ("application/problem+json", "application/vnd.x+JSON ;v=1", true),
        ("application/json", "text/plain", false),
        ("application/jsonp", "application/jsonp", false),
        ("application/x-ndjson", "application/x-ndjson", false),
        ("text/plain; a=application/json", "application/json", false),
        ("", "", false),
    ] {
        let mut rules = Rules::default();
        rules.ignore_path("header.content-type").unwrap();
        let made = |kind: &str, body: &str| Made::new(&[("content-type", kind)], body);
        let got = run(&made(v1, r#"{"a":1}"#), &made(v2, r#"{"a": 1}"#), &rules);
        assert_eq!(lines(&got), if json { vec![] } else { vec![by_line] }, "{v1} {v2}");
        assert!(!got.coarse);
    }
}

#[test]
fn a_hidden_body_is_counted_once() {
    for (v1, v2) in [("a", "b"), ("a\0", "b"), ("", "b")] {
        let (v1, v2) = (Made::new(PLAIN, v1), Made::new(PLAIN, v2));
        super::check(&v1, &v2, &ignoring(&["body"]), &[], 1);
        super::check(&v1, &v1, &ignoring(&["body"]), &[], 0);
    }
}

#[test]
fn pages_by_what_is_not_made_up() {
    let page = |nonce: &str, price: u32| {
        let text = format!("<html>\n<script nonce={nonce}>go()</script>\n<p>{price}</p><!-- {nonce} -->");
        Made::new(&[("Content-Type", "text/html; charset=utf-8")], text)
    };
    let got = run(&page("a1", 5), &page("b2", 5), &Rules::default());
    assert!(got.is_same(), "{got:?}");
    assert_eq!(
        got.hidden.iter().map(|(rule, count)| (&**rule, *count)).collect::<Vec<_>>(),
        [(VOLATILE_HTML, 1)]
    );
    super::check(
        &page("a1", 5),
        &page("b2", 6),
        &Rules::default(),
        &["body value body: line 6: 5 | line 6: 6"],
        1,
    );
    let comment = |text: &str| Made::new(&[("Content-Type", "text/html")], format!("<p>a</p><!--{text}-->"));
    super::check(&comment("x"), &comment("y"), &Rules::default(), &[], 1);
    // Only where both sides say so.
    let plain = Made::new(&[], "<p>a</p><!--y-->");
    assert!(!run(&comment("x"), &plain, &ignoring(&["header"])).is_same());
}

#[test]
fn lines_that_a_rule_tolerates() {
    let mut rules = Rules::default();
    let act = Act::Matches("[0-9:]{5}".into());
    rules.add(&Rule { name: "time".into(), path: "body".into(), route: None, act }).unwrap();
    let text = |text: &str| Made::new(&[], text);
    super::check(&text("a\nat 10:00\nb"), &text("a\nat 11:00\nb"), &rules, &[], 1);
    super::check(
        &text("a\nat 10:00\nb"),
        &text("a\nat 11:00\nc"),
        &rules,
        &["body value body: line 3: b | line 3: c"],
        1,
    );
    super::check(&text("at 10:00"), &text("at 10:00\n"), &rules, &["body value body: - | line 2: "], 0);
}
