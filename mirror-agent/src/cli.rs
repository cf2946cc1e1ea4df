//! The command line: what was typed, and nothing else.
//! What is not typed is `None`; defaults belong to [`crate::config`] and to the accessors here.

mod capture;
mod chaos;
mod control;
mod fence_probe;
mod log;
mod read;
mod replay;
mod run;
mod towards_v2;

use std::io::Write;

use clap::{CommandFactory, Parser, Subcommand};

pub use capture::Capture;
pub use chaos::{Chaos, ChaosAct, ChaosList, ChaosRun, ChaosStop};
pub use control::{
    Change, Check, Explain, Fence, Preflight, Probe, Reload, Resume, SetShare, Socket, Status, Verdict,
};
pub use fence_probe::FenceProbe;
pub use log::{Log, LogFormat, LogLevel};
pub use read::{Read, ReadFormat};
pub use replay::Replay;
pub use run::Run;
pub use towards_v2::TowardsV2;

/// Mirrors a share of the real requests from v1 to v2, compares the answers, and times both. v1 never notices.
#[derive(Clone, Debug, Parser)]
#[command(name = "mirror-agent", version, after_help = EXAMPLE)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How loud to be about it.
    #[command(flatten)]
    pub log: Log,
}

const EXAMPLE: &str = "\
Example: mirror 5% of the connections to v1
  mirror-agent run -i eth0 --v1 10.0.0.4:8080 --v2 10.0.0.5:8080 --share 5%

Exit codes: 0 fine or PASS, 1 error, 2 usage, 98 INCONCLUSIVE, 99 FAIL";

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Mirror until stopped
    ///
    /// What is typed here goes before what the file says. Flags about the service speak of the file's only service,
    /// or of the one that --name names.
    Run(Box<Run>),
    /// Write sampled connections to a pcapng file
    Capture(Capture),
    /// Show the HTTP exchanges in capture files, and sum them up
    Read(Read),
    /// Send the requests of capture files to v2, and compare the answers
    Replay(Box<Replay>),
    /// Say what this kernel and these rights allow
    Check(Check),
    /// Show what a running agent does
    Status(Status),
    /// Say whether v2 is worse than v1, no worse, or not known
    Verdict(Verdict),
    /// Show what must be known before the first clone, and whether it is
    Preflight(Preflight),
    /// Show what both versions made of the probes, side by side
    Probe(Probe),
    /// Change how much a running agent mirrors
    Share(SetShare),
    /// Read the config file of a running agent again
    ///
    /// Shares, rules, rings and kernel caps take effect at once, and no connection that is mirrored under the old and
    /// the new config is lost. A file with any mistake, or a change that needs a restart, is refused whole. The same
    /// happens on SIGHUP, and by itself a second after the file has changed.
    Reload(Reload),
    /// Say which rule decides for a client's connection, and why
    Explain(Explain),
    /// Stop cloning until `resume`; what was cloned is still replayed
    #[command(after_help = "Example:\n  mirror-agent pause --service checkout")]
    Pause(Change),
    /// Go on after `pause`, `kill`, or a guard that was breached
    Resume(Resume),
    /// Stop cloning at once and stay stopped
    #[command(after_help = "Example:\n  mirror-agent kill")]
    Kill(Change),
    /// Make faults between the mirror and v2, and see whether v1 stays flat
    Chaos(Chaos),
    /// Show what v2 calls, and what its fence does about it
    Fence(Fence),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Call from inside a cgroup, for the self-test of a fence
    #[command(hide = true)]
    FenceProbe(FenceProbe),
}

/// Print a completion script for a shell
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  mirror-agent completions bash > /etc/bash_completion.d/mirror-agent")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

impl Completions {
    /// Writes the script.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let mut script = Vec::new(); // clap_complete panics where `out` would only have failed, as a closed pipe does
        clap_complete::generate(self.shell, &mut Cli::command(), "mirror-agent", &mut script);
        out.write_all(&script)
    }
}

#[cfg(test)]
mod tests;
