//! One service's judge at run time: the lanes tell it of pairs, and whoever wants a verdict asks it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mirror_common::share::murmur3_32;

use crate::compare::Field;
use crate::config::{self, Role};
use crate::judge::{Again, Arm, Calibrated, Judge, Leg, Outcome, Pair, Settings, TooLong, Unpaired, Verdict};
use crate::latency::Latency;
use crate::ledger::Counts;
use crate::select::in_share;
use crate::time::Nanos;

/// Seed of the coin that says which requests are asked again: another than that of the share, which has chosen already.
const SEED: u32 = 0x6167_6169;

/// How requests that were to be asked again ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Second {
    /// The version that was asked again answered.
    Answered,
    /// It did not.
    Failed,
    /// A limit kept the request back.
    Shed,
}

impl Second {
    /// The names, by value.
    pub const NAMES: [&'static str; 3] = ["answered", "failed", "shed"];
}

/// How much v2's times differ from v1's, request by request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deltas {
    /// By how much v2 was slower, where it was.
    pub slower: Latency,
    /// By how much it was faster, where it was not.
    pub faster: Latency,
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct News {
    /// Another word than before.
    pub verdict: Option<Outcome>,
    /// The bias of our own way has become known.
    pub calibrated: Option<Calibrated>,
}

/// A judge, and who asks again for it.
#[derive(Debug)]
pub struct Judging {
    judge: Mutex<Judge>,
    /// Judges instead where v2 carries users' traffic.
    unpaired: Option<Mutex<Unpaired>>,
    /// The start of the judge's clock.
    started: Instant,
    again: Again,
    share_ppm: u32,
    seconds: [AtomicU64; Second::NAMES.len()],
    deltas: Mutex<Deltas>,
    told: Mutex<News>,
    /// Requests that should have been compared, and those that were not, as of the last look at the ledger.
    noted: Mutex<(u64, u64)>,
}

impl Judging {
    /// A judge that begins at `started`.
    pub fn new(config: &config::Service, started: Instant) -> Judging {
        let settings = Settings::from(&config.judge);
        let split = config.split.map(|split| f64::from(split.ppm()) * 1e-6);
        let unpaired = || Mutex::new(Unpaired::new(settings.clone(), split, Nanos(0)));
        Judging {
            again: if config.v2_role == Role::Shadow { settings.again } else { Again::Off },
            unpaired: (config.v2_role == Role::Observed).then(unpaired),
            judge: Mutex::new(Judge::new(settings, Nanos(0))),
            started,
            share_ppm: config.judge.again_share.ppm(),
            seconds: Default::default(),
            deltas: Mutex::default(),
            told: Mutex::new(News { verdict: Some(Outcome::Inconclusive), calibrated: None }),
            noted: Mutex::default(),
        }
    }

    /// Whether the request that began at `began` is asked again, and which version is asked. Only what is safe is (RFC
    /// 9110, section 9.2.1): one answer more must change nothing.
    pub fn asks_again(&self, method: &str, began: Nanos) -> Option<Again> {
        let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS");
        let chosen = || in_share(murmur3_32(&began.0.to_le_bytes(), SEED), self.share_ppm);
        let asks = is_safe && self.again != Again::Off && (chosen() || lock(&self.judge).wants_calibration());
        asks.then_some(self.again)
    }

    /// Whether v1 is the one that is asked again.
    pub fn asks_v1(&self) -> bool {
        self.again == Again::V1
    }

    /// Counts how asking again ended.
    pub fn note_second(&self, how: Second) {
        self.seconds[how as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How asking again ended so far, by [`Second`].
    pub fn seconds(&self) -> [u64; Second::NAMES.len()] {
        [0, 1, 2].map(|how: usize| self.seconds[how].load(Ordering::Relaxed))
    }

    /// Takes a pair that was whole at `at`.
    pub fn pair(&self, at: Instant, pair: &Pair<'_>) {
        if let (Some(v1), Some(v2)) = (pair.v1.ttfb, pair.v2.ttfb) {
            let mut deltas = lock(&self.deltas);
            match v2.checked_sub(v1) {
                Some(slower) => deltas.slower.record(slower),
                None => deltas.faster.record(v1.saturating_sub(v2)),
            }
        }
        lock(&self.judge).pair(self.now(at), pair);
    }

    /// Takes a request for which v2 accepted no connection.
    pub fn unreached(&self, at: Instant, v1: Leg) {
        lock(&self.judge).unreached(self.now(at), v1);
    }

    /// Those of `fields` that are noise, as things stand.
    pub fn noise(&self, fields: &[Field]) -> Vec<Field> {
        if fields.is_empty() {
            return Vec::new();
        }
        let judge = lock(&self.judge);
        fields.iter().filter(|field| judge.is_noise(field)).cloned().collect()
    }

    /// Takes what both versions did since the start, where v2 carries users' traffic.
    pub fn look(&self, at: Instant, arms: impl FnOnce() -> [Arm; 2]) {
        if let Some(unpaired) = &self.unpaired {
            lock(unpaired).look(self.now(at), arms());
        }
    }

    /// Notes from the ledger what could not be compared, though the config asked for it.
    pub fn note_losses(&self, at: Instant, counts: &Counts) {
        let lost = counts.shed.iter().chain(&counts.unmirrorable).sum::<u64>();
        let seen = counts.compared + counts.v2_failed.iter().sum::<u64>() + lost;
        let mut noted = lock(&self.noted);
        let (seen_before, lost_before) = std::mem::replace(&mut *noted, (seen, lost));
        let (seen, lost) = (seen.saturating_sub(seen_before), lost.saturating_sub(lost_before));
        lock(&self.judge).losses(self.now(at), seen, lost);
    }

    /// The verdict at `at`: since the start, or of the last `window`.
    ///
    /// # Errors
    ///
    /// When the window is longer than the history.
    pub fn verdict(&self, service: &str, at: Instant, window: Option<Duration>) -> Result<Verdict, TooLong> {
        let now = self.now(at);
        match &self.unpaired {
            Some(unpaired) => lock(unpaired).verdict(service, now, window),
            None => lock(&self.judge).verdict(service, now, window),
        }
    }

    /// What is new in a verdict since the last one that was shown here.
    pub fn news(&self, verdict: &Verdict) -> News {
        let mut told = lock(&self.told);
        let is_news = told.verdict != Some(verdict.verdict);
        let news = News {
            verdict: is_news.then_some(verdict.verdict),
            calibrated: verdict.calibration.filter(|_| told.calibrated.is_none()),
        };
        *told = News { verdict: Some(verdict.verdict), calibrated: told.calibrated.or(verdict.calibration) };
        news
    }

    /// How much v2's times differ from v1's so far.
    pub fn deltas(&self) -> Deltas {
        *lock(&self.deltas)
    }

    fn now(&self, at: Instant) -> Nanos {
        Nanos(0) + at.saturating_duration_since(self.started)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
