//! Flags of `replay`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::ReadFormat;
use super::TowardsV2;
use super::run::at;
use crate::config::{Errors, Service, ServiceDraft, Share, Speed, values};

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
    /// What v2 is to bear.
    #[command(flatten)]
    pub towards_v2: TowardsV2,
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
            ignored_headers: Some(all("--ignore-header", &self.ignored_headers)),
            ignored_paths: Some(all("--ignore-path", &self.ignored_paths)),
            ..self.towards_v2.draft()
        })
    }
}
