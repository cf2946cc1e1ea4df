//! Two agents at one interface: the second is told of the first, which goes on; what a dead one left is swept.

use std::process::Command;

use mirror_agent::config::OnDisplaced;
use mirror_agent::kernel::attach::{HOOKS, Mechanism, attach};
use mirror_agent::kernel::wanted::Wanted;
use mirror_agent::kernel::{Kernel, object};
use mirror_tests::world::Host;

use crate::scene::{Connection, Scene, balanced, settle};

const TAPS: [&str; 4] = ["-i", "veth-v1", "-i", "veth-v2"];

/// What a further agent with these interfaces says before it ends.
fn refused(scene: &Scene, interfaces: &[&str]) -> String {
    let socket = scene.world.directory().join("second.sock");
    let mut second = Command::new(mirror_tests::agent_binary().unwrap());
    second.args(["run", "--v1", &Host::V1.service().to_string(), "--v2", &Host::V2.service().to_string()]);
    second.args(["--share", "1%", "--transit", "--for", "20s"]).args(interfaces).arg("--control").arg(socket);
    let output = scene.world.output(Host::Node, &mut second).unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn filters(scene: &Scene) -> String {
    scene.node("tc filter show dev veth-v1 ingress; tc filter show dev veth-v1 egress")
}

#[test]
fn the_second_names_the_first() {
    let scene = Scene::new();
    let agent = scene.agent(&TAPS);
    for interfaces in [&["-i", "veth-v1"][..], &["-i", "lo", "-i", "veth-*"]] {
        let said = refused(&scene, interfaces);
        let first = format!("mirror-agent (process {})", agent.process.pid());
        assert!(said.contains("veth-v1") && said.contains(&first), "{said}");
    }
    let mut connection = Connection::open(&scene.world, Host::Client, Host::V1.service());
    (0..3).for_each(|_| connection.get());
    settle(&agent, 3);
    balanced(&agent.stop().unwrap());
}

/// Its filters look like those that a killed agent leaves. Whether it still runs is what tells them apart.
#[test]
fn a_living_agents_filters_are_not_swept() {
    let scene = Scene::new();
    let tap = || {
        let kernel = Kernel::load_as(Mechanism::Clsact).unwrap();
        kernel.want(Wanted::new(&["veth-v1".into()]).unwrap(), OnDisplaced::Report).unwrap();
        kernel
    };
    let living = scene.world.enter(Host::Node, tap).unwrap();
    let before = filters(&scene);
    assert_eq!(before.matches("name mirror_").count(), 2, "{before}");
    let said = refused(&scene, &["-i", "veth-v1"]);
    assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
    assert_eq!(filters(&scene), before);
    scene.world.enter(Host::Node, || drop(living)).unwrap();
    assert!(!filters(&scene).contains("mirror_"));
}

#[test]
fn a_dead_agents_filters_are_swept() {
    let scene = Scene::new();
    let leave = || {
        let mut object = object::load().unwrap();
        std::mem::forget(attach(&mut object, "veth-v1", Mechanism::Clsact, &HOOKS).unwrap());
    };
    scene.world.enter(Host::Node, leave).unwrap();
    assert_eq!(filters(&scene).matches("name mirror_").count(), 2);
    let agent = scene.agent(&TAPS);
    assert!(!filters(&scene).contains("mirror_"), "{}", filters(&scene));
    agent.stop().unwrap();
}
