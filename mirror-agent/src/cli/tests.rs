//! The command line: that clap finds it sound, that every help has an example, and what flags become.

use std::time::Duration;

use clap::{CommandFactory, Parser};

use super::{Cli, Command, LogFormat, LogLevel, Run};
use crate::config::{Config, OnDisplaced, Place, Role, Share, Speed};
use crate::judge::Again;

const RUN: &str = "run -i eth0 --v1 10.0.0.4:8080 --v2 10.0.0.5:8080 --share 5%";

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("mirror-agent").chain(line.split_whitespace()))
}

fn run(line: &str) -> Run {
    match parse(line).unwrap_or_else(|error| panic!("{error}")).command {
        Command::Run(run) => *run,
        other => panic!("{other:?}"),
    }
}

fn refused(line: &str) -> String {
    Config::from_run(&run(line)).unwrap_err().to_string()
}

#[test]
fn clap_finds_it_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_ends_with_an_example_that_is_accepted() {
    let mut root = Cli::command();
    root.build();
    let mut seen = Vec::new();
    for command in std::iter::once(&root)
        .chain(root.get_subcommands())
        .filter(|command| command.get_name() != "help" && !command.is_hide_set())
    {
        seen.push(command.get_name());
        for help in [command.clone().render_help(), command.clone().render_long_help()] {
            let help = help.to_string();
            let (_, examples) = help.split_once("Example").unwrap_or_else(|| panic!("{help}"));
            assert!(!examples.contains("--help"), "the example of {} is not at the end", command.get_name());
            for example in examples.lines().filter_map(|line| line.trim().strip_prefix("mirror-agent ")) {
                let typed = example.split(['|', '>']).next().unwrap();
                parse(typed).unwrap_or_else(|error| panic!("{example}: {error}"));
            }
        }
    }
    let all = [
        "mirror-agent",
        "run",
        "capture",
        "read",
        "replay",
        "check",
        "status",
        "verdict",
        "preflight",
        "probe",
        "share",
        "reload",
        "explain",
        "pause",
        "resume",
        "kill",
        "chaos",
        "fence",
        "completions",
    ];
    assert_eq!(seen, all);
}

#[test]
fn wrong_usage_ends_with_2_and_names_the_flag() {
    let cases = [
        ("run --share 5", "'--share <PERCENT>': 5 is ambiguous: write 5%"),
        ("run --v1 10.0.0.4", "'--v1 <ADDR:PORT>': 10.0.0.4 has no port: write for example 10.0.0.4:8080"),
        ("run --v2 10.0.0.4:0", "'--v2 <ADDR:PORT>': 10.0.0.4:0 has port 0"),
        (
            "run -i sixteen-letters-",
            "'--interface <IFACE>': \"sixteen-letters-\" is longer than the 15 bytes",
        ),
        ("run --methods GET,post", "'--methods <METHODS>': methods are case-sensitive: write POST, not post"),
        ("run --for 30", "'--for <TIME>': \"30\" is not a time"),
        ("run --for 30M", "'--for <TIME>': 30M is longer than a year"),
        ("run --max-bytes-per-second x", "'--max-bytes-per-second <SIZE>': \"x\" is not a size"),
        ("run --workers 0", "'--workers <N>': 0 is not from 1 to 256"),
        ("run --name Shop", "'--name <NAME>': \"Shop\" is not a service name"),
        ("run --shar 5%", "unexpected argument '--shar' found"),
        ("capture -w out.pcapng", "--interface <IFACE>"),
        ("capture -i eth0", "--write <FILE>"),
        ("capture -i eth0 -w o --port 0", "'--port <P>'"),
        ("capture -i eth0 -w o --port 80 --v1 10.0.0.4:80", "cannot be used with"),
        ("read", "<FILE>..."),
        ("read a.pcap --format xml", "'--format <FORMAT>'"),
        ("read a.pcap --service 10.0.0.4", "10.0.0.4 has no port"),
        ("read a.pcap --bodies", "--format <FORMAT>"),
        ("replay --to 10.0.0.5:80", "<FILE>..."),
        ("replay a.pcap", "--to <ADDR:PORT>"),
        ("replay a.pcap --to 10.0.0.5:80 --speed 2", "\"2\" is not a speed: write for example 2x"),
        ("replay a.pcap --to 10.0.0.5:80 --speed 0x", "0x is not from 0.001x to 1000x"),
        ("replay a.pcap --to 10.0.0.5:80 --methods get", "methods are case-sensitive: write GET, not get"),
        ("verdict --window yesterday", "\"yesterday\" is not a time"),
        ("verdict --wait 0s", "0s is no time at all"),
        ("share 10", "'<PERCENT>': 10 is ambiguous: write 10%"),
        ("share", "<PERCENT>"),
        ("status -v --log info", "cannot be used with"),
        ("completions korn", "'korn'"),
        ("", "Usage"),
    ];
    for (line, expected) in cases {
        let error = parse(line).expect_err(line);
        assert!(error.to_string().contains(expected), "{line}: {error}");
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn run_without_a_share_refuses_and_names_the_flag() {
    let said = refused("run -i eth0 --v1 10.0.0.4:8080 --v2 10.0.0.5:8080");
    assert_eq!(
        said,
        "--share: missing: say how much to mirror, for example 5%; it has no default, and 0% is fine"
    );
    assert_eq!(Config::from_run(&run(&RUN.replace("5%", "0%"))).unwrap().services[0].share, Share::ZERO);
}

#[test]
fn run_with_nothing_names_every_flag_it_needs() {
    let said = refused("run");
    let flags: Vec<_> = said.lines().map(|line| line.split(": missing: ").next().unwrap()).collect();
    assert_eq!(flags, ["--interface", "--v1", "--v2", "--share"]);
}

#[test]
fn run_refuses_what_contradicts_itself() {
    let said = refused(&RUN.replace("10.0.0.5", "10.0.0.4"));
    assert_eq!(said, "--v2: 10.0.0.4:8080 is v1 itself, which would get its own requests again");
    let said = refused(&format!("{RUN} --shadow-interface eth0"));
    assert_eq!(said, "--shadow-interface: eth0 is tapped too: its clones would be cloned again");
    let at_any = RUN.replace("10.0.0.4:8080", "0.0.0.0:4789");
    let said = refused(&format!("{at_any} --shadow-interface vxlan:10.0.0.9:42"));
    assert_eq!(
        said,
        "--shadow-interface: leads to 0.0.0.0:4789, a service: the clones would be cloned again"
    );
    let errors = Config::from_run(&run(&RUN.replace("10.0.0.5", "0.0.0.0"))).unwrap_err();
    assert_eq!(errors.problems()[0].at, Place::Flag("--v2"));
}

#[test]
fn every_flag_of_run_arrives() {
    let line = format!(
        "{RUN} -i eth1 -i eth0 --for 30s --summary s.json --differences d.ndjson --listen 127.0.0.1:0 --control c.sock \
         --shadow-interface vxlan:10.0.0.9:42 --methods GET,POST --max-rps 1 --max-inflight 2 --max-connections 3 --timeout 4ms \
         --max-packets-per-second 5 --max-bytes-per-second 6kB --max-connections-per-second 7 --workers 8 --name shop \
         --transit --on-displaced reattach --second-answers v1 --second-share 20% --margin 2% --tail 250ms"
    );
    let config = Config::from_run(&run(&line)).unwrap();
    let service = &config.services[0];
    assert_eq!(config.interfaces, ["eth0", "eth1"]);
    assert_eq!(config.run_for, Some(Duration::from_secs(30)));
    assert_eq!(config.summary, Some("s.json".into()));
    assert_eq!(config.differences, Some("d.ndjson".into()));
    assert_eq!(config.listen, Some("127.0.0.1:0".parse().unwrap()));
    assert_eq!(config.control.to_str(), Some("c.sock"));
    assert_eq!(config.shadow_interface.map(|one| one.to_string()).as_deref(), Some("vxlan:10.0.0.9:42"));
    assert_eq!((config.workers, config.transit), (8, true));
    assert_eq!(config.on_displaced, OnDisplaced::Reattach);
    assert_eq!(
        (service.name.as_str(), &service.methods[..]),
        ("shop", &["GET".to_owned(), "POST".to_owned()][..])
    );
    let (limits, caps) = (service.limits, service.caps);
    assert_eq!((limits.rps, limits.in_flight, limits.connections), (1, 2, 3));
    assert_eq!(limits.timeout, Duration::from_millis(4));
    assert_eq!(
        (caps.packets_per_second, caps.bytes_per_second, caps.connections_per_second),
        (Some(5), Some(6000), Some(7))
    );
    let judge = &service.judge;
    assert_eq!((judge.again, judge.again_share.ppm()), (Again::V1, 200_000));
    assert_eq!((judge.margin.ppm(), judge.tail), (20_000, Some(Duration::from_millis(250))));
}

/// Nothing is mirrored to a canary, so there is no share to say.
#[test]
fn a_canary_needs_no_share_and_bears_none() {
    let canary = RUN.replace("--share 5%", "--v2-role observed --split 10%");
    let config = Config::from_run(&run(&canary)).unwrap();
    let service = &config.services[0];
    assert_eq!(
        (service.v2_role, service.split, service.share),
        (Role::Observed, Share::from_ppm(100_000), Share::ZERO)
    );
    let said = refused(&format!("{RUN} --v2-role observed"));
    assert!(said.starts_with("--share: v2 carries users' traffic (v2_role: observed)"), "{said}");
    let said = refused(&format!("{RUN} --split 10%"));
    assert_eq!(said, "--split: only a v2 with v2_role: observed gets a part of the traffic");
}

#[test]
fn replay_has_the_defaults_of_run_and_says_how_far_it_may_go() {
    let replay =
        |more: &str| match parse(&format!("replay a.pcap --to 10.0.0.5:8080 {more}")).unwrap().command {
            Command::Replay(replay) => *replay,
            other => panic!("{other:?}"),
        };
    let (run, plain) = (Config::from_run(&run(RUN)).unwrap(), replay(""));
    let (mirrored, replayed) = (&run.services[0], plain.service().unwrap());
    assert_eq!((replayed.limits, &replayed.methods), (mirrored.limits, &mirrored.methods));
    assert_eq!((plain.speed().to_string().as_str(), replayed.v2), ("1x", mirrored.v2));

    let told = replay(
        "--speed max --methods GET,PUT --max-rps 1 --max-inflight 2 --max-connections 3 --timeout 4ms \
         --ignore-header X-Build --ignore-path body.at --service 10.0.0.4:80",
    );
    let service = told.service().unwrap();
    assert_eq!((service.limits.rps, service.limits.in_flight, service.limits.connections), (1, 2, 3));
    assert_eq!((service.limits.timeout, told.speed()), (Duration::from_millis(4), Speed::Max));
    assert_eq!(service.methods, ["GET", "PUT"]);
    assert_eq!(
        (&service.ignored_headers[..], &service.ignored_paths[..]),
        (&["x-build".to_owned()][..], &["body.at".to_owned()][..])
    );
}

#[test]
fn the_log_is_quiet_until_told_otherwise_on_either_side_of_the_command() {
    let log = |line: &str| parse(line).unwrap().log;
    assert_eq!((log("check").format(), log("check").level()), (LogFormat::Text, LogLevel::Info));
    assert_eq!(log("-v check").level(), LogLevel::Debug);
    assert_eq!(log("check -vv").level(), LogLevel::Trace);
    assert_eq!(log("check --log warn").level().as_str(), "warn");
    assert_eq!(log("--log-format json check").format(), LogFormat::Json);
}

#[test]
fn commands_that_ask_find_the_socket() {
    let Command::Share(share) = parse("share 0.5% --service shop").unwrap().command else { panic!() };
    assert_eq!((share.share.ppm(), share.service.as_deref()), (5_000, Some("shop")));
    assert_eq!(share.socket.path().to_str(), Some("/run/mirror-agent/control.sock"));
    let Command::Kill(kill) = parse("kill --control c.sock").unwrap().command else { panic!() };
    assert_eq!((kill.socket.path().to_str(), kill.service), (Some("c.sock"), None));
}

#[test]
fn completions_name_the_commands_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let Command::Completions(completions) = parse(&format!("completions {shell}")).unwrap().command
        else {
            panic!()
        };
        let mut script = Vec::new();
        completions.write(&mut script).unwrap();
        assert!(String::from_utf8(script).unwrap().contains("shadow-interface"), "{shell}");
    }
}
