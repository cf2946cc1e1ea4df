//! IPv6 is mirrored as IPv4 is, and both at once as two services.

use std::fs;
use std::net::SocketAddr;

use mirror_tests::agent::Agent;
use mirror_tests::nginx::Line;
use mirror_tests::service::PORT;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::ledger::{PATIENCE, assert_balanced};
use crate::setup::{finish, nginx, start_curl};

const REQUESTS: u64 = 50;

fn four(host: Host) -> SocketAddr {
    host.service()
}

fn six(host: Host) -> SocketAddr {
    SocketAddr::new(host.ipv6(), PORT)
}

/// A file with a service for each family.
fn config(world: &World) -> String {
    let service = |name: &str, address: fn(Host) -> SocketAddr| {
        let (v1, v2) = (address(Host::V1), address(Host::V2));
        format!(
            "  - name: {name}\n    v1: \"{v1}\"\n    v2: \"{v2}\"\n    share: 100%\n    second_answers: {{from: off}}\n"
        )
    };
    let interfaces = [Host::V1.interface(), Host::V2.interface()].join(", ");
    let path = world.directory().join("config.yaml");
    let services = service("four", four) + &service("six", six);
    fs::write(&path, format!("interfaces: [{interfaces}]\nservices:\n{services}")).unwrap();
    path.to_string_lossy().into_owned()
}

fn named<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["services"].as_array().unwrap().iter().find(|service| service["name"] == name).unwrap()
}

/// Waits until every request of both services was compared.
fn settle(agent: &Agent) {
    let compared = |status: &Value, name| named(status, name)["requests"]["compared"] == REQUESTS;
    let both = || {
        let status = agent.status()?;
        Ok((compared(&status, "four") && compared(&status, "six")).then_some(()))
    };
    until("both families to be compared", PATIENCE, both)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()));
}

fn targets(log: Vec<Line>) -> Vec<String> {
    let mut targets: Vec<String> = log.into_iter().map(|line| line.target).collect();
    targets.sort();
    targets
}

#[test]
fn two_services_one_of_each_family_are_mirrored_side_by_side() {
    let (world, v1, v2) = nginx(1000);
    let agent = Agent::start(&world, &["--config", &config(&world)]).unwrap();
    let get = |name, to| start_curl(&world, &[&format!("http://{to}/{name}/[1-{REQUESTS}]")]);
    finish(vec![get("four", four(Host::V1)), get("six", six(Host::V1))]);
    settle(&agent);
    let status = agent.stop().unwrap();

    let sent = targets(v1.log().unwrap());
    assert_eq!(sent.len() as u64, 2 * REQUESTS);
    assert_eq!(targets(v2.log().unwrap()), sent);
    for name in ["four", "six"] {
        let service = named(&status, name);
        assert_eq!(service["requests"]["seen"], REQUESTS, "{service:#}");
        for version in ["v1", "v2"] {
            assert_eq!(service["latency"][version]["ttfb"]["count"], REQUESTS, "{service:#}");
        }
    }
    assert_balanced(&status);
}
