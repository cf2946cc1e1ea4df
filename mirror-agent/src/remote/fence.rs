//! `fence`: what v2 calls, and what its fence does about it.

use std::io::Write as _;

use anyhow::{Result, bail};
use hyper::Method;

use super::client::ask;
use super::guards;
use crate::cli;
use crate::status::Status;

/// Whether every fence that was asked for holds.
///
/// # Errors
///
/// When the agent does not answer or refuses, there is no such fence, or standard output is closed.
pub fn run(args: &cli::Fence) -> Result<bool> {
    let mut out = std::io::stdout();
    if args.propose {
        let service = args.service.as_ref().map_or(String::new(), |name| format!("?service={name}"));
        let lines: String = ask(&args.socket.path(), Method::GET, &format!("/v1/fence/proposal{service}"))?;
        write!(out, "{lines}")?;
        return Ok(true);
    }
    let status: Status = ask(&args.socket.path(), Method::GET, "/v1/status")?;
    let meant = |name: &str| args.service.as_ref().is_none_or(|asked| asked == name);
    let fences: std::collections::BTreeMap<_, _> = status
        .services
        .into_iter()
        .filter(|service| meant(&service.name))
        .filter_map(|service| Some((service.name, service.fence?)))
        .collect();
    if fences.is_empty() {
        bail!("no fence there; the config gives one to a service under fence");
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&fences)?)?;
    } else {
        for (name, fence) in &fences {
            let mut text = format!("{name}\n");
            guards::fence(fence, &mut text);
            write!(out, "{text}")?;
        }
    }
    Ok(fences.values().all(|fence| fence.proven))
}
