//! The harness itself: a world carries traffic, a load keeps its rate, v2 lies as documented, and nothing stays.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mirror_tests::demo_binary;
use mirror_tests::load::Load;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A world with both versions.
fn world() -> (World, Service, Service) {
    let world = World::new().unwrap();
    let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let v2 = Service::start(&world, Host::V2, Version::V2).unwrap();
    (world, v1, v2)
}

/// What curl on the client prints for these arguments.
fn curl(world: &World, arguments: &[&str]) -> String {
    let output =
        world.output(Host::Client, Command::new("curl").args(["-sS", "-i"]).args(arguments)).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn url(host: Host, path: &str) -> String {
    format!("http://{}{path}", host.service())
}

/// The number of namespaces and directories of this world.
fn remnants(world: &str) -> usize {
    let ours =
        |name: &str| name.strip_prefix(world).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    ["/run/netns", "/run/mirror-tests"]
        .iter()
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flatten()
        .flatten()
        .filter(|entry| ours(&entry.file_name().to_string_lossy()))
        .count()
}

/// What the names of this world begin with.
fn name(world: &World) -> String {
    world.directory().file_name().unwrap().to_string_lossy().into_owned()
}

/// A process that holds a world, once the world is up.
fn holder() -> Child {
    let mut child = Command::new(demo_binary().unwrap()).arg("world").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("curl"), "{line}");
    child
}

fn end(child: &mut Child, signal: Signal) -> Option<i32> {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    until("the holder's end", Duration::from_secs(10), || Ok(child.try_wait()?)).unwrap().code()
}

#[test]
fn the_client_reaches_v1_over_both_families() {
    let (world, v1, _v2) = world();
    assert!(curl(&world, &[&url(Host::V1, "/users/7")]).contains(r#""name":"user 7""#));
    let six = format!("http://[{}]:8080/users/8", Host::V1.ipv6());
    assert!(curl(&world, &["-6", &six]).contains(r#""name":"user 8""#));
    let log = v1.log().unwrap();
    assert_eq!(log.iter().map(|entry| entry.target.as_str()).collect::<Vec<_>>(), ["/users/7", "/users/8"]);
}

#[test]
fn v2_is_wrong_where_it_should_be_and_nowhere_else() {
    let (world, _v1, _v2) = world();
    let both = |path: &str| (curl(&world, &[&url(Host::V1, path)]), curl(&world, &[&url(Host::V2, path)]));
    let without_date =
        |text: &str| text.lines().filter(|l| !l.starts_with("date")).collect::<Vec<_>>().join("\n");
    for path in ["/users/3", "/flaky/4", "/slow/1", "/delay/1000", "/bytes/1000", "/chunked/9000", "/none"] {
        let (v1, v2) = both(path);
        assert_eq!(without_date(&v1), without_date(&v2), "{path}");
    }
    let (v1, v2) = both("/price/3");
    assert!(v1.contains(r#""total_cents":309"#) && v2.contains(r#""total_cents":310"#), "{v1} {v2}");
    let (v1, v2) = both("/static/1");
    assert!(v1.contains("cache-control") && !v2.contains("cache-control"));
    let (v1, v2) = both("/flaky/5");
    assert!(v1.starts_with("HTTP/1.1 200") && v2.starts_with("HTTP/1.1 500"));
}

#[test]
fn a_post_is_echoed_and_logged_by_its_digest() {
    let (world, v1, _v2) = world();
    let echo = curl(&world, &["--data-binary", "abc", &url(Host::V1, "/echo")]);
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(echo.contains(digest) && echo.contains(r#""length":3"#), "{echo}");
    assert_eq!(v1.log().unwrap()[0].body_sha256, digest);
}

#[test]
fn a_load_keeps_its_rate_and_every_request_is_answered() {
    let (world, v1, _v2) = world();
    let mut load =
        Load::start(&world, Host::V1.service(), 500.0, Duration::from_secs(2), &["--connections", "4"])
            .unwrap();
    let slices = load.finish(Duration::from_secs(20)).unwrap();
    let ok: u64 = slices.iter().map(|slice| slice.ok).sum();
    assert_eq!(slices.iter().map(|slice| slice.failed).sum::<u64>(), 0, "{}", load.process.log());
    assert!((1000..=1003).contains(&ok), "{ok}");
    let log = v1.log().unwrap();
    assert_eq!(log.len() as u64, ok);
    // Four, and the one of the client that pipelines.
    assert_eq!(log.iter().map(|entry| entry.connection).max(), Some(4));
    assert!(slices.windows(2).all(|pair| (pair[0].to_s - pair[1].from_s).abs() < 1e-9), "slices touch");
}

#[test]
fn a_dropped_world_leaves_nothing() {
    let (world, v1, v2) = world();
    let name = name(&world);
    assert_eq!(remnants(&name), 4 + 1);
    let directory = world.directory();
    drop((world, v1, v2));
    assert_eq!(remnants(&name), 0);
    assert!(!directory.exists());
}

#[test]
fn a_panic_leaves_nothing() {
    let made = std::sync::Mutex::new(String::new());
    let panic = std::panic::catch_unwind(|| {
        let (world, _v1, _v2) = world();
        *made.lock().unwrap() = name(&world);
        panic!("on purpose");
    });
    assert!(panic.is_err());
    assert_eq!(remnants(&made.into_inner().unwrap()), 0);
}

#[test]
fn a_signal_leaves_nothing() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut holder = holder();
        let world = format!("mt{}-0", holder.id());
        assert_eq!(remnants(&world), 5);
        assert_eq!(end(&mut holder, signal), Some(code));
        assert_eq!(remnants(&world), 0, "{signal}");
    }
}

#[test]
fn what_a_killed_process_left_is_swept_and_its_children_die_with_it() {
    let mut holder = holder();
    let world = format!("mt{}-0", holder.id());
    let inside = Command::new("ip").args(["netns", "pids", &format!("{world}-v1")]).output().unwrap().stdout;
    let service = String::from_utf8(inside).unwrap().trim().to_owned();
    assert!(Path::new("/proc").join(&service).exists());
    end(&mut holder, Signal::SIGKILL);
    let gone = || Ok((!Path::new("/proc").join(&service).exists()).then_some(()));
    until("the end of its service", Duration::from_secs(5), gone).unwrap();
    World::sweep().unwrap();
    assert_eq!(remnants(&world), 0);
}
