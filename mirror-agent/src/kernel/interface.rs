//! What the kernel says of an interface, in the namespace of the process.

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use anyhow::{Context, Result};
use procfs::net::DeviceStatus;

/// The index of an interface.
///
/// # Errors
///
/// When there is none of that name.
pub fn index(name: &str) -> Result<u32, nix::Error> {
    nix::net::if_::if_nametoindex(name)
}

/// The index of an interface, or an error that names it.
///
/// # Errors
///
/// When there is none of that name.
pub fn require(name: &str) -> Result<u32> {
    index(name).map_err(|_| anyhow::anyhow!("no such interface: {name}"))
}

/// The names of all interfaces.
pub fn names() -> Vec<String> {
    nix::net::if_::if_nameindex()
        .map(|list| list.iter().map(|entry| entry.name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default()
}

/// Packets that an interface could not send.
pub fn sent_dropped(name: &str) -> u64 {
    status(name).map_or(0, |status| status.sent_drop)
}

fn status(name: &str) -> Option<DeviceStatus> {
    procfs::net::dev_status().ok()?.remove(name)
}

/// The interface that packets to `ip` leave by, found by asking the kernel's routes (nothing is sent).
///
/// # Errors
///
/// When no route leads there.
pub fn towards(ip: IpAddr) -> Result<String> {
    let source = connected(ip)?.local_addr().context("ask for the source address")?.ip();
    let name = if source == ip { owner(ip) } else { owner(source) };
    name.with_context(|| format!("no interface has the address {source}, from which {ip} is reached"))
}

/// The longest packet that goes to `ip` in one piece, as far as the kernel knows (nothing is sent).
///
/// # Errors
///
/// When no route leads there.
pub fn path_mtu(ip: IpAddr) -> Result<u32> {
    let socket = connected(ip)?;
    let (level, option) =
        if ip.is_ipv4() { (libc::IPPROTO_IP, libc::IP_MTU) } else { (libc::IPPROTO_IPV6, libc::IPV6_MTU) };
    let (mut mtu, mut length) = (0u32, size_of::<u32>() as libc::socklen_t);
    // SAFETY: a live socket, and room of the length given.
    let got = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, option, (&raw mut mtu).cast(), &raw mut length)
    };
    if got == 0 { Ok(mtu) } else { Err(io::Error::last_os_error()).context("ask for the path's MTU") }
}

/// The MTU of an interface.
///
/// # Errors
///
/// When there is none of that name.
pub fn mtu(name: &str) -> Result<u32> {
    let socket = UdpSocket::bind((IpAddr::from([0; 4]), 0)).context("open a socket")?;
    // SAFETY: zero is a value of every field.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays the zero that ends the name.
    for (to, from) in request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1).zip(name.bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: a live socket, and a request that lives through the call.
    let got = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFMTU, &raw mut request) };
    if got != 0 {
        return Err(io::Error::last_os_error()).with_context(|| format!("ask for the MTU of {name}"));
    }
    // SAFETY: the kernel has written the MTU.
    Ok(unsafe { request.ifr_ifru.ifru_mtu }.cast_unsigned())
}

/// A socket whose packets would go to `ip`.
fn connected(ip: IpAddr) -> Result<UdpSocket> {
    let any: SocketAddr = if ip.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).context("open a socket")?;
    socket.connect((ip, 9)).with_context(|| format!("no route to {ip}"))?;
    Ok(socket)
}

/// The interface that has an address.
pub fn owner(ip: IpAddr) -> Option<String> {
    addresses().into_iter().find(|(_, address, _)| *address == ip).map(|(name, _, _)| name)
}

/// Whether packets of `ip` can be expected on an interface: it has the address, or one of its networks holds it.
pub fn leads_to(name: &str, ip: IpAddr) -> bool {
    if name == "lo" {
        return owner(ip).is_some();
    }
    addresses()
        .into_iter()
        .any(|(interface, address, prefix)| interface == name && same_network(address, ip, prefix))
}

fn same_network(a: IpAddr, b: IpAddr, prefix: u32) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= prefix,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= prefix,
        _ => false,
    }
}

/// Every interface's addresses with their prefix lengths.
fn addresses() -> Vec<(String, IpAddr, u32)> {
    let Ok(list) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    list.filter_map(|entry| {
        let ip = to_ip(entry.address.as_ref()?)?;
        let prefix = entry.netmask.as_ref().and_then(to_ip).map_or(0, |mask| match mask {
            IpAddr::V4(mask) => mask.to_bits().leading_ones(),
            IpAddr::V6(mask) => mask.to_bits().leading_ones(),
        });
        Some((entry.interface_name, ip, prefix))
    })
    .collect()
}

fn to_ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(v4.ip().into());
    }
    address.as_sockaddr_in6().map(|v6| v6.ip().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_leads_to_itself() {
        let ip = IpAddr::from([127, 0, 0, 1]);
        assert!(leads_to("lo", ip));
        assert_eq!(towards(ip).unwrap(), "lo");
        assert_eq!(path_mtu(ip).unwrap(), mtu("lo").unwrap().min(65_535)); // no IPv4 packet is longer
        assert!(mtu("").is_err());
        assert!(!leads_to("lo", IpAddr::from([192, 0, 2, 1])));
    }

    #[test]
    fn networks_are_compared_by_their_prefix() {
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 1, 1]));
        assert!(same_network(a, b, 16));
        assert!(!same_network(a, b, 24));
        assert!(same_network(a, b, 0));
    }
}
