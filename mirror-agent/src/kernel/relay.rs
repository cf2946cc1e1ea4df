//! What brings the clones of interfaces without link headers to the shadow interface: a tun of our own, where a program
//! puts a header before them. The kernel sends no such packet to an interface whose frames have one.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{NlOptions, SchedClassifierLink, TcAttachOptions, TcAttachType, qdisc_add_clsact};
use rtnetlink::LinkUnspec;
use rtnetlink::packet_route::link::LinkAttribute;

use super::attach::Mechanism;
use super::shadow::{ALIAS, keep_quiet, with_netlink};
use super::{interface, object};

/// Where the kernel makes such devices.
const DEVICE: &str = "/dev/net/tun";
/// The largest MTU that they take.
const MTU: u32 = 65_535;
/// Names to try.
const NAMES: u32 = 64;

/// The relay. Its interface goes with its file, so also when the process is killed.
pub struct Relay {
    /// The index of its interface: where the taps send their clones.
    pub index: u32,
    _link: SchedClassifierLink,
    _device: File,
}

impl Relay {
    /// Makes the interface in the calling thread's namespace, and has it feed the shadow interface that the control words
    /// name.
    ///
    /// # Errors
    ///
    /// When the kernel has no tun devices, or refuses a step; what was made by then is gone again.
    pub fn create(object: &mut Ebpf, mechanism: Mechanism) -> Result<Self> {
        let (device, name) = tun()?;
        keep_quiet(&name);
        let index = interface::index(&name)?;
        with_netlink(async |handle| {
            let link = LinkUnspec::new_with_index(index).mtu(MTU).up();
            let link = link.append_extra_attribute(LinkAttribute::IfAlias(ALIAS.into())).build();
            handle.link().set(link).execute().await.with_context(|| format!("set {name} up"))
        })?;
        let link = attach(object, &name, mechanism)
            .with_context(|| format!("attach the relay to {name}, for interfaces without link headers"))?;
        Ok(Relay { index, _link: link, _device: device })
    }
}

fn attach(object: &mut Ebpf, name: &str, mechanism: Mechanism) -> Result<SchedClassifierLink> {
    let program = object::program(object, object::RELAY)?;
    let options = match mechanism {
        Mechanism::Tcx => TcAttachOptions::TcxOrder(LinkOrder::first()),
        Mechanism::Clsact => {
            qdisc_add_clsact(name)?;
            TcAttachOptions::Netlink(NlOptions::default())
        }
    };
    let id = program.attach_with_options(name, TcAttachType::Egress, options)?;
    Ok(program.take_link(id)?)
}

/// A tun device with a free name.
fn tun() -> Result<(File, String)> {
    let device = OpenOptions::new().read(true).write(true).open(DEVICE);
    let device = device.with_context(|| format!("open {DEVICE}, for interfaces without link headers"))?;
    for name in (0..NAMES).map(|n| format!("shadow-raw{n}")) {
        match claim(&device, &name) {
            Ok(()) => return Ok((device, name)),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            Err(error) => return Err(error).with_context(|| format!("make the interface {name}")),
        }
    }
    anyhow::bail!("{NAMES} interfaces called shadow-raw exist already")
}

/// Makes the file stand for an interface of this name, without a header of its own before the packets.
fn claim(device: &File, name: &str) -> io::Result<()> {
    // SAFETY: all of its fields are numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    // The last byte stays zero, which ends the name.
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name.iter_mut().take(room).zip(name.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_TUN_EXCL) as libc::c_short;
    // SAFETY: a live descriptor, and a request of the kind that TUNSETIFF reads.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw const request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
