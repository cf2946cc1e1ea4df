//! What was made of the runs of one probe so far.

use super::{Answer, Ended};

/// The runs of one probe, by version. Both versions' answers are of the same run, so that they can stand beside each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [[u64; Ended::ALL.len()]; 2],
    last: Option<[Answer; 2]>,
}

impl Tally {
    /// Takes in a run: v1's answer and v2's.
    pub fn note(&mut self, run: [Answer; 2]) {
        for (counts, answer) in self.counts.iter_mut().zip(&run) {
            if let Some((_, count)) = Ended::ALL.iter().zip(counts).find(|(ended, _)| **ended == answer.ended)
            {
                *count += 1;
            }
        }
        self.last = Some(run);
    }

    /// How often it ended how at a version: in the order of [`Ended::ALL`].
    pub fn counts(&self, version: u8) -> [u64; Ended::ALL.len()] {
        self.counts.get(usize::from(version)).copied().unwrap_or_default()
    }

    /// What a version made of the last run; `None` before the first.
    pub fn last(&self, version: u8) -> Option<Answer> {
        self.last.and_then(|run| run.get(usize::from(version)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Phases;

    #[test]
    fn each_version_has_its_own_ends() {
        let answer = |ended| Answer { ended, status: None, phases: Phases::default() };
        let mut tally = Tally::default();
        assert_eq!((tally.last(0), tally.counts(1)), (None, [0; 7]));
        tally.note([answer(Ended::Success), answer(Ended::Connect)]);
        tally.note([answer(Ended::Success), answer(Ended::Malformed)]);
        assert_eq!((tally.counts(0), tally.counts(1)), ([2, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 1]));
        assert_eq!(
            [0, 1, 2].map(|v| tally.last(v).map(|last| last.ended)),
            [Some(Ended::Success), Some(Ended::Malformed), None]
        );
    }
}
