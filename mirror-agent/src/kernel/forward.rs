//! Has every packet that arrives at one interface leave by another. The program is four instructions, because the index of
//! the other is part of it.

use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use anyhow::{Context, Result};
use libbpf_sys::{
    BPF_ALU64, BPF_CALL, BPF_EXIT, BPF_FUNC_redirect, BPF_JMP, BPF_K, BPF_MOV, BPF_PROG_TYPE_SCHED_CLS,
    BPF_TC_INGRESS, BPF_TCX_INGRESS, bpf_insn, bpf_link_create, bpf_prog_load, bpf_tc_attach, bpf_tc_hook,
    bpf_tc_hook_create, bpf_tc_opts,
};

use super::attach::Mechanism;
use super::interface;

/// The program's name in the kernel.
pub const NAME: &str = "mirror_forward";

/// Holds the program to its interface. A filter needs no holding: it goes with its interface.
pub struct Link {
    _tcx: Option<OwnedFd>,
}

/// Attaches it to what arrives at `from`, an interface of the calling thread's namespace, as `to` is. Packet sockets see
/// a packet before it does. When `to` is gone, the kernel frees the packets.
///
/// # Errors
///
/// When the kernel refuses.
pub fn attach(from: &str, to: u32, mechanism: Mechanism) -> Result<(OwnedFd, Link)> {
    let index = interface::require(from)?;
    let program = load(to).context("load the kernel program that feeds the tunnel")?;
    let tcx = match mechanism {
        Mechanism::Tcx => attach_tcx(index, &program).map(Some),
        Mechanism::Clsact => attach_filter(index, &program).map(|()| None),
    };
    let link = Link { _tcx: tcx.context("attach the kernel program that feeds the tunnel")? };
    Ok((program, link))
}

/// `return bpf_redirect(to, 0)`
fn load(to: u32) -> io::Result<OwnedFd> {
    let set = |register: u8, value: i32| {
        let mut instruction = plain(BPF_ALU64 | BPF_MOV | BPF_K, value);
        instruction.set_dst_reg(register);
        instruction
    };
    let program = [
        set(1, to.cast_signed()),
        set(2, 0),
        plain(BPF_JMP | BPF_CALL, BPF_FUNC_redirect.cast_signed()),
        plain(BPF_JMP | BPF_EXIT, 0),
    ];
    let name = CString::new(NAME)?;
    // SAFETY: the names end in zero, the instructions are as many as said, and no options are valid options.
    own(unsafe {
        bpf_prog_load(
            BPF_PROG_TYPE_SCHED_CLS,
            name.as_ptr(),
            c"Dual MIT/GPL".as_ptr(),
            program.as_ptr(),
            program.len() as _,
            ptr::null_mut(),
        )
    })
}

fn plain(code: u32, value: i32) -> bpf_insn {
    bpf_insn { code: code as u8, imm: value, ..bpf_insn::default() }
}

fn attach_tcx(index: u32, program: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: a live program, and no options are valid options.
    own(unsafe { bpf_link_create(program.as_raw_fd(), index.cast_signed(), BPF_TCX_INGRESS, ptr::null()) })
}

fn attach_filter(index: u32, program: &OwnedFd) -> io::Result<()> {
    let mut hook = bpf_tc_hook {
        sz: size_of::<bpf_tc_hook>() as _,
        ifindex: index.cast_signed(),
        attach_point: BPF_TC_INGRESS,
        ..bpf_tc_hook::default()
    };
    let mut options = bpf_tc_opts {
        sz: size_of::<bpf_tc_opts>() as _,
        prog_fd: program.as_raw_fd(),
        ..bpf_tc_opts::default()
    };
    // SAFETY: both structures live through the calls and say their size.
    let attached = unsafe {
        match bpf_tc_hook_create(&raw mut hook) {
            0 => bpf_tc_attach(&raw const hook, &raw mut options),
            error => error,
        }
    };
    if attached == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-attached)) }
}

/// libbpf returns a descriptor or a negated error.
fn own(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a new descriptor that nobody else holds.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
