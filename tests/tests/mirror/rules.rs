//! Rings and rules while real connections are open: who is mirrored, what a kill of one ring does, and the cap at once.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Command;

use mirror_tests::agent::Agent;
use mirror_tests::service::Service;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::client::Connection;
use crate::ledger::{PATIENCE, assert_all_compared, assert_balanced, count, settle};
use crate::setup::{mirror, services};

/// The client's addresses: one in the team, one in the office, and one in no ring.
pub const TEAM: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 3));
/// See [`TEAM`].
pub const OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 4));

/// Gives the client its other addresses.
pub fn more_clients(world: &World) {
    for ip in [TEAM, OFFICE] {
        let address = format!("{ip}/24");
        let mut add = Command::new("ip");
        add.args(["address", "add", &address, "dev", Host::Client.interface()]);
        assert!(world.output(Host::Client, &mut add).unwrap().status.success());
    }
}

/// Writes a file whose service has this share, these rules and these further keys.
pub fn write(world: &World, service: &str) -> PathBuf {
    let interfaces = [Host::V1.interface(), Host::V2.interface()].join(", ");
    let rings = format!(
        "  team: {{clients: [{TEAM}], share: 100%}}\n  office: {{clients: [{OFFICE}/32], share: 100%}}"
    );
    let ends = format!("v1: {}\n    v2: {}", Host::V1.service(), Host::V2.service());
    let limits = "    limits: {rps: 1000000, in_flight: 65536, connections: 65536, timeout: 30s}\n    second_answers: {from: off}\n";
    let path = world.directory().join("config.yaml");
    let text = format!(
        "interfaces: [{interfaces}]\nrings:\n{rings}\nservices:\n  - name: shop\n    {ends}\n{service}{limits}"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// An agent with the file that [`write`] writes.
pub fn agent(world: &World, service: &str) -> Agent {
    let path = write(world, service);
    Agent::start(world, &["--config", path.to_str().unwrap()]).unwrap()
}

/// GETs `/users/N` on each connection.
pub fn get(connections: &mut [&mut Connection], number: u32) {
    for connection in connections {
        assert_eq!(connection.get(&format!("/users/{number}")), 200);
    }
}

/// The numbers that v2 was asked for.
pub fn asked(v2: &Service) -> Vec<u32> {
    let log = v2.log().unwrap();
    let number = |target: &str| target.strip_prefix("/users/").unwrap().parse().unwrap();
    let mut numbers: Vec<u32> = log.iter().map(|entry| number(&entry.target)).collect();
    numbers.sort_unstable();
    numbers
}

fn rule<'a>(status: &'a Value, name: &str) -> &'a Value {
    let rules = status["services"][0]["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["rule"] == name).unwrap()
}

#[test]
fn the_team_is_mirrored_and_nobody_else_is_and_explain_says_so() {
    let (world, _v1, v2) = services();
    more_clients(&world);
    let agent = agent(&world, "    share: 0%\n    rules: [{ring: team}]\n");
    let mut team = Connection::open_from(&world, TEAM, Host::V1.service());
    let mut other = Connection::open_from(&world, OFFICE, Host::V1.service());
    get(&mut [&mut team], 1);
    get(&mut [&mut other], 2);
    settle(&agent, 1);

    let said = |client: &Connection| -> Value {
        serde_json::from_str(&agent.command(&["explain", &client.end().to_string(), "--json"]).unwrap())
            .unwrap()
    };
    let (in_team, outside) = (said(&team), said(&other));
    assert_eq!(
        (&in_team["decided_by"], &in_team["agent"]["now"]),
        (&"team".into(), &"cloned".into()),
        "{in_team:#}"
    );
    assert_eq!(in_team["agent"]["connection"]["decision"], "mirror", "{in_team:#}");
    assert_eq!(outside["agent"]["connection"]["decided_by"], "rest", "{outside:#}");
    assert_eq!(outside["agent"]["now"], "share_out");
    let text = agent.command(&["explain", &team.end().to_string()]).unwrap();
    assert!(text.contains("* team") && text.contains("is in ring team, by 10.77.0.3/32"), "{text}");

    agent.command(&["share", "100%", "--ring", "office"]).expect_err("no rule names it");
    let status = agent.stop().unwrap();
    assert_eq!(asked(&v2), [1]);
    assert_eq!(
        (&rule(&status, "team")["mirrored"], &rule(&status, "rest")["share_out"]),
        (&1.into(), &1.into())
    );
    assert_all_compared(&status, 1);
    assert_balanced(&status);
}

#[test]
fn a_killed_ring_stops_at_once_and_the_others_go_on() {
    let (world, _v1, v2) = services();
    more_clients(&world);
    let agent = agent(&world, "    share: 0%\n    rules: [{ring: team}, {ring: office}]\n");
    let mut team = Connection::open_from(&world, TEAM, Host::V1.service());
    let mut office = Connection::open_from(&world, OFFICE, Host::V1.service());
    get(&mut [&mut team, &mut office], 1);
    settle(&agent, 2);
    let said = agent.command(&["kill", "--ring", "team"]).unwrap();
    assert!(said.starts_with("killed ring team"), "{said}");
    assert_eq!(agent.status().unwrap()["agent"]["rings"][0]["state"], "killed");
    get(&mut [&mut team], 2);
    get(&mut [&mut office], 3);
    settle(&agent, 3);
    agent.command(&["resume", "--ring", "team"]).unwrap();
    get(&mut [&mut team, &mut office], 4);
    settle(&agent, 5);
    agent.command(&["kill", "--ring", "nobody"]).expect_err("no such ring");
    let status = agent.stop().unwrap();
    assert_eq!(asked(&v2), [1, 1, 3, 4, 4]);
    assert!(count(&status, "/packets/paused") > 0);
    assert_all_compared(&status, 5);
    assert_balanced(&status);
}

#[test]
fn no_more_connections_at_once_than_the_cap_are_mirrored() {
    let (world, _v1, v2) = services();
    let agent = mirror(&world, &["--share", "100%", "--max-mirrored-connections", "3"]);
    let mut open: Vec<_> = (0..5).map(|_| Connection::open(&world, Host::V1.service())).collect();
    (0..5).for_each(|n| get(&mut [&mut open[n]], n as u32));
    let status = settle(&agent, 3);
    assert_eq!(status["services"][0]["connections_open"], 3);
    open.remove(0);
    let is_down = || Ok((agent.status()?["services"][0]["connections_open"] == 2).then_some(()));
    until("a closed connection to be counted", PATIENCE, is_down).unwrap();
    get(&mut [&mut Connection::open(&world, Host::V1.service())], 9);
    settle(&agent, 4);
    let status = agent.stop().unwrap();
    assert_eq!(asked(&v2), [0, 1, 2, 9]);
    let rest = rule(&status, "rest");
    assert_eq!(
        (&rest["named"], &rest["mirrored"], &rest["capped"]),
        (&6.into(), &4.into(), &2.into()),
        "{rest}"
    );
    assert_all_compared(&status, 4);
    assert_balanced(&status);
}
