//! Puts the tap on an interface: first in the tcx chain where the kernel has it, else as a clsact filter.

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::programs::ProgramError;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{
    NlOptions, SchedClassifier, SchedClassifierLink, TcAttachOptions, TcAttachType, TcError, TcHandle,
    qdisc_add_clsact,
};

use super::object::{self, EGRESS, INGRESS};

/// Priority of our clsact filters. Not 1, which others fight for.
pub(super) const PRIORITY: u16 = 49;
/// Handle of our clsact filters.
pub(super) const HANDLE: TcHandle = TcHandle::new(0, 0x6d61);

/// How programs are put into the path of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// A link in the chain of programs that an interface has (Linux 6.6). It goes with the process.
    Tcx,
    /// A filter of the clsact queueing discipline. It stays when the process is killed, without a lease.
    Clsact,
}

impl Mechanism {
    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Mechanism::Tcx => "tcx",
            Mechanism::Clsact => "clsact",
        }
    }
}

/// The tap at one hook of one interface; detached when dropped.
pub struct Tap {
    /// Where it is.
    pub vantage: Vantage,
    _link: SchedClassifierLink,
}

/// Where a tap is, and among whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// The interface's name.
    pub interface: String,
    /// `ingress` or `egress`.
    pub hook: &'static str,
    /// How it is attached.
    pub mechanism: Mechanism,
    /// Its place in the chain of programs, 0 being the first; unknown for clsact.
    pub position: Option<usize>,
    /// How many programs come after it in the chain.
    pub followers: Option<usize>,
}

/// Finds out what this kernel offers by doing it: a link on `lo` of a program that lets everything pass.
///
/// # Errors
///
/// When the kernel refuses for another reason than not having tcx.
pub fn probe(object: &mut Ebpf) -> Result<Mechanism> {
    let program = object::program(object, INGRESS)?;
    match attach_tcx(program, "lo", TcAttachType::Ingress) {
        Ok(_link) => Ok(Mechanism::Tcx),
        Err(error) if is_unsupported(&error) => Ok(Mechanism::Clsact),
        Err(error) => Err(error).context("try a tcx link on lo"),
    }
}

/// Puts the tap on both hooks of an interface; on loopback, where every packet passes both, on one.
///
/// # Errors
///
/// When the interface does not exist or the kernel refuses; what was attached by then is detached again.
pub fn attach(object: &mut Ebpf, interface: &str, mechanism: Mechanism) -> Result<Vec<Tap>> {
    let hooks = [("ingress", INGRESS, TcAttachType::Ingress), ("egress", EGRESS, TcAttachType::Egress)];
    let wanted = if interface == "lo" { 1 } else { 2 };
    hooks[..wanted]
        .iter()
        .map(|(hook, name, kind)| one(object, interface, mechanism, hook, name, *kind))
        .collect()
}

fn one(
    object: &mut Ebpf,
    interface: &str,
    mechanism: Mechanism,
    hook: &'static str,
    name: &str,
    kind: TcAttachType,
) -> Result<Tap> {
    let program = object::program(object, name)?;
    let id = program.info()?.id();
    let link = match mechanism {
        Mechanism::Tcx => attach_tcx(program, interface, kind),
        Mechanism::Clsact => attach_clsact(program, interface, kind),
    }
    .with_context(|| format!("attach the tap to {hook} of {interface}"))?;
    let (position, followers) = match mechanism {
        Mechanism::Tcx => place(interface, kind, id),
        Mechanism::Clsact => (None, None),
    };
    Ok(Tap {
        vantage: Vantage { interface: interface.into(), hook, mechanism, position, followers },
        _link: link,
    })
}

fn attach_tcx(
    program: &mut SchedClassifier,
    interface: &str,
    kind: TcAttachType,
) -> Result<SchedClassifierLink, ProgramError> {
    let id = program.attach_with_options(interface, kind, TcAttachOptions::TcxOrder(LinkOrder::first()))?;
    program.take_link(id)
}

fn attach_clsact(
    program: &mut SchedClassifier,
    interface: &str,
    kind: TcAttachType,
) -> Result<SchedClassifierLink, ProgramError> {
    match qdisc_add_clsact(interface) {
        Err(error) if os_error(&error) != Some(libc::EEXIST) => return Err(error.into()),
        _ => {}
    }
    let options = NlOptions { priority: PRIORITY, handle: HANDLE, classid: None };
    let id = program.attach_with_options(interface, kind, TcAttachOptions::Netlink(options))?;
    program.take_link(id)
}

/// Our place in an interface's chain and how many programs follow.
fn place(interface: &str, kind: TcAttachType, id: u32) -> (Option<usize>, Option<usize>) {
    let Ok((_revision, chain)) = SchedClassifier::query_tcx(interface, kind) else { return (None, None) };
    let position = chain.iter().position(|program| program.id() == id);
    (position, position.map(|position| chain.len() - position - 1))
}

/// Before 6.6 a link on an interface is an invalid argument.
fn is_unsupported(error: &ProgramError) -> bool {
    matches!(program_os_error(error), Some(libc::EINVAL | libc::EOPNOTSUPP))
}

fn program_os_error(error: &ProgramError) -> Option<i32> {
    match error {
        ProgramError::SyscallError(error) => error.io_error.raw_os_error(),
        ProgramError::TcError(error) => os_error(error),
        _ => None,
    }
}

fn os_error(error: &TcError) -> Option<i32> {
    match error {
        TcError::NetlinkError(error) => error.raw_os_error(),
        TcError::IoError(error) => error.raw_os_error(),
        _ => None,
    }
}
