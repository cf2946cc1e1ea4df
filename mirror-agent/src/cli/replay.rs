//! Flags of `replay`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::ReadFormat;
use super::run::{at, said};
use crate::config::{Errors, Place, Service, ServiceDraft, Share, Speed, values};

/// Where the files do not say who serves: any address, and no port.
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// Send the requests of capture files to v2, and compare its answers with those in the files
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: does v2 answer as v1 did an hour ago, at the pace of then?
  mirror-agent replay out.pcapng --to 10.0.0.5:8080

Example: as fast as v2 and the limits allow
  mirror-agent replay out.pcapng --to 10.0.0.5:8080 --speed max --max-rps 20000 --max-inflight 256

Example: each request to v1 and v2 both, because what was recorded is out of date
  mirror-agent replay out.pcapng --to 10.0.0.5:8080 --against 10.0.0.4:8080 --format json")]
pub struct Replay {
    /// Files, pcap or pcapng, in the order of their time; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Version that gets the requests
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub to: SocketAddr,
    /// Endpoint of the server in the files (repeatable) [default: found from the traffic]
    #[arg(long = "service", value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub services: Vec<SocketAddr>,
    /// Version to compare with, asked the same at the same time [default: the answers in the files]
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub against: Option<SocketAddr>,
    /// Multiple of the captured pace, or max: as fast as the limits allow [default: 1x]
    #[arg(long, value_name = "SPEED")]
    pub speed: Option<Speed>,
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
    /// Header that compare leaves out, besides date, server and their like (repeatable)
    #[arg(long = "ignore-header", value_name = "NAME", value_parser = values::header)]
    pub ignored_headers: Vec<String>,
    /// Field that compare leaves out, for example `body.items[*].id` (repeatable)
    #[arg(long = "ignore-path", value_name = "PATH", value_parser = values::field_path)]
    pub ignored_paths: Vec<String>,
    /// Write differences here, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub differences: Option<PathBuf>,
    /// Form of the summary: text for people or json for programs [default: text]
    #[arg(id = "form", hide_possible_values = true, long = "format", value_name = "FORMAT")]
    // `format` is the log's
    pub format: Option<ReadFormat>,
}

impl Replay {
    /// How fast.
    pub fn speed(&self) -> Speed {
        self.speed.unwrap_or(Speed::CAPTURED)
    }

    /// The service as it would stand in a configuration, with the same defaults.
    ///
    /// # Errors
    /// What `run` would refuse.
    pub fn service(&self) -> Result<Service, Errors> {
        let all = |flag, values: &[String]| values.iter().map(|value| at(flag, value.clone())).collect();
        Service::build(ServiceDraft {
            v1: Some(at("--service", self.services.first().copied().unwrap_or(ANYWHERE))),
            v2: Some(at("--to", self.to)),
            share: Some(at("--share", Share::FULL)), // of what was captured
            methods: self.methods.as_ref().map(|methods| all("--methods", methods)),
            ignored_headers: Some(all("--ignore-header", &self.ignored_headers)),
            ignored_paths: Some(all("--ignore-path", &self.ignored_paths)),
            rps: said("--max-rps", &self.max_rps),
            in_flight: said("--max-inflight", &self.max_inflight),
            connections: said("--max-connections", &self.max_connections),
            timeout: said("--timeout", &self.timeout),
            ..ServiceDraft::new(Place::CommandLine)
        })
    }
}
