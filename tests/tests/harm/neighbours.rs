//! Other people's programs on the same interface: ours stands before and after them, comes and goes, and they go on.

use std::process::Command;

use aya::Ebpf;
use aya::maps::PerCpuArray;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{TcAttachOptions, TcAttachType};
use mirror_agent::kernel::object::{INGRESS, load, program};
use mirror_common::count::SkipCount;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use nix::sys::signal::Signal;

use crate::scene::{PATIENCE, Scene, nobody_noticed, reach};
use crate::traces::{Traces, chain};

/// Somebody else's program at v1's interface. It is a tap that was told of no service: it lets everything pass, and
/// counts it as unmatched.
struct Neighbour(Ebpf);

impl Neighbour {
    /// Puts it before everything that is there.
    fn first(world: &World) -> Neighbour {
        let attach = || {
            let mut object = load().unwrap();
            let order = TcAttachOptions::TcxOrder(LinkOrder::first());
            program(&mut object, INGRESS)
                .unwrap()
                .attach_with_options("veth-v1", TcAttachType::Ingress, order)
                .unwrap();
            Neighbour(object)
        };
        world.enter(Host::Node, attach).unwrap()
    }

    fn id(&mut self) -> u32 {
        program(&mut self.0, INGRESS).unwrap().info().unwrap().id()
    }

    /// Packets that it saw.
    fn seen(&self) -> u64 {
        let counts: PerCpuArray<_, SkipCount> = self.0.map("SKIP_COUNTS").unwrap().try_into().unwrap();
        counts.get(&0, 0).unwrap().iter().map(|count| count.packets.iter().sum::<u64>()).sum()
    }
}

/// Waits until each has seen more.
fn all_go_on(neighbours: &[&Neighbour]) {
    let seen = || neighbours.iter().map(|neighbour| neighbour.seen()).collect::<Vec<_>>();
    let before = seen();
    let more = || Ok(seen().iter().zip(&before).all(|(now, before)| now > before).then_some(()));
    until("more packets at every neighbour", PATIENCE, more).unwrap();
}

/// The place of ours at v1's ingress in the status, and how many follow it.
fn place(status: &serde_json::Value) -> (Option<u64>, Option<u64>) {
    let taps = status["agent"]["taps"].as_array().unwrap();
    let tap = taps.iter().find(|tap| tap["interface"] == "veth-v1" && tap["hook"] == "ingress").unwrap();
    assert_eq!(tap["mechanism"], "tcx");
    (tap["position"].as_u64(), tap["followers"].as_u64())
}

#[test]
fn in_the_tcx_chain() {
    for end in [Signal::SIGTERM, Signal::SIGKILL] {
        let scene = Scene::new();
        let mut after = Neighbour::first(&scene.world);
        let mut agent = scene.agent(&["--listen", "127.0.0.1:9464"]);
        let traces = Traces::of(agent.process.pid());
        assert_eq!(place(&agent.status().unwrap()), (Some(0), Some(1)));
        let metrics = scene.node("curl -sf http://127.0.0.1:9464/metrics");
        let info = r#"mirror_attach_info{interface="veth-v1",hook="ingress",mechanism="tcx",position="0"} 1"#;
        assert!(metrics.lines().any(|line| line.starts_with(info)), "{metrics}");
        let mut before = Neighbour::first(&scene.world);
        let ours = chain(&scene.world, "veth-v1");
        assert_eq!((ours.len(), ours[0], ours[2]), (4, before.id(), after.id()), "before, ours, after; ours");
        let load = scene.load(4);
        reach(&agent, "requests/compared", 50);
        all_go_on(&[&before, &after]);
        agent.process.signal(end).unwrap();
        agent.process.wait(PATIENCE).unwrap();
        traces.unload();
        assert_eq!(chain(&scene.world, "veth-v1"), [before.id(), after.id()]);
        nobody_noticed(load);
        let load = scene.load(1);
        all_go_on(&[&before, &after]);
        nobody_noticed(load);
    }
}

/// A clsact filter that copies everything to an interface of its owner. tcx comes first and hands every packet on.
#[test]
fn at_clsact() {
    let scene = Scene::new();
    scene.node(&foreign_filter("veth-v1", 1));
    let load = scene.load(4);
    let agent = scene.agent(&[]);
    let copied = || packets_of(&scene.world, "veth-v1");
    let before = copied();
    reach(&agent, "requests/compared", 100);
    assert!(copied() > before);
    agent.stop().unwrap();
    let before = copied();
    until("copies after our end", PATIENCE, || Ok((copied() > before).then_some(()))).unwrap();
    nobody_noticed(load);
}

/// A shell command that gives an interface's ingress a filter of somebody else, and the interface that this one fills.
pub fn foreign_filter(interface: &str, priority: u16) -> String {
    format!(
        "(tc qdisc add dev {interface} clsact; ip link add watch0 type veth peer name watch0p; ip link set watch0 up;
          ip link set watch0p up) 2> /dev/null
         tc filter add dev {interface} ingress prio {priority} protocol all u32 match u32 0 0 \
            action mirred egress mirror dev watch0 continue"
    )
}

/// Packets that the foreign filters of an interface of the node have copied.
pub fn packets_of(world: &World, interface: &str) -> u64 {
    let mut command = Command::new("tc");
    let output = world
        .output(Host::Node, command.args(["-s", "filter", "show", "dev", interface, "ingress"]))
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Sent ")?.split(' ').nth(2)?.parse::<u64>().ok());
    counts.sum()
}
