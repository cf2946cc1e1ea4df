//! The method: which faults, for whom, and for how long.

use std::time::Duration;

use crate::chaos::fault::{Fault, Kind};
use crate::config::{Errors, Place, Said, Section, Share, values};

/// The longest that all faults of an experiment may take together.
const LONGEST: Duration = Duration::from_secs(3600);
/// The shortest fault: the totals are looked at once a second.
const SHORTEST: Duration = Duration::from_secs(1);

/// The steps that were read.
#[derive(Debug, Default)]
pub struct Steps {
    steps: Vec<(Place, Option<Fault>, Option<Share>)>,
}

impl Steps {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Blames every step that has a larger share than the blast radius.
    pub fn check_share(&self, radius: Share, errors: &mut Errors) {
        for (at, _, share) in &self.steps {
            if let Some(share) = share.filter(|share| *share > radius) {
                errors.add(at, format!("share {share} is more than the blast radius of {radius}"));
            }
        }
    }

    /// Blames steps that take too long together.
    pub fn check_length(&self, errors: &mut Errors) {
        let faults = || self.steps.iter().filter_map(|(_, fault, _)| fault.as_ref());
        if let Some((at, ..)) = self.steps.first()
            && faults().map(|fault| fault.duration).sum::<Duration>() > LONGEST
        {
            errors.add(at, "the faults take more than an hour together");
        }
    }

    /// The faults, if every step is one.
    pub fn complete(self) -> Option<Vec<Fault>> {
        self.steps.into_iter().map(|(_, fault, _)| fault).collect()
    }
}

/// Reads the steps.
pub fn read(steps: Vec<Section<'_>>, errors: &mut Errors) -> Steps {
    Steps { steps: steps.into_iter().map(|keys| step(keys, errors)).collect() }
}

fn step(mut keys: Section<'_>, errors: &mut Errors) -> (Place, Option<Fault>, Option<Share>) {
    let said = Parts {
        name: keys.value("fault", name),
        latency: keys.value("latency", values::duration),
        jitter: keys.value("jitter", values::duration),
        rate: keys.value("bytes_per_second", values::bytes),
        share: keys.value("share", values::part),
        duration: keys.value("duration", duration),
    };
    keys.finish();
    said.blame_missing(&keys, errors);
    said.blame_foreign(errors);
    let share = said.share.as_ref().map(|said| said.value);
    (keys.at, said.complete(), share)
}

/// What one step says.
struct Parts {
    name: Option<Said<&'static str>>,
    latency: Option<Said<Duration>>,
    jitter: Option<Said<Duration>>,
    rate: Option<Said<u64>>,
    share: Option<Said<Share>>,
    duration: Option<Said<Duration>>,
}

impl Parts {
    fn blame_missing(&self, keys: &Section<'_>, errors: &mut Errors) {
        let mut missing = |key, is_there: bool, what: &str| {
            if !is_there && !keys.refused.contains(&key) {
                errors.add(&keys.at, what);
            }
        };
        let faults = "names no fault: give it `fault: delay`, abort, reset, blackhole or bandwidth";
        missing("fault", self.name.is_some(), faults);
        let share = "has no share of the connections, for example `share: 5%`";
        missing("share", self.share.is_some(), share);
        let duration = "has no duration: every fault must end, for example `duration: 30s`";
        missing("duration", self.duration.is_some(), duration);
        if self.is("delay") {
            missing("latency", self.latency.is_some(), "delay has no latency, for example `latency: 200ms`");
        }
        if self.is("bandwidth") {
            let rate = "bandwidth has no bytes_per_second, for example `bytes_per_second: 64KiB`";
            missing("bytes_per_second", self.rate.is_some(), rate);
        }
    }

    /// What belongs to one fault says nothing of another.
    fn blame_foreign(&self, errors: &mut Errors) {
        if let Some(name) = self.name.as_ref().map(|said| said.value) {
            only("delay", name, &self.latency, "latency", errors);
            only("delay", name, &self.jitter, "jitter", errors);
            only("bandwidth", name, &self.rate, "bytes_per_second", errors);
        }
        if let (Some(latency), Some(jitter)) = (&self.latency, &self.jitter)
            && jitter.value > latency.value
        {
            errors.add(&jitter.at, "jitter is more than the latency: nothing goes before its time");
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|said| said.value == name)
    }

    fn complete(self) -> Option<Fault> {
        let jitter = self.jitter.map_or(Duration::ZERO, |said| said.value);
        let kind = match self.name?.value {
            "delay" => Kind::Delay { latency: self.latency?.value, jitter },
            "abort" => Kind::Abort,
            "reset" => Kind::Reset,
            "blackhole" => Kind::Blackhole,
            _ => Kind::Bandwidth { bytes_per_second: self.rate?.value },
        };
        Some(Fault { kind, share: self.share?.value, duration: self.duration?.value })
    }
}

fn only<T>(owner: &str, name: &str, said: &Option<Said<T>>, key: &str, errors: &mut Errors) {
    if let Some(said) = said.as_ref().filter(|_| name != owner) {
        errors.add(&said.at, format!("{key} is of {owner}, not of {name}"));
    }
}

fn name(text: &str) -> Result<&'static str, String> {
    let known = Kind::NAMES.into_iter().find(|name| *name == text);
    known.ok_or_else(|| format!("{text:?} is no fault: there is {}", Kind::NAMES.join(", ")))
}

fn duration(text: &str) -> Result<Duration, String> {
    match values::duration(text)? {
        time if time < SHORTEST => Err(format!("{text} is shorter than a second")),
        time if time > LONGEST => Err(format!("{text} is longer than an hour")),
        time => Ok(time),
    }
}
