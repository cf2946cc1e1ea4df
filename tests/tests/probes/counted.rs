//! A probe is no user, at either version.

use mirror_tests::service::{Entry, Service, Version};
use mirror_tests::world::{Host, World};
use serde_json::json;

use crate::scene::{agent, ask, version, when};

const USERS: usize = 40;

fn probes(log: &[Entry]) -> usize {
    log.iter().filter(|entry| entry.probe.is_some()).count()
}

#[test]
fn both_versions_get_the_probe_and_no_statistics_of_users_have_it() {
    let world = World::new().unwrap();
    let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let v2 = Service::start(&world, Host::V2, Version::V1).unwrap();
    let agent = agent(
        &world,
        "share: 100%\nprobes: [{name: health, path: '/price/5?probe=1', every: 1s, timeout: 900ms}]",
    );
    ask(&world, "/users/7", USERS / 2);
    when(&agent, "three runs", |service| version(service, "v1")["results"]["success"].as_u64() >= Some(3));
    ask(&world, "/users/7", USERS / 2);
    when(&agent, "comparisons", |service| service["requests"]["compared"] == USERS);

    let status = agent.stop().unwrap();
    let (service, logs) = (&status["services"][0], [v1.log().unwrap(), v2.log().unwrap()]);
    let sent = probes(&logs[0]);
    assert!(sent >= 3 && probes(&logs[1]) == sent, "{logs:?}");
    for entry in logs.iter().flatten().filter(|entry| entry.probe.is_some()) {
        let said = (entry.probe.as_deref(), entry.target.as_str(), entry.method.as_str(), entry.shadow);
        assert_eq!(said, (Some("health"), "/price/5?probe=1", "GET", true));
    }
    for (name, log) in ["v1", "v2"].into_iter().zip(&logs) {
        let last = &version(service, name)["last"];
        assert_eq!((&last["result"], &last["status"]), (&json!("success"), &json!(200)));
        let phases: Vec<_> = last["duration_s"].as_object().unwrap().iter().collect();
        assert!(phases.len() == 3 && phases.iter().all(|(_, took)| took.as_f64() > Some(0.0)), "{last}");
        // Nothing that is not of a user, or a copy of one, began a turn.
        assert_eq!(service["turns"][name]["started"], log.len() - sent, "{name}: {service:#}");
    }
    // v1 answers some users a second time, to us: what of its log is no copy is the users'.
    let users = logs[0].iter().filter(|entry| !entry.shadow).count();
    assert_eq!((users, &service["turns"]["v1"]["recorded"]), (USERS, &json!(USERS)));
    assert_eq!(
        (&service["requests"]["seen"], &service["requests"]["unselected"]["copy"]),
        (&json!(USERS), &json!(0))
    );
    assert!(
        status["agent"]["skipped_packets"]["own"].as_u64() >= Some(sent as u64 * 8),
        "{:#}",
        status["agent"]
    );
}
