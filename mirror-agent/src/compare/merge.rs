//! Walks two sorted lists side by side.

use std::cmp::Ordering;

/// Every key of either list, in order, with what each list has for it. Both lists are sorted, each key once.
pub(super) fn by_key<'a, K: Ord, V>(
    mut v1: &'a [(K, V)],
    mut v2: &'a [(K, V)],
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    std::iter::from_fn(move || {
        let order = match (v1.first(), v2.first()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((k1, _)), Some((k2, _))) => k1.cmp(k2),
        };
        let one = if order.is_le() { take_first(&mut v1) } else { None };
        let two = if order.is_ge() { take_first(&mut v2) } else { None };
        let key = one.or(two).map(|(key, _)| key)?;
        Some((key, one.map(|(_, value)| value), two.map(|(_, value)| value)))
    })
}

fn take_first<'a, T>(list: &mut &'a [T]) -> Option<&'a T> {
    let (first, rest) = list.split_first()?;
    *list = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn same_as_looking_up_every_key(
            v1 in prop::collection::btree_map(0_u8..9, any::<u8>(), 0..9),
            v2 in prop::collection::btree_map(0_u8..9, any::<u8>(), 0..9),
        ) {
            let list = |map: &BTreeMap<u8, u8>| map.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>();
            let (list1, list2) = (list(&v1), list(&v2));
            let keys: BTreeSet<_> = v1.keys().chain(v2.keys()).collect();
            let want: Vec<_> = keys.into_iter().map(|key| (key, v1.get(key), v2.get(key))).collect();
            prop_assert_eq!(by_key(&list1, &list2).collect::<Vec<_>>(), want);
        }
    }
}
