//! What is checked before anything is attached: each fault is one line that names the thing.

use std::net::SocketAddr;

use anyhow::{Result, bail};

use crate::config::values::is_pattern;
use crate::config::{Config, Service, ShadowInterface};
use crate::kernel::wanted::Wanted;
use crate::kernel::{interface, tunnel, warn};
use crate::rights;

/// Checks rights, interfaces and addresses.
///
/// # Errors
///
/// The first thing that cannot work.
pub fn check(config: &Config) -> Result<()> {
    let wanted = Wanted::new(&config.interfaces)?;
    let existing = config.shadow_interface.as_ref().and_then(ShadowInterface::existing);
    for name in wanted.names().iter().map(String::as_str).chain(existing) {
        interface::require(name)?;
    }
    rights::require(existing.is_none())?;
    super::fences::check(config)?;
    if let Some(tunnel) = config.shadow_interface.as_ref().and_then(ShadowInterface::tunnel) {
        tunnel::check(tunnel)?;
    }
    let tapped: Vec<String> = interface::names().into_iter().filter(|name| wanted.has(name)).collect();
    warn::of_lengths(config.shadow_interface.as_ref(), &tapped);
    for service in &config.services {
        if !config.transit {
            check_leads(config, &tapped, service)?;
        }
        warn_unless_timed(&tapped, service);
    }
    Ok(())
}

/// A v1 that no given interface leads to would never be seen, and nobody would know why.
///
/// With a pattern it may be that the interface has yet to come.
fn check_leads(config: &Config, tapped: &[String], service: &Service) -> Result<()> {
    if service.v1.ip().is_unspecified() || is_tapped(tapped, service.v1) {
        return Ok(());
    }
    if config.interfaces.iter().any(|one| is_pattern(one)) {
        tracing::warn!(
            "v1 of service {} is not reached through any interface that is there now and matches {}",
            service.name,
            config.interfaces.join(", ")
        );
        return Ok(());
    }
    bail!(
        "v1 {} of service {} is not reached through {}: no address of theirs and no route leads there \
         (if this host only forwards its traffic, say --transit)",
        service.v1,
        service.name,
        config.interfaces.join(", ")
    )
}

/// v2 is timed by the same clock only where a tap sees its traffic.
fn warn_unless_timed(tapped: &[String], service: &Service) {
    if is_tapped(tapped, service.v2) {
        return;
    }
    match interface::towards(service.v2.ip()) {
        Ok(name) => tracing::warn!(
            "v2 of service {} is reached over {name}, which is not tapped: it will not be timed (add -i {name})",
            service.name
        ),
        Err(error) => tracing::warn!("v2 of service {}: {error:#}", service.name),
    }
}

fn is_tapped(tapped: &[String], end: SocketAddr) -> bool {
    // What this host sends to its own addresses passes lo, and what others send passes the interface that has them.
    tapped.iter().any(|name| interface::leads_to(name, end.ip()))
        || interface::towards(end.ip()).is_ok_and(|name| tapped.contains(&name))
}
