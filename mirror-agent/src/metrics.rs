//! The agent's metrics: nothing is kept here, every scrape encodes the status of that moment.

mod cost;
mod families;
pub mod text;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;

use crate::agent::Agent;

/// The registry that a scrape encodes.
pub fn registry(agent: Arc<Agent>) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(agent)));
    registry
}

struct Families(Arc<Agent>);

impl fmt::Debug for Families {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Families").finish_non_exhaustive()
    }
}

impl Collector for Families {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let status = self.0.status().map_err(|error| {
            tracing::error!("no metrics: {error:#}");
            fmt::Error
        })?;
        families::encode(&self.0, &status, encoder)
    }
}
