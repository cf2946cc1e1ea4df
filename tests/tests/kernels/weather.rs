//! Bad weather on the users' wire: delay, loss, reordering and duplication, made by netem. Nobody notices the mirror,
//! nothing is lost of what v1 answered, and no latency is one that the weather has made.

use std::fs;

use aya::maps::{MapData, MapInfo};
use mirror_agent::kernel::histograms::Histograms;
use mirror_agent::latency::Latency;
use mirror_common::histogram::slot;
use mirror_common::turn::{measure, outcome};
use mirror_tests::service::Version;
use mirror_tests::world::Host;

use crate::machine::skip;
use crate::scene::{Scene, balanced, figure, latencies_us, nobody_noticed, settle};

/// What v1 takes to answer, at least.
const DELAY_US: u64 = 20_000;
const RATE: f64 = 60.0;
const SECONDS: u64 = 1;

/// Makes the weather on the users' wire, both ways; says why it cannot.
fn begin(scene: &Scene, weather: &str) -> Result<(), String> {
    for host in [Host::Client, Host::Node] {
        let netem = format!("tc qdisc add dev eth0 root netem limit 10000 {weather}");
        let (done, complaint) = scene.attempt(host, &netem.split(' ').collect::<Vec<_>>());
        done.ok_or(format!("this kernel has no netem: {complaint}"))?;
    }
    Ok(())
}

/// The latencies of v1's turns in the maps of a process, of every outcome.
fn latency(pid: u32, measure: u8) -> Latency {
    let held = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap().flatten();
    let texts = held.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let ids = texts.filter_map(|text| {
        text.lines().find_map(|line| line.strip_prefix("map_id:")?.trim().parse::<u32>().ok())
    });
    let is_ours = |id: &u32| MapInfo::from_id(*id).is_ok_and(|map| map.name_as_str() == Some("HISTOGRAMS"));
    let id = ids.into_iter().find(is_ours).expect("the agent has no histograms");
    let histograms = Histograms::new(MapData::from_id(id).unwrap()).unwrap();
    let mut all = Latency::default();
    (0..outcome::COUNT as u8).for_each(|outcome| all.merge(&histograms.read(0, 0, measure, outcome)));
    all
}

/// Each turn took v1 by its own clock at most as long as it took at the tap, and its user at least as long. Turns are
/// not told apart, and some are not recorded; so it holds for the n-th shortest and for the n-th longest, in buckets.
fn assert_true(latency: &Latency, mut server_us: Vec<u64>, mut user_us: Vec<u64>) {
    let filled = (0..).zip(latency.slots);
    let slots: Vec<u32> =
        filled.flat_map(|(slot, count)| std::iter::repeat_n(slot, count as usize)).collect();
    server_us.sort_unstable();
    user_us.sort_unstable();
    // Microseconds are cut off, by both.
    let too_short = slots.iter().zip(&server_us).filter(|(at, us)| **at < slot(**us * 1000)).count();
    let too_long = slots.iter().rev().zip(user_us.iter().rev());
    let too_long = too_long.filter(|(at, us)| **at > slot((**us + 1) * 1000)).count();
    assert_eq!((too_short, too_long), (0, 0), "{slots:?}; v1: {server_us:?}; users: {user_us:?}");
    assert!(latency.sum_ns >= latency.count() * DELAY_US * 1000);
}

/// Users first of one slow target, by which the latencies are judged, then of everything.
fn under(weather: &str) {
    let scene = Scene::new(Version::V1);
    if let Err(reason) = begin(&scene, weather) {
        return skip(&reason);
    }
    let agent = scene.agent(&[]);
    let users = latencies_us(scene.load(&format!("/delay/{DELAY_US}"), RATE, SECONDS));
    let slow = users.len() as u64;
    settle(&agent, slow);
    let recorded = || figure(&agent.status().unwrap(), "turns/v1/recorded");
    let before = recorded();
    assert!(before >= slow / 4, "{before} of {slow} turns are certain");
    let server: Vec<u64> = scene.v1.log().unwrap().iter().map(|entry| entry.took_us).collect();
    let users: Vec<u64> = users.into_iter().map(u64::from).collect();
    let times = [measure::TTFB, measure::TOTAL].map(|measure| latency(agent.process.pid(), measure));
    // An acknowledgement that had to be sent again ends a turn late, even between two looks.
    let looks = before..=recorded();
    times.iter().for_each(|latency| {
        assert!(looks.contains(&latency.count()), "{} of {looks:?} turns", latency.count());
        assert_true(latency, server.clone(), users.clone());
    });
    assert!(times[0].sum_ns <= times[1].sum_ns, "the first byte comes before the last");

    let mixed = nobody_noticed(scene.everything(RATE, SECONDS));
    settle(&agent, slow + mixed);
    let status = agent.stop().unwrap();
    balanced(&status);
    let kept_out = figure(&status, "requests/unselected");
    assert_eq!(figure(&status, "requests/seen"), slow + mixed, "{status:#}");
    assert_eq!(figure(&status, "requests/compared") + kept_out, slow + mixed, "{status:#}");
    assert_eq!(figure(&status, "differences"), 0, "{status:#}");
}

#[test]
fn delay() {
    under("delay 10ms 3ms");
}

#[test]
fn loss() {
    under("loss 3%");
}

#[test]
fn reordering() {
    under("delay 5ms reorder 30% 50%");
}

#[test]
fn duplication() {
    under("duplicate 10%");
}

#[test]
fn all_at_once() {
    under("delay 4ms 2ms loss 2% duplicate 5% reorder 20% 50%");
}
