//! Who stands at a hook, in the order in which packets meet them: tcx programs first, then clsact filters.

use std::io::{Error, Result};
use std::mem::size_of;

use libbpf_sys::{bpf_prog_query_opts, bpf_prog_query_opts__bindgen_ty_1};

use super::attach::{HANDLE, Hook, PRIORITY};
use super::netlink::{Attributes, Netlink, number, text};

/// Programs that a tcx chain can hold (`BPF_MPROG_MAX`).
const CHAIN: usize = 64;
/// Attributes of a filter message, from `linux/rtnetlink.h` and `linux/pkt_cls.h`.
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_CHAIN: u16 = 11;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_ID: u16 = 11;
/// Length of `struct tcmsg`.
const HEADER: usize = 20;

/// A place at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many come before.
    pub before: usize,
    /// How many come after, of the same kind.
    pub after: usize,
}

/// A clsact filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its priority; lower ones come first.
    pub priority: u16,
    /// Its handle, which tells filters of one priority apart.
    pub handle: u32,
    /// The id of its program, if it has one.
    pub program: Option<u32>,
    /// The name that was given with the program.
    pub name: String,
}

/// Where a program stands in the tcx chain; `None` when it is not there.
///
/// # Errors
///
/// When the interface is gone, or the kernel has no such chains.
pub fn in_tcx(index: u32, hook: &Hook, program: u32) -> Result<Option<Place>> {
    let chain = programs(index, hook)?;
    let before = chain.iter().position(|one| *one == program);
    Ok(before.map(|before| Place { before, after: chain.len() - before - 1 }))
}

/// Where our filter with this program stands behind the tcx chain and among the filters; `None` when it is not there.
///
/// # Errors
///
/// When the interface is gone.
pub fn in_clsact(netlink: &mut Netlink, index: u32, hook: &Hook, program: u32) -> Result<Option<Place>> {
    let mut filters = filters(netlink, index, hook)?;
    let ours = |filter: &Filter| {
        (filter.priority, filter.handle, filter.program) == (PRIORITY, HANDLE.into(), Some(program))
    };
    if !filters.iter().any(ours) {
        return Ok(None);
    }
    // One filter can have several entries, and those of one priority are tried as one.
    filters.dedup_by_key(|filter| filter.priority);
    let earlier = filters.iter().filter(|filter| filter.priority < PRIORITY).count();
    // Without tcx there is no chain before the filters.
    let chain = programs(index, hook).map_or(0, |chain| chain.len());
    Ok(Some(Place { before: chain + earlier, after: filters.len() - earlier - 1 }))
}

/// The ids of the programs in the tcx chain, first to last. Takes no right but `CAP_NET_ADMIN`.
fn programs(index: u32, hook: &Hook) -> Result<Vec<u32>> {
    let mut ids = [0u32; CHAIN];
    let mut query = bpf_prog_query_opts {
        sz: size_of::<bpf_prog_query_opts>() as _,
        prog_ids: ids.as_mut_ptr(),
        __bindgen_anon_1: bpf_prog_query_opts__bindgen_ty_1 { count: CHAIN as u32 },
        ..bpf_prog_query_opts::default()
    };
    // SAFETY: `query` says its size, and `ids` has room for as many as it says; both live through the call.
    let result = unsafe { bpf_prog_query_opts(index.cast_signed(), hook.tcx_type(), &raw mut query) };
    if result < 0 {
        return Err(Error::from_raw_os_error(-result));
    }
    // SAFETY: both members of the union are the same number.
    let count = unsafe { query.__bindgen_anon_1.count } as usize;
    Ok(ids.into_iter().take(count).collect())
}

/// The clsact filters of a hook, first to last; none where there is no clsact.
///
/// # Errors
///
/// When the interface is gone.
pub fn filters(netlink: &mut Netlink, index: u32, hook: &Hook) -> Result<Vec<Filter>> {
    let mut body = [0; HEADER];
    body[4..8].copy_from_slice(&index.to_ne_bytes());
    body[12..16].copy_from_slice(&hook.parent().to_ne_bytes());
    let mut found = Vec::new();
    let listed = netlink.list(libc::RTM_GETTFILTER, &body, |body| found.extend(read(body)));
    match listed.as_ref().map_err(Error::raw_os_error) {
        Ok(()) => Ok(found),
        Err(Some(libc::EINVAL | libc::ENOENT | libc::EOPNOTSUPP)) => Ok(Vec::new()),
        Err(_) => listed.map(|()| Vec::new()),
    }
}

/// A filter of the chain that packets enter by, from the body of its message.
fn read(body: &[u8]) -> Option<Filter> {
    let mut filter =
        Filter { handle: number(body, 8)?, priority: (number(body, 16)? >> 16) as u16, ..Filter::default() };
    let mut has_program = false;
    for (kind, value) in Attributes(body.get(HEADER..)?) {
        match kind {
            TCA_KIND => has_program = text(value) == "bpf",
            TCA_CHAIN if number(value, 0) != Some(0) => return None,
            TCA_OPTIONS if has_program => read_program(&mut filter, value),
            _ => {}
        }
    }
    Some(filter)
}

fn read_program(filter: &mut Filter, options: &[u8]) {
    for (kind, value) in Attributes(options) {
        match kind {
            TCA_BPF_ID => filter.program = number(value, 0),
            TCA_BPF_NAME => filter.name = text(value),
            _ => {}
        }
    }
}
