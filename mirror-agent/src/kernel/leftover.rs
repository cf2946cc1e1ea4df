//! Removes the clsact filters that a killed predecessor left. Others' filters of any kind may stand beside them.

use std::io;
use std::mem::size_of;

use anyhow::{Context, Result};
use libbpf_sys::{bpf_tc_detach, bpf_tc_hook, bpf_tc_opts, libbpf_set_print};

use super::attach::{HANDLE, HOOKS, Hook, PRIORITY, RAW_HOOKS};
use super::chain::{self, Filter};
use super::interface;
use super::netlink::Netlink;

/// Removes our filters from an interface: those with our priority, our handle and our programs' names. Returns whether
/// there were any. Who calls it has the claim on the interface, so that they are nobody's.
///
/// # Errors
///
/// When a filter of ours is there and cannot be removed.
pub fn sweep(name: &str) -> Result<bool> {
    let index = interface::require(name)?;
    let mut netlink = Netlink::open().context("open a netlink socket")?;
    let mut found = false;
    for hook in HOOKS.iter().chain(&RAW_HOOKS) {
        found |=
            remove(&mut netlink, index, hook).with_context(|| format!("remove an old tap from {name}"))?;
    }
    Ok(found)
}

fn remove(netlink: &mut Netlink, index: u32, hook: &Hook) -> io::Result<bool> {
    let is_ours = |filter: &Filter| {
        (filter.priority, filter.handle, filter.name.as_str()) == (PRIORITY, HANDLE.into(), hook.program)
    };
    if !chain::filters(netlink, index, hook)?.iter().any(is_ours) {
        return Ok(false);
    }
    let at = bpf_tc_hook {
        sz: size_of::<bpf_tc_hook>() as _,
        ifindex: index.cast_signed(),
        attach_point: hook.attach_point(),
        ..bpf_tc_hook::default()
    };
    let ours = bpf_tc_opts {
        sz: size_of::<bpf_tc_opts>() as _,
        handle: HANDLE.into(),
        priority: PRIORITY.into(),
        ..bpf_tc_opts::default()
    };
    // SAFETY: no printer is a valid printer; libbpf would else write to our standard error.
    unsafe { libbpf_set_print(None) };
    // SAFETY: both structures live through the call and say their size.
    match -unsafe { bpf_tc_detach(&raw const at, &raw const ours) } {
        0 => Ok(true),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
