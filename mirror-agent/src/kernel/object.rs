//! The kernel programs, as they were built into this binary.

use std::io::ErrorKind;

use anyhow::{Context, Result};
use aya::programs::{ProgramError, SchedClassifier};
use aya::{Ebpf, EbpfLoader};

/// The object file, aligned as an ELF reader wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/mirror.bpf.o"));

/// The tap on incoming packets, the tap on outgoing ones, and the drain: their names in the kernel.
pub const INGRESS: &str = "mirror_ingress";
/// See [`INGRESS`].
pub const EGRESS: &str = "mirror_egress";
/// See [`INGRESS`].
pub const DRAIN: &str = "mirror_drain";

/// The taps on interfaces whose packets have no link header, and what gives their clones one. They are loaded when the
/// first such interface is tapped.
pub const RAW_INGRESS: &str = "mirror_raw_in";
/// See [`RAW_INGRESS`].
pub const RAW_EGRESS: &str = "mirror_raw_out";
/// See [`RAW_INGRESS`].
pub const RELAY: &str = "mirror_relay";

/// How often a load that was broken off is tried, as libbpf does.
const LOADS: u32 = 5;

/// Loads maps and programs into the kernel. Nothing is attached yet.
///
/// # Errors
///
/// When the kernel refuses a map or a program; the verifier's log is part of the error.
pub fn load() -> Result<Ebpf> {
    let mut object = EbpfLoader::new().load(OBJECT).context("create the kernel maps")?;
    for name in [INGRESS, EGRESS, DRAIN] {
        let program = program(&mut object, name)?;
        patiently(|| program.load()).with_context(|| format!("load the kernel program {name}"))?;
    }
    Ok(object)
}

/// Loads what interfaces without link headers need, unless it is loaded.
///
/// # Errors
///
/// As of [`load`].
pub fn load_raw(object: &mut Ebpf) -> Result<()> {
    for name in [RAW_INGRESS, RAW_EGRESS, RELAY] {
        let program = program(object, name)?;
        if program.fd().is_err() {
            patiently(|| program.load()).with_context(|| format!("load the kernel program {name}"))?;
        }
    }
    Ok(())
}

/// Whether [`load_raw`] has been called.
pub fn has_raw(object: &mut Ebpf) -> bool {
    program(object, RELAY).is_ok_and(|program| program.fd().is_ok())
}

/// The kernel breaks a load off with EAGAIN when a signal is pending, and means that it be asked again.
pub(super) fn patiently(mut load: impl FnMut() -> Result<(), ProgramError>) -> Result<(), ProgramError> {
    for _ in 1..LOADS {
        match load() {
            Err(ProgramError::LoadError { io_error, .. }) if io_error.kind() == ErrorKind::WouldBlock => {}
            loaded => return loaded,
        }
    }
    load()
}

/// A program of the object by name.
///
/// # Errors
///
/// When the object does not hold it, which would be a fault of the build.
pub fn program<'a>(object: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier> {
    let program =
        object.program_mut(name).with_context(|| format!("no kernel program {name} in this build"))?;
    Ok(program.try_into()?)
}
