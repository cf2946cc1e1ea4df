//! The way of attaching that kernels before 6.6 have. This kernel has tcx, so the functions are called directly.

use std::process::Command;

use aya::Ebpf;
use aya::maps::PerCpuArray;
use mirror_agent::kernel::attach::{HOOKS, Mechanism, Tap, attach};
use mirror_agent::kernel::leftover::sweep;
use mirror_agent::kernel::object;
use mirror_common::count::{Skip, SkipCount};
use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};

use crate::neighbours::{foreign_filter, packets_of};

const INTERFACE: &str = "eth0";

/// Taps the node's interface towards the client.
fn tap(object: &mut Ebpf) -> Vec<Tap> {
    let taps = attach(object, INTERFACE, Mechanism::Clsact, &HOOKS).unwrap();
    assert_eq!(taps.iter().map(|tap| tap.vantage.hook).collect::<Vec<_>>(), ["ingress", "egress"]);
    taps
}

/// Everything of both hooks, as `tc` sees it.
fn filters() -> String {
    let show =
        |hook| Command::new("tc").args(["filter", "show", "dev", INTERFACE, hook]).output().unwrap().stdout;
    ["ingress", "egress"].map(|hook| String::from_utf8(show(hook)).unwrap()).concat()
}

fn ours() -> usize {
    filters().lines().filter(|line| line.contains("mirror_")).count()
}

fn has_clsact() -> bool {
    let output = Command::new("tc").args(["qdisc", "show", "dev", INTERFACE]).output().unwrap().stdout;
    String::from_utf8(output).unwrap().contains("clsact")
}

/// Packets that a tap saw: it knows no service.
fn seen(object: &Ebpf) -> u64 {
    let counts: PerCpuArray<_, SkipCount> = object.map("SKIP_COUNTS").unwrap().try_into().unwrap();
    counts.get(&0, 0).unwrap().iter().map(|count| count.packets[Skip::Unmatched as usize]).sum()
}

fn ask(world: &World) {
    let url = format!("http://{}/users/1", Host::V1.service());
    let output = world.output(Host::Client, Command::new("curl").args(["-sf", &url])).unwrap();
    assert!(output.status.success(), "v1 does not answer");
}

fn world() -> (Service, World) {
    let world = World::new().unwrap();
    (Service::start(&world, Host::V1, Version::V1).unwrap(), world)
}

fn shell(script: &str) {
    assert!(Command::new("bash").args(["-c", script]).status().unwrap().success(), "{script}");
}

#[test]
fn counts_between_others_and_removes_itself_alone() {
    let (_v1, world) = world();
    let inside = || {
        shell(&foreign_filter(INTERFACE, 1));
        shell(&foreign_filter(INTERFACE, 100));
        let others = filters();
        let mut object = object::load().unwrap();
        let taps = tap(&mut object);
        assert_eq!(ours(), 2);
        ask(&world);
        assert!(seen(&object) >= 8, "{}", seen(&object));
        let copied = packets_of(&world, INTERFACE);
        assert!(copied >= 8, "{copied}: a filter of somebody else sees nothing");
        drop(taps);
        assert_eq!(filters(), others);
        ask(&world);
        assert!(packets_of(&world, INTERFACE) > copied);
        assert!(has_clsact());
    };
    world.enter(Host::Node, inside).unwrap();
}

#[test]
fn a_leftover_is_swept_and_a_strange_filter_is_not() {
    let (_v1, world) = world();
    let inside = || {
        assert!(!sweep(INTERFACE).unwrap(), "nothing is there");
        let mut killed = object::load().unwrap();
        std::mem::forget(tap(&mut killed));
        drop(killed);
        assert_eq!(ours(), 2, "a clsact filter outlives its process");
        shell(&foreign_filter(INTERFACE, 1));
        assert!(sweep(INTERFACE).unwrap());
        assert_eq!(ours(), 0);
        assert!(filters().contains("mirred"), "{}", filters());
        assert!(has_clsact());
        assert!(!sweep(INTERFACE).unwrap(), "nothing is left to sweep");
        ask(&world);
    };
    world.enter(Host::Node, inside).unwrap();
}

#[test]
fn the_next_start_replaces_a_leftover() {
    let (_v1, world) = world();
    let inside = || {
        let mut killed = object::load().unwrap();
        std::mem::forget(tap(&mut killed));
        let mut object = object::load().unwrap();
        sweep(INTERFACE).unwrap();
        let taps = tap(&mut object);
        assert_eq!(ours(), 2);
        ask(&world);
        assert!(seen(&object) >= 8);
        assert_eq!(seen(&killed), 0);
        drop(taps);
        assert_eq!(ours(), 0);
    };
    world.enter(Host::Node, inside).unwrap();
}
