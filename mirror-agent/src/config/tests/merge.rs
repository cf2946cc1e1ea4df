//! What flags do to a file.

use super::GOOD;
use crate::config::{Config, Draft, Place, Said, ServiceDraft, Share};

fn typed<T>(flag: &'static str, value: T) -> Option<Said<T>> {
    Some(Said { value, at: Place::Flag(flag) })
}

fn flags(service: ServiceDraft) -> Draft {
    Draft { services: vec![service], ..Draft::default() }
}

fn nothing_typed() -> ServiceDraft {
    ServiceDraft::new(Place::CommandLine)
}

#[test]
fn flags_go_before_the_file() {
    let one_service = &GOOD[..GOOD.find("  - name: b").unwrap()];
    let service = ServiceDraft { share: typed("--share", Share::FULL), ..nothing_typed() };
    let draft = Draft {
        interfaces: typed("--interface", "lo".to_owned()).into_iter().collect(),
        workers: typed("--workers", 2),
        ..flags(service)
    };
    let config = Config::build(draft, Some(("c.yaml", one_service))).unwrap();
    assert_eq!((config.interfaces, config.workers), (vec!["lo".to_owned()], 2));
    assert_eq!((config.services[0].name.as_str(), config.services[0].share), ("a", Share::FULL));
    assert_eq!(config.services[0].v1, "10.0.0.4:80".parse().unwrap());
}

#[test]
fn a_name_says_which_service_of_the_file_the_flags_mean() {
    let full = || ServiceDraft { share: typed("--share", Share::FULL), ..nothing_typed() };
    let named = |name: &str| ServiceDraft { name: typed("--name", name.to_owned()), ..full() };
    let build =
        |service| Config::build(flags(service), Some(("c.yaml", GOOD))).map_err(|errors| errors.to_string());

    let shares =
        build(named("b")).unwrap().services.iter().map(|service| service.share.ppm()).collect::<Vec<_>>();
    assert_eq!(shares, [50_000, 1_000_000]);
    assert_eq!(build(named("c")).unwrap_err(), "--name: the file has no service called c");
    let several = "command line: the file has several services: say with --name which one these flags mean";
    assert_eq!(build(full()).unwrap_err(), several);
}

#[test]
fn a_file_without_services_leaves_them_to_the_flags() {
    let service = ServiceDraft { v1: typed("--v1", "10.0.0.4:80".parse().unwrap()), ..nothing_typed() };
    let said = Config::build(flags(service), Some(("c.yaml", "interfaces: [eth0]"))).unwrap_err().to_string();
    assert!(said.starts_with("--v2: missing: ") && said.contains("\n--share: missing: "), "{said}");
}
