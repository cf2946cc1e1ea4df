//! Others' programs on the same cgroup go on working, and ours beside them.

use mirror_tests::world::Host;
use serde_json::json;

use crate::caller::{calls, every};
use crate::programs::attached;
use crate::scene::{Scene, around};

#[test]
fn of_two_fences_both_are_asked() {
    let scene = Scene::new();
    let path = scene.cgroup.path();
    let one = around(
        path,
        "deny",
        &json!([{"name": "a", "to": ["10.77.1.0/24"]}, {"name": "b", "to": ["10.77.0.2"]}]),
    );
    let two = around(path, "deny", &json!([{"name": "a", "to": ["10.77.1.2"]}]));
    one.prove().unwrap();
    two.prove().unwrap();
    assert_eq!(attached(path), 8);
    let denied = |to| {
        let made = calls(&scene.world, Host::V2, Some(path), &json!([]), &every(&[to], &[80]));
        made.iter().map(|call| call.is_denied()).collect::<Vec<_>>()
    };
    assert_eq!(denied("10.77.1.2"), [false; 3]);
    assert_eq!(denied("10.77.1.3"), [true; 3]);
    assert_eq!(denied("10.77.0.2"), [true; 3]);
    drop(two);
    assert_eq!(attached(path), 4);
    assert_eq!(denied("10.77.1.3"), [false; 3]);
    assert_eq!(denied("10.77.0.3"), [true; 3]);
    one.prove().unwrap();
}
