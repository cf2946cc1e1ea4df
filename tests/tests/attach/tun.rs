//! Interfaces whose packets begin with an IP header: a tun on the node and one on v1's host, and a wire between them.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use mirror_tests::agent::Agent;
use mirror_tests::service::Version;
use mirror_tests::world::{Host, World};

use crate::scene::{Connection, SECOND, Scene, await_changes, balanced, settle, tapped};

/// `TUNSETLINK`, from `linux/if_tun.h`.
const TUNSETLINK: libc::c_ulong = 0x4004_54cd;
/// `ARPHRD_PPP`, from `linux/if_arp.h`.
const PPP: libc::c_ulong = 512;

/// A tun device on a host; what it sends is read from the file. It goes with the file.
pub fn tun(world: &World, host: Host, name: &str) -> File {
    let make = || {
        let device = OpenOptions::new().read(true).write(true).open("/dev/net/tun").unwrap();
        // SAFETY: all of its fields are numbers, for which zero is a value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: a live descriptor, and a request of the kind that TUNSETIFF reads.
        assert_eq!(unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw const request) }, 0);
        device
    };
    world.enter(host, make).unwrap()
}

/// Says that the packets of a tun that is down begin with something else.
pub fn make_strange(device: &File) {
    // SAFETY: a live descriptor, and a number as TUNSETLINK takes it.
    assert_eq!(unsafe { libc::ioctl(device.as_raw_fd(), TUNSETLINK as _, PPP) }, 0);
}

/// Carries packets from one device to the other until the process ends or a device is gone.
fn carry(from: &Arc<File>, to: &Arc<File>) {
    let (from, to) = (from.clone(), to.clone());
    std::thread::spawn(move || {
        let mut packet = [0; 65_536];
        while let Ok(read @ 1..) = (&*from).read(&mut packet) {
            let _ = (&*to).write(&packet[..read]); // a device that is down loses it
        }
    });
}

/// v1 behind a tun.
fn scene() -> Scene {
    let scene = Scene::with(&[(Host::V1, Version::V1), (Host::V2, Version::V2)]);
    let node = Arc::new(tun(&scene.world, Host::Node, "tun7"));
    let v1 = Arc::new(tun(&scene.world, Host::V1, "tun7"));
    carry(&node, &v1);
    carry(&v1, &node);
    scene.node(
        "ip addr add 10.78.5.1/24 dev tun7; ip -6 addr add fd78::1/64 dev tun7 nodad; ip link set tun7 up",
    );
    scene.shell(
        Host::V1,
        "ip addr add 10.78.5.2/24 dev tun7; ip -6 addr add fd78::2/64 dev tun7 nodad; ip link set tun7 up
         ip route add 10.77.0.0/24 via 10.78.5.1; ip -6 route add fd77::/64 via fd78::1",
    );
    scene
}

#[test]
fn a_connection_over_a_tun_is_mirrored_and_timed() {
    let scene = scene();
    for target in ["10.78.5.2:8080", "[fd78::2]:8080"] {
        let v2 = Host::V2.service().to_string();
        let flags = ["-i", "tun7", "--v1", target, "--v2", &v2, "--share", "100%", "--second-answers", "off"];
        let agent = Agent::start(&scene.world, &flags).unwrap();
        let mut connection = Connection::open(&scene.world, Host::Client, target.parse().unwrap());
        (0..20).for_each(|_| connection.get());
        settle(&agent, 20);
        drop(connection);
        let status = agent.stop().unwrap();
        assert_eq!(status["services"][0]["requests"]["compared"], 20, "{status:#}");
        assert_eq!(status["services"][0]["differences"]["body"], 0, "{status:#}");
        let turns = &status["services"][0]["turns"]["v1"];
        assert!(turns["recorded"].as_u64() >= Some(19), "{turns:#}");
        balanced(&status);
        assert!(!scene.node("ip -o link").contains("shadow"), "something is left");
    }
}

/// The same packets begin with a header on one of the two, and with none on the other.
#[test]
fn a_tun_and_a_veth_show_a_connection_once() {
    let scene = scene();
    let v2 = Host::V2.service().to_string();
    let flags = [
        "-i",
        "tun7",
        "-i",
        "eth0",
        "--v1",
        "10.78.5.2:8080",
        "--v2",
        &v2,
        "--share",
        "100%",
        "--second-answers",
        "off",
    ];
    let agent = Agent::start(&scene.world, &flags).unwrap();
    let mut connection = Connection::open(&scene.world, Host::Client, "10.78.5.2:8080".parse().unwrap());
    (0..20).for_each(|_| connection.get());
    settle(&agent, 20);
    let status = agent.stop().unwrap(); // with the connection open, so that nothing follows
    let packets = &status["services"][0]["packets"];
    let (once, twice) = (packets["cloned"].as_u64().unwrap(), packets["duplicate_vantage"].as_u64().unwrap());
    assert!(once > 40 && once.abs_diff(twice) <= 3, "{packets:#}");
    balanced(&status);
}

#[test]
fn a_tun_that_appears_is_tapped() {
    let scene = Scene::new();
    let agent = scene.agent(&["-i", "veth-v*", "-i", "tun*"]);
    let device = tun(&scene.world, Host::Node, "tun8");
    await_changes(&agent, "interface_new", 1, SECOND);
    assert_eq!(tapped(&agent.status().unwrap()), ["tun8", "veth-v1", "veth-v2"]);
    drop(device);
    await_changes(&agent, "interface_gone", 1, SECOND);
    agent.stop().unwrap();
}
