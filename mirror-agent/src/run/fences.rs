//! Fences: in force and proven before anything is cloned.

use anyhow::{Result, anyhow};

use crate::config::Config;
use crate::kernel::fence::{Fence, cgroup};

/// Checks that there is what is to be fenced.
///
/// # Errors
///
/// The first cgroup that is not there, or must not be fenced.
pub fn check(config: &Config) -> Result<()> {
    cgroup::check(config.services.iter().filter_map(|service| service.fence.as_ref()))
}

/// Puts the fences of all services, by index, in force and proves each.
///
/// # Errors
///
/// When one cannot be, or does not hold: none is in force then.
pub fn start(config: &Config) -> Result<Vec<Option<Fence>>> {
    let start = |service: &crate::config::Service| {
        let Some(config) = &service.fence else { return Ok(None) };
        let fence = Fence::start(&service.name, config)?;
        let lost = |lost| anyhow!("the fence of service {} does not hold: {lost}", service.name);
        let proof = fence.prove().map_err(lost)?;
        let (service, mode, destinations) = (&service.name, config.mode.as_str(), config.allow.len());
        tracing::info!(service, mode, destinations, took = ?proof.took, "v2 is fenced in, and that is proven");
        Ok(Some(fence))
    };
    config.services.iter().map(start).collect()
}
