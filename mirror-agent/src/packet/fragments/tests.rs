//! The table against lists and sums done the slow way, and against somebody who wants to fill it.

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn body(data: &[u8]) -> Body<'_> {
    Body {
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
        protocol: 6,
        data,
        claimed: data.len(),
        offloaded: false,
        en_route: false,
        fragment: None,
    }
}

/// Adds a fragment of datagram `id`; `at` in bytes.
fn add(table: &mut Fragments, now: u64, id: u32, at: u32, more: bool, data: &[u8]) -> Result<Vec<u8>, Skip> {
    let body = body(data);
    let mut joined = vec![0xee; 3];
    let fragment = Fragment { id, offset: at, more };
    table.add(Nanos(now), Key::new(&body, id, 0), fragment, &body, &mut joined).map(|_| joined)
}

/// The bookkeeping done again from what is there.
fn check(table: &Fragments, held: u64) {
    let cost: usize = table.table.values().map(|datagram| DATAGRAM_COST + datagram.cost()).sum();
    let pieces: u64 = table.table.values().map(Datagram::pieces).sum();
    assert_eq!((table.held, table.stats.waiting), (cost, pieces));
    assert_eq!(table.order.len(), table.table.len());
    assert!(table.held <= table.limits.bytes && table.table.len() <= table.limits.datagrams);
    assert_eq!(held, table.stats.fragments.sum() + table.stats.waiting);
}

#[test]
fn a_datagram_is_given_up_when_it_is_too_old() {
    let mut table = Fragments::new(Limits::default());
    assert_eq!(add(&mut table, 0, 1, 0, true, &[1; 8]), Err(Skip::FragmentHeld));
    assert_eq!(add(&mut table, 30 * SECOND - 1, 1, 8, true, &[2; 8]), Err(Skip::FragmentHeld));
    assert_eq!(add(&mut table, 30 * SECOND, 1, 16, false, &[3; 8]), Err(Skip::FragmentHeld));
    assert_eq!((table.stats.datagrams.expired, table.stats.fragments.expired), (1, 2));
    assert_eq!(add(&mut table, 30 * SECOND, 1, 0, true, &[1; 16]), Ok([[1; 8], [1; 8], [3; 8]].concat()));
    assert_eq!((table.stats.datagrams.joined, table.stats.fragments.joined), (1, 1));
    check(&table, 3);
}

#[test]
fn the_one_begun_first_makes_room() {
    let mut table = Fragments::new(Limits { datagrams: 2, ..Limits::default() });
    for id in 1..4 {
        assert_eq!(add(&mut table, 0, id, 0, true, &[1; 8]), Err(Skip::FragmentHeld));
    }
    assert_eq!((table.stats.datagrams.evicted, table.stats.fragments.evicted), (1, 1));
    assert!(add(&mut table, 0, 2, 8, false, &[1]).is_ok());
    assert!(add(&mut table, 0, 3, 8, false, &[1]).is_ok());
    let mut none = Fragments::new(Limits { bytes: 0, ..Limits::default() });
    assert_eq!(add(&mut none, 0, 1, 0, true, &[1; 8]), Err(Skip::FragmentHeld));
    assert_eq!((none.table.len(), none.held, none.stats.fragments.evicted), (0, 0, 1));
}

#[test]
fn a_conflict_ends_a_datagram_for_good() {
    for (at, more, data) in [
        (0, true, &[1; 16][..]),
        (0, true, &[2; 8]),
        (8, false, &[2; 8]),
        (16, true, &[2; 8]),
        (24, true, &[2; 8]),
        (24, false, &[2; 8]),
        (8, true, &[2; 16]),
        (16, false, &[2; 7]),
    ] {
        let mut table = Fragments::new(Limits::default());
        assert_eq!(add(&mut table, 0, 1, 0, true, &[1; 8]), Err(Skip::FragmentHeld));
        assert_eq!(add(&mut table, 0, 1, 16, false, &[1; 8]), Err(Skip::FragmentHeld));
        assert_eq!(add(&mut table, 0, 1, at, more, data), Err(Skip::FragmentConflict), "{at} {more}");
        assert_eq!(add(&mut table, 0, 1, 8, true, &[1; 8]), Err(Skip::FragmentConflict));
        assert_eq!((table.stats.datagrams.conflicting, table.stats.fragments.conflicting), (1, 2));
        check(&table, 2);
        // After its time, the number may be used again.
        assert_eq!(add(&mut table, 30 * SECOND, 1, 0, true, &[1; 8]), Err(Skip::FragmentHeld));
        assert_eq!(table.stats.datagrams.sum(), 1);
    }
}

#[test]
fn a_hundred_thousand_hostile_fragments_stay_in_bounds() {
    let limits = Limits { datagrams: 100, bytes: 200_000, ..Limits::default() };
    let mut table = Fragments::new(limits);
    let (mut state, mut held) = (1_u64, 0);
    for round in 0..100_000_u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = state >> 20;
        let id = if bits & 1 == 0 { round as u32 } else { (bits >> 1) as u32 & 7 };
        let at = (bits >> 8) as u32 & 0xfff8;
        let len = if bits & 2 == 0 { 8 } else { ((bits >> 24) as usize & 0x7f8) + 8 };
        let result = add(&mut table, round * 100_000, id, at, bits & 0x70 != 0, &vec![bits as u8; len]);
        held += u64::from(result == Err(Skip::FragmentHeld));
        if round % 64 == 0 {
            check(&table, held);
        }
        assert!(table.held <= limits.bytes && table.table.len() <= limits.datagrams);
    }
    check(&table, held);
    let Fates { expired, evicted, conflicting, .. } = table.stats.fragments;
    assert!(expired + evicted > 0 && conflicting > 0);
}

/// A fragment in units of 8 bytes: start, length, whether more follow, and what its bytes are.
type Part = (u32, u32, bool, u8);

/// What a list says of a new part: every pair is looked at.
fn by_list(parts: &[Part], new: Part) -> Skip {
    let end = |part: Part| part.0 + part.1;
    if parts.contains(&new) {
        return Skip::FragmentCopy;
    }
    for part in parts {
        let shared = (part.0..end(*part)).any(|unit| (new.0..end(new)).contains(&unit));
        let behind = !part.2 && end(new) > end(*part) || !new.2 && end(*part) > end(new);
        if shared || behind || !part.2 && !new.2 {
            return Skip::FragmentConflict;
        }
    }
    Skip::FragmentHeld
}

fn is_whole(parts: &[Part]) -> bool {
    let Some(last) = parts.iter().find(|part| !part.2) else { return false };
    (0..last.0 + last.1).all(|unit| parts.iter().any(|part| (part.0..part.0 + part.1).contains(&unit)))
}

proptest! {
    #[test]
    fn parts_are_taken_as_by_a_list(
        news in proptest::collection::vec((0_u32..8, 1_u32..4, proptest::bool::weighted(0.8), 0_u8..2), 1..30)
    ) {
        let mut table = Fragments::new(Limits::default());
        let (mut parts, mut refused) = (Vec::<Part>::new(), false);
        for new in news {
            if new.0 == 0 && !new.2 {
                continue; // That would be no fragment.
            }
            let got = add(&mut table, 0, 1, new.0 * 8, new.2, &vec![new.3; new.1 as usize * 8]);
            let expected = if refused { Skip::FragmentConflict } else { by_list(&parts, new) };
            match expected {
                Skip::FragmentHeld => parts.push(new),
                Skip::FragmentConflict => refused = true,
                _ => {}
            }
            if expected == Skip::FragmentHeld && is_whole(&parts) {
                parts.sort_unstable();
                let bytes: Vec<u8> = parts.drain(..).flat_map(|part| vec![part.3; part.1 as usize * 8]).collect();
                prop_assert_eq!(got, Ok(bytes));
            } else {
                prop_assert_eq!(got, Err(expected));
            }
        }
    }
}
