//! Whether the mirror harms v1: mirrored and not mirrored in turn, in blocks of random length and order, compared.
//!
//! Before and after confounds with everything else that changes with time. Here each pair of neighbouring blocks has one
//! with the mirror and one without, and a coin decides which comes first: if the mirror does nothing to v1, each of the two
//! is the worse one as often, whatever else happens, so that the worse one votes as in the judge of v2. Requests are no
//! votes: one stall is in many of them. (Bojinov, Simchi-Levi and Zhao, "Design and Analysis of Switchback Experiments",
//! Management Science 2023; the randomisation test is Fisher's.)

mod arm;

use std::time::Duration;

use mirror_common::share::murmur3_32;
use serde::{Deserialize, Serialize};

pub use arm::Arm;

use super::{Breach, Count, Reason};
use crate::judge::statistics::log_evidence;
use crate::time::Nanos;

/// The shortest block and the longest one.
const BLOCK: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];
/// What is left out at the begin of a block: requests of the block before are still on their way.
const SETTLING: Duration = Duration::from_millis(500);
/// How often a mirror that does no harm may be stopped.
const ALPHA: f64 = 0.01;
/// What is compared.
const METRICS: [&str; 3] = ["errors", "median", "p99"];

/// The on and off of one service, and what came of it.
#[derive(Debug)]
pub struct Switchback {
    /// How long every block is one of a pair; after that one pair in twenty.
    intensive: Duration,
    started: Nanos,
    chance: Chance,
    block: Block,
    /// The next block of this pair, if there is one to come.
    second: Option<bool>,
    /// The block of this pair that is over.
    first: Option<(bool, Arm)>,
    /// What was counted when the block had settled.
    settled: Option<Arm>,
    /// Blocks in which v1 did worse while it was mirrored, and better, by metric.
    votes: [(u64, u64); METRICS.len()],
    evidence: f64,
    on: Count,
    off: Count,
}

/// A time in which the mirror is on, or off.
#[derive(Clone, Copy, Debug)]
struct Block {
    is_on: bool,
    begun: Nanos,
    ends: Nanos,
    /// Whether it is one of a pair, and not only the time between.
    is_paired: bool,
}

/// What the switchback says, as the status and the log show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether the mirror was shown to harm v1.
    pub is_harmful: bool,
    /// Pairs of blocks that are over.
    pub pairs: u64,
    /// By metric (`errors`, `median`, `p99`): blocks in which v1 did worse with the mirror, and better.
    pub votes: Vec<(String, u64, u64)>,
    /// How many times likelier that is if the mirror does harm. The highest of all metrics and so far.
    pub evidence: f64,
    /// Where that is enough.
    pub needed: f64,
    /// v1's bad events with the mirror, and without.
    pub on: Count,
    /// The same without.
    pub off: Count,
}

impl Switchback {
    /// Begins with the mirror as it is: on. Blocks follow each other for `intensive`, and are few after that.
    pub fn new(intensive: Duration, now: Nanos, seed: u32) -> Switchback {
        Switchback {
            intensive,
            started: now,
            chance: Chance { seed, throws: 0 },
            block: Block { is_on: true, begun: now, ends: now, is_paired: false },
            second: None,
            first: None,
            settled: None,
            votes: [(0, 0); METRICS.len()],
            evidence: 0.0,
            on: Count::default(),
            off: Count::default(),
        }
    }

    /// Takes what v1 did since the start; answers whether the mirror is to be on from now on.
    pub fn look(&mut self, now: Nanos, v1: &Arm) -> bool {
        if self.settled.is_none() && now.since(self.block.begun) >= SETTLING {
            self.settled = Some(v1.clone());
        }
        if now >= self.block.ends {
            self.end_block(v1);
            self.block = self.next_block(now);
            self.settled = None;
        }
        self.block.is_on
    }

    /// Whether the mirror is to be on.
    pub fn is_on(&self) -> bool {
        self.block.is_on
    }

    /// The mirror was stopped or held by something else: what was measured of this pair is worth nothing.
    pub fn interrupt(&mut self, now: Nanos) {
        self.block = Block { is_on: true, begun: now, ends: now + BLOCK[0], is_paired: false };
        (self.first, self.second, self.settled) = (None, None, None);
    }

    /// What came of it so far.
    pub fn finding(&self) -> Finding {
        let needed = METRICS.len() as f64 / ALPHA;
        let votes =
            METRICS.iter().zip(self.votes).map(|(name, (worse, better))| ((*name).to_owned(), worse, better));
        Finding {
            is_harmful: self.evidence >= needed.ln(),
            pairs: self.votes[1].0 + self.votes[1].1,
            votes: votes.collect(),
            evidence: self.evidence.exp(),
            needed,
            on: self.on,
            off: self.off,
        }
    }

    /// Whether the mirror was shown to harm v1.
    pub fn breach(&self) -> Option<Breach> {
        let finding = self.finding();
        let (name, worse, better) =
            finding.votes.iter().max_by_key(|(_, worse, better)| worse.saturating_sub(*better))?;
        let why = format!(
            "{name}: v1 did worse with the mirror than without in {worse} of {} pairs of blocks (evidence {:.0} of {:.0})",
            worse + better,
            finding.evidence,
            finding.needed,
        );
        finding.is_harmful.then(|| Breach::new(Reason::V1Harm, why))
    }

    /// Of `mirrored` events of v1 with the mirror on, the bad ones that the mirror is to blame for: those beyond the rate of the
    /// blocks without it. None until the difference is more than chance; `None` without any block to compare with.
    pub fn excess(&self, mirrored: u64) -> Option<u64> {
        if self.off.total == 0 || self.on.total == 0 {
            return None;
        }
        // Of a bad event somewhere, the probability that it came with the mirror is the mirror's share of all events.
        let share = self.on.total as f64 / (self.on.total + self.off.total) as f64;
        if log_evidence(self.on.bad, self.off.bad, share) < -ALPHA.ln() {
            return Some(0);
        }
        Some(((self.on.ratio() - self.off.ratio()) * mirrored as f64).max(0.0) as u64)
    }

    fn end_block(&mut self, v1: &Arm) {
        let Some(settled) = self.settled.take().filter(|_| self.block.is_paired) else { return };
        let (is_on, arm) = (self.block.is_on, v1.since(&settled));
        let sum = if is_on { &mut self.on } else { &mut self.off };
        *sum = sum.plus(arm.events);
        match self.first.take() {
            None => self.first = Some((is_on, arm)),
            Some((_, first)) if is_on => self.vote(&arm, &first),
            Some((_, first)) => self.vote(&first, &arm),
        }
    }

    /// One vote for each metric that tells the two apart.
    fn vote(&mut self, on: &Arm, off: &Arm) {
        for (votes, order) in self.votes.iter_mut().zip(on.against(off)) {
            match order {
                Some(std::cmp::Ordering::Greater) => votes.0 += 1,
                Some(std::cmp::Ordering::Less) => votes.1 += 1,
                _ => {}
            }
        }
        let evidence = self.votes.iter().map(|(worse, better)| log_evidence(*worse, *better, 0.5));
        self.evidence = evidence.fold(self.evidence, f64::max);
    }

    fn next_block(&mut self, now: Nanos) -> Block {
        let length = self.block.ends.since(self.block.begun);
        if let Some(is_on) = self.second.take() {
            // As long as the first one, or the longer one would have the higher p99 more often.
            return Block { is_on, begun: now, ends: now + length, is_paired: true };
        }
        let length = BLOCK[0] + (BLOCK[1] - BLOCK[0]).mul_f64(self.chance.share());
        if now.since(self.started) >= self.intensive && self.block.is_paired {
            // Off in a twentieth of the time, which is one pair in ten.
            return Block { is_on: true, begun: now, ends: now + length * 18, is_paired: false };
        }
        let is_on = self.chance.share() < 0.5;
        self.second = Some(!is_on);
        Block { is_on, begun: now, ends: now + length, is_paired: true }
    }
}

/// A coin that falls the same way for the same seed: the hash of the shares, of how often it was thrown.
#[derive(Debug)]
struct Chance {
    seed: u32,
    throws: u64,
}

impl Chance {
    /// Evenly in 0 to 1, below 1.
    fn share(&mut self) -> f64 {
        self.throws += 1;
        f64::from(murmur3_32(&self.throws.to_le_bytes(), self.seed)) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests;
