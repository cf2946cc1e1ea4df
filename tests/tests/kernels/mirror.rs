//! The main job: every request is mirrored and compared, and the lies of v2 are found.

use mirror_tests::service::Version;

use crate::scene::{Scene, balanced, figure, nobody_noticed, settle};

const RATE: f64 = 100.0;
const SECONDS: u64 = 2;

#[test]
fn two_versions_that_are_the_same_do_not_differ() {
    let scene = Scene::new(Version::V1);
    let agent = scene.agent(&[]);
    let asked = nobody_noticed(scene.load("/chunked/9000", RATE, SECONDS));
    settle(&agent, asked);
    let status = agent.stop().unwrap();
    balanced(&status);
    assert_eq!(figure(&status, "requests/compared"), asked, "{status:#}");
    assert_eq!(figure(&status, "differences"), 0, "{status:#}");
    for version in ["v1", "v2"] {
        let turns = |part: &str| figure(&status, &format!("turns/{version}/{part}"));
        // Where everything is slow, TCP sends some segments again, and their turns are in doubt.
        assert_eq!(turns("recorded") + turns("ambiguous"), asked, "{version}: {status:#}");
        assert!(turns("recorded") > 0, "{version}: {status:#}");
    }
    assert_eq!(scene.v2.log().unwrap().iter().filter(|entry| entry.shadow).count() as u64, asked);
    assert!(scene.v1.log().unwrap().iter().all(|entry| !entry.shadow), "v1 was asked by the agent");
}

#[test]
fn every_lie_of_v2_is_found() {
    let scene = Scene::new(Version::V2);
    let agent = scene.agent(&[]);
    let asked = nobody_noticed(scene.load("/price/7", RATE, SECONDS));
    settle(&agent, asked);
    let status = agent.stop().unwrap();
    balanced(&status);
    assert_eq!(figure(&status, "requests/compared"), asked, "{status:#}");
    assert_eq!(figure(&status, "differences/body"), asked, "the total is one cent too high: {status:#}");
}
