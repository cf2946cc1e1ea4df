//! `preflight`: what must be known before the first clone, and whether it is.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hyper::Method;

use super::client::ask;
use super::show::row;
use crate::cli;
use crate::status::{Service, State, Status};

/// How often it is asked while it is waited for.
const EVERY: Duration = Duration::from_millis(500);

/// Whether everything is known, of one service or of all.
///
/// # Errors
///
/// When the agent does not answer, there is no such service, or standard output is closed.
pub fn run(args: &cli::Preflight) -> Result<bool> {
    let started = Instant::now();
    let services = loop {
        let services = chosen(args)?;
        let left = args.wait.unwrap_or_default().saturating_sub(started.elapsed());
        if services.iter().all(is_over) || left.is_zero() {
            break services;
        }
        std::thread::sleep(EVERY.min(left));
    };
    let mut out = std::io::stdout();
    if args.json {
        let items: std::collections::BTreeMap<_, _> =
            services.iter().map(|service| (&service.name, &service.guards.preflight)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&items)?)?;
    } else {
        services.iter().try_for_each(|service| write!(out, "{}", text(service)))?;
    }
    Ok(services.iter().all(is_over))
}

fn chosen(args: &cli::Preflight) -> Result<Vec<Service>> {
    let status: Status = ask(&args.socket.path(), Method::GET, "/v1/status")?;
    let is_meant = |service: &Service| args.service.as_ref().is_none_or(|name| *name == service.name);
    let names: Vec<_> = status.services.iter().map(|service| service.name.clone()).collect();
    let services: Vec<_> = status.services.into_iter().filter(is_meant).collect();
    if services.is_empty() {
        bail!(
            "no such service: {}; there is: {}",
            args.service.clone().unwrap_or_default(),
            names.join(", ")
        );
    }
    Ok(services)
}

fn is_over(service: &Service) -> bool {
    service.state != State::Preflight
}

fn text(service: &Service) -> String {
    let state = if is_over(service) { "may be mirrored" } else { "is not mirrored yet" };
    let mut text = format!("{} {state}\n", service.name);
    if service.guards.preflight.is_empty() {
        row("preflight", "nothing is asked for".into(), &mut text);
    }
    for item in &service.guards.preflight {
        let mark = if item.is_met { "✓" } else { "…" };
        row(&item.name, format!("{mark} {}", item.why), &mut text);
    }
    text
}
