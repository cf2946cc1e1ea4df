//! Every kind of interface is a vantage: each request of a connection over it is compared, and seen once on two of them.

use std::net::SocketAddr;

use mirror_tests::agent::Agent;
use mirror_tests::service::Version;
use mirror_tests::world::Host;
use serde_json::Value;

use crate::scene::{Connection, Scene, balanced, settle};

const REQUESTS: u64 = 20;
const VLAN: &str = "VLAN device";

/// A way from a client to v1.
struct Way {
    kind: &'static str,
    /// What to set up on the node, and then on v1's host.
    node: &'static str,
    v1: &'static str,
    /// The interface to tap, and another that the same packets pass.
    tap: &'static str,
    also: &'static str,
    /// Whether the other one sees the packets as they are, and not wrapped into others.
    sees_twice: bool,
    client: Host,
    server: Host,
    target: &'static str,
}

const PLAIN: Way = Way {
    kind: "veth, the host's side",
    node: "",
    v1: "",
    tap: "veth-v1",
    also: "eth0",
    sees_twice: true,
    client: Host::Client,
    server: Host::V1,
    target: "10.77.1.2:8080",
};

const WAYS: [Way; 8] = [
    PLAIN,
    Way { kind: "veth, inside", tap: "eth0", also: "lo", sees_twice: false, server: Host::Node, target: "10.77.0.1:8080", ..PLAIN },
    Way {
        kind: "lo",
        tap: "lo",
        also: "eth0",
        sees_twice: false,
        client: Host::Node,
        server: Host::Node,
        target: "127.0.0.1:8080",
        ..PLAIN
    },
    Way {
        kind: "bridge",
        node: "ip link add br0 type bridge; ip link set br0 up; ip addr flush dev veth-v1
               ip link set veth-v1 master br0; ip addr add 10.77.1.1/24 dev br0",
        tap: "br0",
        also: "veth-v1",
        ..PLAIN
    },
    Way {
        kind: VLAN,
        node: "ip link add link veth-v1 name vlan7 type vlan id 7; ip addr add 10.78.7.1/24 dev vlan7; ip link set vlan7 up",
        v1: "ip link add link eth0 name vlan7 type vlan id 7; ip addr add 10.78.7.2/24 dev vlan7; ip link set vlan7 up
             ip route add 10.77.0.0/24 via 10.78.7.1",
        tap: "vlan7",
        also: "veth-v1",
        target: "10.78.7.2:8080",
        ..PLAIN
    },
    Way {
        kind: "macvlan",
        node: "ip link add link veth-v1 name macvlan0 type macvlan mode bridge; ip addr add 10.78.8.1/24 dev macvlan0
               ip link set macvlan0 up",
        v1: "ip addr add 10.78.8.2/24 dev eth0; ip route add 10.77.0.0/24 via 10.78.8.1",
        tap: "macvlan0",
        also: "veth-v1",
        target: "10.78.8.2:8080",
        ..PLAIN
    },
    Way {
        kind: "ifb",
        node: "ip link add ifb7 type ifb; ip link set ifb7 up
               for from in eth0 veth-v1; do
                   tc qdisc add dev $from clsact
                   tc filter add dev $from ingress protocol all u32 match u32 0 0 action mirred egress redirect dev ifb7
               done",
        tap: "ifb7",
        also: "veth-v1",
        ..PLAIN
    },
    Way {
        kind: "vxlan",
        node: "ip link add vxlan7 type vxlan id 7 remote 10.77.1.2 local 10.77.1.1 dstport 4789
               ip addr add 10.78.9.1/24 dev vxlan7; ip link set vxlan7 up",
        v1: "ip link add vxlan7 type vxlan id 7 remote 10.77.1.1 local 10.77.1.2 dstport 4789
             ip addr add 10.78.9.2/24 dev vxlan7; ip link set vxlan7 up; ip route add 10.77.0.0/24 via 10.78.9.1",
        tap: "vxlan7",
        also: "veth-v1",
        sees_twice: false,
        target: "10.78.9.2:8080",
        ..PLAIN
    },
];

/// Whether the kernel has the kind of interface: all but the VLAN device are in every kernel that is tested.
fn is_known(scene: &Scene, way: &Way) -> bool {
    let probe = "ip link add link lo name probe type vlan id 9 2>&1 && ip link del probe || true";
    way.kind != VLAN || !scene.node(probe).contains("Unknown device type")
}

/// Mirrors one connection with these taps; returns the packets of v1 by how they ended.
fn mirror(scene: &Scene, way: &Way, interfaces: &[&str]) -> Value {
    let v2 = Host::V2.service().to_string();
    let taps = interfaces.iter().flat_map(|name| ["-i", name]);
    let service =
        ["--v1", way.target, "--v2", &v2, "--share", "100%", "--transit", "--second-answers", "off"];
    let agent = Agent::start(&scene.world, &taps.chain(service).collect::<Vec<_>>()).unwrap();
    let target: SocketAddr = way.target.parse().unwrap();
    let mut connection = Connection::open(&scene.world, way.client, target);
    (0..REQUESTS).for_each(|_| connection.get());
    settle(&agent, REQUESTS);
    let status = agent.stop().unwrap(); // with the connection open, so that nothing follows
    let requests = &status["services"][0]["requests"];
    assert_eq!(requests["seen"], REQUESTS, "{}: {status:#}", way.kind);
    assert_eq!(requests["compared"], REQUESTS, "{}: {status:#}", way.kind);
    balanced(&status);
    status["services"][0]["packets"].clone()
}

#[test]
fn each_kind_shows_every_request_and_two_show_it_once() {
    for way in &WAYS {
        let scene = Scene::with(&[(way.server, Version::V1), (Host::V2, Version::V2)]);
        if !is_known(&scene, way) {
            eprintln!("skipped: this kernel has no {}", way.kind);
            continue;
        }
        scene.node(way.node);
        scene.shell(Host::V1, way.v1);
        let alone = mirror(&scene, way, &[way.tap]);
        assert_eq!(alone["duplicate_vantage"], 0, "{}: {alone:#}", way.kind);
        let both = mirror(&scene, way, &[way.tap, way.also]);
        let twice = both["duplicate_vantage"].as_u64().unwrap();
        let once = both["cloned"].as_u64().unwrap();
        // When the taps go, packets may be between two vantages, or after the end of the lease.
        let expect = if way.sees_twice { once } else { 0 };
        assert!(twice.abs_diff(expect) <= 3, "{}: {twice} of {once}: {both:#}", way.kind);
    }
}
