//! What is compared with what: recorded answers, live ones, and lies.

use std::fs;

use serde_json::{Value, json};

use crate::script::{Script, ok};
use crate::tool::replay;
use crate::version::Version;

/// Three connections, of which one is cut off, with requests that are ahead of each other in time.
fn shop() -> Script {
    let mut script = Script::default();
    for connection in 0..3 {
        for number in 0..5_u16 {
            let ms = u64::from(connection) * 3 + u64::from(number) * 10;
            script.get(connection, ms, &format!("/c{connection}/{number}"));
        }
    }
    script.close(0, 60);
    script.close(1, 60);
    script
}

fn targets() -> Vec<Vec<String>> {
    (0..3).map(|connection| (0..5).map(|number| format!("/c{connection}/{number}")).collect()).collect()
}

#[test]
fn every_request_reaches_v2_in_order_on_a_connection_of_its_own() {
    for speed in ["1x", "max"] {
        let v2 = Version::honest();
        let said = replay(shop().file().path(), v2.address, &["--speed", speed]);
        said.check_all_compared(15);
        assert_eq!(said.count("/differences"), 0, "{said:?}");
        assert_eq!(v2.conversations(), targets());
        assert!(v2.asked().iter().all(|asked| asked.is_marked && !asked.is_crowded && asked.method == "GET"));
        assert!(said.errors().is_empty(), "{said:?}");
    }
}

#[test]
fn a_v2_that_lies_is_found_out_and_that_is_no_error() {
    let lie = |target: &str| if target == "/c1/3" { ok("/lie") } else { ok(target) };
    let (v2, script) = (Version::start(lie), shop().file());
    let file = tempfile::NamedTempFile::new().unwrap();
    let said = replay(
        script.path(),
        v2.address,
        &["--differences", file.path().to_str().unwrap(), "--speed", "max"],
    );
    said.check_all_compared(15);
    assert_eq!(said.summary["differences"], json!({ "status": 0, "header": 0, "body": 1, "missing": 0 }));
    assert_eq!(said.count("/exchanges_that_differ"), 1);
    let [told] = said.summary["first_differences"].as_array().unwrap().as_slice() else { panic!("{said:?}") };
    assert_eq!((&told["target"], &told["v1_status"]), (&json!("/c1/3"), &json!(200)));
    let written: Value = serde_json::from_str(fs::read_to_string(file.path()).unwrap().trim()).unwrap();
    assert_eq!(&written, told);
}

#[test]
fn a_header_or_a_field_that_is_ignored_is_no_difference() {
    let other = |target: &str| ok(target).replace("text/plain", "text/html");
    let v2 = Version::start(other);
    let all = replay(shop().file().path(), v2.address, &["--speed", "max"]);
    assert_eq!(all.count("/differences/header"), 15, "{all:?}");
    for ignored in [["--ignore-header", "Content-Type"], ["--ignore-path", "header.content-type"]] {
        let said = replay(shop().file().path(), v2.address, &[&["--speed", "max"], &ignored[..]].concat());
        said.check_all_compared(15);
        assert_eq!(said.count("/differences"), 0, "{said:?}");
    }
}

#[test]
fn against_a_live_v1_the_recorded_answers_do_not_matter() {
    let now = |target: &str| ok(&format!("as of now {target}"));
    let wrong =
        |target: &str| if target == "/c2/0" { ok("wrong") } else { ok(&format!("as of now {target}")) };
    let (v1, v2) = (Version::start(now), Version::start(wrong));
    let against = ["--against", &v1.address.to_string(), "--speed", "max"];
    let said = replay(shop().file().path(), v2.address, &against);
    said.check_all_compared(15);
    assert_eq!(said.count("/differences"), 1, "{said:?}");
    assert_eq!(said.summary["first_differences"][0]["target"], "/c2/0");
    assert_eq!((v1.conversations(), v2.conversations()), (targets(), targets()));
    assert!(v1.asked().iter().all(|asked| asked.is_marked));
    assert_eq!(said.count("/latency/v1/ttfb/count"), 15);
}

#[test]
fn both_versions_are_timed_and_v1_as_it_was_recorded() {
    let v2 = Version::honest();
    let said = replay(shop().file().path(), v2.address, &["--speed", "max"]);
    for version in ["v1", "v2"] {
        for phase in ["ttfb", "total"] {
            assert_eq!(said.count(&format!("/latency/{version}/{phase}/count")), 15, "{said:?}");
        }
    }
    let recorded = said.seconds("/latency/v1/ttfb/p50_s");
    assert!((recorded / 0.002 - 1.0).abs() < 0.045, "2 ms, within half a bucket: {recorded}");
    assert!(said.seconds("/latency/v2/total/p99_s") >= said.seconds("/latency/v2/ttfb/p50_s"));
}

#[test]
fn only_safe_methods_are_sent_unless_more_are_named() {
    let script = || {
        let mut script = shop();
        let post = "POST /c0/5 HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 3\r\n\r\na=1";
        script.turn(0, 55, post, &ok("/c0/5"));
        script.turn(1, 55, &post.replace("POST", "DELETE"), &ok("/c0/5"));
        script.file()
    };
    let safe = Version::honest();
    let said = replay(script().path(), safe.address, &["--speed", "max"]);
    said.check_balanced();
    assert_eq!((said.code, said.count("/requests/unselected/method")), (Some(0), 2), "{said:?}");
    assert_eq!(safe.conversations(), targets());

    let named = Version::honest();
    let said = replay(script().path(), named.address, &["--speed", "max", "--methods", "POST"]);
    said.check_balanced();
    assert_eq!((said.code, said.count("/requests/compared")), (Some(0), 1), "{said:?}");
    assert_eq!(named.asked()[0].method, "POST");
    assert_eq!(named.asked().len(), 1);
}

#[test]
fn only_the_named_service_is_replayed_and_files_and_pipes_are_one_capture() {
    let v2 = Version::honest();
    let other = replay(shop().file().path(), v2.address, &["--service", "10.0.0.9:8080"]);
    assert_eq!((other.code, other.count("/requests/seen")), (Some(1), 0), "{other:?}");
    let frames = shop().frames();
    let (first, second) = frames.split_at(frames.len() / 2);
    let files = [crate::script::file(first), crate::script::file(second)];
    let more = ["--service", "10.0.0.4:8080", "--speed", "max"];
    let mut command = crate::tool::command(&[files[0].path(), std::path::Path::new("-")], v2.address, &more);
    let said = crate::tool::said(&command.stdin(files[1].reopen().unwrap()).output().unwrap());
    said.check_all_compared(15);
    assert_eq!(v2.conversations(), targets());
}
