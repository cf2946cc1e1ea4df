//! v1 with and without the mirror in turn.

use crate::scene::{agent, twins, users, when};

#[test]
fn the_mirror_goes_on_and_off_and_is_found_to_do_no_harm() {
    let (world, _v1, _v2) = twins();
    let agent = agent(&world, "", "share: 100%\nguards: {switchback: on}\nslo: {objective: 99%}");
    let _users = users(&world, 100.0);
    let said = when(&agent, "three pairs of blocks", |service| {
        service["guards"]["switchback"]["off"]["total"].as_u64() > Some(500)
            && service["guards"]["switchback"]["on"]["total"].as_u64() > Some(500)
    });
    let finding = &said["guards"]["switchback"];
    assert_eq!((&finding["is_harmful"], &finding["off"]["bad"]), (&false.into(), &0.into()), "{finding:#}");
    assert!(said["packets"]["paused"].as_u64() > Some(0));
    assert_eq!(said["guards"]["budget"]["spent"], 0);
    let text = agent.command(&["status"]).unwrap();
    assert!(text.contains("no harm to v1 shown"), "{text}");
    let requests = &said["requests"];
    assert!(requests["compared"].as_u64() > Some(300), "{requests:#}");
    let status = agent.stop().unwrap();
    let service = &status["services"][0];
    assert_eq!(service["ledger_imbalance"], serde_json::json!({ "kernel": 0, "intake": 0, "requests": 0 }));
}
