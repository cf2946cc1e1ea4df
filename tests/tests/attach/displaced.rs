//! Somebody removes a tap or comes before it: it is said within a second, and put back if that was asked for.

use std::fs;
use std::process::Command;

use aya::Ebpf;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{SchedClassifier, TcAttachOptions, TcAttachType};
use mirror_agent::kernel::object::{INGRESS, load, program};
use mirror_tests::agent::Agent;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};

use crate::scene::{Connection, PATIENCE, SECOND, Scene, await_changes, changes, condition, settle};

const TAPS: [&str; 4] = ["-i", "veth-v1", "-i", "veth-v2"];

/// Puts somebody else's program before everything at v1's ingress, until it is dropped.
fn intruder(world: &World) -> Ebpf {
    let attach = || {
        let mut object = load().unwrap();
        let first = TcAttachOptions::TcxOrder(LinkOrder::first());
        let program = program(&mut object, INGRESS).unwrap();
        program.attach_with_options("veth-v1", TcAttachType::Ingress, first).unwrap();
        object
    };
    world.enter(Host::Node, attach).unwrap()
}

/// The link of the agent's tap at v1's ingress, as the kernel shows it beside its descriptor. A link that was detached
/// has no interface any more.
fn link(scene: &Scene, agent: &Agent) -> Option<String> {
    let index = scene.world.enter(Host::Node, || nix::net::if_::if_nametoindex("veth-v1").unwrap()).unwrap();
    let ours = chain(&scene.world);
    let infos = fs::read_dir(format!("/proc/{}/fdinfo", agent.process.pid())).unwrap();
    let infos = infos.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let field = |info: &str, name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u32>().ok()
    };
    let is_ours = |info: &String| {
        field(info, "ifindex") == Some(index) && field(info, "prog_id").is_some_and(|id| ours.contains(&id))
    };
    infos.filter(is_ours).find_map(|info| Some(field(&info, "link_id")?.to_string()))
}

/// The ids of the programs at v1's ingress.
fn chain(world: &World) -> Vec<u32> {
    let query = || SchedClassifier::query_tcx("veth-v1", TcAttachType::Ingress).unwrap().1;
    world.enter(Host::Node, query).unwrap().iter().map(|program| program.id()).collect()
}

/// Takes the tap away, as root can.
fn detach(link: &str) {
    let output = Command::new("bpftool").args(["link", "detach", "id", link]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn await_condition(agent: &Agent, expect: (&str, Option<u64>)) {
    let expect = (expect.0.to_owned(), expect.1);
    let look = || Ok((condition(&agent.status()?, "veth-v1", "ingress") == expect).then_some(()));
    until(&format!("the tap to be {expect:?}"), SECOND, look)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()["agent"]));
}

#[test]
fn a_removal_is_said() {
    let scene = Scene::new();
    let agent = scene.agent(&[&TAPS[..], &["--listen", "127.0.0.1:9464"]].concat());
    detach(&link(&scene, &agent).unwrap());
    await_condition(&agent, ("removed", None));
    let log = agent.process.log();
    assert_eq!(log.matches("somebody removed the tap").count(), 1, "{log}");
    let metrics = scene.node("curl -sf http://127.0.0.1:9464/metrics");
    for expect in [
        r#"mirror_attach_info{interface="veth-v1",hook="ingress",mechanism="tcx",position=""} 0"#,
        r#"mirror_taps{condition="removed"} 1"#,
        r#"mirror_attach_changes_total{reason="removed"} 1"#,
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(expect)), "{expect}: {metrics}");
    }
    assert!(agent.command(&["status"]).unwrap().contains("REMOVED: it sees nothing"));
    let status = agent.stop().unwrap();
    assert_eq!((changes(&status, "removed"), changes(&status, "reattached")), (1, 0));
}

#[test]
fn a_program_before_ours_is_said_and_its_end_too() {
    let scene = Scene::new();
    let agent = scene.agent(&TAPS);
    await_condition(&agent, ("first", Some(0)));
    let one = intruder(&scene.world);
    await_condition(&agent, ("preceded", Some(1)));
    let two = intruder(&scene.world);
    await_condition(&agent, ("preceded", Some(2)));
    assert!(agent.command(&["status"]).unwrap().contains("PRECEDED by 2"));
    drop((one, two));
    await_condition(&agent, ("first", Some(0)));
    let log = agent.process.log();
    assert_eq!(log.matches("may be blind").count(), 1, "once for the change: {log}");
    let status = agent.stop().unwrap();
    assert_eq!((changes(&status, "preceded"), changes(&status, "first_again")), (1, 1));
}

#[test]
fn what_was_displaced_is_put_back() {
    let scene = Scene::new();
    let agent = scene.agent(&[&TAPS[..], &["--on-displaced", "reattach"]].concat());
    let mut connection = Connection::open(&scene.world, Host::Client, Host::V1.service());
    connection.get();
    settle(&agent, 1);
    detach(&link(&scene, &agent).unwrap());
    await_changes(&agent, "reattached", 1, SECOND);
    await_condition(&agent, ("first", Some(0)));
    (0..3).for_each(|_| connection.get());
    settle(&agent, 4);
    let _behind = intruder(&scene.world);
    await_changes(&agent, "reattached", 2, SECOND);
    await_condition(&agent, ("first", Some(0)));
    (0..3).for_each(|_| connection.get());
    settle(&agent, 7);
    let status = agent.stop().unwrap();
    assert_eq!(changes(&status, "contested"), 0);
}

#[test]
fn a_fight_is_given_up() {
    let scene = Scene::new();
    let agent = scene.agent(&[&TAPS[..], &["--on-displaced", "reattach"]].concat());
    for round in 0..=5 {
        let link = until("our tap", PATIENCE, || Ok(link(&scene, &agent))).unwrap();
        detach(&link);
        match round {
            5 => await_changes(&agent, "contested", 1, SECOND),
            _ => await_changes(&agent, "reattached", round + 1, SECOND),
        }
    }
    await_condition(&agent, ("removed", None));
    let status = agent.stop().unwrap();
    assert_eq!((changes(&status, "reattached"), changes(&status, "contested")), (5, 1));
}
