//! The flow table, as far as the agent tends it: entries that nobody ended go after a while.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::{HashMap, MapData};
use mirror_common::flow::{Address, Flow, FlowKey, TCP, address, known, mapped, mark, phase};

use super::caps::Buckets;
use super::clock;

/// A connection without a packet for this long is taken out of the table. Longer than the keep-alive timeout of common
/// servers, whose closing tells the turn clock how the last response ended.
pub const IDLE: Duration = Duration::from_secs(300);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries in the table before it.
    pub entries: usize,
    /// Entries that were taken out.
    pub removed: usize,
}

/// The flow table of a loaded object.
pub struct Flows {
    table: HashMap<MapData, FlowKey, Flow>,
    buckets: Arc<Buckets>,
    /// Turns that will never be recorded because their entries were taken out, by service and version.
    expired: BTreeMap<(u8, u8), u64>,
}

impl Flows {
    /// Takes the table out of a loaded object.
    ///
    /// # Errors
    ///
    /// When the object does not hold it.
    pub fn new(object: &mut aya::Ebpf, buckets: Arc<Buckets>) -> Result<Self> {
        let map = object.take_map("FLOWS_BY_KEY").context("no kernel map FLOWS_BY_KEY in this build")?;
        Ok(Flows { table: map.try_into()?, buckets, expired: BTreeMap::new() })
    }

    /// Takes out what has been idle for longer than [`IDLE`].
    pub fn sweep(&mut self) -> Swept {
        let now = clock::monotonic();
        let mut swept = Swept::default();
        let mut idle = Vec::new();
        for (key, flow) in self.table.iter().flatten() {
            swept.entries += 1;
            if now.saturating_sub(flow.last_seen) > IDLE.as_nanos() as u64 {
                idle.push((key, flow));
            }
        }
        for (key, flow) in idle {
            let flow = self.table.get(&key, 0).unwrap_or(flow); // as it is now: a cap may have cut it meanwhile
            if self.table.remove(&key).is_ok() {
                swept.removed += 1;
                if flow.marks & mark::COUNTED != 0 {
                    self.buckets.release(flow.service);
                }
                *self.expired.entry((flow.service, flow.version)).or_default() += open_turns(&flow);
            }
        }
        swept
    }

    /// Turns of one version that will never be recorded because their connection fell silent.
    pub fn expired_turns(&self, service: u8, version: u8) -> u64 {
        self.expired.get(&(service, version)).copied().unwrap_or(0)
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
        let end = (to_address(client.ip()), client.port().to_be());
        let other = |key: FlowKey| {
            let [low, high] = key.ends();
            let (address, port) = if low == end { high } else { low };
            let ip = std::net::Ipv6Addr::from(
                address.map(u32::to_ne_bytes).as_flattened().try_into().unwrap_or([0; 16]),
            );
            (key.protocol() == TCP && (low == end || high == end))
                .then(|| SocketAddr::new(IpAddr::V6(ip).to_canonical(), u16::from_be(port)))
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
