//! Which elements of two arrays belong together? Those with one key, else those that are equal, else those that are left.
//!
//! ```text
//! v1  {id: 1} {id: 2} {id: 3}          a b c d
//! v2  {id: 1} {id: 9} {id: 2} {id: 3}  a x d c          c and d changed places, and b became x
//! ```
//!
//! The time grows with the number of elements, whatever they are: nothing is looked for pair by pair.

use std::collections::{HashMap, VecDeque};

use super::json::{Node, Value};

/// Members that tell the elements of an array apart, unless the rules name one. The first that does is taken.
pub(super) const KEYS: [&str; 6] = ["id", "_id", "uuid", "key", "code", "name"];

/// Indices of elements that belong together, by v1's index where there is one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    pub(super) pairs: Vec<(Option<usize>, Option<usize>)>,
    /// Some of those that v1 and v2 both have come in another order.
    pub(super) reordered: bool,
}

/// Aligns by the first of `named`, or else of [`KEYS`], that can be a key, and else by value.
pub(super) fn align(a: &[Node<'_>], b: &[Node<'_>], named: &[&str]) -> Alignment {
    let by =
        |name: &str, most: bool| keyed(a, name).zip(keyed(b, name)).and_then(|(a, b)| by_key(&a, &b, most));
    let named = named.iter().find_map(|name| by(name, false));
    named.or_else(|| KEYS.iter().find_map(|name| by(name, true))).unwrap_or_else(|| by_value(a, b))
}

/// The weight of each element's key; `None` where not every element has one of its own.
fn keyed(items: &[Node<'_>], name: &str) -> Option<Vec<u64>> {
    let mut seen = HashMap::with_capacity(items.len());
    items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let key = key(item, name).filter(|_| !item.ignored)?;
            seen.insert(key, at).is_none().then_some(key)
        })
        .collect()
}

fn key(item: &Node<'_>, name: &str) -> Option<u64> {
    let Value::Object(members) = &item.value else { return None };
    let at = members.binary_search_by(|(member, _)| member.as_ref().cmp(name)).ok()?;
    let (_, member) = members.get(at)?;
    let tells = member.is_scalar() && !member.ignored && !matches!(member.value, Value::Null);
    tells.then_some(member.full)
}

/// With `most`, only if half of the keys are on both sides: ids that are made up for each answer are no keys.
fn by_key(a: &[u64], b: &[u64], most: bool) -> Option<Alignment> {
    let places: HashMap<u64, usize> = b.iter().enumerate().map(|(at, key)| (*key, at)).collect();
    let matched: Vec<Option<usize>> = a.iter().map(|key| places.get(key).copied()).collect();
    let common = matched.iter().flatten().count();
    if common == 0 || (most && common * 2 < a.len().max(b.len())) {
        return None;
    }
    Some(Alignment::new(&matched, b.len(), |_| None))
}

/// Equal elements first: where both arrays begin and end alike, then those at one index, then the n-th of a value with
/// the n-th of it. What is left over changed in its place, in order.
fn by_value(a: &[Node<'_>], b: &[Node<'_>]) -> Alignment {
    let same = |(i, j): (usize, usize)| {
        a.get(i).zip(b.get(j)).is_some_and(|(a, b)| a.kept == b.kept || a.ignored && b.ignored)
    };
    let short = a.len().min(b.len());
    let head = (0..short).take_while(|&i| same((i, i))).count();
    let tail = (0..short - head).take_while(|&i| same((a.len() - 1 - i, b.len() - 1 - i))).count();
    let mut matched = vec![None; a.len()];
    let mut free = vec![true; b.len()];
    let inner = head..short - tail;
    let ends = (0..head).map(|i| (i, i)).chain((1..=tail).map(|i| (a.len() - i, b.len() - i)));
    for (i, j) in ends.chain(inner.map(|i| (i, i)).filter(|&pair| same(pair))) {
        take(&mut matched, &mut free, i, j);
    }
    let mut places: HashMap<u64, VecDeque<usize>> = HashMap::new();
    for (j, item) in b.iter().enumerate().filter(|(j, _)| free.get(*j) == Some(&true)) {
        places.entry(item.kept).or_default().push_back(j);
    }
    for (i, item) in a.iter().enumerate() {
        if matched.get(i) == Some(&None)
            && let Some(j) = places.get_mut(&item.kept).and_then(VecDeque::pop_front)
        {
            take(&mut matched, &mut free, i, j);
        }
    }
    let mut left = free.iter().enumerate().filter_map(|(j, free)| free.then_some(j));
    Alignment::new(&matched, b.len(), |_| left.next())
}

fn take(matched: &mut [Option<usize>], free: &mut [bool], i: usize, j: usize) {
    matched.get_mut(i).into_iter().for_each(|matched| *matched = Some(j));
    free.get_mut(j).into_iter().for_each(|free| *free = false);
}

impl Alignment {
    /// Of what each element of v1 is matched with; `changed` gives what stands in place of one without a match.
    fn new(matched: &[Option<usize>], len: usize, mut changed: impl FnMut(usize) -> Option<usize>) -> Self {
        let mut alone = vec![true; len];
        let mut pairs = Vec::with_capacity(matched.len().max(len));
        for (i, j) in matched.iter().enumerate() {
            let j = j.or_else(|| changed(i));
            j.and_then(|j| alone.get_mut(j)).into_iter().for_each(|alone| *alone = false);
            pairs.push((Some(i), j));
        }
        let alone = alone.iter().enumerate().filter(|(_, alone)| **alone);
        pairs.extend(alone.map(|(j, _)| (None, Some(j))));
        pairs.sort_by_key(|(i, j)| i.or(*j));
        let mut before = None;
        let reordered = matched.iter().flatten().any(|j| before.replace(*j) > Some(*j));
        Alignment { pairs, reordered }
    }
}

#[cfg(test)]
mod tests;
