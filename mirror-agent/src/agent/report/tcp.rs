//! What the network did to one version's connections.

use anyhow::Result;
use mirror_common::count::{TurnCount, side};
use mirror_common::turn::round_trip;

use crate::agent::Agent;
use crate::service::Service;
use crate::status::{Quantiles, Tcp, TcpSide};

impl Agent {
    pub(super) fn tcp(&self, service: &Service, version: u8) -> Result<Tcp> {
        let count = self.kernel.counts.turns(service.index, version)?;
        let of = |side| self.tcp_side(service.index, version, side, &count);
        Ok(Tcp { client: of(side::CLIENT), server: of(side::SERVER) })
    }

    fn tcp_side(&self, service: u8, version: u8, side: u8, count: &TurnCount) -> TcpSide {
        let of = |kind| Quantiles::from(&self.kernel.histograms.round_trips(service, version, kind, side));
        TcpSide {
            handshake: of(round_trip::HANDSHAKE),
            timestamp: of(round_trip::STAMP),
            retransmits: count.retransmits[usize::from(side)],
            resets: count.resets[usize::from(side)],
        }
    }
}
