//! Which rule has which slot, and which slots each prefix leads to: pure, from the config and the table before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use mirror_common::limits::{RINGS, RULES};
use mirror_common::policy::BY_CLIENT;
use mirror_common::rule::{Candidates, PrefixKey, REST, Rule};

use crate::config::{self, Ports, Prefix, Service};

/// What makes a rule the same one in another config: it keeps its slot, its generation and its open connections. Who is
/// in a ring may change, and so may any share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ring, or the prefixes of a rule without one.
    pub who: Result<String, Vec<Prefix>>,
    /// One of the rule's ranges: each has a slot.
    pub ports: Ports,
}

/// The rules of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The bank word that puts it in force.
    pub bank: u32,
    /// The half.
    pub rules: [Rule; RULES],
    /// By slot: what has it, and the place of its rule in the config, from 0. None at [`REST`].
    pub slots: [Option<(Identity, usize)>; RULES],
    prefixes: BTreeMap<(Ipv6Addr, u8), Candidates>,
}

/// A key of the prefixes' map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bank and service.
    pub scope: u32,
    /// IPv4 in its mapped form.
    pub address: Ipv6Addr,
    /// Bits of both.
    pub bits: u32,
}

impl Table {
    /// The table for what `service` says now, in the other half.
    pub fn next(&self, service: &Service, rings: &RingNumbers) -> Table {
        let pieces = pieces(service);
        let mut next = Table { bank: (self.bank ^ 1) & 1, ..Table::default() };
        for (slot, rule) in next.rules.iter_mut().enumerate() {
            // A rule that is gone has no share; its generation stays, so that the slot's next owner gets another.
            *rule = Rule { generation: self.rules[slot].generation, ..Rule::default() };
        }
        next.rules[usize::from(REST)].share_ppm = service.share.ppm();
        for (slot, (identity, index)) in self.assign(&pieces) {
            let rule = &service.rules[index];
            let is_new = self.slots[slot].as_ref().is_none_or(|(before, _)| *before != identity);
            let to = &mut next.rules[slot];
            to.share_ppm = rule.share.ppm();
            (to.lowest_port, to.highest_port) = (identity.ports.low, identity.ports.high);
            to.ring = rule.ring.as_deref().and_then(|name| rings.of(name)).unwrap_or(0);
            to.generation = to.generation.wrapping_add(is_new.into());
            next.slots[slot] = Some((identity, index));
        }
        next.lead(service);
        if !next.prefixes.is_empty() {
            next.bank |= BY_CLIENT;
        }
        next
    }

    /// A slot for each piece: the one that it has, else one that nobody has or had, else one that nobody has now.
    fn assign(&self, pieces: &[(Identity, usize)]) -> Vec<(usize, (Identity, usize))> {
        let slot_of = |identity: &Identity| {
            self.slots.iter().position(|slot| slot.as_ref().is_some_and(|(had, _)| had == identity))
        };
        let kept: BTreeSet<usize> = pieces.iter().filter_map(|(identity, _)| slot_of(identity)).collect();
        let mut free: Vec<usize> = (1..RULES).filter(|slot| !kept.contains(slot)).collect();
        free.sort_by_key(|slot| (self.slots[*slot].is_some(), self.rules[*slot].generation));
        let mut free = free.into_iter();
        let slots = pieces.iter().map(|(identity, index)| {
            Some((slot_of(identity).or_else(|| free.next())?, (identity.clone(), *index)))
        });
        slots.collect::<Option<_>>().unwrap_or_default() // the config allows no more than there are
    }

    /// For each prefix the slots of all rules that name the whole of it, in the order of the config.
    fn lead(&mut self, service: &Service) {
        let mut all: BTreeSet<Prefix> = service.rules.iter().flat_map(|rule| rule.clients.clone()).collect();
        if all.iter().any(|prefix| prefix.address().is_ipv6()) {
            all.insert(Prefix::ALL[0]); // in the kernel's order IPv4 lies inside short IPv6 prefixes, which do not name it
        }
        for prefix in all {
            let names = |index: usize| service.rules[index].clients.iter().any(|one| one.covers(prefix));
            let slots = self.slots.iter().enumerate();
            let mut slots: Vec<(usize, u8)> = slots
                .filter_map(|(slot, owner)| Some((owner.as_ref()?.1, slot as u8)))
                .filter(|(index, _)| names(*index))
                .collect();
            slots.sort_unstable();
            let mut candidates = Candidates::default();
            for (to, (_, slot)) in candidates.slots.iter_mut().zip(slots) {
                *to = slot;
            }
            self.prefixes.insert(mapped(prefix), candidates);
        }
    }

    /// What its prefixes are in the kernel's map, for a service of this index.
    pub fn prefixes(&self, service: u8) -> impl Iterator<Item = (Entry, Candidates)> {
        let scope = PrefixKey::scope(self.bank, service);
        self.prefixes.iter().map(move |(&(address, length), candidates)| {
            (Entry { scope, address, bits: PrefixKey::SCOPE_BITS + u32::from(length) }, *candidates)
        })
    }

    /// The place in the config of the rule in a slot; `None` for the rest and for empty slots.
    pub fn index(&self, slot: u8) -> Option<usize> {
        self.slots.get(usize::from(slot))?.as_ref().map(|(_, index)| *index)
    }
}

/// The rules of a service, cut so that each has one range of ports. Of two alike the first matches whatever the second
/// could: the second has no slot, or both would have the same one.
fn pieces(service: &Service) -> Vec<(Identity, usize)> {
    let cut = |(index, rule): (usize, &config::Rule)| {
        let who = rule.ring.clone().ok_or_else(|| rule.clients.clone());
        let piece = |ports: &Ports| (Identity { who: who.clone(), ports: *ports }, index);
        rule.ports.iter().map(piece).collect::<Vec<_>>()
    };
    let mut pieces: Vec<(Identity, usize)> = Vec::new();
    for piece in service.rules.iter().enumerate().flat_map(cut) {
        if !pieces.iter().any(|(identity, _)| *identity == piece.0) {
            pieces.push(piece);
        }
    }
    pieces
}

fn mapped(prefix: Prefix) -> (Ipv6Addr, u8) {
    match prefix.address() {
        IpAddr::V4(ip) => (ip.to_ipv6_mapped(), 96 + prefix.length()),
        IpAddr::V6(ip) => (ip, prefix.length()),
    }
}

/// The numbers of the rings that rules name. A ring keeps its number as long as one does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingNumbers(BTreeMap<String, u8>);

impl RingNumbers {
    /// A ring's number, from 1.
    pub fn of(&self, name: &str) -> Option<u8> {
        self.0.get(name).copied()
    }

    /// The numbers for these services, and those that nobody has any more.
    pub fn next(&self, services: &[Service]) -> (RingNumbers, Vec<u8>) {
        let rules = services.iter().flat_map(|service| &service.rules);
        let names: BTreeSet<&String> = rules.filter_map(|rule| rule.ring.as_ref()).collect();
        let mut next: BTreeMap<String, u8> = self
            .0
            .iter()
            .filter(|(name, _)| names.contains(name))
            .map(|(name, n)| (name.clone(), *n))
            .collect();
        for name in names {
            // A number that was free before comes first: connections still carry the others.
            let mut numbers = (1..=RINGS as u8).filter(|number| !next.values().any(|taken| taken == number));
            let had = |number: &u8| self.0.values().any(|had| had == number);
            let number = numbers.clone().find(|number| !had(number)).or_else(|| numbers.next());
            if !next.contains_key(name)
                && let Some(number) = number
            {
                next.insert(name.clone(), number);
            }
        }
        let gone =
            self.0.values().copied().filter(|number| !next.values().any(|kept| kept == number)).collect();
        (RingNumbers(next), gone)
    }
}
