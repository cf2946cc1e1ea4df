//! The clones go to another host as well: all of them, whole, and production notices nothing. The other host is v2's, so
//! that the tunnel's own packets leave by an interface that is tapped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;

use mirror_agent::config::Tunnel;
use mirror_agent::kernel::attach::Mechanism;
use mirror_agent::kernel::shadow::Shadow;
use mirror_tests::agent::Agent;
use mirror_tests::process::Process;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use nix::sys::signal::Signal;
use pcap_file::pcap::PcapReader;
use serde_json::Value;

use crate::offload;
use crate::scene::{PATIENCE, Scene, balanced, figure, nobody_noticed, reach};
use crate::traces::{Traces, interfaces, own_interfaces};

const VNI: u32 = 42;

/// A tcpdump that writes a file.
struct Dump {
    _process: Process,
    file: PathBuf,
}

impl Dump {
    fn start(scene: &Scene, host: Host, interface: &str, filter: &str) -> Dump {
        let name = format!("{}-{interface}", scene.world.namespace(host));
        let file = scene.world.directory().join(format!("{name}.pcap"));
        let mut command = Command::new("tcpdump");
        command.args([
            "-U",
            "--immediate-mode",
            "-Z",
            "root",
            "-s",
            "0",
            "-B",
            "65536",
            "-i",
            interface,
            "-w",
        ]);
        command.arg(&file).arg(filter);
        let process = scene.world.spawn(host, &mut command, Some(&format!("{name}.log"))).unwrap();
        let listens = || Ok(process.log().contains("listening on").then_some(()));
        until("tcpdump", PATIENCE, listens).unwrap();
        Dump { _process: process, file }
    }

    /// What is written so far; a frame that is being written is not there yet.
    fn frames(&self) -> Vec<Vec<u8>> {
        let mut reader = PcapReader::new(File::open(&self.file).unwrap()).unwrap();
        let mut frames = Vec::new();
        while let Some(Ok(packet)) = reader.next_packet() {
            assert_eq!(packet.data().len(), packet.orig_len() as usize, "tcpdump cut a frame");
            frames.push(packet.data().to_vec());
        }
        frames
    }
}

/// The other end of the tunnel, on v2's host.
fn other_end(scene: &Scene, remote: &str) -> Dump {
    on(
        scene,
        Host::V2,
        &format!(
            "ip link add vx0 type vxlan id {VNI} remote {remote} dstport 4789 && ip link set vx0 mtu 1500 up"
        ),
    );
    Dump::start(scene, Host::V2, "vx0", "tcp")
}

fn on(scene: &Scene, host: Host, script: &str) -> String {
    let output = scene.world.output(host, Command::new("bash").args(["-c", script])).unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn tunnel(status: &Value, figure: &str) -> u64 {
    status["agent"]["tunnel"][figure].as_u64().unwrap_or_else(|| panic!("no {figure}: {status:#}"))
}

/// A direction of a connection: addresses and ports.
type Direction = Vec<u8>;

/// Every byte that each direction sent, by its number from the SYN on; none may be missing, and none in two versions.
fn streams(frames: &[Vec<u8>]) -> BTreeMap<Direction, BTreeMap<u32, u8>> {
    let mut begins: BTreeMap<Direction, u32> = BTreeMap::new();
    let mut streams: BTreeMap<Direction, BTreeMap<u32, u8>> = BTreeMap::new();
    for pass in [0, 1] {
        for frame in frames {
            let ip = &frame[14..];
            let tcp = &ip[20..]; // nobody here sends options of IPv4
            let direction = [&ip[12..20], &tcp[..4]].concat();
            let seq = u32::from_be_bytes(tcp[4..8].try_into().unwrap());
            let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
            if pass == 0 && tcp[13] & 2 != 0 {
                begins.insert(direction, seq.wrapping_add(1));
            } else if pass == 1 {
                let begin = begins[&direction];
                let stream = streams.entry(direction).or_default();
                for (at, byte) in (0u32..).zip(payload) {
                    let at = seq.wrapping_sub(begin).wrapping_add(at);
                    assert!(stream.insert(at, *byte).is_none_or(|before| before == *byte));
                }
            }
        }
    }
    streams
}

#[test]
fn every_frame_arrives_as_it_was_also_in_fragments() {
    let scene = Scene::new();
    let far = other_end(&scene, "10.77.2.1");
    offload::turn_off(&scene.world, "vx0");
    let near = Dump::start(&scene, Host::Node, "veth-v1", "tcp port 8080");
    let agent = scene.agent(&["--shadow-interface", &format!("vxlan:10.77.2.2:{VNI}")]);
    assert!(agent.process.log().contains("over 1450 bytes leave in fragments"), "{}", agent.process.log());
    nobody_noticed(scene.load(2));
    let status = reach(&agent, "requests/compared", 1);
    let all = figure(&status, "packets/cloned") as usize;
    let arrived = || Ok((far.frames().len() >= all).then_some(()));
    until("the clones", PATIENCE, arrived)
        .unwrap_or_else(|error| panic!("{error}: {} of {all}", far.frames().len()));

    let (mut near, mut far) = (near.frames(), far.frames());
    near.sort();
    far.sort();
    assert_eq!(near.len(), far.len());
    assert!(near == far, "the frames differ");
    let long = near.iter().filter(|frame| frame.len() > 14 + 1450).count() as u64;
    assert!(long > 0, "nothing was long enough for a fragment");

    let status = agent.stop().unwrap();
    assert_eq!((tunnel(&status, "failed"), tunnel(&status, "oversize")), (0, long), "{status:#}");
    assert_eq!(tunnel(&status, "sent"), near.len() as u64);
    balanced(&status);
}

#[test]
fn what_offload_has_merged_arrives_whole() {
    let scene = Scene::new();
    let far = other_end(&scene, "10.77.2.1");
    let near = Dump::start(&scene, Host::Node, "veth-v1", "tcp port 8080");
    let agent = scene.agent(&["--shadow-interface", &format!("vxlan:10.77.2.2:{VNI}")]);
    nobody_noticed(scene.load(2));
    assert!(near.frames().iter().any(|frame| frame.len() > 2000), "nothing was merged");
    let expected = streams(&near.frames());
    let arrived = || Ok((streams(&far.frames()) == expected).then_some(()));
    until("every byte of every connection", PATIENCE, arrived).unwrap();
    let status = agent.stop().unwrap();
    assert_eq!(tunnel(&status, "failed"), 0, "{status:#}");
    balanced(&status);
}

/// Over IPv6 nothing is fragmented on the way: what is too long is lost, said and counted. With room, nothing is.
#[test]
fn over_ipv6_it_takes_room() {
    let scene = Scene::new();
    let _far = other_end(&scene, "fd77:2::1");
    let shadow = format!("vxlan:[fd77:2::2]:{VNI}");
    let agent = scene.agent(&["--shadow-interface", &shadow]);
    assert!(agent.process.log().contains("over 1430 bytes are lost"), "{}", agent.process.log());
    nobody_noticed(scene.load(2));
    let status = agent.stop().unwrap();
    assert!(tunnel(&status, "failed") > 0 && tunnel(&status, "oversize") > 0, "{status:#}");
    balanced(&status);

    scene.node("ip link set veth-v2 mtu 1600");
    on(&scene, Host::V2, "ip link set eth0 mtu 1600");
    // The kernel remembers what it told itself of the old way.
    scene.node("ip -6 route flush cache");
    let agent = scene.agent(&["--shadow-interface", &shadow]);
    nobody_noticed(scene.load(2));
    let status = agent.stop().unwrap();
    assert!(tunnel(&status, "sent") > 0);
    assert_eq!(tunnel(&status, "failed"), 0, "{status:#}");
    balanced(&status);
}

#[test]
fn a_killed_agent_leaves_no_tunnel() {
    let scene = Scene::new();
    let shadow = format!("vxlan:10.77.2.2:{VNI}");
    for _ in 0..3 {
        let mut agent: Agent = scene.agent(&["--shadow-interface", &shadow]);
        let traces = Traces::of(agent.process.pid());
        assert!(port_is_open(&scene));
        let load = scene.load(3);
        reach(&agent, "packets/cloned", 10);
        agent.process.signal(Signal::SIGKILL).unwrap();
        agent.process.wait(PATIENCE).unwrap();
        scene.agent(&["--shadow-interface", &shadow]).stop().unwrap(); // at once, however the first is buried
        traces.vanish(&scene.world);
        until("the end of the tunnel", PATIENCE, || Ok((!port_is_open(&scene)).then_some(()))).unwrap();
        assert_eq!(interfaces(&scene.world), own_interfaces());
        nobody_noticed(load);
    }
}

fn port_is_open(scene: &Scene) -> bool {
    let read = || fs::read_to_string("/proc/thread-self/net/udp").unwrap();
    scene.world.enter(Host::Node, read).unwrap().contains(":12B5 ") // 4789
}

/// Nobody answers there, then the way there is gone: users and ledger do not feel it, and the last is counted.
#[test]
fn the_other_host_cannot_be_reached() {
    let scene = Scene::new();
    scene.node("ip addr add 10.99.0.1/24 dev veth-v2");
    let agent = scene.agent(&["--shadow-interface", "vxlan:10.99.0.9:1"]);
    let load = scene.load(4);
    reach(&agent, "requests/compared", 100);
    scene.node("ip addr del 10.99.0.1/24 dev veth-v2");
    let fails = || Ok((tunnel(&agent.status()?, "failed") > 100).then_some(()));
    until("failures to be counted", PATIENCE, fails).unwrap();
    nobody_noticed(load);
    balanced(&agent.stop().unwrap());
}

/// The outer headers, whichever way the program that feeds the tunnel is attached.
#[test]
fn what_it_sends_is_vxlan() {
    let scene = Scene::without_v2();
    let dump = Dump::start(&scene, Host::V2, "eth0", "udp port 4789");
    for (number, mechanism) in (0u8..).zip([Mechanism::Tcx, Mechanism::Clsact]) {
        let wanted = Tunnel { remote: Host::V2.ipv4(), vni: 0x0a_0b00 + u32::from(number) };
        let send = || {
            // Nearly all that are recommended are taken: what is left are 50000 to 50003.
            let services: Vec<u16> = (49_152..50_000).chain((50_004..65_535).step_by(4)).collect();
            let shadow = Shadow::with_tunnel(mechanism, &wanted, &services).unwrap();
            let address = format!("ip addr add 10.98.0.1/24 dev {}", shadow.name);
            assert!(Command::new("bash").args(["-c", &address]).status().unwrap().success());
            UdpSocket::bind("10.98.0.1:0").unwrap().send_to(b"inside", "10.98.0.2:9").unwrap();
            let sent = || Ok((shadow.tunnel().unwrap().status(0).sent == 1).then_some(()));
            until("the packet", PATIENCE, sent).unwrap();
        };
        scene.world.enter(Host::Node, send).unwrap();
        let frames = || Ok(Some(dump.frames()).filter(|frames| frames.len() > number.into()));
        let frame = until("the packet", PATIENCE, frames).unwrap().pop().unwrap();
        let (ip, udp, vxlan) = (&frame[14..34], &frame[34..42], &frame[42..50]);
        assert_eq!((ip[8], ip[6] & 0x40), (64, 0), "TTL, and no DF");
        assert!((50_000..50_004).contains(&u16::from_be_bytes([udp[0], udp[1]])), "{udp:?}");
        assert_eq!(udp[2..4], 4789u16.to_be_bytes());
        assert_ne!(udp[6..8], [0, 0], "a checksum");
        assert_eq!(vxlan, [8, 0, 0, 0, 0x0a, 0x0b, number, 0], "RFC 7348, section 5");
        assert!(frame.ends_with(b"inside"));
    }
}
