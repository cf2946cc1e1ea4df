//! What the agent says that it costs, held against what others say: bpftool, and the kernel's files of the process.

use std::fs;
use std::process::Command;

use aya::sys::{Stats, enable_stats};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::scene::{Scene, balanced, nobody_noticed, reach};
use crate::traces::Traces;

/// Names of the programs on the path of every packet.
const TAPS: [&str; 2] = ["mirror_ingress", "mirror_egress"];

/// Runs and run time, in seconds, of a process's program by bpftool.
fn bpftool(traces: &Traces, name: &str) -> (u64, f64) {
    let show = |id: &u32| {
        let id = id.to_string();
        let output = Command::new("bpftool").args(["-j", "prog", "show", "id", &id]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let program = traces.programs().iter().map(show).find(|program| program["name"] == name).unwrap();
    let figure = |name: &str| program[name].as_u64().unwrap_or(0); // bpftool leaves zeros out
    (figure("run_cnt"), figure("run_time_ns") as f64 * 1e-9)
}

fn cost(agent: &mirror_tests::agent::Agent) -> Value {
    let text = agent.command(&["status", "--cost", "--json"]).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["agent"]["cost"].take()
}

#[test]
fn run_times_are_those_of_bpftool() {
    let scene = Scene::new();
    let agent = scene.agent(&[]);
    let traces = Traces::of(agent.process.pid());
    let first = cost(&agent);
    let before = TAPS.map(|name| bpftool(&traces, name));
    let load = scene.load(6);
    reach(&agent, "requests/compared", 50);
    let second = cost(&agent);
    let after = TAPS.map(|name| bpftool(&traces, name));

    let grown = |path: &str| {
        let of = |cost: &Value| cost.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
        of(&second) - of(&first)
    };
    let sampled = grown("/programs/sampled_s");
    assert!((0.8..10.0).contains(&sampled), "{sampled} s: {second:#}");
    for ((name, before), after) in TAPS.iter().zip(before).zip(after) {
        let runs = grown(&format!("/programs/by_name/{name}/runs"));
        let run_s = grown(&format!("/programs/by_name/{name}/run_s"));
        // A request is at least two packets of each side, on the wire of v1 alone.
        assert!(runs > 50.0 * sampled, "{name}: {runs} runs in {sampled} s");
        // Others on this host may have measured too, for longer than we did.
        assert!(runs <= (after.0 - before.0) as f64, "{name}: {runs} runs, by bpftool {before:?} {after:?}");
        assert!(run_s <= after.1 - before.1 + 1e-9, "{name}: {run_s} s, by bpftool {before:?} {after:?}");
        let average = (after.1 - before.1) / (after.0 - before.0) as f64;
        assert!(
            (0.3..3.0).contains(&(run_s / runs / average)),
            "{name}: {run_s} s for {runs}, not {average}"
        );
    }
    nobody_noticed(load);
    balanced(&agent.stop().unwrap());
}

/// What was measured by others, outside of our seconds, is not ours to report.
#[test]
fn only_sampled_seconds_count() {
    let scene = Scene::new();
    let agent = scene.agent(&[]);
    let traces = Traces::of(agent.process.pid());
    let _on = enable_stats(Stats::RunTime).unwrap();
    let first = cost(&agent);
    let before = bpftool(&traces, TAPS[0]).0;
    nobody_noticed(scene.load(3));
    let measured = bpftool(&traces, TAPS[0]).0 - before;
    let status = agent.status().unwrap();
    let now = &status["agent"]["cost"];
    let sampled = |cost: &Value| cost["programs"]["sampled_s"].as_f64().unwrap();
    assert!(measured > 500, "{measured}");
    assert!(sampled(now) - sampled(&first) < 1e-9, "a sample began within the minute: {first:#} {now:#}");
    assert_eq!(now["programs"], first["programs"]);
}

/// Clock ticks that the process has taken, and its resident pages (proc(5), `stat`).
fn stat(pid: u32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
    let field = |number: usize| fields[number - 3].parse::<u64>().unwrap();
    (field(14) + field(15), field(24))
}

#[test]
fn processors_memory_tables_and_rings() {
    let scene = Scene::new();
    let agent = scene.agent(&["--workers", "1"]);
    let load = scene.load(3);
    reach(&agent, "requests/compared", 100);
    let before = stat(agent.process.pid());
    let cost = agent.status().unwrap()["agent"]["cost"].take();
    let after = stat(agent.process.pid());
    let ticks = cost["cpu_s"].as_f64().unwrap() * 100.0; // USER_HZ
    assert!((before.0 as f64 - 0.5..after.0 as f64 + 0.5).contains(&ticks), "{ticks}: {before:?} {after:?}");
    let pages = cost["memory_bytes"].as_u64().unwrap() / 4096;
    assert!(pages.abs_diff(after.1) * 4 < after.1, "{pages} pages, not {}", after.1);
    assert_eq!(cost["maps"]["endpoints"], serde_json::json!({ "entries": 4, "max": 1024 }));
    assert_eq!((&cost["ring"]["all"], &cost["ring"]["of_one"]), (&64.into(), &64.into()));
    nobody_noticed(load);

    // A reader that stands still for a second, of which each 8 ms with packets in them fill a block.
    agent.process.signal(Signal::SIGSTOP).unwrap();
    nobody_noticed(scene.load(1));
    agent.process.signal(Signal::SIGCONT).unwrap();
    let highest = |cost: &Value| cost["agent"]["cost"]["ring"]["highest"].as_u64().unwrap();
    let seen = || Ok(Some(highest(&agent.status()?)).filter(|highest| (10..=64).contains(highest)));
    mirror_tests::wait::until("blocks to have waited", crate::scene::PATIENCE, seen)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()));
    let text = agent.command(&["status", "--cost"]).unwrap();
    for part in ["mirror_ingress ", "table     endpoints 4 of 1024", "of 64 blocks wait"] {
        assert!(text.contains(part), "{text}");
    }
    let flows = agent.status().unwrap()["agent"]["cost"]["maps"]["flows"].take();
    assert_eq!(flows["max"], 65_536, "the first sweep is at the start");
    assert!(flows["entries"].is_u64());
}
