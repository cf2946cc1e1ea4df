//! The commands that speak to a running agent.

use std::io::Write;

use anyhow::{Result, anyhow};
use hyper::Method;
use serde_json::Value;

use super::client::ask;
use super::{cost, show};
use crate::cli::{Change, Explain, Reload, Resume, SetShare, Status};
use crate::config::{Config, Draft};
use crate::control::server::Killed;
use crate::{explain, status};

/// `status`
///
/// # Errors
///
/// When the agent does not answer or refuses, or standard output is closed.
pub fn status(args: &Status) -> Result<()> {
    let mut out = std::io::stdout();
    let (method, target) = if args.cost { (Method::POST, "/v1/cost") } else { (Method::GET, "/v1/status") };
    if args.json {
        let status: Value = ask(&args.socket.path(), method, target)?;
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?);
    }
    let status: status::Status = ask(&args.socket.path(), method, target)?;
    let cost = if args.cost { cost::text(&status.agent.cost) } else { String::new() };
    Ok(write!(out, "{}{cost}", show::status(&status))?)
}

/// `share`
///
/// # Errors
///
/// When the agent does not answer or refuses, or standard output is closed.
pub fn share(args: &SetShare) -> Result<()> {
    // A percent sign in a query is written %25 (RFC 3986, section 2.4); parts per million need none.
    let which = which(args.service.as_deref(), args.ring.as_deref());
    let target = format!("/v1/share?share={}ppm{which}", args.share.ppm());
    ask::<Value>(&args.socket.path(), Method::POST, &target)?;
    Ok(writeln!(std::io::stdout(), "share is {}", args.share)?)
}

/// `resume`
///
/// # Errors
///
/// When the agent does not answer or refuses, or standard output is closed.
pub fn resume(args: &Resume) -> Result<()> {
    let reason = |reason: &String| {
        form_urlencoded::Serializer::new(String::from("&")).append_pair("spend_budget", reason).finish()
    };
    let spend = args.spend_budget.as_ref().map_or(String::new(), reason);
    ask::<Value>(&args.change.socket.path(), Method::POST, &(target("resume", &args.change) + &spend))?;
    Ok(writeln!(std::io::stdout(), "going on")?)
}

/// `pause`
///
/// # Errors
///
/// When the agent does not answer or refuses, or standard output is closed.
pub fn change(args: &Change, verb: &str, said: &str) -> Result<()> {
    ask::<Value>(&args.socket.path(), Method::POST, &target(verb, args))?;
    Ok(writeln!(std::io::stdout(), "{said}")?)
}

/// `kill`
///
/// # Errors
///
/// When the agent does not answer or refuses, or standard output is closed.
pub fn kill(args: &Change) -> Result<()> {
    let mut out = std::io::stdout();
    let target = target("kill", args);
    if let Some(ring) = &args.ring {
        ask::<Value>(&args.socket.path(), Method::POST, &target)?;
        return Ok(writeln!(
            out,
            "killed ring {ring}; nothing of it is cloned until `resume --ring {ring}`"
        )?);
    }
    let killed: Killed = ask(&args.socket.path(), Method::POST, &target)?;
    let micros = killed.kill_latency_s * 1e6;
    Ok(writeln!(out, "killed; the last clone was made {micros:.0} µs after the command")?)
}

/// `reload`
///
/// # Errors
///
/// When the agent does not answer or refuses the file, or standard output is closed.
pub fn reload(args: &Reload) -> Result<()> {
    ask::<Value>(&args.socket.path(), Method::POST, "/v1/reload")?;
    Ok(writeln!(std::io::stdout(), "reloaded")?)
}

/// `explain`
///
/// # Errors
///
/// When neither agent nor file can say, or standard output is closed.
pub fn explain(args: &Explain) -> Result<()> {
    let said = match &args.config {
        Some(file) => {
            let config = Config::load(Draft::default(), Some(file))?;
            let service =
                explain::service(&config, args.service.as_deref()).map_err(|error| anyhow!(error))?;
            let server = explain::server(service, args.to).map_err(|error| anyhow!(error))?;
            explain::explain(service, args.client, server, 0)
        }
        None => {
            let to = args.to.map_or(String::new(), |to| format!("&to={to}"));
            let target =
                format!("/v1/explain?client={}{}{to}", args.client, which(args.service.as_deref(), None));
            ask(&args.socket.path(), Method::GET, &target)?
        }
    };
    let mut out = std::io::stdout();
    if args.json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?);
    }
    Ok(write!(out, "{}", show::explanation(&said))?)
}

fn target(verb: &str, args: &Change) -> String {
    format!("/v1/{verb}?{}", which(args.service.as_deref(), args.ring.as_deref()))
}

/// Names of services and rings need no escaping.
fn which(service: Option<&str>, ring: Option<&str>) -> String {
    let part = |key: &str, name: Option<&str>| name.map_or(String::new(), |name| format!("&{key}={name}"));
    part("service", service) + &part("ring", ring)
}
