//! What the agent would have counted, by the weather and by chance.

use std::time::Duration;

use mirror_agent::guard::Count;
use mirror_agent::guard::process::Usage;
use mirror_agent::guard::service::Observation;
use mirror_agent::guard::switchback::Arm;
use mirror_agent::time::Nanos;
use mirror_common::histogram::{SLOTS, slot};

use super::weather::{Harm, SCRAPE, Weather};
use crate::simulation::{Chance, Leg, SPREAD, WORK, WhenAsked};

/// Packets of a request and its answer.
const PACKETS: u32 = 8;

/// Everything that was counted since the agent began.
#[derive(Debug)]
pub(super) struct Counted {
    pub seen: Observation,
    pub arm: Arm,
    pub usage: Usage,
    /// The seconds in which a request reached v2, oldest first.
    seconds: Vec<u64>,
    timing: Timing,
    leg: Leg,
    chance: Chance,
    /// When the next request comes, in seconds; infinite while none does.
    next: f64,
}

/// What v1's answers are timed for; it is most of the work of a long file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Within which time an answer is good.
    pub bound: Option<Duration>,
    /// Whether times with the mirror and without are compared.
    pub is_compared: bool,
}

/// What is mirrored at a moment, 0 to 1.
pub(super) type Mirrored = f64;

impl Counted {
    pub(super) fn new(timing: Timing, seed: u64) -> Counted {
        Counted {
            seen: Observation::default(),
            arm: Arm { events: Count::default(), ttfb: vec![0; SLOTS] },
            usage: Usage::default(),
            seconds: Vec::new(),
            timing,
            leg: Leg::default(),
            chance: Chance::new(seed),
            next: 0.0,
        }
    }

    /// The agent begins again; traffic does not.
    pub(super) fn restart(&mut self) {
        (self.seen, self.usage) = (Observation::default(), Usage::default());
        self.arm = Arm { events: Count::default(), ttfb: vec![0; SLOTS] };
        self.seconds.clear();
    }

    /// From `now` on requests come as often as `weather` says.
    pub(super) fn change(&mut self, now: Nanos, weather: &Weather) {
        self.next = seconds(now) + self.chance.wait(weather.rate);
    }

    /// What happens from one look to the next.
    pub(super) fn advance(&mut self, [from, to]: [Nanos; 2], weather: &Weather, mirrored: Mirrored) {
        while self.next <= seconds(to) {
            self.request(weather, mirrored);
            self.next += self.chance.wait(weather.rate);
        }
        self.usage.cpu += to.since(from).mul_f64(weather.cpu);
        self.usage.memory = weather.memory;
        if weather.is_scraped && self.usage.scraped.is_none_or(|last| to.since(last) >= SCRAPE) {
            self.usage.scraped = Some(to);
        }
        self.seen.v1 = self.arm.events;
    }

    /// Seconds with requests of v2 in the last `lasted`.
    pub(super) fn blocks(&self, now: Nanos, lasted: Duration) -> u64 {
        let first = now.since(Nanos(0)).saturating_sub(lasted).as_secs();
        (self.seconds.len() - self.seconds.partition_point(|second| *second < first)) as u64
    }

    /// An answer counts when it is asked for: no time that matters here is as short as one takes.
    fn request(&mut self, weather: &Weather, mirrored: Mirrored) {
        let harm = if mirrored > 0.0 { weather.harm } else { Harm::default() };
        let fails = self.chance.happens(weather.v1.errors) || self.chance.happens(harm.errors);
        let is_late = self.is_late(weather, harm, fails);
        self.arm.events = self.arm.events.plus(one(fails || is_late));
        if self.chance.happens(mirrored) {
            self.clone_it(weather, fails);
        }
    }

    /// Times an answer; one of an error counts nowhere.
    fn is_late(&mut self, weather: &Weather, harm: Harm, is_error: bool) -> bool {
        if is_error || (self.timing.bound.is_none() && !self.timing.is_compared) {
            return false;
        }
        let work = WORK * self.chance.factor(SPREAD) * (1.0 + harm.slower);
        let end = self.leg.answer(self.next, work, &weather.v1, &mut self.chance);
        let took = Duration::from_secs_f64(end - self.next);
        if let Some(count) = self.arm.ttfb.get_mut(slot(nanos(took)) as usize) {
            *count += 1;
        }
        self.timing.bound.is_some_and(|bound| took > bound)
    }

    fn clone_it(&mut self, weather: &Weather, v1_fails: bool) {
        let lost = (0..PACKETS).filter(|_| self.chance.happens(weather.lost)).count() as u64;
        let clones = Count { total: u64::from(PACKETS), bad: lost };
        self.seen.clones = self.seen.clones.plus(clones);
        // A request of which anything is missing is asked of nobody.
        if lost == 0 {
            self.ask(weather, v1_fails);
        }
    }

    fn ask(&mut self, weather: &Weather, v1_fails: bool) {
        let is_refused = weather.v2.when_asked == WhenAsked::Refuses;
        self.seen.attempts = self.seen.attempts.plus(one(is_refused));
        if is_refused {
            return; // no answer is no wrong answer
        }
        let fails = weather.v2.when_asked == WhenAsked::IsSilent || self.chance.happens(weather.v2.errors);
        self.seen.v2 = self.seen.v2.plus(one(fails && !v1_fails));
        let second = self.next as u64;
        if self.seconds.last() != Some(&second) {
            self.seconds.push(second);
        }
    }
}

fn one(is_bad: bool) -> Count {
    Count { total: 1, bad: u64::from(is_bad) }
}

fn seconds(time: Nanos) -> f64 {
    time.since(Nanos(0)).as_secs_f64()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
