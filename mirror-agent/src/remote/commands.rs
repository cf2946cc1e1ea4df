//! The commands that speak to a running agent.

use std::io::Write;

use anyhow::Result;
use hyper::Method;
use serde_json::Value;

use super::client::ask;
use super::{cost, show};
use crate::cli::{Change, SetShare, Status};
use crate::control::server::Killed;
use crate::status;

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
    let target = format!("/v1/share?share={}ppm{}", args.share.ppm(), and_service(args.service.as_deref()));
    ask::<Value>(&args.socket.path(), Method::POST, &target)?;
    Ok(writeln!(std::io::stdout(), "share is {}", args.share)?)
}

/// `pause`, `resume`
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
    let killed: Killed = ask(&args.socket.path(), Method::POST, &target("kill", args))?;
    let micros = killed.kill_latency_s * 1e6;
    Ok(writeln!(std::io::stdout(), "killed; the last clone was made {micros:.0} µs after the command")?)
}

fn target(verb: &str, args: &Change) -> String {
    format!("/v1/{verb}?{}", and_service(args.service.as_deref()))
}

/// Names of services need no escaping.
fn and_service(service: Option<&str>) -> String {
    service.map_or(String::new(), |service| format!("&service={service}"))
}
