//! Puts the tap on an interface: first in the tcx chain where the kernel has it, else as a clsact filter.

use std::io;

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::programs::ProgramError;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{
    NlOptions, SchedClassifier, SchedClassifierLink, TcAttachOptions, TcAttachType, TcError, TcHandle,
    qdisc_add_clsact,
};
use libbpf_sys::{
    BPF_TC_EGRESS, BPF_TC_INGRESS, BPF_TCX_EGRESS, BPF_TCX_INGRESS, bpf_attach_type, bpf_tc_attach_point,
};

use super::chain::{self, Place};
use super::interface;
use super::netlink::Netlink;
use super::object::{self, EGRESS, INGRESS, RAW_EGRESS, RAW_INGRESS};
use crate::status::Condition;

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

/// Where programs can be attached on an interface.
#[derive(Debug, PartialEq, Eq)]
pub struct Hook {
    /// `ingress` or `egress`.
    pub name: &'static str,
    /// The name of the tap's program for it.
    pub program: &'static str,
    /// Its number in the flow table.
    pub number: u8,
    kind: TcAttachType,
}

/// Every hook. On loopback only the first is used.
pub static HOOKS: [Hook; 2] = [
    Hook { name: "ingress", program: INGRESS, number: 1, kind: TcAttachType::Ingress },
    Hook { name: "egress", program: EGRESS, number: 2, kind: TcAttachType::Egress },
];

/// The same for interfaces whose packets have no link header.
pub static RAW_HOOKS: [Hook; 2] = [
    Hook { name: "ingress", program: RAW_INGRESS, number: 1, kind: TcAttachType::Ingress },
    Hook { name: "egress", program: RAW_EGRESS, number: 2, kind: TcAttachType::Egress },
];

impl Hook {
    fn is_ingress(&self) -> bool {
        self.number == 1
    }

    /// Its tcx chain, for the kernel.
    pub(super) fn tcx_type(&self) -> bpf_attach_type {
        if self.is_ingress() { BPF_TCX_INGRESS } else { BPF_TCX_EGRESS }
    }

    /// Its clsact filters, for libbpf.
    pub(super) fn attach_point(&self) -> bpf_tc_attach_point {
        if self.is_ingress() { BPF_TC_INGRESS } else { BPF_TC_EGRESS }
    }

    /// Its clsact filters, for netlink (`TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_…)`).
    pub(super) fn parent(&self) -> u32 {
        if self.is_ingress() { 0xffff_fff2 } else { 0xffff_fff3 }
    }
}

/// The tap at one hook of one interface; detached when dropped.
pub struct Tap {
    /// Where it is.
    pub vantage: Vantage,
    /// The hook.
    pub hook: &'static Hook,
    index: u32,
    program: u32,
    link: Option<SchedClassifierLink>,
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
    /// How it stands.
    pub condition: Condition,
    /// How many programs and filters see a packet before it; unknown while it is removed.
    pub position: Option<usize>,
    /// How many come after it.
    pub followers: Option<usize>,
}

impl Tap {
    /// Reads back where it stands, and says so in its vantage.
    ///
    /// # Errors
    ///
    /// When the interface is gone.
    pub fn look(&mut self, netlink: &mut Netlink) -> io::Result<Condition> {
        let place = self.place(netlink)?;
        self.vantage.position = place.map(|place| place.before);
        self.vantage.followers = place.map(|place| place.after);
        self.vantage.condition = match place {
            Some(Place { before: 0, .. }) => Condition::First,
            Some(_) => Condition::Preceded,
            None => Condition::Removed,
        };
        Ok(self.vantage.condition)
    }

    /// Attaches it again, first if it was preceded. Between taking it off and putting it on it sees nothing.
    ///
    /// # Errors
    ///
    /// When the kernel refuses; it is removed then.
    pub fn attach_again(&mut self, object: &mut Ebpf) -> Result<()> {
        self.detach();
        let (link, _) = link(object, &self.vantage.interface, self.vantage.mechanism, self.hook)?;
        self.link = Some(link);
        Ok(())
    }

    /// Whether attaching it again brings it to the front: a clsact filter keeps its place.
    pub fn can_move(&self) -> bool {
        self.vantage.mechanism == Mechanism::Tcx
    }

    fn place(&self, netlink: &mut Netlink) -> io::Result<Option<Place>> {
        match self.vantage.mechanism {
            Mechanism::Tcx => chain::in_tcx(self.index, self.hook, self.program),
            Mechanism::Clsact => chain::in_clsact(netlink, self.index, self.hook, self.program),
        }
    }

    /// A clsact link names a place and not a program: what somebody else has put there since is not ours to remove.
    fn detach(&mut self) {
        let Some(link) = self.link.take() else { return };
        let is_foreign = || {
            Netlink::open()
                .and_then(|mut netlink| self.place(&mut netlink))
                .is_ok_and(|place| place.is_none())
        };
        if self.vantage.mechanism == Mechanism::Clsact && is_foreign() {
            std::mem::forget(link);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.detach();
    }
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

/// Puts the tap on both hooks of an interface; on loopback, where every packet passes both, on one. `hooks` are [`HOOKS`],
/// or [`RAW_HOOKS`] where there are no link headers.
///
/// # Errors
///
/// When the interface does not exist or the kernel refuses; what was attached by then is detached again.
pub fn attach(
    object: &mut Ebpf,
    interface: &str,
    mechanism: Mechanism,
    hooks: &'static [Hook; 2],
) -> Result<Vec<Tap>> {
    let wanted = if interface == "lo" { 1 } else { 2 };
    let index = interface::require(interface)?;
    let mut netlink = Netlink::open().context("open a netlink socket")?;
    let mut one = |hook: &'static Hook| {
        let (link, program) = link(object, interface, mechanism, hook)?;
        let vantage = Vantage {
            interface: interface.into(),
            hook: hook.name,
            mechanism,
            condition: Condition::First,
            position: None,
            followers: None,
        };
        let mut tap = Tap { vantage, hook, index, program, link: Some(link) };
        let _ = tap.look(&mut netlink); // an interface that goes again at once is noticed by who watches
        Ok(tap)
    };
    hooks.iter().take(wanted).map(&mut one).collect()
}

/// Attaches one program, and tells its id.
fn link(
    object: &mut Ebpf,
    interface: &str,
    mechanism: Mechanism,
    hook: &Hook,
) -> Result<(SchedClassifierLink, u32)> {
    let program = object::program(object, hook.program)?;
    let id = program.info()?.id();
    let link = match mechanism {
        Mechanism::Tcx => attach_tcx(program, interface, hook.kind),
        Mechanism::Clsact => attach_clsact(program, interface, hook.kind),
    };
    Ok((link.with_context(|| format!("attach the tap to {} of {interface}", hook.name))?, id))
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
