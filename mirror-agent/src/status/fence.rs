//! What a fence says of itself.

use serde::{Deserialize, Serialize};

/// The name of what no destination of a list covers.
pub const OTHER_DESTINATION: &str = "other";

/// A service's fence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fence {
    /// What is done about calls that the list does not cover: `deny` or `report`.
    pub mode: String,
    /// Whether the last self-test held.
    pub proven: bool,
    /// How long ago that was; absent before the first.
    pub tested_s_ago: Option<f64>,
    /// Why it did not.
    pub lost: Option<String>,
    /// The calls by destination, in the order of the list; the last is `other`.
    pub destinations: Vec<Destination>,
    /// Destinations that the list does not cover and that v2 or v1 called, as far as they are remembered.
    pub unknown: u64,
}

/// The calls to one destination: connections, and datagrams of sockets that are not connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// Calls of v2 that were let through.
    pub v2_allowed: u64,
    /// Calls of v2 that were denied, or in the mode `report` would have been.
    pub v2_denied: u64,
    /// Calls of v1, which are never denied; absent where they are not counted.
    pub v1: Option<u64>,
}
