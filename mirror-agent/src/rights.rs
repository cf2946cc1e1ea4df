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
    let needed = KEPT.into_iter().chain(own_shadow.then_some(Capability::CAP_SYS_ADMIN));
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
