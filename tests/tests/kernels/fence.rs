//! The fence on this kernel: its programs load, and judge by all four hooks as they do elsewhere.

use std::path::Path;
use std::process::Command;

use mirror_agent::config::{self, Config, Draft};
use mirror_agent::kernel::fence::Fence;
use mirror_tests::agent_binary;
use mirror_tests::cgroup::Cgroup;

fn fence(cgroup: &Path, mode: &str) -> Fence {
    let file = format!(
        "interfaces: [lo]\nservices:\n- name: a\n  v1: 127.0.0.1:1\n  v2: 127.0.0.1:2\n  share: 1%\n  fence:\n\
         \x20   cgroup: {}\n    mode: {mode}\n    allow: [{{name: docs, to: [192.0.2.0/24, '2001:db8::/32'], ports: [80]}}]\n",
        cgroup.display()
    );
    let config = Config::build(Draft::default(), Some(("c", &file))).unwrap();
    let fence: config::Fence = config.services[0].fence.clone().unwrap();
    Fence::start("a", &fence).unwrap().with_probe(&agent_binary().unwrap())
}

/// Which of the four hooks deny a call from inside, by the two addresses. Nothing is sent.
fn denied(cgroup: &Path, v4: &str, v6: &str) -> Vec<bool> {
    let mut probe = Command::new(agent_binary().unwrap());
    let output = probe.arg("fence-probe").arg(cgroup).args([v4, v6]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let answers = said.strip_prefix("joined ").unwrap_or_else(|| panic!("{said}"));
    let eperm = libc::EPERM.to_string();
    answers.split_whitespace().map(|answer| answer == eperm).collect()
}

#[test]
fn a_fence_denies_what_its_list_does_not_cover() {
    let cgroup = Cgroup::new().unwrap();
    let path = cgroup.path();
    let fence = fence(path, "deny");
    fence.prove().unwrap();
    assert_eq!(denied(path, "192.0.2.9:80", "[2001:db8::9]:80"), [false; 4]);
    assert_eq!(denied(path, "192.0.2.9:81", "[2001:db8::9]:81"), [true; 4]);
    assert_eq!(denied(path, "192.0.3.9:80", "[2001:db9::9]:80"), [true; 4]);
    assert_eq!(denied(path, "192.0.2.9:80", "[::ffff:192.0.2.9]:80"), [false; 4]);
    assert_eq!(denied(path, "192.0.2.9:80", "[::ffff:192.0.3.9]:80"), [false, true, false, true]);
    let counts: Vec<_> = fence.counts().iter().map(|one| (one.v2_allowed, one.v2_denied)).collect();
    assert_eq!(counts, [(10, 0), (0, 10)]);
    drop(fence);
    assert_eq!(denied(path, "192.0.3.9:80", "[2001:db9::9]:80"), [false; 4]);
}

#[test]
fn a_report_denies_nothing_but_the_self_test() {
    let cgroup = Cgroup::new().unwrap();
    let fence = fence(cgroup.path(), "report");
    fence.prove().unwrap();
    assert_eq!(denied(cgroup.path(), "192.0.3.9:80", "[2001:db9::9]:80"), [false; 4]);
    assert_eq!(fence.counts().pop().unwrap().v2_denied, 4);
    assert_eq!(fence.unknown().unwrap().len(), 4);
}
