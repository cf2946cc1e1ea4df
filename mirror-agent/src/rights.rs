//! Capabilities: what is needed is asked for by name, and what is not needed any more is given away.

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability, CapsHashSet};

/// What attaching, reading and replaying take for as long as the agent runs.
const KEPT: [Capability; 3] = [Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW];

/// Checks that we may do what is ahead.
///
/// # Errors
///
/// Names every capability that is missing. `own_shadow` says that a private namespace will be made.
pub fn require(own_shadow: bool) -> Result<()> {
    let effective = caps::read(None, CapSet::Effective).context("read our capabilities")?;
    // The verifier takes the programs' pointer arithmetic from PERFMON, or from SYS_ADMIN, which includes it.
    let to_start = if own_shadow || effective.contains(&Capability::CAP_SYS_ADMIN) {
        Capability::CAP_SYS_ADMIN
    } else {
        Capability::CAP_PERFMON
    };
    let needed = KEPT.into_iter().chain([to_start]);
    let missing: Vec<String> =
        needed.filter(|one| !effective.contains(one)).map(|one| one.to_string()).collect();
    if !missing.is_empty() {
        bail!(
            "missing {}: run as root, or give the capabilities; `mirror-agent check` says what each is for",
            missing.join(", ")
        );
    }
    Ok(())
}

/// Gives every other capability away, for this thread and those that it starts from now on.
///
/// # Errors
///
/// When the kernel refuses.
pub fn drop_others() -> Result<()> {
    let kept: CapsHashSet = KEPT.into_iter().collect();
    for (set, wanted) in
        [(CapSet::Effective, &kept), (CapSet::Permitted, &kept), (CapSet::Inheritable, &CapsHashSet::new())]
    {
        caps::set(None, set, wanted).context("give capabilities away")?;
    }
    Ok(())
}
