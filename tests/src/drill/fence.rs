//! v2's own calls, kept in.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::exercise::Outcome;
use super::stage::{Stage, inside};
use crate::cgroup::Cgroup;
use crate::world::Host;

/// A redis client, as v2's code would have one; there is no server, which makes no difference to the fence.
fn redis(cgroup: &Path, stage: &Stage) -> Result<(bool, String)> {
    let client = format!("redis-cli -h {} -p 6379 ping", Host::V1.ipv4());
    inside(&stage.world, cgroup, &client)
}

fn fenced(cgroup: &Cgroup) -> Result<Stage> {
    let path = cgroup.path().display();
    Stage::new(&format!("share: 100%\nfence: {{cgroup: {path}, allow: []}}"), (50.0, 8))
}

/// A client that finds nobody without the fence, and is denied with it.
pub(super) fn denies() -> Result<Outcome> {
    let cgroup = Cgroup::new()?;
    let stage = fenced(&cgroup)?;
    let began = Instant::now();
    let (_, said) = redis(cgroup.path(), &stage)?;
    let measured = began.elapsed().as_secs_f64();
    ensure!(said.contains("Operation not permitted"), "redis-cli was not denied: {said}");
    let denied = &stage.service()?["fence"]["destinations"][0]["v2_denied"];
    ensure!(denied.as_u64() >= Some(1), "the fence counts {denied} denied calls");
    Ok(Outcome { measured, seen: said })
}

/// The cgroup is removed and made anew, as when v2's pod is replaced: nobody fences the new one.
pub(super) fn lost() -> Result<Outcome> {
    let cgroup = Cgroup::new()?;
    let stage = fenced(&cgroup)?;
    stage.compared(50)?;
    let path = cgroup.path().to_owned();
    cgroup.remove()?;
    cgroup.make_again()?;
    let measured = stage.aborted("fence_lost");
    let (_, said) = redis(&path, &stage)?;
    ensure!(!said.contains("not permitted"), "the new cgroup is fenced: {said}");
    Ok(Outcome { measured: measured?, seen: "it is proven every 30 s".into() })
}
