//! Times that are known within bounds, and series of them.

/// Not before the first (ns), not after the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span(pub u64, pub u64);

/// The kernel's clock for programs and the one for processes may differ by the drift of one tick.
const SLACK: u64 = 1000;

impl Span {
    /// The time from an earlier moment to this one. A clock that has gone back reads as none.
    pub fn since(self, earlier: Span) -> Span {
        Span(self.0.saturating_sub(earlier.1).saturating_sub(SLACK), self.1.saturating_sub(earlier.0) + SLACK)
    }
}

/// A series of latencies.
pub type Spans = Vec<Span>;

/// The eight bounds of an octave, as Prometheus publishes them for native histograms of schema 3.
const FRACTIONS: [f64; 8] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    0.707_106_781_186_547_5,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_4,
    0.917_004_043_204_671_1,
];

/// The highest value of a slot.
fn bound(slot: usize) -> u64 {
    if slot >= 217 {
        return u64::MAX;
    }
    (FRACTIONS[slot % 8] * (1u64 << (11 + slot / 8)) as f64) as u64
}

/// Whether a series can be of these values: its count, its sum, and how many are at or under each bound.
pub fn agrees(
    spans: &[Span],
    slots: &[u64],
    sum: u64,
    under: [u64; 8],
    thresholds: Option<[u64; 8]>,
) -> bool {
    let at_most = |count: u64, bound: u64| {
        let surely = spans.iter().filter(|span| span.1 <= bound).count() as u64;
        let maybe = spans.iter().filter(|span| span.0 <= bound).count() as u64;
        (surely..=maybe).contains(&count)
    };
    let mut count = 0;
    let slots_agree = slots.iter().enumerate().all(|(slot, more)| {
        count += more;
        at_most(count, bound(slot))
    });
    let [low, high] = [|span: &Span| span.0, |span: &Span| span.1].map(|end| spans.iter().map(end).sum());
    let under_agrees = thresholds.is_none_or(|thresholds| {
        let of = |(bound, count): (u64, u64)| if bound == 0 { count == 0 } else { at_most(count, bound) };
        thresholds.into_iter().zip(under).all(of)
    });
    slots_agree && count == spans.len() as u64 && (low..=high).contains(&sum) && under_agrees
}
