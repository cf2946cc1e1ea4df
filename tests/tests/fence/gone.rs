//! The fence of a running agent: what it says, and that nothing of it stays when the agent ends, however that is.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::caller::{calls, every};
use crate::programs::attached;
use crate::scene::{Scene, config_file};
use mirror_tests::cgroup::Cgroup;

const PATIENCE: Duration = Duration::from_secs(20);

fn file(scene: &Scene, fence: &Value) -> PathBuf {
    let path = scene.world.directory().join("fence.yaml");
    std::fs::write(&path, config_file(fence)).unwrap();
    path
}

fn agent(scene: &Scene, fence: &Value) -> Agent {
    let path = file(scene, fence);
    Agent::start(&scene.world, &["--config", path.to_str().unwrap(), "--listen", "127.0.0.1:9464"]).unwrap()
}

fn call(scene: &Scene) -> Vec<crate::caller::Call> {
    let used = every(&["10.77.1.2", "fd77:1::2"], &[80]);
    calls(&scene.world, Host::V2, Some(scene.cgroup.path()), &json!([]), &used)
}

#[test]
fn a_running_agent_says_how_its_fence_stands() {
    let scene = Scene::new();
    let allow = json!([{"name": "v1", "to": ["10.77.1.2"], "ports": [80]}]);
    let v1 = Cgroup::new().unwrap();
    let agent =
        agent(&scene, &json!({"cgroup": scene.cgroup.path(), "v1_cgroup": v1.path(), "allow": allow}));
    assert_eq!(attached(scene.cgroup.path()), 4);
    let made = call(&scene);
    assert_eq!(made.iter().filter(|call| call.is_denied()).count(), 3, "{made:?}");
    let status = agent.status().unwrap();
    let fence = status.pointer("/services/0/fence").unwrap();
    assert_eq!(
        (&fence["mode"], &fence["proven"], &fence["unknown"]),
        (&json!("deny"), &json!(true), &json!(2))
    );
    let expect = json!([
        {"name": "v1", "v2_allowed": 3, "v2_denied": 0, "v1": 0},
        {"name": "other", "v2_allowed": 0, "v2_denied": 3, "v1": 0},
    ]);
    assert_eq!(fence["destinations"], expect);
    let scrape =
        scene.world.output(Host::Node, Command::new("curl").args(["-s", "http://127.0.0.1:9464/metrics"]));
    let scrape = String::from_utf8(scrape.unwrap().stdout).unwrap();
    for line in [
        r#"mirror_fence_proven{service="checkout"} 1"#,
        r#"mirror_fence_connections_total{service="checkout",version="v2",destination="v1",result="allowed"} 3"#,
        r#"mirror_fence_connections_total{service="checkout",version="v2",destination="other",result="denied"} 3"#,
        r#"mirror_fence_connections_total{service="checkout",version="v1",destination="other",result="allowed"} 0"#,
    ] {
        assert!(scrape.lines().any(|other| other.trim_end_matches(".0") == line), "{line} in {scrape}");
    }
    agent.stop().unwrap();
    assert_eq!(attached(scene.cgroup.path()), 0);
    assert!(call(&scene).iter().all(|call| !call.is_denied()));
}

#[test]
fn a_killed_agent_leaves_no_program() {
    let scene = Scene::new();
    let mut agent = agent(&scene, &json!({"cgroup": scene.cgroup.path()}));
    assert!(call(&scene).iter().all(|call| call.is_denied()));
    agent.process.signal(Signal::SIGKILL).unwrap();
    agent.process.wait(PATIENCE).unwrap();
    let gone = || Ok((attached(scene.cgroup.path()) == 0).then_some(()));
    until("no program on the cgroup", PATIENCE, gone).unwrap();
    assert!(call(&scene).iter().all(|call| !call.is_denied()));
}

#[test]
fn denials_are_in_the_debug_log_and_not_too_many() {
    let scene = Scene::new();
    let path = file(&scene, &json!({"cgroup": scene.cgroup.path()}));
    let agent = Agent::start(&scene.world, &["--config", path.to_str().unwrap(), "--log", "debug"]).unwrap();
    let many = vec![("udp-send", "10.77.1.2", 53); 500];
    let made = calls(&scene.world, Host::V2, Some(scene.cgroup.path()), &json!([]), &many);
    assert!(made.iter().all(|call| call.is_denied()));
    let lines = || {
        let log = agent.process.log();
        let count = log.lines().filter(|line| line.contains("protocol 17 to 10.77.1.2 port 53")).count();
        Ok((count > 0).then_some(count))
    };
    let count = until("a line of a denial", PATIENCE, lines).unwrap();
    assert!(count <= 20, "10 a second, and 500 calls take no two: {count}");
    let log = agent.process.log();
    assert!(log.lines().filter(|line| line.contains("10.77.1.2 port 53")).all(|line| line.contains("DEBUG")));
}
