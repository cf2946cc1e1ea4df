//! The faults, in the words of Toxiproxy, and the coin that says which connections meet them.

use std::time::Duration;

use mirror_common::share::murmur3_32;

use crate::config::Share;
use crate::select::in_share;

/// What goes wrong between us and v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each request goes later, by `latency` give or take `jitter`, evenly spread.
    Delay {
        /// The mean.
        latency: Duration,
        /// How far from it at most, and never more than `latency`.
        jitter: Duration,
    },
    /// The request goes, and the connection is closed before the answer.
    Abort,
    /// The connection is reset in the middle of the request.
    Reset,
    /// No byte passes until the fault ends or the request's deadline is over.
    Blackhole,
    /// So many bytes a second pass in each direction.
    Bandwidth {
        /// At least 1.
        bytes_per_second: u64,
    },
}

impl Kind {
    /// The names, by [`Kind::index`]: labels, and words of the file.
    pub const NAMES: [&'static str; 5] = ["delay", "abort", "reset", "blackhole", "bandwidth"];

    /// Its place among the names.
    pub fn index(self) -> usize {
        match self {
            Kind::Delay { .. } => 0,
            Kind::Abort => 1,
            Kind::Reset => 2,
            Kind::Blackhole => 3,
            Kind::Bandwidth { .. } => 4,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Kind::NAMES[self.index()]
    }
}

/// A fault, and whom it meets for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// For which part of the connections.
    pub share: Share,
    /// For how long.
    pub duration: Duration,
}

/// Decides by a connection's number, and so once for all of it.
///
/// All steps of an experiment toss the same coin: who is outside the largest share meets no fault at all, so that the
/// blast radius holds for the experiment as a whole and not only for each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin(u32);

impl Coin {
    /// The coin of this seed.
    pub fn new(seed: u32) -> Coin {
        Coin(seed)
    }

    /// Whether a connection is in `share`.
    pub fn chooses(self, connection: u64, share: Share) -> bool {
        in_share(murmur3_32(&connection.to_le_bytes(), self.0), share.ppm())
    }

    /// How late the `nth` delayed request of a connection goes.
    pub fn delay(self, connection: u64, nth: u64, latency: Duration, jitter: Duration) -> Duration {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&connection.to_le_bytes());
        key[8..].copy_from_slice(&nth.to_le_bytes());
        let evenly = f64::from(murmur3_32(&key, self.0 ^ u32::MAX)) / f64::from(u32::MAX);
        let jitter = jitter.min(latency);
        latency - jitter + jitter.mul_f64(2.0 * evenly)
    }
}
