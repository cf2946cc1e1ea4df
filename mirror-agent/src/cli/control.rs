//! Flags of the commands that ask: a running agent, or the kernel.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::{DEFAULT_CONTROL, Share, values};

/// Which agent to speak to.
#[derive(Clone, Debug, Args)]
pub struct Socket {
    /// Socket of the agent [default: /run/mirror-agent/control.sock]
    #[arg(long = "control", value_name = "PATH", value_parser = values::socket_path)]
    pub control: Option<PathBuf>,
}

/// Show what a running agent does
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  mirror-agent status --json | jq '.services[].requests'")]
pub struct Status {
    /// Print the object of GET /v1/status
    #[arg(long)]
    pub json: bool,
    /// Measure the kernel programs for a second first, and show what the agent takes
    #[arg(long)]
    pub cost: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Say whether v2 is worse than v1, no worse, or not known
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: wait until it is known, for five minutes at most
  mirror-agent verdict --service checkout --wait 5m

Example: of the last ten minutes alone
  mirror-agent verdict --window 10m --json

Exit codes: 0 PASS, 98 INCONCLUSIVE, 99 FAIL, 1 error, 2 usage")]
pub struct Verdict {
    /// Which service; may be left out where there is only one
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// Look at the last so long, at most 30m [default: since the start]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub window: Option<Duration>,
    /// Ask again until it is PASS or FAIL, for this long at most [default: ask once]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub wait: Option<Duration>,
    /// Print the object of GET /v1/verdict
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Change how much a running agent mirrors
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  mirror-agent share 10% --service checkout
  mirror-agent share 100% --ring team

It holds until the next reload, which sets what the file says.")]
pub struct SetShare {
    /// Share of the connections, for example 10% or 0.5%
    #[arg(value_name = "PERCENT")]
    pub share: Share,
    /// Which service; may be left out where there is only one
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// Of the rules that name this ring, of the service or of all [default: the share of clients that no rule names]
    #[arg(long, value_name = "RING", value_parser = values::ring_name)]
    pub ring: Option<String>,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Read the config file of a running agent again
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  mirror-agent reload")]
pub struct Reload {
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Say which rule decides for a client's connection, and why
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: ask the running agent, which also says what the kernel knows of the connection
  mirror-agent explain 10.1.2.3:40012 --service checkout

Example: ask a file
  mirror-agent explain 10.1.2.3:40012 --config /etc/mirror-agent/config.yaml --json")]
pub struct Explain {
    /// The client's end of the connection
    #[arg(value_name = "CLIENT:PORT", value_parser = values::listen)]
    pub client: SocketAddr,
    /// Which service; may be left out where there is only one
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// The address of v1 that the client connects to, where v1 is any address of this host
    #[arg(long, value_name = "ADDR")]
    pub to: Option<IpAddr>,
    /// Answer from this file, without an agent
    #[arg(long, value_name = "FILE", conflicts_with = "control")]
    pub config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// What `pause`, `resume` and `kill` are told.
#[derive(Clone, Debug, Args)]
pub struct Change {
    /// Which service; all of them when left out
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// Only connections of this ring, of every service
    #[arg(long, value_name = "RING", value_parser = values::ring_name, conflicts_with = "service")]
    pub ring: Option<String>,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Go on after `pause`, `kill`, or a guard that was breached
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  mirror-agent resume --service checkout

Example: the mirror has spent its part of v1's error budget, and may spend as much again
  mirror-agent resume --spend-budget ticket-4711")]
pub struct Resume {
    /// Which, and of which agent.
    #[command(flatten)]
    pub change: Change,
    /// Let the mirror spend as much of v1's error budget again, for this reason, which is logged and kept
    #[arg(long, value_name = "REASON", conflicts_with = "ring")]
    pub spend_budget: Option<String>,
}

/// Show what must be known before the first clone, and whether it is
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: wait until the mirror may begin, for a minute at most
  mirror-agent preflight --wait 1m

Exit codes: 0 all is known, 98 not yet, 1 error, 2 usage")]
pub struct Preflight {
    /// Which service; all of them when left out
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// Ask again until all is known, for this long at most [default: ask once]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub wait: Option<Duration>,
    /// Print JSON: the items by service
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Show what v2 calls, and what its fence does about it
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: what would have to be allowed, for the config
  mirror-agent fence --service checkout --propose

Exit codes: 0 proven, 99 lost, 1 error, 2 usage")]
pub struct Fence {
    /// Which service; may be left out where there is only one with a fence
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// Print the lines that would allow what was called and is not in the list
    #[arg(long)]
    pub propose: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "propose")]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Show what both versions made of the probes, side by side
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: send one now, and see
  mirror-agent probe --once health

Example: make some of what users ask most often, for the config file
  mirror-agent probe --propose --service checkout

Exit codes: 0 all succeeded at both versions, 98 one has not run yet, 99 one failed at v2 and not at v1, 1 one failed at v1, or
error, 2 usage")]
pub struct Probe {
    /// Which service; all of them when left out
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub service: Option<String>,
    /// Send this probe now, and show what came of it alone
    #[arg(long, value_name = "PROBE", value_parser = values::service_name)]
    pub once: Option<String>,
    /// Print probes for the config file, of the safe requests that were seen most often
    #[arg(long, conflicts_with = "once")]
    pub propose: bool,
    /// Print JSON: the probes by service
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Say what this kernel and these rights allow
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  mirror-agent check -i eth0")]
pub struct Check {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Interface to look at too (repeatable)
    #[arg(short = 'i', long = "interface", value_name = "IFACE", value_parser = values::interface)]
    pub interfaces: Vec<String>,
}

impl Socket {
    /// The socket that was asked for, or the default one.
    pub fn path(&self) -> PathBuf {
        self.control.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_CONTROL))
    }
}
