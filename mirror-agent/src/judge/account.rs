//! Blocks added up: votes, and what they are evidence of.

use super::block::{Block, Count, FieldCount, Metric};
use super::fields::may_be_noise;
use super::statistics::{Bound, Watch, log_evidence};
use super::{FieldFinding, Settings, Votes};
use crate::compare::Field;

/// Seconds in which a field must have differed from itself to be called noise: once may be a deployment, twice a retry.
const NOISY: u64 = 3;
/// Harm that is not held against v2, as a part of the margin.
const NEGLIGIBLE: f64 = 0.25;
/// How far above what our own way does to the tail v2 must be.
const SAFETY: f64 = 1.5;
/// How many blocks the harm of late goes back: no longer than harm takes to be shown, or a good past would hide it.
const MEMORY: f64 = 60.0;
/// Families of hypotheses: errors, latency, tail, differences. Each gets its part of alpha (Bonferroni).
pub(super) const FAMILIES: f64 = 4.0;

/// Everything that a span of time has shown.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) blocks: u64,
    pub(super) pairs: u64,
    pub(super) unreached: u64,
    /// Harm that is not held against v2, as a share of requests.
    negligible: f64,
    /// The last block in which a pair ended.
    pub(super) last: Option<u64>,
    /// By [`Metric`].
    pub(super) tallies: [Tally; Metric::COUNT],
    /// By the number of a field.
    fields: Vec<FieldTally>,
    pub(super) seen: u64,
    pub(super) lost: u64,
}

/// One metric.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) votes: Votes,
    /// Evidence that v2 is worse, now or from some time on: a good past must not hide a bad present.
    watch: Watch,
    /// Logarithm of the evidence that v2 is worse, of all votes alike, now.
    pub(super) lean: f64,
    /// By how much larger a share of requests v2 did worse in than v1 did, of late.
    pub(super) harm: Harm,
    /// Logarithm of the highest evidence of `watch` while the harm was worth it: looked at whenever one likes, it is over
    /// `1/alpha` by chance with probability alpha at most.
    pub(super) worst: f64,
    /// Logarithm of the evidence that it is worse in less than half of the votes, now.
    pub(super) fewer: f64,
    /// Evidence that the share of requests in which v2 is worse is below the margin.
    pub(super) bound: Bound,
}

/// A share of requests that forgets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Harm {
    excess: f64,
    pairs: f64,
}

/// One field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FieldTally {
    pub(super) count: Total,
    worse: u64,
    better: u64,
    watch: Watch,
    /// As [`Tally::worst`].
    pub(super) worst: f64,
    /// Blocks in which the second answer differed from the first.
    noisy: u64,
}

/// A [`FieldCount`] of many blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    pub(super) differing: u64,
    pub(super) only_v2: u64,
    pub(super) only_again: u64,
    pub(super) both: u64,
}

impl Account {
    pub(super) fn new(settings: &Settings) -> Account {
        let tally = Tally {
            votes: Votes::default(),
            watch: Watch::default(),
            lean: 0.0,
            harm: Harm::default(),
            worst: 0.0,
            fewer: 0.0,
            bound: Bound::new(settings.margin),
        };
        Account {
            blocks: 0,
            pairs: 0,
            unreached: 0,
            negligible: settings.margin * NEGLIGIBLE,
            last: None,
            tallies: std::array::from_fn(|_| tally.clone()),
            fields: Vec::new(),
            seen: 0,
            lost: 0,
        }
    }

    pub(super) fn add(&mut self, block: &Block) {
        self.seen += block.seen;
        self.lost += block.lost;
        if block.pairs == 0 {
            return;
        }
        self.blocks += 1;
        self.pairs += block.pairs;
        self.unreached += block.unreached;
        self.last = Some(block.second);
        self.tallies.iter_mut().zip(&block.counts).for_each(|(tally, count)| tally.add(*count));
        for metric in [Metric::Errors, Metric::Latency, Metric::Tail] {
            let least = self.least(metric);
            self.tallies[metric as usize].weigh(least);
        }
        for (id, count) in &block.fields {
            let id = usize::from(*id);
            if self.fields.len() <= id {
                self.fields.resize(id + 1, FieldTally::default());
            }
            self.fields[id].add(*count);
        }
    }

    /// The harm from which on a metric is held against v2. Latency has its margin in its votes; in the tail our own way
    /// may do more than it does to the median.
    fn least(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Latency => f64::NEG_INFINITY,
            Metric::Tail => self.negligible + SAFETY * self.tally(Metric::Way).harm.ratio().max(0.0),
            _ => self.negligible,
        }
    }

    /// Whether v2 does worse in so few more requests that nobody should mind, proven or not.
    pub(super) fn is_negligible(&self, tally: &Tally) -> bool {
        tally.harm.ratio() < self.negligible
    }

    pub(super) fn tally(&self, metric: Metric) -> &Tally {
        &self.tallies[metric as usize]
    }

    pub(super) fn field(&self, id: usize) -> FieldTally {
        self.fields.get(id).copied().unwrap_or_default()
    }

    /// The evidence at which a metric counts as shown.
    pub(super) fn needed(settings: &Settings) -> f64 {
        FAMILIES / settings.alpha
    }

    /// The evidence at which a field counts as shown: the family's part of alpha is shared by all fields that have votes.
    pub(super) fn needed_of_fields(&self, settings: &Settings) -> f64 {
        let tested = self.fields.iter().filter(|field| field.worse + field.better > 0).count();
        Account::needed(settings) * tested.max(1) as f64
    }

    /// What is said of a field.
    pub(super) fn finding(&self, id: usize, field: &Field, settings: &Settings) -> FieldFinding {
        let tally = self.field(id);
        if tally.worst >= self.needed_of_fields(settings).ln() {
            FieldFinding::Differs
        } else if tally.noisy < NOISY {
            FieldFinding::Open
        } else if may_be_noise(field) {
            FieldFinding::Noise
        } else {
            FieldFinding::TooBroad
        }
    }
}

impl Tally {
    fn add(&mut self, count: Count) {
        if count.pairs == 0 {
            return;
        }
        self.votes.pairs += count.pairs;
        self.votes.pairs_worse += count.worse;
        self.votes.pairs_better += count.better;
        self.harm.add(count);
        self.bound.add((count.worse as f64 - count.better as f64) / count.pairs as f64);
        if count.worse == count.better {
            return; // a tie has no vote
        }
        self.votes.worse += u64::from(count.worse > count.better);
        self.votes.better += u64::from(count.better > count.worse);
        self.lean = log_evidence(self.votes.worse, self.votes.better, 0.5);
        self.watch.add(count.worse, count.better);
        self.fewer = log_evidence(self.votes.better, self.votes.worse, 0.5);
    }

    /// Takes the evidence for what it is worth: with so small a harm for nothing.
    fn weigh(&mut self, least: f64) {
        if self.harm.ratio() >= least {
            self.worst = self.worst.max(self.watch.log_evidence());
        }
    }
}

impl Harm {
    fn add(&mut self, count: Count) {
        let kept = 1.0 - 1.0 / MEMORY;
        self.excess = self.excess * kept + count.worse as f64 - count.better as f64;
        self.pairs = self.pairs * kept + count.pairs as f64;
    }

    fn ratio(&self) -> f64 {
        if self.pairs > 0.0 { self.excess / self.pairs } else { 0.0 }
    }
}

impl FieldTally {
    fn add(&mut self, count: FieldCount) {
        let total = &mut self.count;
        total.differing += u64::from(count.differing);
        total.only_v2 += u64::from(count.only_v2);
        total.only_again += u64::from(count.only_again);
        total.both += u64::from(count.both);
        self.noisy += u64::from(count.only_again + count.both > 0);
        if count.only_v2 == count.only_again {
            return;
        }
        self.worse += u64::from(count.only_v2 > count.only_again);
        self.better += u64::from(count.only_again > count.only_v2);
        self.watch.add(u64::from(count.only_v2), u64::from(count.only_again));
        self.worst = self.worst.max(self.watch.log_evidence());
    }
}
