//! What cannot be a probe is not begun.

use std::process::Command;

use mirror_tests::agent_binary;
use mirror_tests::world::{Host, World};

use crate::scene::config;

#[test]
fn every_mistake_is_named_at_once_and_nothing_is_started() {
    let world = World::new().unwrap();
    let probes = "{name: a, path: /, every: 2s, timeout: 3s}, {name: a, path: /, method: POST}, {name: b, path: b, expect: {body: '('}}";
    let path = config(&world, &format!("share: 0%\nprobes: [{probes}, {{name: c, pth: /}}]"));
    let mut run = Command::new(agent_binary().unwrap());
    run.arg("run").arg("--config").arg(path).arg("--control").arg(world.directory().join("control.sock"));
    let output = world.output(Host::Node, &mut run).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for mistake in [
        "probes would overlap",
        "POST may change something",
        "name: a is taken already",
        "\"b\" is not what can be asked for",
        "\"(\" is not a regular expression",
        "a probe has no path",
        "unknown key \"pth\": is path meant?",
    ] {
        assert!(said.contains(mistake), "{mistake}: {said}");
    }
    assert!(!world.directory().join("control.sock").exists());
}
