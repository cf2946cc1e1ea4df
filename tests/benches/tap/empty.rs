//! A program that does nothing, attached where the tap would be.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::{null, null_mut};

use aya::programs::loaded_programs;
use libbpf_sys::{BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, bpf_insn, bpf_link_create, bpf_prog_load};

/// Its name in the kernel.
pub const NAME: &str = "bench_empty";

/// The program and its link; gone when dropped.
pub struct Empty {
    _link: OwnedFd,
    _program: OwnedFd,
}

impl Empty {
    /// Loads it and attaches it to the ingress of an interface.
    pub fn attach(interface: u32) -> Self {
        let program = load();
        // SAFETY: no options is a valid choice; the descriptor is ours.
        let link = unsafe { bpf_link_create(program.as_raw_fd(), interface as i32, BPF_TCX_INGRESS, null()) };
        assert!(link >= 0, "attach the empty program: {link}");
        // SAFETY: a new descriptor that nobody else has.
        Empty { _link: unsafe { OwnedFd::from_raw_fd(link) }, _program: program }
    }
}

fn load() -> OwnedFd {
    // r0 = -1; exit
    let mut next = bpf_insn { code: 0xb7, imm: -1, ..bpf_insn::default() };
    next.set_dst_reg(0);
    let instructions = [next, bpf_insn { code: 0x95, ..bpf_insn::default() }];
    let name = c"bench_empty";
    // SAFETY: name, licence and instructions live through the call.
    let program = unsafe {
        let (license, length) = (c"GPL".as_ptr(), instructions.len());
        bpf_prog_load(
            BPF_PROG_TYPE_SCHED_CLS,
            name.as_ptr(),
            license,
            instructions.as_ptr(),
            length as _,
            null_mut(),
        )
    };
    assert!(program >= 0, "load the empty program: {program}");
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
