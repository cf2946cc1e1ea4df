//! `mirror-agent capture` with a real nginx and a real curl, read by a real tshark.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

#[path = "capture/capture.rs"]
mod capture;
#[path = "capture/nginx.rs"]
mod nginx;
#[path = "capture/tagged.rs"]
mod tagged;
#[path = "capture/tshark.rs"]
mod tshark;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use nix::sys::signal::Signal;

use capture::Capture;
use nginx::Nginx;
use tshark::{Packet, packets, statistics};

const FILTER: [&str; 2] = ["--port", "8080"];

/// Makes `connections` connections with `requests` requests each, and returns when they are closed by both ends.
fn fetch(world: &World, to: &str, connections: usize, requests: usize) {
    let url = |n: usize| format!(" -o /dev/null \"http://{to}:8080/b/{n}?connection=$i&n={n}\"");
    let urls: String = (0..requests).map(url).collect();
    let script = format!("for i in $(seq {connections}); do curl -gsSf{urls} || exit 1; done");
    let output = world.output(Host::Client, Command::new("sh").args(["-c", &script])).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    until("the connections' end", Duration::from_secs(10), || {
        let open = ["-Htn", "exclude", "listening", "exclude", "time-wait", "exclude", "closed"];
        let output = world.output(Host::Client, Command::new("ss").args(open))?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout.is_empty().then_some(()))
    })
    .unwrap();
}

/// What a connection is known by: the client's address and port.
type Key = (String, u16);

/// A connection as the file has it.
#[derive(Debug, Default)]
struct Seen {
    client_syn: usize,
    client_fin: usize,
    server_syn: usize,
    server_fin: usize,
    resets: usize,
    requests: Vec<String>,
    responses: usize,
    client_bytes: Ranges,
    server_bytes: Ranges,
}

/// Bytes of one direction by their place, because TCP may send some again.
#[derive(Debug, Default)]
struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    fn add(&mut self, from: u64, len: u64) {
        self.0.push((from, from + len));
    }

    fn len(&self) -> u64 {
        let mut ranges = self.0.clone();
        ranges.sort_unstable();
        let covered = |(sum, end): (u64, u64), (from, to): (u64, u64)| {
            (sum + to.saturating_sub(end.max(from)), end.max(to))
        };
        ranges.into_iter().fold((0, 0), covered).0
    }
}

fn by_connection(packets: &[Packet]) -> BTreeMap<Key, Seen> {
    let mut all: BTreeMap<Key, Seen> = BTreeMap::new();
    for packet in packets {
        let from_client = packet.to_port == 8080;
        let key = if from_client { packet.from() } else { packet.to() };
        let seen = all.entry(key).or_default();
        if from_client {
            seen.client_syn += usize::from(packet.syn);
            seen.client_fin += usize::from(packet.fin);
            seen.client_bytes.add(packet.seq, packet.payload);
        } else {
            seen.server_syn += usize::from(packet.syn);
            seen.server_fin += usize::from(packet.fin);
            seen.server_bytes.add(packet.seq, packet.payload);
        }
        seen.resets += usize::from(packet.reset);
        seen.requests.extend(packet.request.clone());
        seen.responses += usize::from(packet.is_response);
    }
    all
}

/// Every connection of the file is whole: as long, both ways, as nginx says, and with the same requests. Returns how many
/// there are, without probes.
fn check_whole(nginx: &Nginx, packets: &[Packet]) -> usize {
    let (mut seen, logged) = (by_connection(packets), nginx.by_connection());
    seen.retain(|key, seen| {
        logged.contains_key(key) || seen.requests.iter().any(|target| target != "/probe")
    });
    for (key, seen) in &seen {
        let entries = &logged[key];
        let targets: Vec<&str> = entries.iter().map(|entry| entry.target.as_str()).collect();
        assert_eq!(seen.requests, targets, "{key:?}");
        assert_eq!(seen.responses, entries.len(), "{key:?}");
        let ends = [seen.client_syn, seen.server_syn, seen.client_fin, seen.server_fin];
        assert!(ends.iter().all(|count| *count >= 1), "{key:?}: {seen:?}");
        assert_eq!(
            seen.client_bytes.len(),
            entries.iter().map(|entry| entry.received).sum::<u64>(),
            "{key:?}"
        );
        assert_eq!(seen.server_bytes.len(), entries.iter().map(|entry| entry.sent).sum::<u64>(), "{key:?}");
    }
    seen.len()
}

/// All of what nginx was asked is in the file, whole.
fn check_all(nginx: &Nginx, packets: &[Packet]) {
    assert_eq!(check_whole(nginx, packets), nginx.by_connection().len());
}

/// Interfaces of the node; the shadow interface is among them while a capture runs.
fn interfaces(world: &World) -> String {
    let output = world.output(Host::Node, Command::new("ip").args(["-o", "link"])).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_file_holds_exactly_the_requests_of_the_access_log() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V1);
    let before = interfaces(&world);
    let capture = Capture::start(&world, &["-i", "eth0", FILTER[0], FILTER[1]]);
    let six = format!("[{}]", Host::V1.ipv6());
    fetch(&world, &Host::V1.ipv4().to_string(), 5, 4);
    fetch(&world, &six, 5, 4);
    let end = capture.stop(Signal::SIGINT);
    end.check_complete();
    assert!(end.stderr.contains("ended by a signal"), "{}", end.stderr);
    assert_eq!(interfaces(&world), before, "nothing stays");

    let packets = packets(&end.file);
    check_all(&nginx, &packets);
    assert_eq!(nginx.by_connection().len(), 10);
    assert!(packets.iter().filter(|packet| packet.from_address.contains(':')).count() > 40, "IPv6 too");
    assert!(packets.iter().all(|packet| packet.interface == "eth0"));
    // The client is behind eth0: its packets come in there.
    assert!(packets.iter().all(|packet| packet.direction == if packet.to_port == 8080 { 1 } else { 2 }));
    assert!(packets.iter().any(|packet| packet.time_ns % 1000 != 0), "nanoseconds");
    for (number, packet) in packets.iter().filter(|packet| packet.comment.is_some()).enumerate() {
        let joined = if packet.syn { "" } else { ", joined after its start" };
        assert_eq!(packet.comment, Some(format!("connection {}{joined}", number + 1)));
    }
    let [statistics] = &statistics(&end.file)[..] else { panic!("one interface") };
    assert_eq!(statistics.accepted, Some(packets.len() as u64));
    assert!(statistics.received >= statistics.accepted);
    assert_eq!(statistics.dropped, Some(0));
}

#[test]
fn half_the_connections_are_here_and_they_are_whole() {
    const ALL: usize = 200;
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V1);
    let v1 = Host::V1.service().to_string();
    let capture = Capture::start(&world, &["-i", "eth0", "--v1", &v1, "--share", "50%"]);
    fetch(&world, &Host::V1.ipv4().to_string(), ALL, 3);
    let end = capture.stop(Signal::SIGTERM);
    end.check_complete();
    let packets = packets(&end.file);
    check_whole(&nginx, &packets);
    let sampled = by_connection(&packets).into_values().filter(|seen| seen.requests.len() == 3).count();
    // Five standard deviations of the binomial distribution: one false alarm in two million runs.
    let far = 5.0 * (ALL as f64 * 0.25).sqrt();
    assert!((sampled as f64 - ALL as f64 / 2.0).abs() < far, "{sampled} of {ALL}");
}

#[test]
fn each_byte_is_here_once_with_the_interface_that_saw_it_first() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V1);
    let capture =
        Capture::start(&world, &["-i", "eth0", "-i", "veth-v1", "-i", "eth0", FILTER[0], FILTER[1]]);
    fetch(&world, &Host::V1.ipv4().to_string(), 10, 3);
    let end = capture.stop(Signal::SIGINT);
    end.check_complete();
    let packets = packets(&end.file);
    check_all(&nginx, &packets);
    // Behind the second FIN the kernel has forgotten whose the connection is, so only what comes before is looked at.
    for packet in packets.iter().filter(|packet| packet.syn || packet.payload > 0) {
        let expected = if packet.to_port == 8080 { "eth0" } else { "veth-v1" };
        assert_eq!((packet.interface.as_str(), packet.direction), (expected, 1), "{packet:?}");
    }
    let statistics = statistics(&end.file);
    assert_eq!(statistics.len(), 3, "eth0, veth-v1, unknown");
    assert_eq!(statistics[2].accepted, Some(packets.len() as u64));
    assert!(statistics[2].received > statistics[2].accepted, "what passed two taps is here once");
}

#[test]
fn a_tag_is_in_the_file() {
    let world = World::new().unwrap();
    let _nginx = Nginx::start(&world, Host::V1);
    let capture = Capture::start(&world, &["-i", "eth0", FILTER[0], FILTER[1]]);
    let sent = world.enter(Host::Client, || tagged::send("eth0", 7, 8080)).unwrap().unwrap();
    let end = capture.stop(Signal::SIGINT);
    let tagged: Vec<Packet> =
        packets(&end.file).into_iter().filter(|packet| packet.vlan == Some(7)).collect();
    let [packet] = &tagged[..] else { panic!("{tagged:?}") };
    assert_eq!((packet.frame_len, packet.syn), (sent, true));
}

#[test]
fn loopback_has_both_directions_once() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::Client);
    let capture = Capture::start_on(&world, Host::Client, "127.0.0.1", &["-i", "lo"]);
    fetch(&world, "127.0.0.1", 3, 2);
    let end = capture.stop(Signal::SIGINT);
    end.check_complete();
    check_all(&nginx, &packets(&end.file));
}

#[test]
fn a_size_limit_ends_it_between_two_packets() {
    const LIMIT: u64 = 1 << 20;
    let world = World::new().unwrap();
    let _nginx = Nginx::start(&world, Host::V1);
    let capture = Capture::start(&world, &["-i", "eth0", FILTER[0], FILTER[1], "--max-size", "1MiB"]);
    fetch(&world, &Host::V1.ipv4().to_string(), 40, 4);
    let end = capture.finish();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    assert!(end.stderr.contains("ended by --max-size"), "{}", end.stderr);
    let size = std::fs::metadata(&end.file).unwrap().len();
    assert!((LIMIT - (66 << 10)..=LIMIT).contains(&size), "{size}: one merged packet at most did not fit");
    assert!(packets(&end.file).len() > 10);
    assert_eq!(statistics(&end.file).len(), 1, "the statistics still fit");
}

#[test]
fn a_time_limit_ends_it() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V1);
    let capture = Capture::start(&world, &["-i", "eth0", FILTER[0], FILTER[1], "--for", "1s"]);
    let end = capture.finish();
    end.check_complete();
    assert!(end.stderr.contains("ended by --for"), "{}", end.stderr);
    check_all(&nginx, &packets(&end.file));
}

#[test]
fn what_cannot_begin_says_why_in_one_line_and_leaves_nothing() {
    let world = World::new().unwrap();
    let before = interfaces(&world);
    let file = world.directory().join("out.pcapng");
    let fine = file.to_str().unwrap();
    let without = |right: &str| ["setpriv".to_owned(), format!("--bounding-set=-{right}")];
    for (wrapper, arguments, expected) in [
        (None, vec!["-i", "nowhere0", "-w", fine], "no such interface: nowhere0"),
        (None, vec!["-i", "eth0", "-w", "/no/such/place/o.pcapng"], "cannot write /no/such/place/o.pcapng"),
        (None, vec!["-i", "eth0", "-w", "/dev/full"], "cannot write /dev/full: No space left"),
        (None, vec!["-i", "eth0", "-w", fine, "--max-size", "100B"], "--max-size 100B is too small"),
        (None, vec!["-i", "eth0", "-w", fine, "--shadow-interface", "veth-v2"], "needs --port or --v1"),
        (None, vec!["-i", "eth0", "-w", fine, "--port", "1", "--shadow-interface", "eth0"], "tapped itself"),
        (Some(without("net_admin")), vec!["-i", "eth0", "-w", fine], "missing CAP_NET_ADMIN (root"),
        (Some(without("net_raw")), vec!["-i", "eth0", "-w", fine], "missing CAP_NET_RAW (root"),
        (Some(without("sys_admin,-bpf")), vec!["-i", "eth0", "-w", fine], "missing CAP_BPF, CAP_SYS_ADMIN ("),
    ] {
        let agent = mirror_tests::agent_binary().unwrap();
        let mut words: Vec<std::ffi::OsString> = wrapper.into_iter().flatten().map(Into::into).collect();
        words.extend([agent.into(), "capture".into()]);
        words.extend(arguments.into_iter().map(Into::into));
        let output = world.output(Host::Node, Command::new(&words[0]).args(&words[1..])).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(expected) && stderr.lines().count() == 1, "{expected}: {stderr}");
        assert_eq!(output.status.code(), Some(1), "{expected}");
        assert!(!file.exists(), "{expected}");
        assert_eq!(interfaces(&world), before, "{expected}");
    }
}

#[test]
fn an_interface_that_goes_ends_it_and_the_file_is_whole() {
    let world = World::new().unwrap();
    let nginx = Nginx::start(&world, Host::V1);
    let capture = Capture::start(&world, &["-i", "eth0", FILTER[0], FILTER[1]]);
    fetch(&world, &Host::V1.ipv4().to_string(), 3, 2);
    world.output(Host::Node, Command::new("ip").args(["link", "del", "eth0"])).unwrap();
    let end = capture.finish();
    assert_eq!(end.code, Some(1), "{}", end.stderr);
    assert!(end.stderr.contains("nothing is left to capture: eth0 is gone"), "{}", end.stderr);
    check_all(&nginx, &packets(&end.file));
}

#[test]
fn a_loss_is_told_and_explained() {
    let world = World::new().unwrap();
    let _nginx = Nginx::start(&world, Host::V1);
    let capture = Capture::start(&world, &["-i", "eth0", FILTER[0], FILTER[1]]);
    capture.process.signal(Signal::SIGSTOP).unwrap();
    let held = Instant::now();
    while held.elapsed() < Duration::from_millis(2500) {
        fetch(&world, &Host::V1.ipv4().to_string(), 10, 1); // v1 does not notice, and the lease runs out
    }
    capture.process.signal(Signal::SIGCONT).unwrap();
    let end = capture.stop(Signal::SIGINT);
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    let warning = end.stderr.lines().find(|line| line.starts_with("warning: ")).unwrap();
    assert!(warning.contains("came while the agent was held up"), "{warning}");
    assert!(!warning.contains("unaccounted"), "{warning}");
    let [statistics] = &statistics(&end.file)[..] else { panic!("one interface") };
    let lost = statistics.dropped.unwrap() + statistics.not_copied.unwrap();
    assert_eq!(
        statistics.accepted,
        Some(packets(&end.file).len() as u64 + lost),
        "every packet has its place"
    );
}
