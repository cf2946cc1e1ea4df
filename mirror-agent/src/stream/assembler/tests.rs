//! Tables for each rule, and random traffic against a map of bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::stream::Limits;

/// A direction, what it was told, and what it said: `abc` a chunk followed by `|`, `(3)` a gap, `!` the end.
struct Rig {
    direction: Assembler,
    shared: Shared,
    isn: u32,
    now: u64,
    said: String,
}

impl Rig {
    fn new(isn: u32, limits: Limits) -> Rig {
        let shared = Shared { limits, ..Shared::default() };
        Rig { direction: Assembler::new(Seq(isn), true), shared, isn, now: 0, said: String::new() }
    }

    fn seq(&self, offset: i64) -> Seq {
        Seq(self.isn).plus(offset)
    }

    fn segment(mut self, offset: i64, data: &str, missing: u32, fin: bool) -> Rig {
        let (at, seq) = (Nanos(self.now), self.seq(offset));
        let arrival = Arrival { at, seq, payload: data.as_bytes(), missing, fin, ack: None };
        let said = &mut self.said;
        self.direction.accept(&arrival, &mut self.shared, &mut |output| write(said, output));
        self
    }

    fn put(self, offset: i64, data: &str) -> Rig {
        self.segment(offset, data, 0, false)
    }

    fn fin(self, offset: i64, data: &str) -> Rig {
        self.segment(offset, data, 0, true)
    }

    fn ack(mut self, offset: i64) -> Rig {
        let (at, seq, said) = (Nanos(self.now), self.seq(offset), &mut self.said);
        self.direction.on_ack(seq, at, &mut self.shared, &mut |output| write(said, output));
        let now = self.now;
        self.at(now)
    }

    fn at(mut self, now: u64) -> Rig {
        self.now = now;
        let said = &mut self.said;
        self.direction.expire(Nanos(now), &mut self.shared, &mut |output| write(said, output));
        self
    }

    fn end(mut self) -> Rig {
        let said = &mut self.said;
        self.direction.give_up(Nanos(self.now), &mut self.shared, &mut |output| write(said, output));
        assert_eq!((self.shared.held, self.direction.held.count()), (0, 0));
        self
    }
}

fn write(said: &mut String, output: Output<'_>) {
    match output {
        Output::Chunk(_, data, _) => said.extend([std::str::from_utf8(data).unwrap(), "|"]),
        Output::Gap(_, bytes) => said.push_str(&format!("({bytes})")),
        Output::Finished => said.push('!'),
    }
}

fn limits() -> Limits {
    Limits { hole: Duration::from_nanos(100), patience: Duration::ZERO, ..Limits::default() }
}

/// Plays `script` on numbers that wrap at different places, and returns the last run.
fn check(script: impl Fn(Rig) -> Rig, expected: &str) -> Rig {
    let runs = [0, 1, u32::MAX, u32::MAX - 3, 0x7fff_fffe].map(|isn| script(Rig::new(isn, limits())));
    for run in &runs {
        assert_eq!(run.said, expected, "ISN {}", run.isn);
    }
    runs.into_iter().next_back().unwrap()
}

#[test]
fn order() {
    check(|rig| rig.put(0, "abc").put(3, "de"), "abc|de|");
    check(|rig| rig.put(3, "de").put(0, "abc"), "abc|de|");
    check(|rig| rig.put(4, "e").put(2, "cd").put(5, "f").put(0, "ab"), "ab|cd|e|f|");
    check(|rig| rig.put(3, "de"), "");
    let run = check(|rig| rig.put(0, "abc").put(3, "de"), "abc|de|");
    assert_eq!((run.shared.stats.chunk_bytes, run.shared.stats.copied_bytes), (5, 0));
}

#[test]
fn the_first_copy_wins_and_conflicts_are_counted() {
    check(|rig| rig.put(0, "abc").put(0, "abc"), "abc|");
    check(|rig| rig.put(0, "abc").put(1, "XXdef"), "abc|def|");
    check(|rig| rig.put(0, "abc").put(-2, "..abcd"), "abc|d|");
    check(|rig| rig.put(2, "cd").put(0, "abXXef"), "ab|cd|ef|");
    check(|rig| rig.put(2, "cd").put(1, "XXXe").put(0, "a"), "a|X|cd|e|");
    check(|rig| rig.put(1, "b").put(3, "d").put(0, "aXcXe"), "a|b|c|d|e|");
    let run = check(|rig| rig.put(2, "cde").put(1, "bcXeX"), "");
    let stats = run.shared.stats;
    assert_eq!((stats.duplicate_bytes, stats.conflicting_bytes, stats.copied_bytes), (3, 1, 5));
}

#[test]
fn holes_are_given_up_for_their_age() {
    let hole = |rig: Rig| rig.at(10).put(3, "d");
    check(|rig| hole(rig).at(109), "");
    let run = check(|rig| hole(rig).at(110), "(3)d|");
    assert_eq!((run.shared.stats.gaps_by_age, run.shared.stats.gap_bytes), (1, 3));
    // The second hole is younger than the first, and a chunk within a hole makes it no younger.
    check(|rig| hole(rig).at(50).put(5, "f").at(110).at(149), "(3)d|");
    check(|rig| hole(rig).at(50).put(5, "f").at(150), "(3)d|(1)f|");
    check(|rig| hole(rig).at(50).put(1, "b").at(110), "(1)b|(1)d|");
    // Too late.
    check(|rig| hole(rig).at(110).put(0, "abc").put(4, "e"), "(3)d|e|");
}

#[test]
fn holes_are_given_up_when_the_receiver_has_the_bytes() {
    check(|rig| rig.put(3, "d").ack(2), "");
    let run = check(|rig| rig.put(3, "d").ack(3), "(3)d|");
    assert_eq!(run.shared.stats.gaps_by_ack, 1);
    check(|rig| rig.put(3, "d").put(6, "g").ack(5), "(3)d|");
    check(|rig| rig.put(3, "d").put(6, "g").ack(7), "(3)d|(2)g|");
    // The bytes may be on their way to us, for so long.
    let patient = || Rig::new(0, Limits { patience: Duration::from_nanos(10), ..limits() });
    assert_eq!(patient().ack(3).put(0, "abc").said, "abc|");
    assert_eq!(patient().ack(9).put(3, "d").at(9).put(0, "abc").said, "abc|d|");
    assert_eq!(patient().ack(9).put(3, "d").at(10).put(0, "abc").said, "(3)d|");
    // Bytes that only an ACK tells of; the last may be a FIN.
    assert_eq!(patient().ack(9).at(10).said, "(8)");
    assert_eq!(patient().ack(9).at(10).put(9, "j").ack(10).at(20).said, "(8)(1)j|");
}

#[test]
fn caps_give_up_the_oldest_hole() {
    let tight = |limits| {
        let run = Rig::new(0, limits).put(1, "b").put(3, "d").put(5, "f");
        (run.said, run.shared.stats)
    };
    let (said, stats) = tight(Limits { chunks_per_direction: 2, ..limits() });
    assert_eq!((said.as_str(), stats.gaps_by_chunks), ("(1)b|", 1));
    let (said, stats) = tight(Limits { held_per_direction: 2 * held::cost(b"b"), ..limits() });
    assert_eq!((said.as_str(), stats.gaps_by_bytes), ("(1)b|", 1));
    let (said, stats) = tight(Limits { held_overall: 2 * held::cost(b"b"), ..limits() });
    assert_eq!((said.as_str(), stats.refused_bytes), ("", 1));
}

#[test]
fn what_was_refused_becomes_a_gap_and_never_blocks() {
    let full = || Rig::new(0, Limits { held_overall: 0, ..limits() });
    assert_eq!(full().put(0, "a").put(2, "c").put(1, "b").put(3, "d").at(100).said, "a|b|(2)");
    assert_eq!(full().put(0, "a").put(2, "c").at(100).put(3, "d").said, "a|(2)d|");
    assert_eq!(full().put(0, "a").put(2, "c").ack(3).put(3, "d").said, "a|(2)d|");
}

#[test]
fn fin() {
    check(|rig| rig.fin(0, "abc"), "abc|!");
    check(|rig| rig.put(0, "abc").fin(3, "").fin(3, ""), "abc|!");
    check(|rig| rig.fin(3, "").put(0, "abc"), "abc|!");
    check(|rig| rig.fin(3, "d").put(0, "abc"), "abc|d|!");
    check(|rig| rig.fin(3, "").ack(4), "(3)!");
    check(|rig| rig.fin(3, "").at(100), "(3)!");
    let run = check(|rig| rig.fin(0, "abc").put(3, "de").put(4, "e").put(2, "cde"), "abc|!");
    assert_eq!(run.shared.stats.after_fin_bytes, 2 + 1 + 2);
    let run = check(|rig| rig.put(0, "abc").fin(2, "").fin(3, "").fin(4, ""), "abc|!");
    assert_eq!(run.shared.stats.contradicting_fins, 2);
}

#[test]
fn probes_make_no_bytes() {
    check(|rig| rig.put(0, "abc").put(2, "").put(2, "Z").put(3, "d"), "abc|d|");
    // A zero-window probe is the next byte, and comes again when the window opens.
    check(|rig| rig.put(0, "abc").put(3, "d").put(3, "def"), "abc|d|ef|");
    check(|rig| rig.put(-1, "Z").put(-9, "Z").put(0, "a"), "a|");
}

#[test]
fn cut_captures_leave_gaps_of_known_size() {
    let run = check(|rig| rig.segment(0, "ab", 3, false).put(5, "f"), "ab|(3)f|");
    assert_eq!(run.shared.stats.gaps_by_snap, 1);
    check(|rig| rig.segment(0, "", 3, true), "(3)!");
    check(|rig| rig.put(3, "d").segment(0, "ab", 4, false), "ab|(1)d|(2)");
    check(|rig| rig.segment(2, "c", 3, false).put(0, "ab").put(6, "g").ack(7), "ab|c|(3)g|");
    check(|rig| rig.segment(2, "c", 3, false).put(0, "ab").put(3, "def"), "ab|c|def|");
    check(|rig| rig.segment(0, "ab", u32::MAX, false), "ab|(4294967295)");
}

#[test]
fn segments_of_no_window_are_ignored() {
    let run = check(|rig| rig.put(1 << 31, "x").put((1 << 30) + 1, "x").put(-(1 << 30) - 1, "x").end(), "");
    assert_eq!(run.shared.stats.far_segments, 3);
    check(|rig| rig.put(1 << 30, "x").end(), "(1073741824)x|");
}

#[test]
fn the_end_gives_up_everything() {
    check(|rig| rig.put(1, "b").put(4, "e").end(), "(1)b|(2)e|");
    check(|rig| rig.put(1, "b").fin(3, "").end(), "(1)b|(1)!");
    check(|rig| rig.end(), "");
}

#[test]
fn resets_are_believed_within_the_window() {
    let rig = Rig::new(u32::MAX - 5, limits()).put(0, "abcdefgh").ack(4);
    for (offset, expected) in [
        (3, false),
        (4, true),
        (8, true),
        (8 + RESET_WINDOW, true),
        (9 + RESET_WINDOW, false),
        (1 << 31, false),
    ] {
        assert_eq!(rig.direction.may_reset(rig.seq(offset)), expected, "{offset}");
    }
}

/// What a test does to a direction, at random.
#[derive(Clone, Debug)]
enum Step {
    Put { offset: i64, data: Vec<u8> },
    Ack { offset: i64 },
    Wait { time: u64 },
}

fn put() -> impl Strategy<Value = Step> {
    (-20_i64..300, proptest::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(offset, data)| Step::Put { offset, data })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => put(),
        1 => (-20_i64..400).prop_map(|offset| Step::Ack { offset }),
        1 => (0_u64..80).prop_map(|time| Step::Wait { time }),
    ]
}

fn isn() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (u32::MAX - 400)..=u32::MAX, 0x7fff_ff00_u32..0x8000_0010]
}

/// The direction beside a map of the first copy of each byte. Every byte and gap it hands on is checked at
/// once against what the map holds then.
struct Oracle {
    rig: Rig,
    first: BTreeMap<i64, u8>,
    done: i64,
    /// Behind the last byte that was acknowledged; the last may have been a FIN.
    told: i64,
}

impl Oracle {
    fn new(isn: u32, limits: Limits) -> Oracle {
        Oracle { rig: Rig::new(isn, limits), first: BTreeMap::new(), done: 0, told: 0 }
    }

    fn step(&mut self, step: &Step) {
        if let Step::Put { offset, data } = step {
            for (index, byte) in data.iter().enumerate() {
                self.first.entry(offset + index as i64).or_insert(*byte);
            }
        }
        if let Step::Ack { offset } = step {
            self.told = self.told.max(offset - 1);
        }
        let Oracle { rig, first, done, .. } = self;
        let mut out = |output: Output<'_>| verify(first, done, output);
        let now = Nanos(rig.now);
        match step {
            Step::Put { offset, data } => {
                let seq = Seq(rig.isn).plus(*offset);
                let arrival = Arrival { at: now, seq, payload: data, missing: 0, fin: false, ack: None };
                rig.direction.accept(&arrival, &mut rig.shared, &mut out);
            }
            Step::Ack { offset } => {
                rig.direction.on_ack(Seq(rig.isn).plus(*offset), now, &mut rig.shared, &mut out);
            }
            Step::Wait { time } => {
                rig.now += time;
                rig.direction.expire(Nanos(rig.now), &mut rig.shared, &mut out);
            }
        }
        assert!(!self.first.contains_key(&self.done), "an in-order byte was withheld");
        self.check_caps();
    }

    fn check_caps(&self) {
        let Rig { direction, shared, .. } = &self.rig;
        assert!(direction.held.cost() <= shared.limits.held_per_direction);
        assert!(direction.held.count() <= shared.limits.chunks_per_direction);
        assert_eq!(direction.held.cost(), shared.held);
        assert_eq!(direction.next, self.done);
        let known = direction.seen.max(self.told);
        assert_eq!(direction.hole_due().is_some(), direction.next < known);
    }

    fn end(mut self) {
        let Oracle { rig, first, done, told } = &mut self;
        let mut out = |output: Output<'_>| verify(first, done, output);
        rig.direction.give_up(Nanos(rig.now), &mut rig.shared, &mut out);
        let behind_last = first.last_key_value().map_or(0, |(offset, _)| (offset + 1).max(0)).max(*told);
        assert_eq!(*done, behind_last, "what was sent came out, as bytes or as gaps");
        assert_eq!(rig.shared.held, 0);
    }
}

fn verify(first: &BTreeMap<i64, u8>, done: &mut i64, output: Output<'_>) {
    match output {
        Output::Chunk(_, data, _) => {
            assert!(!data.is_empty());
            for byte in data {
                assert_eq!(first.get(done), Some(byte), "byte {done}");
                *done += 1;
            }
        }
        Output::Gap(_, bytes) => {
            assert!(bytes > 0);
            let end = *done + i64::from(bytes);
            assert!(first.range(*done..end).next().is_none(), "a gap over bytes that were seen");
            *done = end;
        }
        Output::Finished => panic!("no FIN was sent"),
    }
}

proptest! {
    #[test]
    fn any_order_gives_the_first_copies_in_order(isn in isn(), steps in proptest::collection::vec(put(), 0..40)) {
        let mut oracle = Oracle::new(isn, limits());
        steps.iter().for_each(|step| oracle.step(step));
        prop_assert_eq!(oracle.rig.shared.stats.gap_bytes, 0);
        oracle.end();
    }

    #[test]
    fn giving_up_leaves_gaps_exactly_where_bytes_are_missing(
        isn in isn(),
        chunks_per_direction in 0_usize..6,
        held_per_direction in 0_u64..800,
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let limits = Limits { chunks_per_direction, held_per_direction, ..limits() };
        let mut oracle = Oracle::new(isn, limits);
        steps.iter().for_each(|step| oracle.step(step));
        oracle.end();
    }

    /// A message cut anywhere, sent in any order with repeats, arrives whole.
    #[test]
    fn a_shuffled_message_arrives_whole(
        isn in isn(),
        cuts in proptest::collection::btree_set(1_usize..500, 0..20),
        order in Just((0..21_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let message: String = (0..500_u32).map(|index| char::from(b'a' + (index * 7 % 26) as u8)).collect();
        let edges: Vec<usize> = [0].into_iter().chain(cuts).chain([500]).collect();
        let mut rig = Rig::new(isn, limits());
        for piece in order.iter().chain(&order).filter_map(|index| edges.get(*index..index + 2)) {
            rig = rig.segment(piece[0] as i64, &message[piece[0]..piece[1]], 0, piece[1] == 500);
        }
        prop_assert_eq!(rig.said.replace('|', ""), format!("{message}!"));
    }
}
