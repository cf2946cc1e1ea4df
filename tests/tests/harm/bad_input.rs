//! What cannot work is refused: one line that names the thing, the right exit code, and nothing attached or left.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};

use mirror_tests::world::{Host, World};
use mirror_tests::{agent_binary, service};

use crate::scene::{Scene, flags};
use crate::traces::{chain, interfaces, own_interfaces};

/// An error.
const ERROR: i32 = 1;
/// An error of who typed or configured.
const USAGE: i32 = 2;

/// Flags that are changed, the exit code, and what the line must say.
type Case<'a> = (&'a [(&'a str, &'a str)], i32, &'a [&'a str]);

/// Runs the agent on the node, for a few seconds at most should it start in spite of everything.
fn run(world: &World, before: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("10").args(before).arg(agent_binary().unwrap()).arg("run").args(arguments);
    world.output(Host::Node, &mut command).unwrap()
}

/// It ends with `code`, says one line with all of `words`, and leaves the node as it was.
fn refused(world: &World, output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
    assert!(words.iter().all(|word| said.contains(word)), "{words:?} in: {said}");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(interfaces(world), own_interfaces(), "{words:?}");
    assert!(own_interfaces().iter().all(|interface| chain(world, interface).is_empty()), "{words:?}");
}

/// The usual flags and a control socket in the world, with some flags' values changed, added or (empty) left out.
fn with(world: &World, changes: &[(&str, &str)]) -> Vec<String> {
    let mut flags = flags();
    flags.extend(["--control".into(), world.directory().join("control.sock").display().to_string()]);
    for (flag, value) in changes {
        if let Some(at) = flags.iter().position(|known| known == flag) {
            flags.drain(at..at + 2);
        }
        if !value.is_empty() {
            flags.extend([(*flag).to_owned(), (*value).to_owned()]);
        }
    }
    flags
}

fn refuse(world: &World, changes: &[(&str, &str)], code: i32, words: &[&str]) {
    let flags = with(world, changes);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    refused(world, &run(world, &[], &flags), code, words);
    assert!(!world.directory().join("control.sock").exists(), "{words:?}: its control socket is left");
}

#[test]
fn flags_that_cannot_work() {
    let world = World::new().unwrap();
    let _taken = world.enter(Host::Node, || TcpListener::bind("127.0.0.1:9464")).unwrap().unwrap();
    let ordinary = world.directory().join("ordinary");
    fs::write(&ordinary, "precious").unwrap();
    let ordinary_path = ordinary.display().to_string();
    let v1 = Host::V1.service().to_string();
    let table: [Case; 14] = [
        (&[("-i", "nowhere0")], ERROR, &["no such interface", "nowhere0"]),
        (&[("--shadow-interface", "vxlan:10.77.2.1:1")], ERROR, &["10.77.2.1", "own address", "veth-v2"]),
        (&[("--shadow-interface", "vxlan:192.0.2.9:1")], ERROR, &["no route", "192.0.2.9"]),
        (&[("--shadow-interface", "nowhere1")], ERROR, &["no such interface", "nowhere1"]),
        (&[("--shadow-interface", "veth-v2")], USAGE, &["--shadow-interface", "veth-v2", "tapped"]),
        (&[("--v2", &v1)], USAGE, &["--v2", &v1, "v1 itself"]),
        (&[("--share", "")], USAGE, &["--share", "missing"]),
        (&[("--v1", "192.0.2.7:80")], ERROR, &["192.0.2.7:80", "not reached", "--transit"]),
        (&[("--listen", "127.0.0.1:9464")], ERROR, &["listen", "127.0.0.1:9464", "in use"]),
        (&[("--listen", "192.0.2.7:9464")], ERROR, &["listen", "192.0.2.7:9464"]),
        (&[("--summary", "/nonexistent/summary.json")], ERROR, &["/nonexistent/summary.json"]),
        (&[("--differences", "/proc/differences")], ERROR, &["/proc/differences"]),
        (&[("--control", "/proc/control.sock")], ERROR, &["/proc/control.sock"]),
        (&[("--control", &ordinary_path)], ERROR, &[&ordinary_path, "not a socket"]),
    ];
    for (changes, code, words) in table {
        refuse(&world, changes, code, words);
    }
    assert_eq!(
        fs::read_to_string(&ordinary).unwrap(),
        "precious",
        "a file that is no socket is not ours to remove"
    );
}

/// What the parser of the command line refuses has hints below its line.
#[test]
fn a_share_without_its_unit() {
    let world = World::new().unwrap();
    let flags = with(&world, &[("--share", "5")]);
    let output = run(&world, &[], &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(USAGE));
    let first = said.lines().next().unwrap();
    assert!(first.contains("--share") && first.contains("5 is ambiguous: write 5%"), "{said}");
}

#[test]
fn without_rights() {
    let world = World::new().unwrap();
    let flags = with(&world, &[]);
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let output = run(&world, &nobody, &flags.iter().map(String::as_str).collect::<Vec<_>>());
    refused(&world, &output, ERROR, &["CAP_BPF", "CAP_NET_ADMIN", "CAP_NET_RAW", "root"]);
}

#[test]
fn files_that_are_wrong() {
    let world = World::new().unwrap();
    let file = world.directory().join("config.yaml").display().to_string();
    let service =
        format!("services:\n  - name: shop\n    v1: 10.77.1.2:{0}\n    v2: 10.77.2.2:{0}\n", service::PORT);
    let good = format!("interfaces: [veth-v1, veth-v2]\n{service}    share: 5%\n");
    let table: [(String, &[&str]); 4] = [
        (good.replace("share", "shares"), &[":6:", "shares"]),
        (format!("{good}colour: blue\n"), &[":7:", "colour"]),
        (good.replace("5%", "\"5"), &["config.yaml:"]),
        (good.replace("[veth-v1, veth-v2]", "[veth-v1,"), &["config.yaml:"]),
    ];
    for (text, words) in table {
        fs::write(&file, &text).unwrap();
        let output = run(&world, &[], &["--config", &file]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(USAGE), "{text}\n{said}");
        assert!(
            words.iter().all(|word| said.contains(word))
                && said.lines().all(|line| line.contains("config.yaml")),
            "{text}\n{said}"
        );
        assert_eq!(interfaces(&world), own_interfaces());
    }
}

/// The second agent on a control socket must not touch anything of the first.
#[test]
fn a_socket_of_a_living_agent() {
    let scene = Scene::new();
    let differences = scene.world.directory().join("differences.ndjson");
    let differences = differences.display().to_string();
    let agent = scene.agent(&["--differences", &differences]);
    let marker = "written before the second start\n";
    fs::write(&differences, marker).unwrap();
    let flags = with(&scene.world, &[("--differences", &differences)]);
    let output = run(&scene.world, &[], &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(ERROR));
    assert!(said.contains("another agent listens on") && said.contains("control.sock"), "{said}");
    assert_eq!(fs::read_to_string(&differences).unwrap(), marker);
    assert_eq!(agent.status().unwrap()["services"][0]["state"], "mirroring");
    assert_eq!(chain(&scene.world, "veth-v1").len(), 2);
}
