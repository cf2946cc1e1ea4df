//! Evidence that votes fall on "worse" more often and more clearly than not, now or from some time on.

/// The bets: how steeply each grows with a vote's [`lean`], and the most that it puts at stake. One for a shift of a
/// part of a deviation in each second, two for clear ones; the last asks for the direction alone, so that a second of
/// one request counts, and never loses all.
const BETS: [(f64, f64); 4] = [(0.2, 1.0), (0.6, 1.0), (1.2, 1.0), (f64::INFINITY, 0.95)];
/// What is kept back first. It is there when a healthy version turns bad; each bet gets an equal part of the rest.
const KEPT: f64 = 0.3;
/// At the `n`th vote for "worse", `1 / (n + SLOW)` of the stake is spread anew: so often that a change is met with fresh
/// bets, so seldom that all of it costs a power of the number of such votes only. Votes for "better" spread nothing:
/// what is kept back is never put at stake while all is well, and half an hour of health costs as little as a minute.
const SLOW: f64 = 8.0;

/// Evidence that votes fall on "worse", now or from some time on.
///
/// A vote is the requests of one block that only one of two versions did worse in. The stake bets on it at even odds:
/// `1 + tanh(s x)` with `x = (worse - better) / √(worse + better)`, for a few `s`, and `1 ± 0.95`. It is shared by these
/// bets and by what is kept back, and is spread anew little by little (the fixed share of Herbster and Warmuth, Machine
/// Learning 32, 1998, at moments and with a rate that follow from the votes before).
///
/// The null hypothesis is that each block, whatever came before it, leans to "worse" by any amount at most as probably
/// as it leans to "better" by that amount: `P(worse - better >= k) <= P(better - worse >= k)` for all `k > 0`, given
/// `worse + better`. It holds
///
/// - for two versions that are the same: swapping them changes no probability, however the requests of the block depend
///   on each other, so a stall that makes all of them late is one fair coin;
/// - for latency with an allowance, where they are the same but for it: let `b` be the requests in which v2 was slower
///   than v1 by more than what is allowed. Swapped, it is those in which v1 was, and those are among the `n - b` others.
///   So `b` is no more than `n - b` in distribution;
/// - if v2 has reasons of its own to do worse only where v1 has as many more.
///
/// Each bet is odd in `worse - better` and does not fall with it, so its mean is then 0 at most: the stake is a
/// supermartingale, and ever reaches 400 times its first value with a probability of 1/400 at most. No block makes it
/// more than double. What the bets make of the size of a vote is a matter of speed: it is the logarithm of the odds if
/// requests are independent, and a burst weighs less than as many requests one by one, `tanh(s √k)` being concave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    kept: f64,
    /// With what is kept back, parts of 1.
    stakes: [f64; BETS.len()],
    log: f64,
    /// Votes for "worse".
    against: f64,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch { kept: KEPT, stakes: [STAKE; BETS.len()], log: 0.0, against: 0.0 }
    }
}

const STAKE: f64 = (1.0 - KEPT) / BETS.len() as f64;

impl Watch {
    /// Adds a vote: so many requests for "worse" and for "better". As many for each are none.
    pub fn add(&mut self, worse: u64, better: u64) {
        if worse == better {
            return;
        }
        let lean = lean(worse, better);
        for (stake, (steep, most)) in self.stakes.iter_mut().zip(BETS) {
            *stake *= 1.0 + most * (steep * lean).tanh();
        }
        let sum = self.kept + self.stakes.iter().sum::<f64>(); // never 0: what is kept back loses nothing
        self.log += sum.ln();
        let anew = if worse > better { 1.0 / (self.against + SLOW) } else { 0.0 };
        self.against += f64::from(u8::from(worse > better));
        let spread = |part: f64, first: f64| part / sum * (1.0 - anew) + first * anew;
        self.kept = spread(self.kept, KEPT);
        self.stakes.iter_mut().for_each(|stake| *stake = spread(*stake, STAKE));
    }

    /// Logarithm of the evidence so far.
    pub fn log_evidence(&self) -> f64 {
        self.log
    }

    /// The fewest votes of so many requests each that, all for "worse" and from the start, are evidence at `level` (such
    /// as 0.01). `u64::MAX` when no number is enough.
    pub fn votes_needed(level: f64, requests: u64) -> u64 {
        let mut watch = Watch::default();
        let enough = |_: &u64| {
            let is_enough = watch.log >= -level.ln();
            watch.add(requests, 0);
            is_enough
        };
        (0..2000).find(enough).unwrap_or(u64::MAX)
    }
}

/// By how many standard deviations a vote leans to "worse", were each request a fair coin.
fn lean(worse: u64, better: u64) -> f64 {
    let by = worse.abs_diff(better) as f64 / (worse as f64 + better as f64).sqrt();
    if worse > better { by } else { -by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::statistics::random::{Random, false_alarms};

    fn after(votes: impl IntoIterator<Item = (u64, u64)>) -> f64 {
        let mut watch = Watch::default();
        votes.into_iter().for_each(|(worse, better)| watch.add(worse, better));
        watch.log_evidence()
    }

    /// Whatever the sizes of the votes are, even if they follow from how the votes before them fell.
    #[test]
    fn its_mean_over_all_ways_that_fair_votes_may_fall_is_one() {
        let votes = 14;
        let way = |bits: u32| {
            let vote = |vote: u32| {
                let (more, fewer) =
                    [(1, 0), (40, 7), (3, 2), (500, 0)][(bits >> (vote + 1)).count_ones() as usize % 4];
                if bits >> vote & 1 == 1 { (more, fewer) } else { (fewer, more) }
            };
            after((0..votes).rev().map(vote)).exp()
        };
        let mean = (0..1 << votes).map(way).sum::<f64>() / f64::from(1 << votes);
        assert!((mean - 1.0).abs() < 1e-10, "{mean}");
    }

    /// Half of all blocks are made of requests that share their fate, the others of coins that lean to "better".
    #[test]
    fn no_bet_gains_on_what_leans_to_better_by_each_amount() {
        let mut ways = vec![(1.0, Watch::default())];
        for _ in 0..5 {
            let next = |(chance, watch): &(f64, Watch)| {
                let with = |(worse, better, share): (u64, u64, f64)| {
                    let mut watch = *watch;
                    watch.add(worse, better);
                    (chance * share, watch)
                };
                [(9, 0, 0.25), (0, 9, 0.25), (2, 0, 0.08), (1, 1, 0.24), (0, 2, 0.18)].map(with)
            };
            ways = ways.iter().flat_map(next).collect();
        }
        let mean: f64 = ways.iter().map(|(chance, watch)| chance * watch.log_evidence().exp()).sum();
        assert!(mean < 1.0, "{mean}");
    }

    /// 0.3 + 0.175 (4 + tanh 0.2 + tanh 0.6 + tanh 1.2 + 0.95) after one vote of one request, and 0.175 (4 + 3.95) where the
    /// bets have grown to their most.
    #[test]
    fn a_vote_moves_each_bet_by_its_size() {
        assert!((after([(1, 0)]) - 1.440_663_911_f64.ln()).abs() < 1e-9);
        assert!((after([(1_000_000, 0)]) - 1.69125_f64.ln()).abs() < 1e-9);
        assert_eq!(after([(7, 7), (0, 0)]), 0.0);
        let needed = |requests| [0.05, 0.01, 0.0025, 1.0].map(|level| Watch::votes_needed(level, requests));
        assert_eq!((needed(1), needed(1000)), ([7, 10, 12, 0], [5, 8, 10, 0]));
        assert_eq!([0.0, -1.0, f64::NAN].map(|level| Watch::votes_needed(level, 1)), [u64::MAX; 3]);
    }

    /// The same from the start is shown after 12, and with all votes alike it would take as long as it was good.
    #[test]
    fn a_good_past_does_not_hide_a_bad_present() {
        let well = |good| vec![(0, 1); good];
        let evenly = |good: usize| [(0, 1), (1, 0)].repeat(good / 2);
        for (past, most) in [(well(60), 17), (well(100_000), 17), (evenly(60), 19), (evenly(100_000), 38)] {
            let then = |bad| past.iter().copied().chain(std::iter::repeat_n((1, 0), bad));
            let needed = (0..).find(|bad| after(then(*bad)) >= 400_f64.ln());
            assert!(needed.is_some_and(|bad| bad <= most), "{}: {needed:?}", past.len());
        }
    }

    #[test]
    fn it_is_a_number_whatever_is_added() {
        for votes in [(u64::MAX, 0), (0, u64::MAX), (u64::MAX, u64::MAX - 1), (1, 0), (0, 1)] {
            assert!(after(std::iter::repeat_n(votes, 5000)).is_finite(), "{votes:?}");
        }
    }

    #[test]
    fn even_votes_seldom_look_uneven_however_often_one_looks() {
        for requests in [1, 20] {
            let highest = |mut random: Random| {
                let mut watch = Watch::default();
                let look = |_| {
                    let worse = (0..requests).filter(|_| random.chance(0.5)).count() as u64;
                    watch.add(worse, requests - worse);
                    watch.log_evidence()
                };
                (0..1000).map(look).fold(0.0, f64::max)
            };
            let alarms = false_alarms(500, 0.01, highest);
            assert!(alarms <= 12, "{requests}: {alarms} of 500"); // more in one of a thousand
        }
    }
}
