//! The shadow interface breaks in every way: the copies are lost and counted, the originals are not.

use crate::offload;
use crate::scene::{Scene, balanced, figure, grow, imbalance, nobody_noticed, reach};

#[test]
fn set_down_and_up_again() {
    let scene = Scene::new();
    let agent = scene.unguarded(&[]);
    let load = scene.load(8);
    reach(&agent, "requests/compared", 100);
    scene.node("ip link set shadow0 down");
    reach(&agent, "packets/clone_failed", 300);
    scene.node("ip link set shadow0 up");
    grow(&agent, "packets/cloned", 300);
    grow(&agent, "requests/compared", 50);
    nobody_noticed(load);
    balanced(&agent.stop().unwrap());
}

#[test]
fn deleted() {
    let scene = Scene::new();
    let agent = scene.unguarded(&["--workers", "1"]);
    let load = scene.load(4);
    reach(&agent, "requests/compared", 100);
    scene.node("ip link del shadow0");
    let cloned = figure(&reach(&agent, "packets/clone_failed", 1), "packets/cloned");
    grow(&agent, "packets/clone_failed", 300);
    nobody_noticed(load);
    let log = agent.process.log();
    let status = agent.stop().unwrap();
    assert_eq!(figure(&status, "packets/cloned"), cloned);
    assert_eq!(
        log.matches("down or gone").count(),
        1,
        "the loss of the shadow interface is worth one line a ring: {log}"
    );
    balanced(&status);
}

/// A queue that lets a kilobyte a second go. What still waits in it at the end was cloned, and never read.
#[test]
fn too_slow_for_the_copies() {
    const WAITING: i64 = 20_000 / 54; // the queue's bytes, in packets as short as any
    let scene = Scene::new();
    scene.node(
        "ip link add slow0 type veth peer name slow0p && ip link set slow0 up && ip link set slow0p up &&
         tc qdisc add dev slow0 root tbf rate 8kbit burst 5000 limit 20000",
    );
    let agent = scene.unguarded(&["--shadow-interface", "slow0"]);
    let load = scene.load(4);
    reach(&agent, "packets/clone_failed", 1000);
    nobody_noticed(load);
    let status = agent.stop().unwrap();
    assert!(figure(&status, "packets/cloned") > 0);
    assert_eq!((imbalance(&status, "kernel"), imbalance(&status, "requests")), (0, 0), "{status:#}");
    assert!((0..WAITING).contains(&imbalance(&status, "intake")), "{status:#}");
}

/// A given interface with an MTU below that of v1's: what it refuses is lost, said at the start, and counted.
#[test]
fn too_narrow_for_the_copies() {
    let scene = Scene::new();
    offload::turn_off(&scene.world, "eth0");
    scene.node(
        "ip link add thin0 mtu 1000 type veth peer name thin0p mtu 1000 && ip link set thin0 up && ip link set thin0p up",
    );
    let agent = scene.unguarded(&["--shadow-interface", "thin0"]);
    let said = "clones of packets over 1000 bytes may be lost: veth-v1 has an MTU of 1500, thin0 one of 1000";
    assert!(agent.process.log().contains(said), "{}", agent.process.log());
    nobody_noticed(scene.load(2));
    let status = agent.stop().unwrap();
    let lost =
        figure(&status, "packets/clone_failed") + status["agent"]["intake"]["link_dropped"].as_u64().unwrap();
    assert!(lost > 100, "{status:#}");
    assert_eq!((imbalance(&status, "kernel"), imbalance(&status, "requests")), (0, 0), "{status:#}");
}
