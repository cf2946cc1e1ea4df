//! How far a probe came is what is said of it, and no more.

use std::process::Command;

use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::scene::{PATIENCE, agent, command, service};

/// Says half an answer and no more, closes without a word, or talks nonsense.
const BAD: &str = "\
import socket
door = socket.create_server(('', 8080), backlog=64)
print('open', flush=True)
held = []
while True:
    guest, _ = door.accept()
    asked = guest.recv(4096)
    if b'GET /half' in asked:
        guest.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-length: 9\\r\\n\\r\\nhalf')
        held.append(guest)
    elif b'GET /silent' in asked:
        held.append(guest)
    else:
        guest.sendall(b'nonsense\\r\\n\\r\\n' if b'GET /nonsense' in asked else b'')
        guest.close()
";

/// Probe, how it ends at v2, and the phases that are measured there.
const CASES: [(&str, &str, &[&str]); 4] = [
    ("half", "timeout", &["connect", "processing"]),
    ("silent", "timeout", &["connect"]),
    ("gone", "reset", &["connect"]),
    ("nonsense", "malformed", &["connect", "processing"]),
];

#[test]
fn a_phase_that_was_not_reached_has_no_duration() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let said = world.directory().join("bad.out");
    let mut bad = Command::new("python3");
    bad.args(["-c", BAD]).stdout(std::fs::File::create(&said).unwrap());
    let _v2 = world.spawn(Host::V2, &mut bad, Some("bad.log")).unwrap();
    until("the bad v2", PATIENCE, || Ok(std::fs::read_to_string(&said)?.contains("open").then_some(())))
        .unwrap();
    let probe = |(name, ..): &(&str, &str, &[&str])| {
        format!("{{name: {name}, path: /{name}, every: 1h, timeout: 500ms, expect: {{status: [404]}}}}")
    };
    let probes: Vec<_> = CASES.iter().map(probe).collect();
    let agent = agent(&world, &format!("share: 0%\nprobes: [{}]", probes.join(", ")));
    for (name, result, phases) in CASES {
        assert_eq!(command(&agent, &["probe", "--once", name]).0, Some(99), "{name}");
        let shop = service(&agent);
        let found = |probe: &&Value| probe["name"] == name;
        let of_v2 =
            shop["probes"].as_array().unwrap().iter().find(found).unwrap()["versions"]["v2"]["last"].clone();
        let measured: Vec<_> = of_v2["duration_s"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((of_v2["result"].as_str(), &measured[..]), (Some(result), phases), "{name}: {of_v2}");
    }
    assert_eq!(service(&agent)["turns"]["v2"]["started"], 0);
}
