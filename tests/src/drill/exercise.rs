//! One exercise: what it breaks, what it measures, and where the limit is.

use anyhow::Result;

/// An exercise.
#[derive(Clone, Copy)]
pub(super) struct Exercise {
    /// Its name on the command line.
    pub name: &'static str,
    /// In a few words.
    pub what: &'static str,
    /// What it must stay below: seconds, or a ratio where it measures one.
    pub limit: f64,
    /// Runs it.
    pub run: fn() -> Result<Outcome>,
}

/// What an exercise has seen.
pub(super) struct Outcome {
    /// What the limit is about.
    pub measured: f64,
    /// What else, in a line.
    pub seen: String,
}

impl Exercise {
    /// A value of what it measures.
    pub fn shown(&self, value: f64) -> String {
        match self.name {
            "chaos" => format!("x {value:.2}"),
            _ if value < 0.1 => format!("{:.3} ms", value * 1e3),
            _ => format!("{value:.2} s"),
        }
    }
}
