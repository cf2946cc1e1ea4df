//! A plain model of the tap's rules, which shares no code with the programs: maps and lists where they have bits.
//!
//! ```text
//! bytes ─► wire ─► whose is it ─► rules (which share) ─► caps ─► turn, trips ─► how it ended
//! ```
//!
//! It knows when a program ran only as well as its caller: a time is a span, and a latency one too.

pub mod rules;
pub mod span;
mod trips;
mod turn;
pub mod wire;

use std::collections::{BTreeMap, HashMap, HashSet};

use rules::{Buckets, Policy};
use span::{Span, Spans};
use trips::Trips;
use turn::Turns;
use wire::{End, Seen};

pub const CLIENT: usize = 0;
pub const SERVER: usize = 1;

/// A version's role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Primary,
    Shadow,
    Observed,
}

/// What was decided for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    ShareOut,
    Mirror,
    Capped,
    Own,
    Probe,
}

/// Service, version and role.
pub type Whose = (u8, u8, Role);

/// Both ends, the lower one first, and the protocol.
pub type Key = (End, End, u8);

/// Where a packet was seen: an interface and a hook.
pub type Vantage = (u32, u8);

/// A packet as it is handed to a tap.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    pub frame: &'a [u8],
    pub raw: bool,
    pub vantage: Vantage,
    pub mark: u32,
    pub now: Span,
}

/// What the agent has told.
#[derive(Clone, Default)]
pub struct Told {
    pub lease_over: bool,
    pub killed: bool,
    pub rings_killed: HashSet<u8>,
    pub no_shadow: bool,
    pub own_mark: u32,
    pub any_address: bool,
    pub everything: bool,
    pub several: bool,
    pub endpoints: HashMap<(End, u8), Whose>,
    pub policies: Vec<Policy>,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Talk {
    pub whose: Whose,
    pub client: End,
    pub decision: Decision,
    pub slot: u8,
    pub generation: u8,
    pub ring: u8,
    pub counted: bool,
    pub cut: bool,
    pub owner: [Option<Vantage>; 2],
    pub turns: Turns,
    pub trips: Trips,
}

/// What a version has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub started: u64,
    pub recorded: u64,
    pub ambiguous: BTreeMap<&'static str, u64>,
    pub retransmits: [u64; 2],
    pub resets: [u64; 2],
    pub opened: u64,
    pub closed: u64,
}

/// The whole state.
#[derive(Default)]
pub struct Model {
    pub told: Told,
    pub talks: HashMap<Key, Talk>,
    closed: HashMap<Key, Talk>,
    pub buckets: Vec<Buckets>,
    /// By service, side and ending: packets and bytes.
    pub ends: BTreeMap<(u8, usize, &'static str), [u64; 2]>,
    pub skips: BTreeMap<&'static str, u64>,
    pub counts: BTreeMap<(u8, u8), Count>,
    /// By service and slot: named, mirrored, capped, cut.
    pub rules: BTreeMap<(u8, u8), [u64; 4]>,
    /// By service, version, kind (`ttfb`, `total`, `handshake`, `timestamp`) and outcome or side.
    pub series: BTreeMap<(u8, u8, &'static str, usize), Spans>,
    pub events: Vec<(Key, u8)>,
}

impl Decision {
    /// Neither cloned, counted nor timed.
    fn is_left_alone(self, role: Role) -> bool {
        self == Decision::Probe || (self == Decision::Own && role == Role::Primary)
    }
}

impl Model {
    /// Takes a packet.
    pub fn take(&mut self, sight: &Sight) {
        if let Err(skip) = self.try_take(sight) {
            *self.skips.entry(skip).or_default() += 1;
        }
    }

    fn try_take(&mut self, sight: &Sight) -> Result<(), &'static str> {
        let seen = wire::parse(sight.frame, sight.raw)?;
        let ports: HashSet<u16> = self.told.endpoints.keys().map(|(end, _)| end.1).collect();
        if !ports.contains(&seen.from.1) && !ports.contains(&seen.to.1) {
            return Err("unmatched");
        }
        let key = key(&seen);
        let own = self.own(sight.mark);
        let (whose, side) = self.meet(&key, &seen, own, sight.now)?;
        let primary = whose.2 == Role::Primary;
        if own.is_some_and(|own| own.is_left_alone(whose.2)) {
            return Err("own");
        }
        let Some(mut talk) = self.talks.remove(&key) else {
            return self.take_alone(sight, &seen, &key, own, (whose, side));
        };
        if talk.decision.is_left_alone(whose.2) {
            self.talks.insert(key, talk);
            return Err("own");
        }
        if *talk.owner[side].get_or_insert(sight.vantage) != sight.vantage {
            self.talks.insert(key, talk);
            self.end(sight, (whose, side), "duplicate_vantage");
            return Ok(());
        }
        let over = seen.tcp && self.follow(&seen, side, &mut talk, sight.now);
        if primary {
            let ending = self.ending(sight, &talk);
            if ending == "capped" && talk.decision == Decision::Mirror {
                self.cut(&key, &mut talk);
            }
            self.end(sight, (whose, side), ending);
        }
        if over {
            self.leave(&talk);
            self.closed.insert(key, talk);
        } else {
            self.talks.insert(key, talk);
        }
        Ok(())
    }

    /// Whether we sent it, by its mark: the highest bit tells probes from copies.
    fn own(&self, mark: u32) -> Option<Decision> {
        match self.told.own_mark {
            0 => None,
            own if mark == own => Some(Decision::Own),
            own if mark == own ^ 0x8000_0000 => Some(Decision::Probe),
            _ => None,
        }
    }

    /// Whose packet it is, and who sent it; makes the connection's entry where it is to have one.
    fn meet(
        &mut self,
        key: &Key,
        seen: &Seen,
        own: Option<Decision>,
        now: Span,
    ) -> Result<(Whose, usize), &'static str> {
        let old = self.talks.get(key);
        let anew = old.is_some_and(|talk| {
            seen.syn && seen.from == talk.client && !talk.turns.has_sent_syn(seen.sequence)
        });
        if let (Some(talk), false) = (old, anew) {
            return Ok((talk.whose, usize::from(seen.from != talk.client)));
        }
        let (whose, side) = self.whose(seen)?;
        let speaks =
            !seen.tcp || (seen.syn && !seen.rst) || (!seen.payload.is_empty() && !seen.fin && !seen.rst);
        if !anew && !speaks {
            return Ok((whose, side));
        }
        if let Some(old) = self.talks.remove(key) {
            let lost = old.turns.open();
            let count = self.counts.entry((old.whose.0, old.whose.1)).or_default();
            if lost > 0 {
                *count.ambiguous.entry("reset").or_default() += lost;
            }
            self.leave(&old);
        }
        self.open(key, seen, own, (whose, side), now);
        Ok((whose, side))
    }

    fn whose(&self, seen: &Seen) -> Result<(Whose, usize), &'static str> {
        let protocol = if seen.tcp { 6 } else { 17 };
        let known = |end: End| self.told.endpoints.get(&(end, protocol)).copied();
        let any = |end: End| self.told.any_address.then(|| known(([0; 16], end.1))).flatten();
        let found = (known(seen.to).map(|whose| (whose, CLIENT)))
            .or_else(|| known(seen.from).map(|whose| (whose, SERVER)))
            .or_else(|| any(seen.to).map(|whose| (whose, CLIENT)))
            .or_else(|| any(seen.from).map(|whose| (whose, SERVER)));
        match found {
            Some(found) => Ok(found),
            None if self.told.everything => Ok(((0, 0, Role::Primary), usize::from(seen.to.1 > seen.from.1))),
            None => Err("unmatched"),
        }
    }

    /// What a packet without an entry would be.
    fn decide(&self, key: &Key, seen: &Seen, own: Option<Decision>, (whose, side): (Whose, usize)) -> Talk {
        let client = if side == CLIENT { seen.from } else { seen.to };
        let policy = &self.told.policies[usize::from(whose.0)];
        let rule = policy.first_match(client, whose.2 == Role::Primary);
        let decision = match own {
            Some(own) => own,
            None if rules::is_in(key, policy.seed, rule.share) => Decision::Mirror,
            None => Decision::ShareOut,
        };
        Talk {
            whose,
            client,
            decision,
            slot: rule.slot,
            generation: rule.generation,
            ring: rule.ring,
            counted: false,
            cut: false,
            owner: [None; 2],
            turns: Turns::default(),
            trips: Trips::default(),
        }
    }

    fn open(&mut self, key: &Key, seen: &Seen, own: Option<Decision>, subject: (Whose, usize), now: Span) {
        let mut talk = self.decide(key, seen, own, subject);
        let (service, version, role) = talk.whose;
        if role == Role::Primary {
            let count = self.rules.entry((service, talk.slot)).or_default();
            count[0] += 1;
            if talk.decision == Decision::Mirror {
                count[1] += 1;
                let policy = &self.told.policies[usize::from(service)];
                talk.counted = self.buckets[usize::from(service)].admit_connection(policy, now);
                if !talk.counted {
                    count[2] += 1;
                    talk.decision = Decision::Capped;
                }
            }
        }
        self.counts.entry((service, version)).or_default().opened += 1;
        self.talks.insert(*key, talk);
    }

    fn leave(&mut self, talk: &Talk) {
        self.counts.entry((talk.whose.0, talk.whose.1)).or_default().closed += 1;
        if talk.counted {
            self.buckets[usize::from(talk.whose.0)].open -= 1;
        }
    }

    fn cut(&mut self, key: &Key, talk: &mut Talk) {
        let service = talk.whose.0;
        talk.decision = Decision::Capped;
        if std::mem::take(&mut talk.counted) {
            self.buckets[usize::from(service)].open -= 1;
        }
        talk.cut = true;
        self.rules.entry((service, talk.slot)).or_default()[3] += 1;
        self.events.push((*key, service));
    }

    /// A packet without an entry: of a connection that has just closed, or of nobody's.
    fn take_alone(
        &mut self,
        sight: &Sight,
        seen: &Seen,
        key: &Key,
        own: Option<Decision>,
        (whose, side): (Whose, usize),
    ) -> Result<(), &'static str> {
        let mut talk = self.decide(key, seen, own, (whose, side));
        if let Some(closed) = self.closed.get_mut(key).filter(|_| self.told.several) {
            if *closed.owner[side].get_or_insert(sight.vantage) != sight.vantage {
                self.end(sight, (whose, side), "duplicate_vantage");
                return Ok(());
            }
            talk = closed.clone();
        } else if talk.decision.is_left_alone(whose.2) {
            return Err("own");
        }
        if whose.2 == Role::Primary {
            talk.whose = whose;
            let ending = self.ending(sight, &talk);
            self.end(sight, (whose, side), ending);
        }
        Ok(())
    }

    /// How a packet of v1 ends, in the order in which an operator would ask.
    fn ending(&mut self, sight: &Sight, talk: &Talk) -> &'static str {
        let told = &self.told;
        let policy = &told.policies[usize::from(talk.whose.0)];
        let bucket = &mut self.buckets[usize::from(talk.whose.0)];
        if talk.decision == Decision::ShareOut || policy.is_share_gone(talk.slot, talk.generation) {
            "share_out"
        } else if told.killed || policy.paused || told.rings_killed.contains(&talk.ring) {
            "paused"
        } else if told.lease_over {
            "lease_expired"
        } else if talk.decision == Decision::Capped
            || !bucket.admit_packet(policy, sight.frame.len() as u64, sight.now)
        {
            "capped"
        } else if told.no_shadow {
            "clone_failed"
        } else {
            "cloned"
        }
    }

    fn end(&mut self, sight: &Sight, (whose, side): (Whose, usize), ending: &'static str) {
        if whose.2 != Role::Primary {
            return;
        }
        for name in ["matched", ending] {
            let [packets, bytes] = self.ends.entry((whose.0, side, name)).or_default();
            *packets += 1;
            *bytes += sight.frame.len() as u64;
        }
    }

    /// Times a segment. Returns whether its connection is over.
    fn follow(&mut self, seen: &Seen, side: usize, talk: &mut Talk, now: Span) -> bool {
        let (service, version, _) = talk.whose;
        let trip = talk.trips.follow(seen, side, now, &talk.turns);
        if let Some((kind, side, span)) = trip {
            self.series.entry((service, version, kind, side)).or_default().push(span);
        }
        let count = self.counts.entry((service, version)).or_default();
        let (over, recorded) = talk.turns.follow(seen, side, now, count);
        for (ttfb, total, outcome) in recorded {
            self.series.entry((service, version, "ttfb", outcome)).or_default().push(ttfb);
            self.series.entry((service, version, "total", outcome)).or_default().push(total);
        }
        over
    }
}

/// Both directions of a connection have one key.
pub fn key(seen: &Seen) -> Key {
    let (low, high) = if seen.from <= seen.to { (seen.from, seen.to) } else { (seen.to, seen.from) };
    (low, high, if seen.tcp { 6 } else { 17 })
}
