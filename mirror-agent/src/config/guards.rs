//! The brakes: what the config says of them, and their defaults.

mod ramp;
mod service;
mod slo;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use ramp::RampDraft;
pub use service::{Guards, GuardsDraft};
pub use slo::{Slo, SloDraft};

use super::draft::Said;
use super::section::Section;
use super::values;
use crate::guard::process::Limits;

/// Where ramps and budgets are kept over a restart.
pub const DEFAULT_STATE: &str = "/var/lib/mirror-agent/state.json";
/// What the agent may hold if nobody says otherwise: several times what it has been seen to need.
const MEMORY: u64 = 1 << 30;
/// v1's turns that a preflight waits for: enough for its median and its errors to be known, and a second of a busy service.
const BASELINE: u32 = 100;

/// The guards of the agent as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentGuards {
    /// The file that stops everything by being there.
    pub kill_file: PathBuf,
    /// What the agent may take, and how long nobody may look.
    pub limits: Limits,
    /// The program that is told of an abort.
    pub on_abort: Option<PathBuf>,
    /// What must be known before the first clone; `None`: nothing.
    pub preflight: Option<Preflight>,
    /// Where ramps and budgets are kept.
    pub state: PathBuf,
}

/// What must be known before the first clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// v1's turns that must have been timed.
    pub turns: u32,
}

/// An [`AgentGuards`] in the making.
#[derive(Clone, Debug, Default)]
pub struct AgentGuardsDraft {
    /// The kill file.
    pub kill_file: Option<Said<PathBuf>>,
    /// Share of a processor; the inner `None` is `off`.
    pub cpu: Option<Said<Option<u64>>>,
    /// Bytes of memory; the inner `None` is `off`.
    pub memory: Option<Said<Option<u64>>>,
    /// How long nobody may look; the inner `None` is `off`.
    pub unscraped: Option<Said<Option<Duration>>>,
    /// Who is told.
    pub on_abort: Option<Said<PathBuf>>,
    /// v1's turns that a preflight waits for.
    pub turns: Option<Said<u32>>,
    /// Whether there is a preflight.
    pub preflight: Option<Said<bool>>,
    /// Where ramps and budgets are kept.
    pub state: Option<Said<PathBuf>>,
}

impl AgentGuardsDraft {
    /// Reads the keys of the file that are about brakes.
    pub fn read(root: &mut Section<'_>) -> AgentGuardsDraft {
        let mut draft =
            AgentGuardsDraft { state: root.value("state", values::file_path), ..AgentGuardsDraft::default() };
        if let Some(mut guards) = root.section("guards") {
            draft.kill_file = guards.value("kill_file", values::file_path);
            draft.cpu = guards.value("cpu", values::processors_or_off);
            draft.memory = guards.value("memory", values::bytes_or_off);
            draft.unscraped = guards.value("unscraped", values::duration_or_off);
            draft.on_abort = guards.value("on_abort", values::file_path);
            guards.finish();
        }
        if let Some(mut preflight) = root.section("preflight") {
            draft.preflight = preflight.value("required", values::flag);
            draft.turns = preflight.value("turns", values::rate);
            preflight.finish();
        }
        draft
    }

    /// What `self` says, and where it is silent, what `other` says.
    pub fn over(self, other: AgentGuardsDraft) -> AgentGuardsDraft {
        AgentGuardsDraft {
            kill_file: self.kill_file.or(other.kill_file),
            cpu: self.cpu.or(other.cpu),
            memory: self.memory.or(other.memory),
            unscraped: self.unscraped.or(other.unscraped),
            on_abort: self.on_abort.or(other.on_abort),
            turns: self.turns.or(other.turns),
            preflight: self.preflight.or(other.preflight),
            state: self.state.or(other.state),
        }
    }

    /// Completes it by the defaults. The kill file lies beside the control socket.
    pub fn complete(self, control: &Path) -> AgentGuards {
        let turns = self.turns.map_or(BASELINE, |said| said.value);
        AgentGuards {
            kill_file: self.kill_file.map_or_else(|| control.with_file_name("kill"), |said| said.value),
            limits: Limits {
                cpu_ppm: self.cpu.and_then(|said| said.value),
                memory: self.memory.map_or(Some(MEMORY), |said| said.value),
                unscraped: self.unscraped.and_then(|said| said.value),
            },
            on_abort: self.on_abort.map(|said| said.value),
            preflight: self.preflight.is_none_or(|said| said.value).then_some(Preflight { turns }),
            state: self.state.map_or_else(|| PathBuf::from(DEFAULT_STATE), |said| said.value),
        }
    }
}
