//! Whether this process may do what a capture does, said before anything is touched.

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability, CapsHashSet};

/// Refuses to begin without the rights for it.
///
/// # Errors
///
/// One line that names every capability that is missing.
pub(super) fn check(own_shadow: bool) -> Result<()> {
    let held = caps::read(None, CapSet::Effective).context("read our own capabilities")?;
    let missing = missing(&held, own_shadow);
    if !missing.is_empty() {
        bail!("no permission to capture: missing {} (root has them)", missing.join(", "));
    }
    Ok(())
}

fn missing(held: &CapsHashSet, own_shadow: bool) -> Vec<&'static str> {
    let has = |capability| held.contains(&capability);
    let admin = has(Capability::CAP_SYS_ADMIN);
    let wanted = [
        ("CAP_BPF", has(Capability::CAP_BPF) || admin), // before Linux 5.8 only the latter
        ("CAP_NET_ADMIN", has(Capability::CAP_NET_ADMIN)),
        ("CAP_NET_RAW", has(Capability::CAP_NET_RAW)),
        ("CAP_SYS_ADMIN", admin || !own_shadow), // a shadow interface of our own ends in a private namespace
    ];
    wanted.into_iter().filter(|(_, held)| !held).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN};

    use super::*;

    #[track_caller]
    fn check(held: &[Capability], own_shadow: bool, expected: &str) {
        let held = held.iter().copied().collect();
        assert_eq!(missing(&held, own_shadow).join(" "), expected);
    }

    #[test]
    fn what_is_missing_is_named() {
        check(&[], true, "CAP_BPF CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_ADMIN");
        check(&[], false, "CAP_BPF CAP_NET_ADMIN CAP_NET_RAW");
        check(&[CAP_NET_RAW, CAP_BPF, CAP_NET_ADMIN], true, "CAP_SYS_ADMIN");
        check(&[CAP_NET_RAW, CAP_BPF, CAP_NET_ADMIN], false, "");
        check(&[CAP_NET_RAW, CAP_SYS_ADMIN], true, "CAP_NET_ADMIN");
        check(&[CAP_NET_RAW, CAP_SYS_ADMIN, CAP_NET_ADMIN], true, "");
    }
}
