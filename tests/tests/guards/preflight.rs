//! What must be known before the first clone.

use mirror_tests::agent::Agent;
use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};

use crate::scene::{command, compared, config, service, users, when};

#[test]
fn nothing_is_cloned_before_v1_is_known_and_v2_answers() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let path = config(&world, "preflight: {turns: 50}", "share: 100%");
    let agent = Agent::start_careful(&world, &["--config", &path.to_string_lossy()]).unwrap();
    let (code, said) = command(&agent, &["preflight"]);
    assert_eq!(code, Some(98), "{said}");
    assert!(
        said.contains("shop is not mirrored yet") && said.contains("of 50 of v1's turns timed"),
        "{said}"
    );

    let _users = users(&world, 50.0);
    let item = |service: &serde_json::Value, index: usize| service["guards"]["preflight"][index].clone();
    let said = when(&agent, "the baseline", |service| item(service, 0)["is_met"] == true);
    assert_eq!((&said["state"], &item(&said, 1)["is_met"]), (&"preflight".into(), &false.into()));
    assert!(item(&said, 1)["why"].as_str().unwrap().contains("v2 does not answer"), "{said:#}");
    assert_eq!(said["packets"]["cloned"], 0);

    let v2 = Service::start(&world, Host::V2, Version::V1).unwrap();
    let (code, said) = command(&agent, &["preflight", "--wait", "1m"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("v2 answers: 404 to HEAD /"), "{said}");
    compared(&agent, 20);
    assert!(v2.log().unwrap().iter().any(|entry| entry.target.starts_with("/users/")));
    assert_eq!(service(&agent)["state"], "mirroring");
}

#[test]
fn without_a_preflight_nothing_is_waited_for() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let path = config(&world, "preflight: {required: false}", "share: 100%");
    let agent = Agent::start_careful(&world, &["--config", &path.to_string_lossy()]).unwrap();
    let (code, said) = command(&agent, &["preflight"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("nothing is asked for"), "{said}");
}
