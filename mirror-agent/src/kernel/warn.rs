//! What is said at the start of a shadow interface that will not take every clone as it is.

use futures_util::TryStreamExt as _;
use rtnetlink::packet_route::link::{InfoKind, LinkAttribute, LinkInfo};

use super::{interface, shadow};
use crate::config::{ShadowInterface, Tunnel};

/// Kinds of interfaces that send what they get inside another packet.
const TUNNELS: [&str; 12] = [
    "vxlan",
    "geneve",
    "gre",
    "gretap",
    "ip6gre",
    "ip6gretap",
    "erspan",
    "ip6erspan",
    "ipip",
    "ip6tnl",
    "sit",
    "bareudp",
];

/// Warns when packets of the tapped interfaces are longer than what the shadow interface, or the way that the clones take
/// from there, lets through in one piece; and of an interface that would do harm.
pub fn of_lengths(wanted: Option<&ShadowInterface>, tapped: &[String]) {
    match wanted {
        Some(ShadowInterface::Tunnel(tunnel)) => of_tunnel(tunnel, tapped),
        Some(ShadowInterface::Existing(name)) => of_existing(name, tapped),
        None => {}
    }
}

fn of_tunnel(tunnel: &Tunnel, tapped: &[String]) {
    let Ok(path) = interface::path_mtu(tunnel.remote) else { return }; // making the tunnel says why
    let fitting = path.saturating_sub(tunnel.overhead());
    let what = if tunnel.remote.is_ipv4() { "leave in fragments" } else { "are lost" };
    for (name, mtu) in longer(tapped, fitting) {
        tracing::warn!(
            "clones of packets over {fitting} bytes {what}: {name} has an MTU of {mtu}, and the way to {} one of {path} \
             (it takes {})",
            tunnel.remote,
            mtu + tunnel.overhead()
        );
    }
}

fn of_existing(shadow: &str, tapped: &[String]) {
    if let Some(kind) = kind(shadow).filter(is_tunnel) {
        tracing::warn!(
            "{shadow} is a tunnel ({kind}) in this namespace: a clone too long for it makes the kernel lower the path MTU \
             of its original's IPv6 connections; vxlan:REMOTE:VNI does not do that"
        );
    }
    let Ok(own) = interface::mtu(shadow) else { return };
    for (name, mtu) in longer(tapped, own) {
        tracing::warn!(
            "clones of packets over {own} bytes may be lost: {name} has an MTU of {mtu}, {shadow} one of {own}"
        );
    }
}

fn longer(tapped: &[String], than: u32) -> impl Iterator<Item = (&String, u32)> {
    tapped.iter().filter_map(move |name| {
        let mtu = interface::mtu(name).ok()?;
        (mtu > than).then_some((name, mtu))
    })
}

/// What the kernel calls the kind of a virtual interface.
fn kind(name: &str) -> Option<InfoKind> {
    let name = name.to_owned();
    let link = shadow::with_netlink(async |handle| {
        Ok(handle.link().get().match_name(name).execute().try_next().await?)
    });
    let attributes = link.ok()??.attributes;
    attributes.into_iter().find_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(info) => info.into_iter().find_map(|info| match info {
            LinkInfo::Kind(kind) => Some(kind),
            _ => None,
        }),
        _ => None,
    })
}

/// Of those that have a route of their own, and look at that of what they carry.
fn is_tunnel(kind: &InfoKind) -> bool {
    TUNNELS.contains(&kind.to_string().as_str())
}
