//! Worlds with two versions in them, the agent between, and curl as the client.

use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::nginx::Nginx;
use mirror_tests::process::Process;
use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A world with nginx as both versions, of which v1 closes connections after some requests.
pub fn nginx(v1_keepalive_requests: u32) -> (World, Nginx, Nginx) {
    let world = World::new().unwrap();
    let v1 = Nginx::start(&world, Host::V1, v1_keepalive_requests).unwrap();
    let v2 = Nginx::start(&world, Host::V2, 100_000).unwrap();
    (world, v1, v2)
}

/// A world with our own services, of which v2 lies.
pub fn services() -> (World, Service, Service) {
    let world = World::new().unwrap();
    let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let v2 = Service::start(&world, Host::V2, Version::V2).unwrap();
    (world, v1, v2)
}

/// The agent, with taps at both versions and limits that nothing here reaches.
pub fn mirror(world: &World, more: &[&str]) -> Agent {
    let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
    let taps = ["-i", Host::V1.interface(), "-i", Host::V2.interface()];
    let service = ["--v1", &v1, "--v2", &v2];
    let limits = ["--max-rps", "1000000", "--max-inflight", "65536", "--max-connections", "65536"];
    // Once each, so that what v2 got can be counted.
    let patience = ["--timeout", "30s", "--second-answers", "off"];
    Agent::start(world, &[&taps[..], &service, &limits, &patience, more].concat()).unwrap()
}

/// Where `path` is on v1 or v2.
pub fn url(host: Host, path: &str) -> String {
    format!("http://{}{path}", host.service())
}

/// Starts curl on the client, silent, following nothing, throwing bodies away.
pub fn start_curl(world: &World, arguments: &[&str]) -> Process {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-early", "-o", "/dev/null"]).args(arguments);
    curl.stdout(std::process::Stdio::null());
    world.spawn(Host::Client, &mut curl, None).unwrap()
}

/// Waits until these curls have ended well.
pub fn finish(curls: Vec<Process>) {
    for mut curl in curls {
        let status = curl.wait(PATIENCE).unwrap();
        assert!(status.success(), "curl: {status}");
    }
}

/// Runs curl on the client and returns what it wrote.
pub fn curl(world: &World, arguments: &[&str]) -> String {
    let output = world.output(Host::Client, Command::new("curl").arg("-sS").args(arguments)).unwrap();
    assert!(output.status.success(), "curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
