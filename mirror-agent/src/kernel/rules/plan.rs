//! What is written to get from one table to the next, in an order in which no packet sees half of it.

use mirror_common::limits::RULES;
use mirror_common::rule::{Candidates, Rule};

use super::table::{Entry, Table};

/// One write to the kernel's maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The rules of the half that this bank word names.
    Half(u32, [Rule; RULES]),
    /// A prefix of the bank that is being filled.
    Prefix(Entry, Candidates),
    /// The bank word: from here on the new rules hold.
    Bank(u32),
    /// A prefix of the bank that was in force. Not before every program that may have seen the old word has ended.
    Remove(Entry),
}

/// The writes from `old`, which is in force, to `new`, in their order.
pub fn plan(service: u8, old: &Table, new: &Table) -> Vec<Write> {
    let mut writes = vec![Write::Half(new.bank, new.rules)];
    writes.extend(new.prefixes(service).map(|(entry, candidates)| Write::Prefix(entry, candidates)));
    writes.push(Write::Bank(new.bank));
    writes.extend(old.prefixes(service).map(|(entry, _)| Write::Remove(entry)));
    writes
}
