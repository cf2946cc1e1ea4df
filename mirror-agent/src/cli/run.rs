//! Flags of `run`, and what they say as a draft of the configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::TowardsV2;
use crate::config::{
    AgentGuardsDraft, Config, Draft, Errors, JudgeDraft, OnDisplaced, Place, Role, Said, ServiceDraft,
    ShadowInterface, Share, SloDraft, values,
};
use crate::judge::Again;

/// What `run` was told.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Example: mirror 5% of the connections for half a minute
  mirror-agent run -i eth0 --v1 10.0.0.4:8080 --v2 10.0.0.5:8080 --share 5% --for 30s

Example: several services
  mirror-agent run --config /etc/mirror-agent/config.yaml")]
pub struct Run {
    /// Interface that carries the service, or a pattern such as 'veth*', which is also followed (repeatable)
    #[arg(short = 'i', long = "interface", value_name = "IFACE", value_parser = values::interfaces)]
    pub interfaces: Vec<String>,
    /// File with any number of services
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Serve metrics and the read-only API here, for example 127.0.0.1:9464 [default: nowhere]
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listen)]
    pub listen: Option<SocketAddr>,
    /// Control socket [default: /run/mirror-agent/control.sock]
    #[arg(long, value_name = "PATH", value_parser = values::socket_path)]
    pub control: Option<PathBuf>,
    /// When a tap is removed or preceded: report, or reattach, at most 5 times a minute [default: report]
    #[arg(long, value_name = "POLICY", value_parser = values::on_displaced)]
    pub on_displaced: Option<OnDisplaced>,
    /// Where to send the clones: an interface that exists, or vxlan:REMOTE:VNI, a tunnel to another host [default: the
    /// agent makes an interface]
    #[arg(long, value_name = "NAME|vxlan:REMOTE:VNI")]
    pub shadow_interface: Option<ShadowInterface>,
    /// End after this time [default: when stopped]
    #[arg(long = "for", value_name = "TIME", value_parser = values::duration)]
    pub run_for: Option<Duration>,
    /// Write the final status here, as JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write differences here, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub differences: Option<PathBuf>,
    /// Threads that read clones [default: one a processor, at most 4]
    #[arg(long, value_name = "N", value_parser = values::workers)]
    pub workers: Option<usize>,
    /// Accept a v1 that no given interface leads to: this host only forwards its traffic
    #[arg(long)]
    pub transit: bool,
    /// File that stops everything by being there [default: kill, beside the control socket]
    #[arg(long, value_name = "PATH", value_parser = values::file_path)]
    pub kill_file: Option<PathBuf>,
    /// Mirror from the first packet on, without waiting until v1 is known and v2 answers
    #[arg(long)]
    pub no_preflight: bool,
    /// The service.
    #[command(flatten)]
    pub service: ServiceFlags,
}

/// Flags about one service.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Service")]
pub struct ServiceFlags {
    /// Name of the service in metrics [default: default]
    #[arg(long, value_name = "NAME", value_parser = values::service_name)]
    pub name: Option<String>,
    /// Version that serves users
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub v1: Option<SocketAddr>,
    /// Version that gets the copy; its answers reach nobody
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub v2: Option<SocketAddr>,
    /// Share of the connections to mirror, for example 5% or 0.5%; it has no default
    #[arg(long, value_name = "PERCENT")]
    pub share: Option<Share>,
    /// What v2 is to bear.
    #[command(flatten)]
    pub towards_v2: TowardsV2,
    /// Packets cloned per second, kept by the kernel [default: no cap]
    #[arg(long, value_name = "N", value_parser = values::cap)]
    pub max_packets_per_second: Option<u64>,
    /// Bytes cloned per second, kept by the kernel [default: no cap]
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub max_bytes_per_second: Option<u64>,
    /// Connections newly mirrored per second, kept by the kernel [default: no cap]
    #[arg(long, value_name = "N", value_parser = values::cap)]
    pub max_connections_per_second: Option<u64>,
    /// Mirrored connections at once, kept by the kernel [default: no cap]
    #[arg(long, value_name = "N", value_parser = values::at_once)]
    pub max_mirrored_connections: Option<u32>,
    /// How much of a second's packets, bytes and connections the kernel lets through at once [default: 250ms]
    #[arg(long, value_name = "TIME", value_parser = values::burst)]
    pub max_burst: Option<Duration>,
    /// Count exactly how many turns take at most this long (repeatable, rising, up to 8)
    #[arg(long = "threshold", value_name = "TIME", value_parser = values::duration)]
    pub thresholds: Vec<Duration>,
    /// What v2 is: shadow, which gets copies, or observed, which serves a part of the users and is only watched [default:
    /// shadow]
    #[arg(long, value_name = "ROLE", value_parser = values::role)]
    pub v2_role: Option<Role>,
    /// Share of the users' requests that an observed v2 should get [default: not checked]
    #[arg(long, value_name = "PERCENT", value_parser = values::split)]
    pub split: Option<Share>,
    /// Share of v1's answers that must be good; burning its error budget stops the mirror [default: not guarded]
    #[arg(long, value_name = "PERCENT", value_parser = values::objective)]
    pub objective: Option<Share>,
    /// Version that is asked some requests a second time, to tell noise from change: v1, v2 or off; v1 also shows how much
    /// slower our own way is, without which latency is not judged, and gets a little more to do [default: v2]
    #[arg(long, value_name = "VERSION", value_parser = values::again)]
    pub second_answers: Option<Again>,
    /// Share of the requests that are asked a second time [default: 5%]
    #[arg(long, value_name = "PERCENT", value_parser = values::part)]
    pub second_share: Option<Share>,
    /// Share of the requests by which v2 may be worse and still pass [default: 1%]
    #[arg(long, value_name = "PERCENT", value_parser = values::small_part)]
    pub margin: Option<Share>,
    /// Time to the first byte that few requests should exceed [default: twice v1's p99 of the first 400]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub tail: Option<Duration>,
}

impl Config {
    /// Builds the configuration of `run`: flags, then the file that `--config` names, then defaults.
    /// Reads that file each time, so that a second call is a reload.
    ///
    /// # Errors
    /// Everything that is wrong, at once; worth exit code 2.
    pub fn from_run(args: &Run) -> Result<Config, Errors> {
        Config::load(args.draft(), args.config.as_deref())
    }
}

impl Run {
    /// What was typed, each value with its flag.
    pub fn draft(&self) -> Draft {
        let service = self.service.draft();
        // Without a file the service is made of flags, even of none: then each missing flag is named.
        let services =
            service.or_else(|| self.config.is_none().then(|| ServiceDraft::new(Place::CommandLine)));
        Draft {
            interfaces: self.interfaces.iter().map(|name| at("--interface", name.clone())).collect(),
            rings: Vec::new(),
            services: services.into_iter().collect(),
            on_displaced: said("--on-displaced", &self.on_displaced),
            shadow_interface: said("--shadow-interface", &self.shadow_interface),
            listen: said("--listen", &self.listen),
            control: said("--control", &self.control),
            run_for: said("--for", &self.run_for),
            summary: said("--summary", &self.summary),
            differences: said("--differences", &self.differences),
            workers: said("--workers", &self.workers),
            redact_names: Vec::new(),
            redact_patterns: Vec::new(),
            transit: self.transit.then(|| at("--transit", true)),
            guards: AgentGuardsDraft {
                kill_file: said("--kill-file", &self.kill_file),
                preflight: self.no_preflight.then(|| at("--no-preflight", false)),
                ..AgentGuardsDraft::default()
            },
            refused: Vec::new(),
        }
    }
}

impl ServiceFlags {
    /// What was typed about the service; `None` if nothing.
    fn draft(&self) -> Option<ServiceDraft> {
        let draft = ServiceDraft {
            name: said("--name", &self.name),
            v1: said("--v1", &self.v1),
            v2: said("--v2", &self.v2),
            share: said("--share", &self.share),
            cap_packets: said("--max-packets-per-second", &self.max_packets_per_second),
            cap_bytes: said("--max-bytes-per-second", &self.max_bytes_per_second),
            cap_connections: said("--max-connections-per-second", &self.max_connections_per_second),
            cap_open: said("--max-mirrored-connections", &self.max_mirrored_connections),
            cap_burst: said("--max-burst", &self.max_burst),
            thresholds: (!self.thresholds.is_empty())
                .then(|| self.thresholds.iter().map(|time| at("--threshold", *time)).collect()),
            v2_role: said("--v2-role", &self.v2_role),
            split: said("--split", &self.split),
            slo: SloDraft { objective: said("--objective", &self.objective), ..SloDraft::default() },
            judge: JudgeDraft {
                again: said("--second-answers", &self.second_answers),
                again_share: said("--second-share", &self.second_share),
                margin: said("--margin", &self.margin),
                tail: said("--tail", &self.tail),
                ..JudgeDraft::default()
            },
            ..self.towards_v2.draft()
        };
        (draft != ServiceDraft::new(Place::CommandLine)).then_some(draft)
    }
}

/// What was typed behind a flag, with its place.
pub(super) fn said<T: Clone>(flag: &'static str, typed: &Option<T>) -> Option<Said<T>> {
    typed.as_ref().map(|value| at(flag, value.clone()))
}

/// A value and the flag that said it.
pub(super) fn at<T>(flag: &'static str, value: T) -> Said<T> {
    Said { value, at: Place::Flag(flag) }
}
