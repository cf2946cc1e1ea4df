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
    let name = keys.value("fault", name);
    let latency = keys.value("latency", values::duration);
    let jitter = keys.value("jitter", values::duration);
    let rate = keys.value("bytes_per_second", values::bytes);
    let share = keys.value("share", values::part);
    let duration = keys.value("duration", duration);
    keys.finish();
    let mut missing = |key, is_there: bool, what: &str| {
        if !is_there && !keys.refused.contains(&key) {
            errors.add(&keys.at, what);
        }
    };
    missing(
        "fault",
        name.is_some(),
        "names no fault: give it `fault: delay`, abort, reset, blackhole or bandwidth",
    );
    missing("share", share.is_some(), "has no share of the connections, for example `share: 5%`");
    missing(
        "duration",
        duration.is_some(),
        "has no duration: every fault must end, for example `duration: 30s`",
    );
    match name.as_ref().map(|said| said.value) {
        Some("delay") => {
            missing("latency", latency.is_some(), "delay has no latency, for example `latency: 200ms`")
        }
        Some("bandwidth") => {
            missing(
                "bytes_per_second",
                rate.is_some(),
                "bandwidth has no bytes_per_second, for example 64KiB",
            );
        }
        _ => {}
    }
    if let Some(name) = name.as_ref().map(|said| said.value) {
        only("delay", name, &latency, "latency", errors);
        only("delay", name, &jitter, "jitter", errors);
        only("bandwidth", name, &rate, "bytes_per_second", errors);
    }
    if let (Some(latency), Some(jitter)) = (&latency, &jitter)
        && jitter.value > latency.value
    {
        errors.add(&jitter.at, "jitter is more than the latency: nothing goes before its time");
    }
    let jitter = jitter.map_or(Duration::ZERO, |said| said.value);
    let kind = name.and_then(|name| match name.value {
        "delay" => Some(Kind::Delay { latency: latency?.value, jitter }),
        "abort" => Some(Kind::Abort),
        "reset" => Some(Kind::Reset),
        "blackhole" => Some(Kind::Blackhole),
        _ => Some(Kind::Bandwidth { bytes_per_second: rate?.value }),
    });
    let share = share.map(|said| said.value);
    let fault = kind.zip(share).zip(duration).map(|((kind, share), duration)| Fault {
        kind,
        share,
        duration: duration.value,
    });
    (keys.at, fault, share)
}

/// What belongs to one fault says nothing of another.
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
