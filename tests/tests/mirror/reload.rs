//! The config changes while connections are open: a good one takes effect and loses none, a bad one changes nothing.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use mirror_tests::agent::Agent;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use nix::sys::signal::Signal;

use crate::client::Connection;
use crate::ledger::{PATIENCE, assert_all_compared, assert_balanced, settle};
use crate::rules::{OFFICE, TEAM, agent, asked, get, more_clients, write};
use crate::setup::services;

fn share(agent: &Agent) -> String {
    agent.status().unwrap()["services"][0]["share"].as_str().unwrap().to_owned()
}

fn until_share(agent: &Agent, share_now: &str) {
    until("the share to change", PATIENCE, || Ok((share(agent) == share_now).then_some(()))).unwrap();
}

#[test]
fn a_reload_takes_effect_and_loses_no_connection() {
    let (world, _v1, v2) = services();
    more_clients(&world);
    let agent = agent(&world, "    share: 0%\n    rules: [{ring: team}]\n");
    let mut team = Connection::open_from(&world, TEAM, Host::V1.service());
    get(&mut [&mut team], 1);
    // Another rule before it, another share, its ports named: the team's connection keeps its slot.
    write(
        &world,
        "    share: 0%\n    rules: [{ring: office}, {ring: team, share: 1%}]\n    kernel_caps: {connections: 7}\n",
    );
    agent.command(&["reload"]).unwrap();
    let mut office = Connection::open_from(&world, OFFICE, Host::V1.service());
    get(&mut [&mut team, &mut office], 2);
    settle(&agent, 3);
    // The rule is gone, and with it its connections.
    write(&world, "    share: 0%\n    rules: [{ring: office}]\n");
    agent.command(&["reload"]).unwrap();
    get(&mut [&mut team], 3);
    get(&mut [&mut office], 4);
    settle(&agent, 4);
    let status = agent.stop().unwrap();
    assert_eq!(status["agent"]["reloads"]["success"], 2);
    assert_eq!(asked(&v2), [1, 2, 2, 4]);
    assert_all_compared(&status, 4);
    assert_balanced(&status);
}

#[test]
fn a_bad_file_or_one_that_needs_a_restart_is_refused_whole() {
    let (world, _v1, _v2) = services();
    let agent = agent(&world, "    share: 1%\n");
    write(&world, "    share: 101%\n    rules: [{ring: nobody}]\n");
    let said = agent.command(&["reload"]).unwrap_err().to_string();
    assert!(
        said.contains("share: 101% is more than 100%") && said.contains("nobody is not defined"),
        "{said}"
    );
    assert!(said.contains("config.yaml:9:12: ") && said.contains("config.yaml:10:"), "{said}");
    write(&world, "    share: 2%\n    thresholds: [1s]\n");
    let said = agent.command(&["reload"]).unwrap_err().to_string();
    assert!(said.ends_with("needs a restart: thresholds of service shop"), "{said}");
    let reloads = agent.status().unwrap()["agent"]["reloads"].clone();
    assert_eq!((&reloads["success"], &reloads["last_successful"]), (&0.into(), &false.into()));
    assert!(reloads["refused"].as_u64() >= Some(2), "{reloads}");
    assert_eq!(share(&agent), "1%");
    let log = agent.process.log();
    assert!(log.contains("not reloaded, the old config stays: needs a restart"), "{log}");
    agent.stop().unwrap();
}

#[test]
fn a_signal_and_a_change_of_the_file_reload_and_what_was_said_since_gives_way() {
    let (world, _v1, _v2) = services();
    let agent = agent(&world, "    share: 1%\n");
    write(&world, "    share: 2%\n");
    until_share(&agent, "2%");
    agent.command(&["share", "50%"]).unwrap();
    assert_eq!(share(&agent), "50%");
    agent.process.signal(Signal::SIGHUP).unwrap();
    until_share(&agent, "2%");
    let path = write(&world, "    share: 3%\n");
    std::fs::rename(&path, path.with_extension("new")).unwrap(); // as editors and ConfigMaps do it
    Command::new("ln").arg("-s").arg(path.with_extension("new")).arg(&path).status().unwrap();
    until_share(&agent, "3%");
    agent.stop().unwrap();
}

/// Whatever else the file says meanwhile: their rule stays, and so do they.
#[test]
fn reloads_under_load_lose_no_request_of_those_whose_rule_stays() {
    const ROUNDS: u32 = 150;
    let (world, _v1, v2) = services();
    more_clients(&world);
    let variants = [
        "    share: 0%\n    rules: [{ring: team}]\n",
        "    share: 0%\n    rules: [{ring: office}, {ports: [1-9], share: 3%}, {ring: team, share: 40%}]\n",
        "    share: 0%\n    rules: [{clients: ['::/0'], share: 1%}, {ring: team, share: 1%}, {ring: office}]\n    kernel_caps: {connections: 9}\n",
    ];
    let agent = agent(&world, variants[0]);
    let mut team: Vec<_> = (0..4).map(|_| Connection::open_from(&world, TEAM, Host::V1.service())).collect();
    get(&mut team.iter_mut().collect::<Vec<_>>(), 0);
    let done = AtomicBool::new(false);
    let reloads = std::thread::scope(|scope| {
        let reload = || {
            let mut reloads = 0;
            while !done.load(Ordering::Relaxed) || reloads < 10 {
                write(&world, variants[reloads % variants.len()]);
                agent.command(&["reload"]).unwrap();
                reloads += 1;
            }
            reloads
        };
        let reloading = scope.spawn(reload);
        for round in 1..=ROUNDS {
            get(&mut team.iter_mut().collect::<Vec<_>>(), round);
            if round % 5 == 0 {
                settle(&agent, 4 * (1 + round as usize)); // v2 must keep up: a lane's queue is short
            }
        }
        done.store(true, Ordering::Relaxed);
        reloading.join().unwrap()
    });
    settle(&agent, 4 * (1 + ROUNDS as usize));
    let status = agent.stop().unwrap();
    assert!(status["agent"]["reloads"]["success"].as_u64() >= Some(reloads as u64), "{status:#}");
    assert_all_compared(&status, 4 * (1 + ROUNDS as usize));
    assert_eq!(asked(&v2).len(), 4 * (1 + ROUNDS as usize));
    assert_balanced(&status);
}
