//! The tunnel to another host: a VXLAN device beside the far end of the shadow interface, in the same private namespace.
//!
//! In there it hurts nobody. A tunnel's device that gets clones in production's namespace lowers the path MTU of the very
//! connections that are cloned (`skb_tunnel_check_pmtu`, seen with IPv6 clients), because a clone carries the route of its
//! original; between namespaces the route is taken off. And nothing is left behind: the namespace goes with the process.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use procfs::FromBufRead;
use procfs::net::InterfaceDeviceStatus;
use rtnetlink::{LinkUnspec, LinkVxlan};

use super::attach::Mechanism;
use super::namespace::Namespace;
use super::{forward, interface, lock, shadow};
use crate::config::{self, VXLAN_PORT};
use crate::status;

/// The device's name, in a namespace that nobody else sees.
const NAME: &str = "vxlan0";
/// Hops that the tunnel's packets may take.
const TTL: u8 = 64;
/// The namespace of an agent that has just ended, and the tunnel in it, go when the kernel gets round to it: no later.
const LEAVING: Duration = Duration::from_secs(5);
/// How often it is looked whether it has gone.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A tunnel at work.
pub struct Tunnel {
    wanted: config::Tunnel,
    /// The MTU of the way to the other host, as it was at the start.
    path_mtu: u32,
    /// The counters of the namespace's interfaces: opened inside, readable from outside.
    counters: Mutex<File>,
    forward: OwnedFd,
    _link: forward::Link,
}

impl Tunnel {
    /// Makes the device in `namespace`, its packets leaving by the calling thread's, and has all that arrives at
    /// `far_end` leave by it. No packet leaves from a port of `services`.
    ///
    /// # Errors
    ///
    /// When no route leads there, another tunnel of this host has the same network identifier, or the kernel refuses.
    pub fn create(
        wanted: &config::Tunnel,
        services: &[u16],
        namespace: &Namespace,
        far_end: &str,
        mechanism: Mechanism,
    ) -> Result<Self> {
        let path_mtu = check(wanted)?;
        make_device(wanted, services, namespace)?;
        namespace.run(|| {
            shadow::keep_quiet(NAME);
            let index = interface::require(NAME)?;
            let up = LinkUnspec::new_with_index(index).arp(false).up().build();
            shadow::with_netlink(async |handle| Ok(handle.link().set(up).execute().await?))
                .with_context(|| format!("set the tunnel to {} up", wanted.remote))?;
            let (forward, link) = forward::attach(far_end, index, mechanism)?;
            let counters =
                Mutex::new(File::open("/proc/thread-self/net/dev").context("read the tunnel's counters")?);
            Ok(Tunnel { wanted: *wanted, path_mtu, counters, forward, _link: link })
        })
    }

    /// The longest frame that leaves in one packet.
    pub fn longest_frame(&self) -> u32 {
        let ethernet = 14;
        (self.path_mtu + ethernet).saturating_sub(self.wanted.overhead())
    }

    /// What it has sent so far. `oversize` is for whoever sees the frames.
    pub fn status(&self, oversize: u64) -> status::Tunnel {
        let sent = self.counters().unwrap_or_default();
        status::Tunnel {
            remote: self.wanted.remote.to_string(),
            vni: self.wanted.vni,
            path_mtu: self.path_mtu,
            sent: sent.packets,
            failed: sent.failed,
            oversize,
        }
    }

    /// The program that forwards, to ask what it costs.
    pub fn program(&self) -> &OwnedFd {
        &self.forward
    }

    fn counters(&self) -> Result<Sent> {
        let mut file = lock(&self.counters);
        file.rewind()?;
        let all = InterfaceDeviceStatus::from_buf_read(BufReader::new(&mut *file))?;
        let device = all.0.get(NAME).context("the tunnel is gone")?;
        Ok(Sent { packets: device.sent_packets, failed: device.sent_errs + device.sent_drop })
    }
}

/// What the device says of itself.
#[derive(Default)]
struct Sent {
    packets: u64,
    failed: u64,
}

/// Finds out whether there is a way to the other host, before anything is made. Returns its MTU.
///
/// # Errors
///
/// When no route leads there, or it is this host itself.
pub fn check(wanted: &config::Tunnel) -> Result<u32> {
    if let Some(name) = interface::owner(wanted.remote) {
        bail!("the tunnel's end {} is this host's own address, of {name}", wanted.remote);
    }
    interface::path_mtu(wanted.remote)
}

/// Made where its packets shall leave, and at once put where its frames come from, so that production's namespace never
/// shows it. No learning: what comes back tells nothing. The UDP checksum covers what fragments could mix up. Without
/// `df` the packets of an IPv4 tunnel may be fragmented, and nothing is lost.
fn make_device(wanted: &config::Tunnel, services: &[u16], namespace: &Namespace) -> Result<()> {
    let ports = config::source_ports(services.iter().copied());
    let device = LinkVxlan::new(NAME, wanted.vni)
        .port(VXLAN_PORT)
        .port_range(ports.start, ports.end)
        .ttl(TTL)
        .learning(false)
        .udp_csum(true);
    let device = match wanted.remote {
        IpAddr::V4(v4) => device.remote(v4),
        IpAddr::V6(v6) => device.remote6(v6),
    };
    let message = device.setns_by_fd(namespace.file().as_raw_fd()).build();
    let since = Instant::now();
    loop {
        let message = message.clone();
        let made = shadow::with_netlink(async |handle| Ok(handle.link().add(message).execute().await?));
        match made {
            Err(error) if exists(&error) && since.elapsed() < LEAVING => thread::sleep(BETWEEN_TRIES),
            made => {
                return made.with_context(|| {
                    let config::Tunnel { remote, vni } = wanted;
                    format!("make the tunnel to {remote} (does another VXLAN device have the VNI {vni}?)")
                });
            }
        }
    }
}

fn exists(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<rtnetlink::Error>();
    matches!(error, Some(rtnetlink::Error::NetlinkError(message)) if message.raw_code() == -libc::EEXIST)
}
