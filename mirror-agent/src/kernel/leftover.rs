//! Removes the clsact filters that a killed predecessor left. Others' filters of any kind may stand beside them.

use std::io;
use std::mem::size_of;

use anyhow::{Context, Result};
use aya::programs::loaded_programs;
use libbpf_sys::{
    BPF_TC_EGRESS, BPF_TC_INGRESS, bpf_tc_attach_point, bpf_tc_detach, bpf_tc_hook, bpf_tc_opts,
    bpf_tc_query, libbpf_set_print,
};

use super::attach::{HANDLE, PRIORITY};
use super::interface;
use super::object::{EGRESS, INGRESS};

/// Removes our filters from an interface: those with our priority, our handle and our programs' names. Returns whether
/// there were any.
///
/// # Errors
///
/// When a filter of ours is there and cannot be removed.
pub fn sweep(name: &str) -> Result<bool> {
    let index = i32::try_from(interface::require(name)?)?;
    // SAFETY: no printer is a valid printer; libbpf would else write to our standard error.
    unsafe { libbpf_set_print(None) };
    let mut found = false;
    for (program, point) in [(INGRESS, BPF_TC_INGRESS), (EGRESS, BPF_TC_EGRESS)] {
        found |= remove(index, point, program).with_context(|| format!("remove an old tap from {name}"))?;
    }
    Ok(found)
}

fn remove(index: i32, point: bpf_tc_attach_point, program: &str) -> io::Result<bool> {
    let hook = bpf_tc_hook {
        sz: size_of::<bpf_tc_hook>() as _,
        ifindex: index,
        attach_point: point,
        ..bpf_tc_hook::default()
    };
    let mut found = filter();
    // SAFETY: both structures live through the call and say their size.
    match -unsafe { bpf_tc_query(&raw const hook, &raw mut found) } {
        0 if is_named(found.prog_id, program) => {}
        // Nothing there, or nothing of ours, or no clsact to hold it.
        0 | libc::ENOENT | libc::EINVAL | libc::EOPNOTSUPP => return Ok(false),
        error => return Err(io::Error::from_raw_os_error(error)),
    }
    let ours = filter();
    // SAFETY: as above.
    match -unsafe { bpf_tc_detach(&raw const hook, &raw const ours) } {
        0 => Ok(true),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Names a filter of ours.
fn filter() -> bpf_tc_opts {
    bpf_tc_opts {
        sz: size_of::<bpf_tc_opts>() as _,
        handle: HANDLE.into(),
        priority: PRIORITY.into(),
        ..bpf_tc_opts::default()
    }
}

fn is_named(id: u32, name: &str) -> bool {
    loaded_programs().flatten().any(|program| program.id() == id && program.name_as_str() == Some(name))
}
