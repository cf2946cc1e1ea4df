//! What the versions make of a probe is told apart, and what was not measured is not said to be 0.

use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::scene::{PATIENCE, agent, ask, command, samples, service, version, when};

/// So rare that it is sent when it is asked for: its name puts its first run minutes away.
const RARE: &str = "every: 1h, timeout: 5s";

#[test]
fn a_v2_that_answers_otherwise_or_not_at_all_is_told_from_v1() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let mut v2 = Service::start(&world, Host::V2, Version::V2).unwrap(); // one cent too dear
    let probe = format!(
        "{{name: price, path: /price/5, {RARE}, expect: {{status: [200], body: '\"total_cents\":315'}}}}"
    );
    let agent = agent(&world, &format!("share: 0%\nprobes: [{probe}]"));
    let (code, said) = command(&agent, &["probe"]);
    assert!(code == Some(98) && said.contains("not yet"), "{code:?} {said}");
    assert_eq!(samples(&world, "mirror_probe_success{"), [""; 0], "nothing has run");

    let (code, said) = command(&agent, &["probe", "--once", "price"]);
    assert_eq!(code, Some(99), "{said}");
    let shop = service(&agent);
    assert_eq!(
        (&version(&shop, "v1")["last"]["result"], &version(&shop, "v2")["last"]["result"]),
        (&json!("success"), &json!("body"))
    );
    v2.set_sick(true).unwrap();
    assert_eq!(command(&agent, &["probe", "--once", "price"]).0, Some(99));
    let last = version(&service(&agent), "v2")["last"].clone();
    assert_eq!((&last["result"], &last["status"]), (&json!("status"), &json!(503)));

    v2.process.signal(Signal::SIGKILL).unwrap();
    v2.process.wait(PATIENCE).unwrap();
    assert_eq!(command(&agent, &["probe", "--once", "price"]).0, Some(99));
    let last = version(&service(&agent), "v2")["last"].clone();
    assert_eq!(last, json!({ "result": "connect", "status": null, "duration_s": {} }));
    let of_v2 = r#"{service="shop",version="v2",probe="price""#;
    assert_eq!(
        samples(&world, &format!("mirror_probe_success{of_v2}}}")),
        [format!("mirror_probe_success{of_v2}}} 0.0")]
    );
    assert_eq!(samples(&world, &format!("mirror_probe_duration_seconds{of_v2}")), [""; 0]);
    assert_eq!(samples(&world, &format!("mirror_probe_status_code{of_v2}")), [""; 0]);
    assert_eq!(samples(&world, "mirror_probe_duration_seconds{service=\"shop\",version=\"v1\"").len(), 3);
    let ends =
        ["body", "connect", "status"].map(|end| format!("mirror_probes_total{of_v2},result=\"{end}\"}} 1"));
    assert_eq!(samples(&world, &format!("mirror_probes_total{of_v2}")), ends);
    assert_eq!(service(&agent)["requests"]["seen"], 0);
}

#[test]
fn a_pause_does_not_stop_probes_and_a_kill_does() {
    let world = World::new().unwrap();
    let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let v2 = Service::start(&world, Host::V2, Version::V1).unwrap();
    let agent = agent(
        &world,
        &format!(
            "share: 100%\nprobes: [{{name: often, path: /users/1, every: 1s}}, {{name: rare, path: /users/2, {RARE}}}]"
        ),
    );
    command(&agent, &["pause"]);
    assert_eq!(command(&agent, &["probe", "--once", "rare"]).0, Some(0));
    when(&agent, "a run by the schedule", |service| !version(service, "v2")["last"].is_null());

    command(&agent, &["kill", "--service", "shop"]);
    let (code, said) = command(&agent, &["probe", "--once", "rare"]);
    assert!(code == Some(1) && said.contains("`resume` lets them go on"), "{code:?} {said}");
    let probes =
        || [&v1, &v2].map(|one| one.log().unwrap().iter().filter(|entry| entry.probe.is_some()).count());
    let before = when(&agent, "what was out to end", |_| true); // one that was out may still be noted
    let begun = before["turns"]["v1"]["recorded"].as_u64().unwrap();
    let sent = probes();
    ask(&world, "/delay/100000", 25); // two and a half intervals
    when(&agent, "the users' turns", |service| {
        service["turns"]["v1"]["recorded"].as_u64() >= Some(begun + 25)
    });
    let later = probes();
    assert!(later.iter().zip(sent).all(|(later, sent)| *later <= sent + 1), "{sent:?} {later:?}");

    command(&agent, &["resume"]);
    assert_eq!(command(&agent, &["probe", "--once", "rare"]).0, Some(0));
}
