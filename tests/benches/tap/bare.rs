//! Programs of a few instructions, attached where the tap would be: what any program costs there.

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::{null, null_mut};

use aya::programs::loaded_programs;
use libbpf_sys::{
    BPF_FUNC_clone_redirect, BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, bpf_insn, bpf_link_create,
    bpf_prog_load,
};

/// Codes of instructions (RFC 9669, sections 4.1 and 4.3): a move of a number, a call, the end.
const BPF_MOV: u8 = 0xb7;
const BPF_CALL: u8 = 0x85;
const BPF_EXIT: u8 = 0x95;

/// The name in the kernel of the one that does nothing.
pub const NAME: &str = "bench_empty";

/// The program and its link; gone when dropped.
pub struct Bare {
    _link: OwnedFd,
    _program: OwnedFd,
}

impl Bare {
    /// Does nothing with what comes in through an interface.
    pub fn empty(interface: u32) -> Self {
        Bare::attach(interface, c"bench_empty", &[next(), exit()])
    }

    /// Clones it all to another interface: what the kernel's helper costs whoever calls it.
    pub fn cloning(interface: u32, to: u32) -> Self {
        let helper = bpf_insn { code: BPF_CALL, imm: BPF_FUNC_clone_redirect as i32, ..bpf_insn::default() };
        let instructions = [set(2, to as i32), set(3, 0), helper, next(), exit()];
        Bare::attach(interface, c"bench_clone", &instructions)
    }

    fn attach(interface: u32, name: &CStr, instructions: &[bpf_insn]) -> Self {
        let program = load(name, instructions);
        // SAFETY: no options is a valid choice; the descriptor is ours.
        let link = unsafe { bpf_link_create(program.as_raw_fd(), interface as i32, BPF_TCX_INGRESS, null()) };
        assert!(link >= 0, "attach {name:?}: {link}");
        // SAFETY: a new descriptor that nobody else has.
        Bare { _link: unsafe { OwnedFd::from_raw_fd(link) }, _program: program }
    }
}

/// `r0 = -1`: go on with the next program.
fn next() -> bpf_insn {
    set(0, -1)
}

fn set(register: u8, value: i32) -> bpf_insn {
    let mut set = bpf_insn { code: BPF_MOV, imm: value, ..bpf_insn::default() };
    set.set_dst_reg(register);
    set
}

fn exit() -> bpf_insn {
    bpf_insn { code: BPF_EXIT, ..bpf_insn::default() }
}

fn load(name: &CStr, instructions: &[bpf_insn]) -> OwnedFd {
    // SAFETY: name, licence and instructions live through the call.
    let program = unsafe {
        bpf_prog_load(
            BPF_PROG_TYPE_SCHED_CLS,
            name.as_ptr(),
            c"GPL".as_ptr(),
            instructions.as_ptr(),
            instructions.len() as _,
            null_mut(),
        )
    };
    assert!(program >= 0, "load {name:?}: {program}");
    // SAFETY: a new descriptor that nobody else has.
    unsafe { OwnedFd::from_raw_fd(program) }
}

/// Run time (ns) and runs so far of the loaded programs of one of these names.
pub fn runs(names: &[&str]) -> (f64, f64) {
    let ours = loaded_programs()
        .flatten()
        .filter(|program| program.name_as_str().is_some_and(|name| names.contains(&name)));
    ours.fold((0.0, 0.0), |(time, runs), program| {
        (time + program.run_time().as_nanos() as f64, runs + program.run_count() as f64)
    })
}
