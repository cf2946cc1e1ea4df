//! Turns the offloads of an interface off (`SIOCETHTOOL`, linux/ethtool.h): then a packet is one segment and its checksums
//! are complete.

use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;

use mirror_tests::world::{Host, World};

/// `ETHTOOL_STSO`, `ETHTOOL_SGSO`, `ETHTOOL_SGRO`, `ETHTOOL_STXCSUM`.
const OFFLOADS: [u32; 4] = [0x1f, 0x24, 0x2c, 0x17];
/// `SIOCETHTOOL`
const ETHTOOL: libc::Ioctl = 0x8946;

/// `struct ethtool_value`
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// On every wire of the world, at both ends; and on `more`, of v2's host.
pub fn turn_off(world: &World, more: &str) {
    for host in [Host::Client, Host::V1, Host::V2] {
        world.enter(host, || at("eth0")).unwrap();
        world.enter(Host::Node, || at(host.interface())).unwrap();
    }
    world.enter(Host::V2, || at(more)).unwrap();
}

fn at(interface: &str) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    for command in OFFLOADS {
        let mut value = Value { command, data: 0 };
        // SAFETY: zero is a value of every field.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_data = (&raw mut value).cast();
        // SAFETY: a live socket; the request and the value live through the call.
        let set = unsafe { libc::ioctl(socket.as_raw_fd(), ETHTOOL, &raw mut request) };
        assert_eq!(set, 0, "{interface} {command:#x}: {}", std::io::Error::last_os_error());
    }
}
