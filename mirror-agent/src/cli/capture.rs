//! Flags of `capture`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::{ShadowInterface, Share, values};

/// Write both directions of whole sampled connections to a pcapng file
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: a tenth of the connections to port 8080, for half a minute
  mirror-agent capture -i eth0 --port 8080 --share 10% -w out.pcapng --for 30s")]
pub struct Capture {
    /// Interface that carries the traffic (repeatable)
    #[arg(short = 'i', long = "interface", value_name = "IFACE", required = true, value_parser = values::interface)]
    pub interfaces: Vec<String>,
    /// Only this port, at any address
    #[arg(long, value_name = "P", conflicts_with = "v1", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Only this endpoint
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub v1: Option<SocketAddr>,
    /// Share of the connections [default: 100%]
    #[arg(long, value_name = "PERCENT")]
    pub share: Option<Share>,
    /// File to write
    #[arg(short = 'w', long = "write", value_name = "FILE")]
    pub write: PathBuf,
    /// End after this time [default: when stopped]
    #[arg(long = "for", value_name = "TIME", value_parser = values::duration)]
    pub run_for: Option<Duration>,
    /// End before the file grows over this size [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub max_size: Option<u64>,
    /// Where to send the clones: an interface that exists, or vxlan:REMOTE:VNI, a tunnel to another host [default: the
    /// agent makes an interface]
    #[arg(long, value_name = "NAME|vxlan:REMOTE:VNI")]
    pub shadow_interface: Option<ShadowInterface>,
}

impl Capture {
    /// The share that was asked for, or all: a capture harms no v2.
    pub fn share(&self) -> Share {
        self.share.unwrap_or(Share::FULL)
    }
}
