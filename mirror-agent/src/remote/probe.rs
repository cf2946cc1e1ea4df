//! `probe`: what both versions made of the probes, side by side.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};
use hyper::Method;
use serde_json::Value;

use super::client::{ask, ask_within};
use super::show::{duration, row};
use crate::cli;
use crate::judge::Outcome;
use crate::probe::{Proposal, TIMEOUT_MAX, yaml};
use crate::status::Status;
use crate::status::probes::Probe;

/// Shows the last run of each probe, after sending one if asked to; or proposes some. Returns what the runs say: FAIL if one
/// failed at v2 alone, INCONCLUSIVE if one has not run, `None` if one failed at v1.
///
/// # Errors
///
/// When the agent does not answer, there is no such service or probe, or standard output is closed.
pub fn run(args: &cli::Probe) -> Result<Option<Outcome>> {
    if args.propose {
        return propose(args).map(|()| Some(Outcome::Pass));
    }
    if let Some(name) = &args.once {
        let service = args.service.as_ref().map_or(String::new(), |service| format!("&service={service}"));
        let patience = TIMEOUT_MAX + TIMEOUT_MAX / 2;
        ask_within::<Value>(
            patience,
            &args.socket.path(),
            Method::POST,
            &format!("/v1/probe?name={name}{service}"),
        )?;
    }
    let services = chosen(args)?;
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&services)?)?;
    } else {
        for (service, probes) in &services {
            write!(out, "{}", text(service, probes))?;
        }
    }
    Ok(outcome(services.values().flatten()))
}

/// The probes that are meant, by service.
fn chosen(args: &cli::Probe) -> Result<BTreeMap<String, Vec<Probe>>> {
    let status: Status = ask(&args.socket.path(), Method::GET, "/v1/status")?;
    let names: Vec<_> = status.services.iter().map(|service| service.name.clone()).collect();
    let is_meant = |name: &String| args.service.as_ref().is_none_or(|meant| meant == name);
    if let Some(name) = args.service.as_ref().filter(|name| !names.contains(name)) {
        bail!("no such service: {name}; there is: {}", names.join(", "));
    }
    let wanted = |probe: &Probe| args.once.as_ref().is_none_or(|name| *name == probe.name);
    let services = status.services.into_iter().filter(|service| is_meant(&service.name));
    let probes = services.map(|service| (service.name, service.probes.into_iter().filter(wanted).collect()));
    Ok(probes.filter(|(_, probes): &(_, Vec<_>)| args.once.is_none() || !probes.is_empty()).collect())
}

fn outcome<'a>(probes: impl Iterator<Item = &'a Probe>) -> Option<Outcome> {
    let (mut has_run, mut is_v1_bad) = (false, false);
    let mut is_waiting = false;
    for probe in probes {
        match (probe.is_good("v1"), probe.is_good("v2")) {
            (Some(true), Some(false)) => return Some(Outcome::Fail),
            (Some(false), _) => is_v1_bad = true,
            (Some(true), _) => has_run = true,
            (None, _) => is_waiting = true,
        }
    }
    match (is_v1_bad, has_run && !is_waiting) {
        (true, _) => None,
        (false, true) => Some(Outcome::Pass),
        (false, false) => Some(Outcome::Inconclusive),
    }
}

fn propose(args: &cli::Probe) -> Result<()> {
    let service = args.service.as_ref().map_or(String::new(), |service| format!("?service={service}"));
    let proposed: Vec<(String, Vec<Proposal>)> =
        ask(&args.socket.path(), Method::GET, &format!("/v1/probe/proposals{service}"))?;
    let mut out = std::io::stdout();
    if args.json {
        let by_service: BTreeMap<_, _> = proposed.into_iter().collect();
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&by_service)?)?);
    }
    for (service, proposals) in proposed {
        if proposals.is_empty() {
            writeln!(out, "# service {service}: no safe request was seen that v1 answered well")?;
        } else {
            write!(out, "# service {service}\n{}", yaml(&proposals))?;
        }
    }
    Ok(())
}

fn text(service: &str, probes: &[Probe]) -> String {
    let mut text = format!("{service}\n");
    if probes.is_empty() {
        row("probes", "none are configured; --propose makes some of what users ask".into(), &mut text);
        return text;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["probe", "", "result", "status", "connect", "processing", "transfer", "failed"]);
    for probe in probes {
        for (version, seen) in &probe.versions {
            let last = seen.last.as_ref();
            let phase = |name: &str| {
                let took = last.and_then(|last| last.duration_s.get(name));
                took.map_or("-".to_owned(), |seconds| duration(*seconds))
            };
            let runs: u64 = seen.results.values().sum();
            let failed = runs - seen.results.get("success").copied().unwrap_or(0);
            table.add_row([
                if version == "v1" { probe.name.clone() } else { String::new() },
                version.clone(),
                last.map_or("not yet".into(), |last| last.result.as_str().into()),
                last.and_then(|last| last.status).map_or("-".into(), |status| status.to_string()),
                phase("connect"),
                phase("processing"),
                phase("transfer"),
                format!("{failed} of {runs}"),
            ]);
        }
    }
    text + &table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::Draft;
    use crate::probe::{Answer, Ended, Phases, Tally};

    fn probe(run: Option<[Ended; 2]>) -> Probe {
        let file = "interfaces: [a]\nservices: [{name: a, v1: '10.0.0.4:80', v2: '10.0.0.5:80', share: 0%, probes: [{name: p, path: /}]}]";
        let config = Config::build(Draft::default(), Some(("c", file))).unwrap();
        let mut tally = Tally::default();
        let answer = |ended| Answer { ended, status: None, phases: Phases::default() };
        run.into_iter().for_each(|run| tally.note(run.map(answer)));
        Probe::new(&config.services[0].probes[0], &tally)
    }

    #[test]
    fn a_probe_that_fails_at_v2_alone_speaks_against_v2() {
        use Ended::{Connect, Success};
        let (good, worse) = (Some([Success, Success]), Some([Success, Connect]));
        let (broken, better) = (Some([Connect, Connect]), Some([Connect, Success]));
        let cases = [
            (&[][..], Some(Outcome::Inconclusive)),
            (&[None], Some(Outcome::Inconclusive)),
            (&[good], Some(Outcome::Pass)),
            (&[good, None], Some(Outcome::Inconclusive)),
            (&[good, worse, None], Some(Outcome::Fail)),
            (&[good, broken], None),
            (&[good, better], None),
            (&[broken, worse], Some(Outcome::Fail)),
        ];
        for (runs, expected) in cases {
            let probes: Vec<_> = runs.iter().map(|run| probe(*run)).collect();
            assert_eq!(outcome(probes.iter()), expected, "{runs:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_a_dash_and_never_a_zero() {
        let said = text("shop", &[probe(Some([Ended::Success, Ended::Connect])), probe(None)]);
        assert!(said.contains("connect") && said.contains("not yet") && !said.contains("0ns"), "{said}");
    }
}
