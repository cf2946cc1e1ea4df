//! What our programs cost: their run times, measured by the kernel for a second of every minute, because to measure always
//! would itself cost tens of nanoseconds a packet, of every program on the host.

use std::collections::BTreeMap;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use libbpf_sys::{bpf_obj_get_info_by_fd, bpf_prog_info};

use super::lock;
use super::stats::Switch;
use crate::status;

/// From one sample to the next.
const EVERY: Duration = Duration::from_secs(60);
/// How long a sample takes.
const SAMPLE: Duration = Duration::from_secs(1);

/// Measures a few programs now and then.
pub struct Sampler {
    switch: Option<Switch>,
    programs: Vec<(&'static str, OwnedFd)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Sample>,
    /// When the last sample began.
    last: Option<Instant>,
    /// The samples that have ended, added up; `None` before the first.
    sum: Option<status::Programs>,
    /// Why there will be none.
    refused: Option<String>,
}

/// A sample that has begun. While it lives, the kernel measures.
struct Sample {
    since: Instant,
    before: Vec<Figures>,
    _on: OwnedFd,
}

/// What the kernel has measured of a program so far.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    run: Duration,
    runs: u64,
}

impl Sampler {
    /// For these programs, each with its name. Without a switch nothing is measured.
    pub fn new(switch: Option<Switch>, programs: Vec<(&'static str, OwnedFd)>) -> Self {
        let refused = switch.is_none().then(|| "nothing can switch that on".to_owned());
        Sampler { switch, programs, state: Mutex::new(State { refused, ..State::default() }) }
    }

    /// Begins or ends a sample if it is time to; call it about once a second.
    pub fn tick(&self) {
        let mut state = lock(&self.state);
        if state.open.as_ref().is_some_and(|sample| sample.since.elapsed() >= SAMPLE * 9 / 10) {
            self.end(&mut state);
        } else if state.open.is_none() && state.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.begin(&mut state);
        }
    }

    /// Takes a sample now; returns when it has ended, after about a second.
    ///
    /// # Errors
    ///
    /// Why the kernel does not measure.
    pub fn sample(&self) -> Result<()> {
        let mut state = lock(&self.state);
        if state.open.is_none() {
            self.begin(&mut state);
        }
        if let Some(reason) = &state.refused {
            bail!("the run times of the kernel programs are not known: {reason}");
        }
        let began = state.last;
        drop(state);
        thread::sleep(SAMPLE);
        let mut state = lock(&self.state);
        if state.last == began {
            self.end(&mut state);
        }
        Ok(())
    }

    /// The samples so far, added up; `None` before the first one has ended.
    pub fn sum(&self) -> Option<status::Programs> {
        lock(&self.state).sum.clone()
    }

    fn begin(&self, state: &mut State) {
        let Some(switch) = self.switch.as_ref().filter(|_| state.refused.is_none()) else { return };
        state.last = Some(Instant::now());
        match switch.on().and_then(|on| Ok((on, self.figures()?))) {
            Ok((on, before)) => state.open = Some(Sample { since: Instant::now(), before, _on: on }),
            Err(error) => {
                let reason = format!("{error:#}");
                tracing::info!("the run times of the kernel programs are not measured: {reason}");
                state.refused = Some(reason);
            }
        }
    }

    fn end(&self, state: &mut State) {
        let Some(sample) = state.open.take() else { return };
        let (Ok(after), took) = (self.figures(), sample.since.elapsed()) else { return };
        let sum = state.sum.get_or_insert_default();
        sum.sampled_s += took.as_secs_f64();
        for (((name, _), before), after) in self.programs.iter().zip(sample.before).zip(after) {
            let program = sum.by_name.entry((*name).into()).or_default();
            program.run_s += after.run.saturating_sub(before.run).as_secs_f64();
            program.runs += after.runs.saturating_sub(before.runs);
        }
    }

    fn figures(&self) -> io::Result<Vec<Figures>> {
        self.programs.iter().map(|(_, program)| figures(program)).collect()
    }
}

impl status::Programs {
    /// The average run of one program, in seconds.
    pub fn average(program: &status::Program) -> Option<f64> {
        (program.runs > 0).then(|| program.run_s / program.runs as f64)
    }
}

fn figures(program: &OwnedFd) -> io::Result<Figures> {
    let mut info = bpf_prog_info::default();
    let mut length = size_of::<bpf_prog_info>() as u32;
    // SAFETY: a live program, and room of the length given.
    let got = unsafe { bpf_obj_get_info_by_fd(program.as_raw_fd(), (&raw mut info).cast(), &raw mut length) };
    if got != 0 {
        return Err(io::Error::from_raw_os_error(-got));
    }
    Ok(Figures { run: Duration::from_nanos(info.run_time_ns), runs: info.run_cnt })
}

/// Fill levels by name, for the status.
pub fn levels<const N: usize>(levels: [(&str, u64, u32); N]) -> BTreeMap<String, status::Level> {
    let level = |(name, entries, max): (&str, u64, u32)| {
        (name.to_owned(), status::Level { entries, max: max.into() })
    };
    levels.map(level).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_switch_there_are_no_figures_rather_than_zeros() {
        let sampler = Sampler::new(None, Vec::new());
        sampler.tick();
        assert_eq!(sampler.sum(), None);
        assert!(sampler.sample().is_err());
    }
}
