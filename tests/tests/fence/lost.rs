//! How the loss of a fence is found.

use std::fs;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

use mirror_agent::rights;
use mirror_tests::agent_binary;
use mirror_tests::world::Host;
use serde_json::json;

use crate::programs::{detach, links};
use crate::scene::{Scene, around};
use mirror_tests::cgroup::{Cgroup, mount};

#[test]
fn a_fence_is_proven_in_both_modes_and_by_capabilities_that_are_left() {
    let (denying, reporting) = (Cgroup::new().unwrap(), Cgroup::new().unwrap());
    // The rights are of a thread: this one gives them away.
    let proven = || {
        let fences = [
            around(denying.path(), "deny", &json!([])),
            around(
                reporting.path(),
                "report",
                &json!([{"name": "docs", "to": ["192.0.2.0/24", "2001:db8::/32"]}]),
            ),
        ];
        rights::drop_others().unwrap();
        for fence in &fences {
            for _ in 0..3 {
                fence.prove().unwrap();
            }
            let status = fence.status().unwrap();
            assert!(status.proven && status.lost.is_none() && status.tested_s_ago.is_some(), "{status:?}");
            assert!(
                status.destinations.iter().all(|one| (one.v2_allowed, one.v2_denied) == (0, 0)),
                "{status:?}"
            );
            assert_eq!(status.unknown, 0, "a self-test is no call of v2");
        }
    };
    std::thread::scope(|scope| scope.spawn(proven).join()).unwrap();
}

#[test]
fn a_cgroup_that_is_gone_or_made_anew_is_found() {
    let cgroup = Cgroup::new().unwrap();
    let fence = around(cgroup.path(), "deny", &json!([]));
    fence.prove().unwrap();
    cgroup.remove().unwrap();
    let lost = fence.prove().unwrap_err();
    let expect = format!("no process of ours can join the cgroup {}: it is gone", cgroup.path().display());
    assert_eq!(lost.reason, expect);
    cgroup.make_again().unwrap();
    let lost = fence.prove().unwrap_err();
    for hook in ["connect4", "connect6", "sendmsg4", "sendmsg6"] {
        assert!(lost.reason.contains(&format!("{hook}: a probe was let through")), "{lost}");
    }
    let status = fence.status().unwrap();
    assert!(!status.proven && status.lost == Some(lost.reason), "{:?}", status.lost);
}

#[test]
fn a_program_that_somebody_took_off_is_found() {
    for (index, hook) in ["connect4", "connect6", "sendmsg4", "sendmsg6"].into_iter().enumerate() {
        let cgroup = Cgroup::new().unwrap();
        let fence = around(cgroup.path(), "deny", &json!([]));
        fence.prove().unwrap();
        let mut ours = links(cgroup.id().unwrap());
        assert_eq!(ours.len(), 4);
        ours.sort_by_key(|link| link.attach_type); // in the order of the kernel's numbers, which is that of the hooks
        detach(&ours[index]);
        let lost = fence.prove().unwrap_err();
        assert!(lost.reason.starts_with(&format!("{hook}: a probe was let through")), "{hook}: {lost}");
        assert!(!lost.reason.contains(';'), "the others still hold: {lost}");
    }
}

#[test]
fn who_else_refuses_is_not_taken_for_the_fence() {
    let cgroup = Cgroup::new().unwrap();
    let (ours, another) =
        (around(cgroup.path(), "deny", &json!([])), around(cgroup.path(), "deny", &json!([])));
    let _another = another;
    let all = links(cgroup.id().unwrap());
    assert_eq!(all.len(), 8);
    // The programs that were attached first are those of `ours`.
    let mut ids: Vec<_> = all.iter().collect();
    ids.sort_by_key(|link| link.id);
    ids[..4].iter().for_each(|link| detach(link));
    let lost = ours.prove().unwrap_err();
    assert!(lost.reason.contains("connect4: a probe was refused, but not by this fence"), "{lost}");
}

#[test]
fn a_cgroup_that_takes_no_processes_is_probed_in_a_room_of_its_own() {
    let cgroup = Cgroup::new().unwrap();
    let fence = around(cgroup.path(), "deny", &json!([]));
    let _controller = Controller::enable(&cgroup);
    let joined = fs::write(cgroup.path().join("cgroup.procs"), "0");
    assert_eq!(joined.unwrap_err().raw_os_error(), Some(libc::EBUSY), "it takes none itself");
    let leftover = cgroup.inner("mirror-agent-probe.4294967295").unwrap(); // of an agent that was killed
    fence.prove().unwrap();
    assert!(!leftover.exists());
    let inner = fs::read_dir(cgroup.path()).unwrap().flatten().filter(|entry| entry.path().is_dir());
    assert_eq!(inner.count(), 0, "the room is gone too");
}

/// A controller of resources that is on for what is below a cgroup; off again when dropped, if it was off before.
struct Controller {
    name: String,
    was_on: bool,
}

impl Controller {
    fn enable(cgroup: &Cgroup) -> Controller {
        // With one of these a cgroup has either processes or cgroups below it; cpu and pids are not so.
        const OF_DOMAINS: [&str; 4] = ["hugetlb", "misc", "memory", "io"];
        let words = |file: &str| fs::read_to_string(mount().unwrap().join(file)).unwrap();
        let offered = words("cgroup.controllers");
        let name = OF_DOMAINS.iter().find(|name| offered.split_whitespace().any(|other| other == **name));
        let name = (*name.expect("a controller that cgroup v2 has here")).to_owned();
        let was_on = words("cgroup.subtree_control").split_whitespace().any(|other| other == name);
        let controller = Controller { name, was_on };
        controller.set(&mount().unwrap(), '+');
        controller.set(cgroup.path(), '+');
        controller
    }

    fn set(&self, path: &std::path::Path, sign: char) {
        fs::write(path.join("cgroup.subtree_control"), format!("{sign}{}", self.name)).unwrap();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if !self.was_on {
            // What is below must be rid of it first.
            for entry in
                fs::read_dir(mount().unwrap()).unwrap().flatten().filter(|entry| entry.path().is_dir())
            {
                let _ = fs::write(entry.path().join("cgroup.subtree_control"), format!("-{}", self.name));
            }
            self.set(&mount().unwrap(), '-');
        }
    }
}

#[test]
fn a_probe_sends_nothing_even_where_no_fence_is() {
    let scene = Scene::new();
    let (client4, client6) = (Host::Client.ipv4(), Host::Client.ipv6());
    let (tcp, udp) = scene
        .world
        .enter(Host::Client, || {
            let tcp = TcpListener::bind("[::]:9").unwrap();
            let udp = UdpSocket::bind("[::]:9").unwrap();
            udp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            (tcp, udp)
        })
        .unwrap();
    let mut probe = Command::new(agent_binary().unwrap());
    probe
        .arg("fence-probe")
        .arg(scene.cgroup.path())
        .args([format!("{client4}:9"), format!("[{client6}]:9")]);
    let output = scene.world.output(Host::Node, &mut probe).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.starts_with("joined "), "{said}");
    assert!(!said.split_whitespace().any(|word| word == "1"), "nothing denied it: {said}");
    // Calls that come after on the same way are the first that arrive.
    let last = |to: IpAddr| {
        let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).unwrap();
        socket.send_to(b"the last", (to, 9)).unwrap();
        (std::net::TcpStream::connect((to, 9)).unwrap(), socket)
    };
    for to in [client4, client6] {
        let (stream, _socket) = scene.world.enter(Host::Node, || last(to)).unwrap();
        let mut text = [0; 64];
        let (length, _) = udp.recv_from(&mut text).unwrap();
        assert_eq!(&text[..length], b"the last");
        assert_eq!(tcp.accept().unwrap().1.port(), stream.local_addr().unwrap().port());
    }
}
