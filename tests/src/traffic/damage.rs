//! What can happen to a capture, done by seed, with a record of it.

use super::capture::Timed;
use super::rng::Rng;

/// How often what is done, in thousandths of all frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Damage {
    /// The frame is not there.
    pub drop: u64,
    /// The frame is there twice.
    pub duplicate: u64,
    /// The frame changes places with another one nearby; the times stay where they were.
    pub reorder: u64,
    /// The frame keeps only its first bytes, as with a snap length.
    pub cut: u64,
    /// The frame comes later, by up to a second.
    pub delay: u64,
}

/// One thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The frame is not there.
    Dropped,
    /// The frame is there twice.
    Duplicated,
    /// The frame's place was taken by this frame, and the other way round.
    Swapped(usize),
    /// So many bytes were kept.
    Cut(usize),
    /// So many nanoseconds later.
    Delayed(u64),
}

/// A damaged copy.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// In the order of time.
    pub frames: Vec<Timed>,
    /// What was done to which frame of the original, by index, in order.
    pub acts: Vec<(usize, Act)>,
}

/// How far a frame is moved, in places.
const WINDOW: usize = 8;

/// The longest delay.
const LATEST: u64 = 1_000_000_000;

impl Damage {
    /// Some of everything, this often in thousandths.
    pub fn all(per_mille: u64) -> Damage {
        Damage { drop: per_mille, duplicate: per_mille, reorder: per_mille, cut: per_mille, delay: per_mille }
    }

    /// A damaged copy of `frames`.
    pub fn done_to(&self, frames: &[Timed], seed: u64) -> Damaged {
        let mut rng = Rng::new(seed);
        let (mut kept, mut acts) = (Vec::with_capacity(frames.len()), Vec::new());
        for (index, frame) in frames.iter().enumerate() {
            let mut frame = frame.clone();
            if rng.chance(self.drop) {
                acts.push((index, Act::Dropped));
                continue;
            }
            if rng.chance(self.cut) {
                let len = rng.len(0, frame.bytes.len());
                frame.bytes.truncate(len);
                acts.push((index, Act::Cut(len)));
            }
            if rng.chance(self.delay) {
                let by = rng.between(1, LATEST);
                frame.at += by;
                acts.push((index, Act::Delayed(by)));
            }
            if rng.chance(self.duplicate) {
                acts.push((index, Act::Duplicated));
                kept.push((index, frame.clone()));
            }
            kept.push((index, frame));
        }
        kept.sort_by_key(|(_, frame)| frame.at);
        self.swap(&mut rng, &mut kept, &mut acts);
        Damaged { frames: kept.into_iter().map(|(_, frame)| frame).collect(), acts }
    }

    fn swap(&self, rng: &mut Rng, kept: &mut [(usize, Timed)], acts: &mut Vec<(usize, Act)>) {
        for at in 0..kept.len().saturating_sub(1) {
            if !rng.chance(self.reorder) {
                continue;
            }
            let with = rng.len(at + 1, (at + WINDOW).min(kept.len() - 1));
            acts.push((kept[at].0, Act::Swapped(kept[with].0)));
            let (here, there) = (kept[at].1.at, kept[with].1.at);
            kept.swap(at, with);
            (kept[at].1.at, kept[with].1.at) = (here, there);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{Capture, Options};

    fn frames() -> Vec<Timed> {
        let options = Options { connections: 20, quirks: true, partial: false, decoys: false };
        Capture::new(7, options).frames
    }

    #[test]
    fn no_damage_changes_nothing() {
        let frames = frames();
        let damaged = Damage::default().done_to(&frames, 1);
        assert_eq!((damaged.frames, damaged.acts), (frames, Vec::new()));
    }

    #[test]
    fn the_same_seed_does_the_same_and_the_times_stay_in_order() {
        let frames = frames();
        let [one, two] = [5, 5].map(|seed| Damage::all(100).done_to(&frames, seed));
        assert_eq!((&one.frames, &one.acts), (&two.frames, &two.acts));
        assert!(one.frames.is_sorted_by_key(|frame| frame.at));
        assert_ne!(one.frames, frames);
    }

    #[test]
    fn what_was_done_is_told() {
        let frames = frames();
        let damaged = Damage::all(100).done_to(&frames, 9);
        let count = |which: fn(&Act) -> bool| damaged.acts.iter().filter(|(_, act)| which(act)).count();
        let dropped = count(|act| *act == Act::Dropped);
        let doubled = count(|act| *act == Act::Duplicated);
        assert_eq!(damaged.frames.len(), frames.len() - dropped + doubled);
        let short = damaged.frames.iter().filter(|frame| frame.bytes.len() < frame.len).count();
        assert!(dropped > 0 && doubled > 0 && short > 0);
        assert!(short <= count(|act| matches!(act, Act::Cut(_))) + doubled);
    }
}
