//! Evidence that votes fall on "worse" more often than not, now or from some time on.

/// The bets as shares of the stake: none, then the best for votes of which 57 % are for "worse", 67 %, 80, 90 and 97 %.
const BETS: [f64; 6] = [0.0, 0.15, 0.35, 0.6, 0.8, 0.95];
/// How the stake is spread over them. What is kept back is there when a healthy version turns bad.
const STAKES: [f64; 6] = [0.3, 0.14, 0.14, 0.14, 0.14, 0.14];
/// After `n` votes, `1 / (n + SLOW)` of the stake is spread anew: so often that a change is met with fresh bets, so seldom
/// that all of it costs a power of the number of votes only.
const SLOW: f64 = 100.0;

/// Evidence that votes fall on "worse" with a probability above 1/2, now or from some time on.
///
/// A bet on each vote at even odds, whose stake is shared by bets of several sizes and spread anew little by little (the
/// fixed share of Herbster and Warmuth, Machine Learning 32, 1998, with a rate that falls). While votes fall on "worse"
/// with a probability of 1/2 at most, whatever came before, no bet gains on average: the stake is a supermartingale,
/// and ever reaches 400 times its first value with a probability of 1/400 at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// Parts of 1.
    stakes: [f64; BETS.len()],
    log: f64,
    votes: f64,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch { stakes: STAKES, log: 0.0, votes: 0.0 }
    }
}

impl Watch {
    /// Adds a vote.
    pub fn add(&mut self, is_worse: bool) {
        let sign = if is_worse { 1.0 } else { -1.0 };
        self.stakes.iter_mut().zip(BETS).for_each(|(stake, bet)| *stake *= 1.0 + sign * bet);
        let sum: f64 = self.stakes.iter().sum(); // never 0: part of it bets nothing
        self.log += sum.ln();
        let anew = 1.0 / (self.votes + SLOW);
        self.votes += 1.0;
        for (stake, first) in self.stakes.iter_mut().zip(STAKES) {
            *stake = *stake / sum * (1.0 - anew) + first * anew;
        }
    }

    /// Logarithm of the evidence so far.
    pub fn log_evidence(&self) -> f64 {
        self.log
    }

    /// The fewest votes that, all for "worse" and from the start, are evidence at `level` (such as 0.01).
    /// `u64::MAX` when no number is enough.
    pub fn votes_needed(level: f64) -> u64 {
        let mut watch = Watch::default();
        let enough = |_: &u64| {
            let is_enough = watch.log >= -level.ln();
            watch.add(true);
            is_enough
        };
        (0..1100).find(enough).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::statistics::random::{Random, false_alarms};

    fn after(votes: impl IntoIterator<Item = bool>) -> f64 {
        let mut watch = Watch::default();
        votes.into_iter().for_each(|is_worse| watch.add(is_worse));
        watch.log_evidence()
    }

    #[test]
    fn its_mean_over_all_ways_that_even_votes_may_fall_is_one() {
        let votes = 14;
        let way = |bits: u32| after((0..votes).map(|vote| bits >> vote & 1 == 1)).exp();
        let mean = (0..1 << votes).map(way).sum::<f64>() / f64::from(1 << votes);
        assert!((mean - 1.0).abs() < 1e-10, "{mean}");
    }

    /// 0.3 + 0.14 (1.15 + 1.35 + 1.6 + 1.8 + 1.95) after one vote.
    #[test]
    fn a_vote_moves_each_bet_by_its_size() {
        assert!((after([true]) - 1.399_f64.ln()).abs() < 1e-12);
        assert_eq!([0.05, 0.01, 0.0025, 1.0].map(Watch::votes_needed), [7, 10, 12, 0]);
        assert_eq!([0.0, -1.0, f64::NAN].map(Watch::votes_needed), [u64::MAX; 3]);
    }

    /// The same from the start is shown after 12, and with all votes alike it would take as long as it was good.
    #[test]
    fn a_good_past_does_not_hide_a_bad_present() {
        for (good, most) in [(60, 22), (1800, 30), (100_000, 45)] {
            let past = std::iter::repeat_n(false, good);
            let needed =
                (0..).find(|bad| after(past.clone().chain(std::iter::repeat_n(true, *bad))) >= 400_f64.ln());
            assert!(needed.is_some_and(|bad| bad <= most), "{good}: {needed:?}");
        }
    }

    #[test]
    fn even_votes_seldom_look_uneven_however_often_one_looks() {
        let highest = |mut random: Random| {
            let mut watch = Watch::default();
            let look = |_| {
                watch.add(random.chance(0.5));
                watch.log_evidence()
            };
            (0..1000).map(look).fold(0.0, f64::max)
        };
        let alarms = false_alarms(500, 0.01, highest);
        assert!(alarms <= 12, "{alarms} of 500"); // more in one of a thousand
    }
}
