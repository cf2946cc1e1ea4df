//! What we may do: the capabilities that we hold, and how much memory we may lock.

use anyhow::{Context, Result};
use caps::{CapSet, Capability, CapsHashSet};
use procfs::process::{LimitValue, Process};

use super::release::{Version, version};
use super::report::{Item, Row};

/// From here on the kernel's tables are counted as the control group's memory, and no longer as locked memory.
const COUNTED_APART: Version = (5, 11);
/// Bytes that our tables take, rounded up well; most is the table of connections.
const TABLES: u64 = 64 << 20;

/// The capabilities, what each is for, and what takes its place.
const WANTED: [(Capability, &str, Without); 5] = [
    (Capability::CAP_BPF, "loading the kernel programs and their tables", Without::Nothing),
    (
        Capability::CAP_NET_ADMIN,
        "attaching the taps, and marking the agent's own connections",
        Without::Nothing,
    ),
    (Capability::CAP_NET_RAW, "reading the clones", Without::Nothing),
    (
        Capability::CAP_PERFMON,
        "the verifier, which else refuses the taps' pointer arithmetic; and reading TLS",
        Without::Other(Capability::CAP_SYS_ADMIN),
    ),
    (
        Capability::CAP_SYS_ADMIN,
        "the private namespace behind the agent's own shadow interface",
        Without::Flag("--shadow-interface NAME, an interface that exists"),
    ),
];

/// What is done without a capability.
#[derive(Clone, Copy)]
enum Without {
    Nothing,
    /// Another one includes it.
    Other(Capability),
    /// The user can say something.
    Flag(&'static str),
}

/// A row for every capability.
pub(super) fn capabilities() -> Result<Vec<Row>> {
    let held = caps::read(None, CapSet::Effective).context("read our capabilities")?;
    Ok(judge(&held))
}

fn judge(held: &CapsHashSet) -> Vec<Row> {
    let row = |(capability, needed_for, without): (Capability, &'static str, Without)| {
        let item = Item::new(capability.to_string(), needed_for);
        match without {
            _ if held.contains(&capability) => item.ok("held"),
            Without::Other(other) if held.contains(&other) => {
                item.instead("not held", format!("{other}, which includes it"))
            }
            Without::Flag(flag) => item.instead("not held", flag),
            Without::Other(other) => item.missing(format!("not held, nor {other}, which includes it")),
            Without::Nothing => item.missing("not held"),
        }
    };
    WANTED.into_iter().map(row).collect()
}

/// The row on locked memory, which only old kernels count.
pub(super) fn locked_memory(release: &str) -> Result<Row> {
    let limits = Process::myself().and_then(|process| process.limits()).context("read our limits")?;
    Ok(judge_limit(version(release), limits.max_locked_memory.soft_limit))
}

fn judge_limit(kernel: Option<Version>, limit: LimitValue) -> Row {
    let item = Item::new("locked memory", "the kernel tables");
    match limit {
        _ if kernel.is_some_and(|version| version >= COUNTED_APART) => item.ok("not limited for tables since Linux 5.11"),
        LimitValue::Unlimited => item.ok("not limited"),
        LimitValue::Value(bytes) if bytes >= TABLES => item.ok(format!("up to {} MiB", bytes >> 20)),
        LimitValue::Value(bytes) => item.missing(format!(
            "{} KiB, where the tables of this kernel may take {} MiB: raise it (ulimit -l unlimited, LimitMEMLOCK=)",
            bytes >> 10,
            TABLES >> 20
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::State::{Fallback, Missing, Ok};

    fn states(held: &[Capability]) -> Vec<crate::check::State> {
        judge(&held.iter().copied().collect()).into_iter().map(|row| row.state).collect()
    }

    #[test]
    fn what_is_not_held_is_named_with_what_to_do() {
        use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN};
        for (held, expect) in [
            (&[][..], [Missing, Missing, Missing, Missing, Fallback]),
            (&[CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW], [Ok, Ok, Ok, Missing, Fallback]),
            (&[CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON], [Ok, Ok, Ok, Ok, Fallback]),
            (&[CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN], [Ok, Ok, Ok, Fallback, Ok]),
            (&[CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_PERFMON], [Ok; 5]),
            // A run asks for CAP_BPF by name too.
            (&[CAP_SYS_ADMIN], [Missing, Missing, Missing, Fallback, Ok]),
        ] {
            assert_eq!(states(held), expect, "{held:?}");
        }
        let names: Vec<_> = judge(&CapsHashSet::new()).into_iter().map(|row| row.item).collect();
        assert_eq!(names, ["CAP_BPF", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_PERFMON", "CAP_SYS_ADMIN"]);
    }

    #[test]
    fn locked_memory_matters_to_old_kernels_only() {
        let small = LimitValue::Value(64 << 10);
        for (kernel, limit, expect) in [
            (Some((5, 11)), small, Ok),
            (Some((6, 1)), small, Ok),
            (Some((5, 10)), small, Missing),
            (None, small, Missing),
            (Some((5, 10)), LimitValue::Value(TABLES), Ok),
            (Some((5, 10)), LimitValue::Value(TABLES - 1), Missing),
            (Some((5, 10)), LimitValue::Unlimited, Ok),
        ] {
            assert_eq!(judge_limit(kernel, limit).state, expect, "{kernel:?} {limit:?}");
        }
    }
}
