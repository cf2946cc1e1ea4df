//! Synthetic probes: scripted requests that both versions get at the same time, on a schedule, whether users ask or not.
//!
//! Pure: when one is due, what it sends, whether an answer is what was expected, and which requests would make good probes.
//! They are no user's: no ledger, judge or histogram has them.

mod answer;
mod popular;
mod proposal;
mod request;
mod schedule;
mod tally;

use std::time::Duration;

pub use answer::{Answer, Check, Ended, Phases};
pub use popular::{Asked, Popular};
pub use proposal::{PROPOSED_MAX, Proposal, yaml};
pub use request::{TAG, wire};
pub use schedule::Schedule;
pub use tally::Tally;

/// Probes of one service: enough for its endpoints, and few enough that each has its series.
pub const PROBES_MAX: usize = 16;
/// How often one is sent if nobody says otherwise: a health check of the usual kind.
pub const EVERY: Duration = Duration::from_secs(10);
/// How long an answer may take if nobody says otherwise; shorter, if they are sent more often.
pub const TIMEOUT: Duration = Duration::from_secs(1);
/// The longest that an answer may take. Who waits for one at a terminal waits as long.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// One probe, as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// 1 to 32 of `a-z0-9_-`; a metric label.
    pub name: String,
    /// GET, HEAD or OPTIONS.
    pub method: String,
    /// Path and query, as they are sent.
    pub path: String,
    /// Header fields, as they are sent; names in lower case.
    pub headers: Vec<(String, String)>,
    /// How often. At least a second.
    pub every: Duration,
    /// How long connecting and the answer may take together. Less than `every`, so that no two of them overlap.
    pub timeout: Duration,
    /// What must be answered.
    pub expect: Expect,
}

/// What a probe must be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// The status is one of these; empty: any from 200 to 299.
    pub status: Vec<u16>,
    /// A regular expression that the body matches.
    pub body: Option<String>,
}
