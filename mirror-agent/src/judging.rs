//! One service's judge at run time: the lanes tell it of pairs, and whoever wants a verdict asks it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mirror_common::share::murmur3_32;

use crate::compare::Field;
use crate::config::{self, Role};
use crate::guard::Count;
use crate::judge::{Again, Arm, Calibrated, Judge, Leg, Outcome, Pair, Settings, TooLong, Unpaired, Verdict};
use crate::latency::Latency;
use crate::ledger::{Counts, Shed};
use crate::select::in_share;
use crate::time::Nanos;

/// Seed of the coin that says which requests are asked again: another than that of the share, which has chosen already.
const SEED: u32 = 0x6167_6169;

/// Requests that are asked of v1 again besides the share, at most, to calibrate: twice what it takes. Where v1's times are
/// never certain, or it cannot be reached from here, production must not be asked twice for ever.
const EXTRA: u64 = 600;

/// How asking a second time ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Ending {
    /// The version that was asked again answered.
    Answered,
    /// It did not.
    Failed,
    /// A limit kept the request back.
    Shed,
}

impl Ending {
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
    seconds: [AtomicU64; Ending::NAMES.len()],
    /// Those that were asked for calibration alone.
    extra: AtomicU64,
    /// Requests that v2 was asked and connected for, and those that only v2 failed.
    asked: AtomicU64,
    failed: AtomicU64,
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
            extra: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            failed: AtomicU64::new(0),
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
        let asks = is_safe && self.again != Again::Off && (chosen() || self.calibrates());
        asks.then_some(self.again)
    }

    /// Whether one more is wanted for calibration.
    fn calibrates(&self) -> bool {
        self.asks_v1()
            && self.extra.load(Ordering::Relaxed) < EXTRA
            && lock(&self.judge).wants_calibration()
            && self.extra.fetch_add(1, Ordering::Relaxed) < EXTRA
    }

    /// Whether v1 is the one that is asked again.
    pub fn asks_v1(&self) -> bool {
        self.again == Again::V1
    }

    /// Counts how asking again ended.
    pub fn note_second(&self, how: Ending) {
        self.seconds[how as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How asking again ended so far, by [`Ending`].
    pub fn seconds(&self) -> [u64; Ending::NAMES.len()] {
        [0, 1, 2].map(|how: usize| self.seconds[how].load(Ordering::Relaxed))
    }

    /// Requests that v2 was asked; bad are those that v2 failed and v1 did not.
    pub fn failures(&self) -> Count {
        let bad = self.failed.load(Ordering::Relaxed);
        Count { total: self.asked.load(Ordering::Relaxed), bad }
    }

    /// Takes a pair that was whole at `at`.
    pub fn pair(&self, at: Instant, pair: &Pair<'_>) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(pair.v2.is_error && !pair.v1.is_error), Ordering::Relaxed);
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

    /// Notes from the ledger what could not be compared, though the config asked for it. What `kill` kept back was not lost.
    pub fn note_losses(&self, at: Instant, counts: &Counts) {
        let lost = counts.shed.iter().chain(&counts.unmirrorable).sum::<u64>();
        let lost = lost - counts.shed[Shed::Stopped as usize];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Draft, Service};

    fn service(more: &str) -> Service {
        let text = format!(
            "interfaces: [eth0]\nservices:\n  - {{name: a, v1: 10.0.0.4:80, v2: 10.0.0.5:80, share: 5%, {more}}}\n"
        );
        let config = config::Config::build(Draft::default(), Some(("c.yaml", &text)));
        config.unwrap_or_else(|errors| panic!("{errors}")).services.remove(0)
    }

    fn judging(more: &str) -> Judging {
        Judging::new(&service(more), Instant::now())
    }

    /// How many of so many requests are asked again.
    fn asked(judging: &Judging, method: &str, requests: u64) -> usize {
        (0..requests).filter(|began| judging.asks_again(method, Nanos(began * 1_000_003)).is_some()).count()
    }

    #[test]
    fn a_share_of_what_is_safe_is_asked_again_of_whom_the_config_says() {
        let by_default = judging("limits: {}");
        assert!((400..600).contains(&asked(&by_default, "GET", 10_000)));
        for unsafe_method in ["POST", "PUT", "DELETE", "PATCH", "get"] {
            assert_eq!(asked(&by_default, unsafe_method, 1000), 0);
        }
        assert!(!by_default.asks_v1());
        assert_eq!(judging("second_answers: {share: 100%}").asks_again("HEAD", Nanos(7)), Some(Again::V2));
        assert_eq!(asked(&judging("second_answers: {from: off, share: 100%}"), "GET", 1000), 0);
    }

    /// v1 answers us, but never in a way that its times are certain.
    #[test]
    fn production_is_not_asked_twice_for_ever() {
        let judging = judging("second_answers: {from: v1, share: 1ppm}");
        assert_eq!(asked(&judging, "GET", 10_000), EXTRA as usize);
        assert_eq!(asked(&judging, "GET", 10_000), 0);
    }

    #[test]
    fn calibration_ends_when_enough_is_known() {
        let judging = judging("second_answers: {from: v1, share: 1ppm}");
        let leg = Leg { is_error: false, ttfb: Some(Duration::from_millis(1)) };
        let second = Some(crate::judge::Second { ttfb: leg.ttfb, differs: &[] });
        let mut asked = 0;
        while judging.asks_again("GET", Nanos(1)).is_some() {
            judging.pair(Instant::now(), &Pair { v1: leg, v2: leg, differs: &[], second });
            asked += 1;
        }
        assert_eq!(asked, 300);
        assert_eq!((judging.deltas().slower.count(), judging.deltas().faster.count()), (300, 0));
    }

    #[test]
    fn a_canary_gets_no_second_requests() {
        let mut canary = service("limits: {}");
        canary.v2_role = Role::Observed;
        assert_eq!(asked(&Judging::new(&canary, Instant::now()), "GET", 1000), 0);
    }

    /// Of 1000 that should have been compared, 100 were lost and 50 kept back by `kill`: 100 of 950 is over a tenth.
    #[test]
    fn what_a_limit_or_a_gap_took_is_lost_and_what_kill_kept_back_is_not() {
        let judging = judging("limits: {}");
        let now = Instant::now();
        let mut counts = Counts { compared: 850, v1_unanswered: 77, ..Counts::default() };
        counts.shed[Shed::Rate as usize] = 60;
        counts.shed[Shed::Stopped as usize] = 50;
        counts.unmirrorable[0] = 40;
        counts.unselected[0] = 1000;
        judging.note_losses(now, &counts);
        judging.note_losses(now, &counts); // nothing is counted twice
        let later = now + Duration::from_secs(2);
        assert_eq!(judging.verdict("a", later, None).unwrap().lost_ratio, 100.0 / 950.0);
    }

    #[test]
    fn only_what_has_changed_is_news() {
        let judging = judging("limits: {}");
        let failed = Leg { is_error: true, ttfb: None };
        let well = Leg { is_error: false, ttfb: None };
        let mut at = Instant::now();
        let mut told = Vec::new();
        for _ in 0..30 {
            judging.pair(at, &Pair { v1: well, v2: failed, differs: &[], second: None });
            at += Duration::from_secs(1);
            told.extend(judging.news(&judging.verdict("a", at, None).unwrap()).verdict);
        }
        assert_eq!(told, [Outcome::Fail]);
    }
}
