//! Fences that cannot be: one line that names the path, exit code 1, and nothing attached.

use std::process::Command;

use mirror_tests::agent_binary;
use mirror_tests::world::Host;
use serde_json::{Value, json};

use crate::programs::attached;
use crate::scene::{Scene, config_file};
use mirror_tests::cgroup::{Cgroup, mount};

fn refused(scene: &Scene, fence: &Value, code: i32, words: &[&str]) {
    let path = scene.world.directory().join("refused.yaml");
    std::fs::write(&path, config_file(fence)).unwrap();
    let mut command = Command::new("timeout");
    command.arg("20").arg(agent_binary().unwrap()).args(["run", "--config"]).arg(&path);
    command.arg("--control").arg(scene.world.directory().join("control.sock"));
    let output = scene.world.output(Host::Node, &mut command).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{fence}: {said}");
    let errors: Vec<_> =
        said.lines().filter(|line| !line.contains(" WARN ") && !line.contains(" INFO ")).collect();
    assert_eq!(errors.len(), 1, "one line: {said}");
    assert!(words.iter().all(|word| errors[0].contains(word)), "{words:?} in {said}");
    assert!(!scene.world.directory().join("control.sock").exists());
    assert_eq!(attached(scene.cgroup.path()), 0);
}

#[test]
fn what_cannot_be_fenced_is_named() {
    let scene = Scene::new();
    let (v2, v1) = (scene.cgroup.path().to_str().unwrap(), Cgroup::new().unwrap());
    let (root, procs) = (mount().unwrap(), scene.cgroup.path().join("cgroup.procs"));
    let root = root.to_str().unwrap();
    refused(&scene, &json!({"cgroup": "nowhere/v2"}), 1, &["there is no cgroup", "nowhere/v2", root]);
    refused(&scene, &json!({"cgroup": "/proc/1"}), 1, &["/proc/1 is no cgroup of version 2", root]);
    refused(&scene, &json!({"cgroup": procs}), 1, &["cgroup.procs is no cgroup of version 2"]);
    refused(&scene, &json!({"cgroup": root}), 1, &["holds this agent", root]);
    refused(&scene, &json!({"cgroup": v2, "v1_cgroup": "gone"}), 1, &["there is no cgroup", "gone"]);
    let inner = scene.cgroup.inner("v1").unwrap();
    let by_link = scene.world.directory().join("link");
    std::os::unix::fs::symlink(&inner, &by_link).unwrap();
    refused(&scene, &json!({"cgroup": v2, "v1_cgroup": by_link}), 1, &["which is v1's", v2]);
    refused(&scene, &json!({"cgroup": v2, "v1_cgroup": inner}), 2, &["v1's calls must never be denied"]);
    let all = json!([{"name": "all", "to": ["0.0.0.0/0"]}]);
    refused(&scene, &json!({"cgroup": v2, "v1_cgroup": v1.path(), "allow": all}), 2, &["that is no fence"]);
    let half = json!([{"name": "half", "to": ["192.0.0.0/2"]}]);
    refused(&scene, &json!({"cgroup": v2, "allow": half}), 1, &["none is left to test the fence with"]);
}
