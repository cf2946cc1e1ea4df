//! The flow table, as far as the agent tends it: entries that nobody ended go after a while.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::{HashMap, MapData};
use mirror_common::flow::{Address, Flow, FlowKey, TCP, address, known, mapped, phase};
use mirror_common::turn::Ambiguous;

use super::clock;

/// A connection without a packet for this long is taken out of the table. Longer than the keep-alive timeout of common
/// servers, whose closing tells the turn clock how the last response ended.
pub const IDLE: Duration = Duration::from_secs(300);

/// Only an entry that is still there is written.
const BPF_EXIST: u64 = 2;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries in the table before it.
    pub entries: usize,
    /// Entries that were taken out.
    pub removed: usize,
}

/// A vantage that sees nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The interface.
    pub interface: u32,
    /// The hook's number; `None`: all of them.
    pub hook: Option<u8>,
}

impl Lost {
    fn owns(self, flow: &Flow, side: usize) -> bool {
        flow.interface[side] == self.interface && self.hook.is_none_or(|hook| flow.hook[side] == hook)
    }
}

/// The flow table of a loaded object.
pub struct Flows {
    table: HashMap<MapData, FlowKey, Flow>,
    /// Turns that will never be recorded because their entries were taken out, by service and version.
    expired: BTreeMap<(u8, u8), u64>,
}

impl Flows {
    /// Takes the table out of a loaded object.
    ///
    /// # Errors
    ///
    /// When the object does not hold it.
    pub fn new(object: &mut aya::Ebpf) -> Result<Self> {
        let map = object.take_map("FLOWS_BY_KEY").context("no kernel map FLOWS_BY_KEY in this build")?;
        Ok(Flows { table: map.try_into()?, expired: BTreeMap::new() })
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
            if self.table.remove(&key).is_ok() {
                swept.removed += 1;
                *self.expired.entry((flow.service, flow.version)).or_default() += open_turns(&flow);
            }
        }
        swept
    }

    /// Frees the directions of connections that these vantages own, so that whoever sees them next owns them. A turn in
    /// flight may lack what passed meanwhile, so it is not certain. Returns how many connections were concerned.
    ///
    /// An entry is read and written back: what another packet of its other direction changes in between is lost.
    pub fn disown(&mut self, lost: &[Lost]) -> usize {
        let is_lost = |flow: &Flow, side: usize| lost.iter().any(|lost| lost.owns(flow, side));
        let mut freed = 0;
        let keys: Vec<_> = self.table.keys().flatten().collect();
        for key in keys {
            let Ok(mut flow) = self.table.get(&key, 0) else { continue };
            let sides = [0, 1].map(|side| is_lost(&flow, side));
            if sides == [false; 2] {
                continue;
            }
            for (side, _) in sides.into_iter().enumerate().filter(|(_, lost)| *lost) {
                flow.interface[side] = 0;
                flow.hook[side] = 0;
            }
            if flow.phase != phase::IDLE && flow.doubt == 0 {
                flow.doubt = Ambiguous::Reordered as u8;
            }
            freed += usize::from(self.table.insert(key, flow, BPF_EXIST).is_ok());
        }
        freed
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
        let (from, to) = (to_address(client.ip()), to_address(server.ip()));
        let key = FlowKey::new(&from, client.port().to_be(), &to, server.port().to_be(), TCP);
        Some(self.table.get(&key, 0).ok()?.interface)
    }
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
