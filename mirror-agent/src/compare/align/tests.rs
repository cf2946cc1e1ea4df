//! Alignments against the table, and against the plainest ways to the same.

use super::*;
use crate::compare::json::parse;
use crate::compare::rules::Scope;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn aligned(a: &str, b: &str, named: &[&str]) -> Alignment {
    let (a, b) =
        (parse(a.as_bytes(), &Scope::default()).unwrap(), parse(b.as_bytes(), &Scope::default()).unwrap());
    let (Value::Array(a), Value::Array(b)) = (&a.value, &b.value) else { panic!() };
    align(a, b, named)
}

#[test]
fn what_belongs_together() {
    const fn both(i: usize, j: usize) -> (Option<usize>, Option<usize>) {
        (Some(i), Some(j))
    }
    for (a, b, pairs, reordered) in [
        ("[1,2,3]", "[1,5,3]", &[both(0, 0), both(1, 1), both(2, 2)][..], false),
        ("[1]", "[9,1]", &[both(0, 1), (None, Some(0))], false),
        ("[1,2,1]", "[2,1]", &[(Some(0), None), both(1, 0), both(2, 1)], false),
        ("[1,2,3,4]", "[1,9,4,3]", &[both(0, 0), both(1, 1), both(2, 3), both(3, 2)], true),
        (
            r#"[{"id":1},{"id":2}]"#,
            r#"[{"id":3},{"id":1,"x":0},{"id":2}]"#,
            &[both(0, 1), (None, Some(0)), both(1, 2)],
            false,
        ),
        (r#"[{"id":1},{"id":2}]"#, r#"[{"id":2,"x":1},{"id":1}]"#, &[both(0, 1), both(1, 0)], true),
        // Made up for each answer, twice on one side, or not everywhere: no key.
        (r#"[{"id":1},{"id":2}]"#, r#"[{"id":3},{"id":4}]"#, &[both(0, 0), both(1, 1)], false),
        (r#"[{"id":1},{"id":2}]"#, r#"[{"id":2},{"id":2}]"#, &[both(0, 0), both(1, 1)], false),
        (r#"[{"id":1},7]"#, r#"[7,{"id":1}]"#, &[both(0, 1), both(1, 0)], true),
    ] {
        let mut got = aligned(a, b, &[]);
        got.pairs.sort();
        let mut want = pairs.to_vec();
        want.sort();
        assert_eq!((got.pairs, got.reordered), (want, reordered), "{a} {b}");
    }
}

#[test]
fn a_key_that_the_rules_name_goes_first() {
    let (a, b) = (r#"[{"id":1,"sku":"a"},{"id":2,"sku":"b"}]"#, r#"[{"id":1,"sku":"b"},{"id":2,"sku":"c"}]"#);
    assert!(aligned(a, b, &["sku"]).pairs.contains(&(Some(1), Some(0))));
    assert!(aligned(a, b, &["nothing"]).pairs.contains(&(Some(1), Some(1))));
}

fn text(list: &[u8]) -> String {
    format!("{list:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Every element is in exactly one pair, and as many equal ones are together as two multisets share.
    #[test]
    fn by_value_shares_what_two_multisets_share(
        a in prop::collection::vec(0_u8..5, 0..12), b in prop::collection::vec(0_u8..5, 0..12),
    ) {
        let got = aligned(&text(&a), &text(&b), &[]);
        let mut ones: Vec<_> = got.pairs.iter().filter_map(|(i, _)| *i).collect();
        let mut twos: Vec<_> = got.pairs.iter().filter_map(|(_, j)| *j).collect();
        ones.sort();
        twos.sort();
        prop_assert!(ones.iter().copied().eq(0..a.len()) && twos.iter().copied().eq(0..b.len()));
        let equal = got.pairs.iter().filter(|(i, j)| i.zip(*j).is_some_and(|(i, j)| a[i] == b[j])).count();
        let count = |list: &[u8], value| list.iter().filter(|one| **one == value).count();
        prop_assert_eq!(equal, (0..5).map(|value| count(&a, value).min(count(&b, value))).sum::<usize>());
        let alone = got.pairs.iter().filter(|(i, j)| i.is_none() || j.is_none()).count();
        prop_assert_eq!(alone, a.len().abs_diff(b.len()));
    }

    /// What was taken out of a list, or put into it, changes the order of nothing.
    #[test]
    fn one_that_is_missing_is_one(a in prop::collection::vec(0_u8..5, 1..12), at: prop::sample::Index) {
        let mut b = a.clone();
        b.remove(at.index(a.len()));
        for got in [aligned(&text(&a), &text(&b), &[]), aligned(&text(&b), &text(&a), &[])] {
            prop_assert!(!got.reordered);
            prop_assert_eq!(got.pairs.iter().filter(|(i, j)| i.is_none() || j.is_none()).count(), 1);
        }
    }

    #[test]
    fn by_key_is_what_looking_up_every_key_finds(
        a in prop::collection::btree_map(0_u8..9, 0_u8..3, 1..9), b in prop::collection::btree_map(0_u8..9, 0_u8..3, 1..9), turn in 0_usize..9,
    ) {
        let items = |map: &BTreeMap<u8, u8>, turn: usize| {
            let mut items: Vec<_> = map.iter().map(|(id, n)| format!(r#"{{"sku":{id},"n":{n}}}"#)).collect();
            let turn = turn % items.len();
            items.rotate_left(turn);
            items
        };
        let (ones, twos) = (items(&a, 0), items(&b, turn));
        let sku = |item: &String| item.split([':', ',']).nth(1).unwrap().to_owned();
        prop_assume!(ones.iter().any(|one| twos.iter().any(|two| sku(one) == sku(two))));
        let got = aligned(&format!("[{}]", ones.join(",")), &format!("[{}]", twos.join(",")), &["sku"]);
        for (i, one) in ones.iter().enumerate() {
            let want = twos.iter().position(|two| sku(two) == sku(one));
            prop_assert!(got.pairs.contains(&(Some(i), want)));
        }
        let both: Vec<usize> = ones.iter().filter_map(|one| twos.iter().position(|two| sku(two) == sku(one))).collect();
        prop_assert_eq!(got.reordered, !both.is_sorted());
    }
}
