//! The flow table, as far as the agent tends it: entries that nobody ended go after a while.

mod left_out;
mod lost;
mod sweep;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::{HashMap, MapData};
use mirror_common::flow::{Address, Flow, FlowKey, TCP, address, known, mapped, phase};
use mirror_common::limits::FLOWS;

use super::caps::Buckets;
use super::clock;
pub use lost::Lost;
pub use sweep::{Gone, Swept};

/// A connection without a packet for this long is taken out of the table. Longer than the keep-alive timeout of common
/// servers, whose closing tells the turn clock how the last response ended.
pub const IDLE: Duration = Duration::from_secs(300);
/// A table with more entries than this is full as far as the sweep cares: new connections must find room.
pub const CROWDED: usize = FLOWS as usize / 10 * 9;
/// Down to so many entries the longest silent ones are evicted then.
pub const ROOMY: usize = FLOWS as usize / 4 * 3;

/// The flow table of a loaded object.
pub struct Flows {
    table: HashMap<MapData, FlowKey, Flow>,
    buckets: Arc<Buckets>,
    gone: Gone,
}

impl Flows {
    /// Takes the table out of a loaded object.
    ///
    /// # Errors
    ///
    /// When the object does not hold it.
    pub fn new(object: &mut aya::Ebpf, buckets: Arc<Buckets>) -> Result<Self> {
        let map = object.take_map("FLOWS_BY_KEY").context("no kernel map FLOWS_BY_KEY in this build")?;
        Ok(Flows { table: map.try_into()?, buckets, gone: Gone::default() })
    }

    /// Takes out what has been idle for longer than [`IDLE`]; and in a crowded table the longest idle of the others,
    /// down to [`ROOMY`] entries.
    pub fn sweep(&mut self) -> Swept {
        self.sweep_at(clock::monotonic(), CROWDED, ROOMY)
    }

    /// The same at a time and with bounds of one's own.
    pub fn sweep_at(&mut self, now: u64, crowded: usize, roomy: usize) -> Swept {
        let plan = sweep::plan(self.table.iter().flatten(), now, crowded, roomy);
        let mut swept = Swept { entries: plan.entries, ..Swept::default() };
        for (key, flow, why) in plan.out {
            let flow = self.table.get(&key, 0).unwrap_or(flow); // as it is now: a cap may have cut it meanwhile
            // One that its connection has just ended is in nobody's books twice.
            if self.table.remove(&key).is_ok() {
                swept.note(why);
                self.gone.note(&flow, why);
                if sweep::is_counted(&flow) {
                    self.buckets.release(flow.service);
                }
            }
        }
        swept
    }

    /// What was taken out so far.
    pub fn gone(&self) -> &Gone {
        &self.gone
    }

    /// Turns that have begun on one version's connections and have not ended.
    pub fn open_turns(&self, service: u8, version: u8) -> u64 {
        let ours = |flow: &Flow| (flow.service, flow.version) == (service, version);
        self.table.iter().flatten().filter(|(_, flow)| ours(flow)).map(|(_, flow)| open_turns(&flow)).sum()
    }

    /// The interface that a TCP connection was first seen on; `None` when it is not in the table.
    pub fn interface(&self, client: SocketAddr, server: SocketAddr) -> Option<u32> {
        self.owners(client, server)?.into_iter().find(|interface| *interface != 0)
    }

    /// The interfaces that own a TCP connection's two directions, the client's first, 0 where no packet has passed yet;
    /// `None` when it is not in the table.
    pub fn owners(&self, client: SocketAddr, server: SocketAddr) -> Option<[u32; 2]> {
        Some(self.entry(client, server)?.interface)
    }

    /// What the kernel remembers of a TCP connection; `None` when it is not in the table.
    pub fn entry(&self, client: SocketAddr, server: SocketAddr) -> Option<Flow> {
        self.table.get(&key(client, server), 0).ok()
    }

    /// The servers that a client's address and port speaks TCP to now.
    pub fn servers_of(&self, client: SocketAddr) -> Vec<SocketAddr> {
        let client = SocketAddr::new(client.ip().to_canonical(), client.port());
        let other = |key: FlowKey| {
            let [low, high] = to_ends(&key);
            let server = if low == client { high } else { low };
            (key.protocol() == TCP && (low == client || high == client)).then_some(server)
        };
        self.table.keys().flatten().filter_map(other).collect()
    }
}

/// The key of a TCP connection.
pub fn key(client: SocketAddr, server: SocketAddr) -> FlowKey {
    let (from, to) = (to_address(client.ip()), to_address(server.ip()));
    FlowKey::new(&from, client.port().to_be(), &to, server.port().to_be(), TCP)
}

fn open_turns(flow: &Flow) -> u64 {
    u64::from(flow.phase != phase::IDLE) + u64::from(flow.known & known::PENDING != 0)
}

/// An address as the kernel programs hold it.
pub fn to_address(ip: IpAddr) -> Address {
    match ip {
        IpAddr::V4(v4) => mapped(u32::from_ne_bytes(v4.octets())),
        IpAddr::V6(v6) => address(v6.octets()),
    }
}

/// The two ends of a connection as the kernel programs know it, the lower one first.
pub fn to_ends(key: &FlowKey) -> [SocketAddr; 2] {
    key.ends().map(|(address, port)| to_end(&address, port))
}

/// An address and a port in network order, as the kernel programs hold them.
pub fn to_end(address: &Address, port: u16) -> SocketAddr {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(address.map(u32::to_ne_bytes).as_flattened());
    SocketAddr::new(Ipv6Addr::from(bytes).to_canonical(), u16::from_be(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_come_back_as_they_were() {
        for (low, high) in [("10.0.0.1:80", "10.0.0.2:40000"), ("[fd00::1]:80", "[fd00::2]:40000")] {
            let (a, b): (SocketAddr, SocketAddr) = (low.parse().unwrap(), high.parse().unwrap());
            let of = |end: SocketAddr| (to_address(end.ip()), end.port().to_be());
            let key = FlowKey::new(&of(b).0, of(b).1, &of(a).0, of(a).1, TCP);
            assert_eq!(to_ends(&key), [a, b]);
        }
    }
}
