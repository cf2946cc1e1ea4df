//! Flags of whatever sends requests to v2: which, and how much it is to bear.

use std::time::Duration;

use clap::Args;

use super::run::{at, said};
use crate::config::{Place, ServiceDraft, values};

/// Which requests go to v2, and how many.
#[derive(Clone, Debug, Default, Args)]
pub struct TowardsV2 {
    /// Methods to replay [default: GET,HEAD,OPTIONS]
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_parser = values::method)]
    pub methods: Option<Vec<String>>,
    /// Requests replayed per second [default: 1000]
    #[arg(long, value_name = "N", value_parser = values::rate)]
    pub max_rps: Option<u32>,
    /// Requests waiting for v2 at once [default: 64]
    #[arg(long, value_name = "N", value_parser = values::at_once)]
    pub max_inflight: Option<u32>,
    /// Connections to v2 at once [default: 256]
    #[arg(long, value_name = "N", value_parser = values::at_once)]
    pub max_connections: Option<u32>,
    /// Time that v2 has for one request [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub timeout: Option<Duration>,
}

impl TowardsV2 {
    /// What was typed, each value with its flag.
    pub(super) fn draft(&self) -> ServiceDraft {
        let methods =
            |methods: &Vec<String>| methods.iter().map(|method| at("--methods", method.clone())).collect();
        ServiceDraft {
            methods: self.methods.as_ref().map(methods),
            rps: said("--max-rps", &self.max_rps),
            in_flight: said("--max-inflight", &self.max_inflight),
            connections: said("--max-connections", &self.max_connections),
            timeout: said("--timeout", &self.timeout),
            ..ServiceDraft::new(Place::CommandLine)
        }
    }
}
