//! The kernel's news of interfaces: nothing is missed, and more than fits is known to have been.

use std::io::pipe;
use std::os::fd::AsFd as _;
use std::time::Duration;

use mirror_agent::kernel::news::{Heard, News};
use mirror_tests::world::{Host, World};

const PATIENCE: Duration = Duration::from_secs(20);

fn ip(world: &World, script: &str) {
    let output = world.output(Host::Node, std::process::Command::new("bash").args(["-ec", script])).unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_kind_is_told_from_the_others() {
    let world = World::new().unwrap();
    let news = world.enter(Host::Node, || News::open(1 << 20).unwrap()).unwrap();
    let (stop, _open) = pipe().unwrap();
    let next = || news.wait(stop.as_fd(), PATIENCE).unwrap().unwrap();
    let nothing = news.wait(stop.as_fd(), Duration::ZERO).unwrap().unwrap();
    assert_eq!(nothing, Heard::default());
    ip(&world, "ip link set lo mtu 30000");
    assert_eq!(next(), Heard { links: true, ..Heard::default() });
    ip(&world, "tc qdisc add dev lo clsact");
    assert_eq!(next(), Heard { filters: true, ..Heard::default() });
}

#[test]
fn more_than_fits_is_an_overrun() {
    let world = World::new().unwrap();
    let news = world.enter(Host::Node, || News::open(1).unwrap()).unwrap(); // the kernel's least room
    let (stop, open) = pipe().unwrap();
    ip(&world, "for n in $(seq 20); do ip link set lo mtu $((30000 + n)); done");
    let heard = news.wait(stop.as_fd(), PATIENCE).unwrap().unwrap();
    assert_eq!(heard, Heard { links: true, filters: true, overrun: true });
    drop(open);
    assert_eq!(news.wait(stop.as_fd(), PATIENCE).unwrap(), None);
}
