//! The shadow interface: where the clones go. By default a veth pair of our own, its far end in a private namespace
//! with a drain, or with a tunnel to another host; or an interface that the operator names, which gets the clones raw.

use std::os::fd::AsRawFd;

use anyhow::{Context, Result, bail};
use aya::Ebpf;
use aya::programs::links::LinkOrder;
use aya::programs::tc::{SchedClassifierLink, TcAttachOptions, TcAttachType, qdisc_add_clsact};
use rtnetlink::packet_route::link::LinkAttribute;
use rtnetlink::{Handle, LinkUnspec, LinkVeth};

use super::attach::Mechanism;
use super::namespace::Namespace;
use super::tunnel::Tunnel;
use super::{interface, object};
use crate::config;

/// The largest MTU there is, so that packets that offload merged fit.
const MTU: u32 = 65_535;
/// A note on the shadow interfaces that agents make: nobody should tap them.
pub const ALIAS: &str = "mirror-agent shadow";
/// The far end, inside the private namespace.
const FAR_END: &str = "shadow0p";
/// Names to try for the near end.
const NAMES: u32 = 64;

/// The shadow interface, removed when dropped if it is ours.
pub struct Shadow {
    /// Its name, as the taps' namespace sees it.
    pub name: String,
    /// Its index there.
    pub index: u32,
    own: Option<Own>,
}

/// What only a shadow interface of our own has.
struct Own {
    namespace: Namespace,
    end: End,
}

/// What becomes of the clones once the agent's packet socket has seen them.
enum End {
    Drain { _link: SchedClassifierLink },
    Tunnel(Tunnel),
}

impl Shadow {
    /// Makes a veth pair. The near end comes to the calling thread's namespace; the far end stays in a private one, so
    /// that the pair goes when this process does, however it ends.
    ///
    /// # Errors
    ///
    /// When the kernel refuses one of the steps; what was made by then is gone again.
    pub fn create(object: &mut Ebpf, mechanism: Mechanism) -> Result<Self> {
        Self::with_end(|namespace| {
            let _link = namespace.run(|| attach_drain(object, mechanism))?;
            Ok(End::Drain { _link })
        })
    }

    /// The same, with a tunnel to another host in place of the drain. No packet of the tunnel leaves from a port of
    /// `services`.
    ///
    /// # Errors
    ///
    /// As [`Shadow::create`] and [`Tunnel::create`].
    pub fn with_tunnel(mechanism: Mechanism, tunnel: &config::Tunnel, services: &[u16]) -> Result<Self> {
        let make = |namespace: &Namespace| Tunnel::create(tunnel, services, namespace, FAR_END, mechanism);
        Self::with_end(|namespace| make(namespace).map(End::Tunnel))
    }

    fn with_end(make_end: impl FnOnce(&Namespace) -> Result<End>) -> Result<Self> {
        let home = Namespace::current()?;
        let namespace = Namespace::new()?;
        let name = free_name()?;
        namespace.run(|| with_netlink(async |handle| make_pair(&handle, &name, &home).await))?;
        let end = make_end(&namespace).inspect_err(|_| remove(&name))?;
        keep_quiet(&name);
        let index = interface::index(&name)?;
        with_netlink(async |handle| {
            let up = LinkUnspec::new_with_index(index).up().build();
            handle.link().set(up).execute().await.with_context(|| format!("set {name} up"))
        })?;
        Ok(Shadow { name, index, own: Some(Own { namespace, end }) })
    }

    /// Uses an existing interface.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn existing(name: &str) -> Result<Self> {
        Ok(Shadow { name: name.into(), index: interface::index(name)?, own: None })
    }

    /// Opens something at the end where the clones can be read: `act` gets the interface's name there, and whether the
    /// clones leave by it (a foreign interface) or arrive at it (our own).
    ///
    /// # Errors
    ///
    /// What `act` returns.
    pub fn at_reading_end<T: Send>(&self, act: impl Fn(&str, bool) -> Result<T> + Send + Sync) -> Result<T> {
        match &self.own {
            Some(own) => own.namespace.run(|| act(FAR_END, false)),
            None => act(&self.name, true),
        }
    }

    /// Packets that the interface itself refused or dropped so far.
    pub fn dropped(&self) -> u64 {
        interface::sent_dropped(&self.name)
    }

    /// The tunnel behind it, if there is one.
    pub fn tunnel(&self) -> Option<&Tunnel> {
        match &self.own.as_ref()?.end {
            End::Tunnel(tunnel) => Some(tunnel),
            End::Drain { .. } => None,
        }
    }

    /// Whether the interface is our own.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }
}

impl Drop for Shadow {
    /// The private namespace would take the pair along, but only when the kernel gets round to it.
    fn drop(&mut self) {
        if self.own.is_some() && interface::index(&self.name) == Ok(self.index) {
            remove(&self.name);
        }
    }
}

fn remove(name: &str) {
    let Ok(index) = interface::index(name) else { return };
    let _ = with_netlink(async |handle| Ok(handle.link().del(index).execute().await?));
}

fn free_name() -> Result<String> {
    let free = (0..NAMES).map(|n| format!("shadow{n}")).find(|name| interface::index(name).is_err());
    free.with_context(|| format!("{NAMES} shadow interfaces exist already"))
}

/// Runs one exchange with the kernel's link tables, in the calling thread's namespace.
pub(super) fn with_netlink<T>(act: impl AsyncFnOnce(Handle) -> Result<T>) -> Result<T> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().context("start a runtime")?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().context("open a netlink socket")?;
        tokio::spawn(connection);
        act(handle).await
    })
}

/// Inside the private namespace: makes the pair, sets the far end up, hands the near end out.
async fn make_pair(handle: &Handle, name: &str, home: &Namespace) -> Result<()> {
    let pair = LinkVeth::new(FAR_END, name).mtu(MTU).build();
    handle.link().add(pair).execute().await.context("make the shadow interface (a veth pair)")?;
    keep_quiet(FAR_END);
    keep_quiet(name);
    let near = LinkUnspec::new_with_name(name).mtu(MTU).arp(false);
    let near = near.append_extra_attribute(LinkAttribute::IfAlias(ALIAS.into()));
    let near = near.setns_by_fd(home.file().as_raw_fd()).build();
    handle.link().set(near).execute().await.with_context(|| format!("move {name} to the taps"))?;
    let far = LinkUnspec::new_with_name(FAR_END).arp(false).up().build();
    handle.link().set(far).execute().await.context("set the far end of the shadow interface up")
}

/// No neighbour discovery of its own on the shadow link. Without IPv6 in the kernel there is nothing to quiet.
pub(super) fn keep_quiet(name: &str) {
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
}

fn attach_drain(object: &mut Ebpf, mechanism: Mechanism) -> Result<SchedClassifierLink> {
    let program = object::program(object, object::DRAIN)?;
    let id = match mechanism {
        Mechanism::Tcx => {
            let first = TcAttachOptions::TcxOrder(LinkOrder::first());
            program.attach_with_options(FAR_END, TcAttachType::Ingress, first)
        }
        Mechanism::Clsact => {
            qdisc_add_clsact(FAR_END)?;
            let options = TcAttachOptions::Netlink(aya::programs::tc::NlOptions::default());
            program.attach_with_options(FAR_END, TcAttachType::Ingress, options)
        }
    };
    let id = id.context("attach the drain to the far end of the shadow interface")?;
    program.take_link(id).context("hold the drain")
}

/// Refuses to clone to where clones come from: that would copy every copy.
///
/// # Errors
///
/// When the shadow interface is one of the tapped ones.
pub fn check_not_tapped(shadow: &str, tapped: &[String]) -> Result<()> {
    if tapped.iter().any(|interface| interface == shadow) {
        bail!("--shadow-interface {shadow} is tapped itself; the clones would be cloned again");
    }
    Ok(())
}
