//! What is refused, and that nothing is begun then.

use std::process::Command;

use mirror_tests::world::Host;

use crate::scene::Scene;

#[test]
fn a_bad_file_is_refused_whole_with_all_that_is_wrong() {
    let scene = Scene::new("/users/{n}", &["--listen", "127.0.0.1:9464"]);
    let bad = "\
title: a bad one
service: nobody
method:
- {fault: delay, share: 50%, duration: 10s}
- {fault: teapot, share: 5%}
blast_radius: {share: 20%}
";
    let file = scene.file(bad);
    let output = scene.chaos(&["run", &file]);
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = [
        "has no abort_conditions",
        ":2:10: no such service: nobody; there is: default",
        ":4:3: delay has no latency",
        ":4:3: share 50% is more than the blast radius of 20%",
        ":5:3: has no duration",
        ":5:11: fault: \"teapot\" is no fault",
    ];
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), expected.len(), "{said}");
    for (line, expected) in said.lines().zip(expected) {
        assert!(line.starts_with(&file) && line.contains(expected), "{line}: {expected}");
    }
    assert!(scene.journals().is_empty());
    let listed = scene.agent.command(&["chaos", "list"]).unwrap();
    assert_eq!(listed, "no experiment has run here\n");
    assert!(scene.agent.command(&["chaos", "stop"]).unwrap().starts_with("nothing to stop"));

    let missing = scene.chaos(&["run", "/nowhere/at/all.yaml"]);
    assert_eq!(missing.status.code(), Some(1));

    // Nobody writes over TCP, and nobody keeps an experiment alive there.
    for method in ["GET", "POST", "DELETE"] {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-X",
            method,
            "http://127.0.0.1:9464/v1/chaos",
        ]);
        let output = scene.world.output(Host::Node, &mut curl).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "404", "{method}");
    }

    // A good one runs, is counted in the metrics, and lets no second one begin.
    let file = scene.experiment("- {fault: blackhole, share: 60%, duration: 30m}", "");
    let _command = scene.start(&file);
    scene.until_held();
    let second = scene.chaos(&["run", &file]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("an experiment runs already"), "{second:?}");
    let mut curl = Command::new("curl");
    let scraped =
        scene.world.output(Host::Node, curl.args(["-sS", "http://127.0.0.1:9464/metrics"])).unwrap();
    let metrics = String::from_utf8(scraped.stdout).unwrap();
    let value = |series: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(series));
        line.unwrap_or_else(|| panic!("no {series}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("mirror_faults_total{service=\"default\",fault=\"blackhole\"}") > 0.0);
    assert!(value("mirror_faults_active{service=\"default\"}") > 0.0);
    assert_eq!(value("mirror_faults_overflow_total{service=\"default\"}"), 0.0);
    let listed = scene.agent.command(&["chaos", "list"]).unwrap();
    assert!(listed.contains("runs for") && listed.contains("blackhole  in force"), "{listed}");
}
