//! Two versions that exist as numbers only, and time that is moved: what the judge says of them is known beforehand.
//!
//! ```text
//! scenario ─► traffic ─► request ─► leg: how long ─► pair ─► judge ─► outlook: what it says, second by second
//!                           └── chance: by seed
//! ```
//!
//! Nothing here waits, and nothing here knows how the judge decides. Times are seconds.

pub mod cases;
mod chance;
mod leg;
mod pair;
mod request;
pub mod scenario;
pub mod table;
mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use mirror_agent::judge::{Again, Judge, Settings, Verdict};
use mirror_agent::time::Nanos;

pub use chance::Chance;
pub use traffic::{Slow, Traffic, Varies, Version, WhenAsked};

pub(crate) use leg::Leg;
use pair::Asked;
pub(crate) use request::{SPREAD, WORK};

/// One run: traffic, two versions and the judge.
#[derive(Debug)]
pub struct Simulation {
    chance: Chance,
    traffic: Traffic,
    asks_again: bool,
    judge: Judge,
    v1: Leg,
    v2: Leg,
    now: f64,
    /// When the next request comes; infinite while none does.
    next: f64,
    /// Requests whose answers are not all whole, by when they will be.
    asked: BTreeMap<(Nanos, u64), Asked>,
    requests: u64,
}

impl Simulation {
    /// A run that differs from others by its seed only.
    pub fn new(settings: Settings, traffic: Traffic, seed: u64) -> Simulation {
        let mut chance = Chance::new(seed);
        let next = chance.wait(traffic.rate);
        Simulation {
            asks_again: settings.again == Again::V1,
            judge: Judge::new(settings, Nanos(0)),
            v1: Leg::default(),
            v2: Leg::default(),
            now: 0.0,
            next,
            asked: BTreeMap::new(),
            requests: 0,
            chance,
            traffic,
        }
    }

    /// From now on the traffic is this.
    pub fn change(&mut self, traffic: Traffic) {
        self.next = self.now + self.chance.wait(traffic.rate);
        self.traffic = traffic;
    }

    /// Moves time.
    pub fn run_until(&mut self, end: Duration) {
        let end = end.as_secs_f64();
        while self.next <= end {
            self.now = self.next;
            self.deliver();
            self.request();
            self.next = self.now + self.chance.wait(self.traffic.rate);
        }
        self.now = end;
        self.deliver();
        self.judge.tick(nanos(end));
    }

    /// What the judge says now, of everything since the start.
    pub fn verdict(&mut self) -> Verdict {
        let now = nanos(self.now);
        match self.judge.verdict("simulated", now, None) {
            Ok(verdict) => verdict,
            Err(too_long) => unreachable!("no window was asked for: {too_long}"),
        }
    }

    fn request(&mut self) {
        let is_lost = self.chance.happens(self.traffic.lost);
        self.judge.losses(nanos(self.now), 1, u64::from(is_lost));
        if is_lost {
            return;
        }
        let is_asked_again = self.asks_again
            && (self.judge.wants_calibration() || self.chance.happens(self.traffic.asked_again));
        let mut legs = request::Legs { v1: &mut self.v1, v2: &mut self.v2 };
        let (end, asked) = legs.ask(self.now, &self.traffic, is_asked_again, &mut self.chance);
        self.requests += 1;
        self.asked.insert((nanos(end), self.requests), asked);
    }

    /// Tells the judge of what has ended.
    fn deliver(&mut self) {
        while let Some(first) = self.asked.first_entry()
            && first.key().0 <= nanos(self.now)
        {
            let ((end, _), asked) = first.remove_entry();
            asked.tell(&mut self.judge, end);
        }
    }
}

fn nanos(seconds: f64) -> Nanos {
    Nanos((seconds * 1e9) as u64)
}
