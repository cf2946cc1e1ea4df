//! Real traffic, taken by `mirror-agent capture`: what `read` shows is what nginx says it did, and what tshark finds.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mirror_tests::traffic::Body;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use nix::sys::signal::Signal;

use super::capture::Capture;
use super::nginx::{Line, Nginx, body, content};
use super::ours::{Said, Shown, read};
use super::tshark::{self, Start};

const UPLOAD: usize = 1 << 20;

/// One curl, on a connection of its own.
struct Step {
    /// Its arguments: `%` is the server, `@` the directory.
    arguments: &'static str,
    /// Its requests.
    expected: Vec<Expected>,
}

struct Expected {
    method: &'static str,
    request: Body,
    /// Of the response, where it is known.
    response: Option<Body>,
}

fn plan() -> Vec<Step> {
    let step = |arguments, expected| Step { arguments, expected };
    let got = |len| Expected { method: "GET", request: body(0), response: Some(body(len)) };
    let some = || Expected { method: "GET", request: body(0), response: None };
    let sent = |method, len| Expected { method, request: body(len), response: Some(Body::of(b"taken")) };
    let head = Expected { method: "HEAD", request: body(0), response: Some(body(0)) };
    vec![
        step("%/f/1000?n=1", vec![got(1000)]),
        step(
            "%/f/1000?n=2 %/f/100000?n=2 %/f/0?n=2 %/f/1000?n=3",
            vec![got(1000), got(100_000), got(0), got(1000)],
        ),
        step("-I %/f/100000?n=4", vec![head]),
        step("--http1.0 %/f/1000?n=5", vec![got(1000)]),
        step("--data-binary @@/upload %/echo?n=6", vec![sent("POST", UPLOAD)]),
        step("-H Expect:100-continue -T @/small %/echo?n=7", vec![sent("PUT", 1000)]),
        step("-H Expect: -H Transfer-Encoding:chunked -T @/upload %/echo?n=8", vec![sent("PUT", UPLOAD)]),
        step("-H Accept-Encoding:gzip %/packed/100000?n=9", vec![some()]),
        step("%/missing?n=10", vec![some()]),
    ]
}

#[test]
fn what_nginx_answered_is_shown() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V1);
    std::fs::write(world.directory().join("upload"), content(UPLOAD)).unwrap();
    std::fs::write(world.directory().join("small"), content(1000)).unwrap();
    let capture = Capture::start(&world, &["-i", "eth0", "--port", "8080"]);
    let plan = plan();
    plan.iter().for_each(|step| curl(&world, step.arguments));
    closed(&world);
    let end = capture.stop(Signal::SIGINT);
    end.check_complete();
    let said = read(&end.file);
    said.check_well();
    let shown = asked(&said);
    let log = nginx.log(shown.len());
    check_log(&shown, log);
    check_bodies(&shown, &plan);
    check_tshark(&shown, &end.file);
}

fn curl(world: &World, arguments: &str) {
    let server = format!("http://{}:8080", Host::V1.ipv4());
    let directory = world.directory();
    let words = arguments.split(' ').map(|word| {
        let word = word.replacen('%', &server, 1);
        // `@@/` is curl's own `@` before the directory's.
        word.replace("@/", &format!("{}/", directory.display()))
    });
    let mut command = Command::new("curl");
    command.args(["-gsS", "--max-time", "10"]).args(words);
    let output = world.output(Host::Client, &mut command).unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until every connection was closed by both ends.
fn closed(world: &World) {
    until("the connections' end", Duration::from_secs(10), || {
        let open = ["-Htn", "exclude", "listening", "exclude", "time-wait", "exclude", "closed"];
        let output = world.output(Host::Client, Command::new("ss").args(open))?;
        Ok(output.stdout.is_empty().then_some(()))
    })
    .unwrap();
}

/// Without probes, the first of which may not be whole in the capture.
fn asked(said: &Said) -> Vec<&Shown> {
    let is_probe = |shown: &&Shown| shown.request.as_ref().is_none_or(|r| r.target == "/probe");
    said.exchanges.iter().filter(|shown| !is_probe(shown)).collect()
}

/// The same requests in the same order on the same connections, with the same answers.
fn check_log(shown: &[&Shown], log: Vec<Line>) {
    assert_eq!(shown.len(), log.len(), "{shown:#?} {log:#?}");
    let mut connections = BTreeSet::new();
    for line in log {
        let is_it = |s: &&&Shown| {
            let request = s.request.as_ref().unwrap();
            (&request.method, &request.target) == (&line.method, &line.target)
        };
        let of_it: Vec<_> = shown.iter().filter(is_it).collect();
        let [shown] = of_it[..] else { panic!("{line:?}: {of_it:#?}") };
        let (request, response) = (shown.request.as_ref().unwrap(), shown.response.as_ref().unwrap());
        assert_eq!(shown.end, "complete", "{line:?}");
        assert!(shown.client.ends_with(&format!(":{}", line.port)), "{line:?}: {shown:?}");
        assert_eq!((response.status, &request.version), (line.status, &line.version), "{line:?}");
        assert!(shown.total_ns >= shown.ttfb_ns, "{shown:?}");
        if !line.target.starts_with("/packed/") {
            assert_eq!(response.body.len, line.body_sent, "{line:?}");
        }
        // A connection's first request brings a number that no other has.
        assert_eq!(connections.insert(shown.connection), line.number == 1, "{line:?}");
    }
}

fn check_bodies(shown: &[&Shown], plan: &[Step]) {
    let expected: Vec<&Expected> = plan.iter().flat_map(|step| &step.expected).collect();
    assert_eq!(shown.len(), expected.len());
    for (shown, expected) in shown.iter().zip(expected) {
        let asked = shown.request.as_ref().unwrap();
        assert_eq!((asked.method.as_str(), &asked.body), (expected.method, &expected.request), "{asked:?}");
        if let Some(body) = &expected.response {
            assert_eq!(&shown.response.as_ref().unwrap().body, body, "{asked:?}");
        }
    }
}

/// tshark finds the same requests and final responses, in the same order.
fn check_tshark(shown: &[&Shown], file: &Path) {
    let mut found = tshark::messages(file);
    found.retain(|message| !matches!(message.start, Start::Response(100..200)));
    let is_ours = |start: &Start| matches!(start, Start::Request { target, .. } if target != "/probe");
    let ours: BTreeSet<u64> = found.iter().filter(|m| is_ours(&m.start)).map(|m| m.stream).collect();
    found.retain(|message| ours.contains(&message.stream));
    let (requests, responses): (Vec<_>, Vec<_>) = found
        .into_iter()
        .map(|message| message.start)
        .partition(|start| matches!(start, Start::Request { .. }));
    let asked = |shown: &&Shown| {
        let request = shown.request.clone().unwrap();
        Start::Request { method: request.method, target: request.target }
    };
    let answered = |shown: &&Shown| Start::Response(shown.response.as_ref().unwrap().status);
    assert_eq!(requests, shown.iter().map(asked).collect::<Vec<_>>());
    assert_eq!(responses, shown.iter().map(answered).collect::<Vec<_>>());
}
