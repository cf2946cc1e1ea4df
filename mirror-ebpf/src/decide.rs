//! Which rule a connection falls under, and whether it is in that rule's share.

use aya_ebpf::maps::lpm_trie::Key;
use mirror_common::count::side;
use mirror_common::flow::{FlowKey, decision};
use mirror_common::policy::{BY_CLIENT, ServicePolicy};
use mirror_common::rule::{PrefixKey, REST};
use mirror_common::share;

use crate::maps::RULES_BY_PREFIX;
use crate::subject::{Decided, Sighting};

/// What [`decide`] is told of a packet that does not carry our mark; of one that does, what it decides.
pub const NOT_OURS: u8 = 0;

/// Decides, without the flow table: also for packets that have no entry.
#[inline(always)]
pub fn decide(key: &FlowKey, seen: &Sighting, own: u8) -> Decided {
    let bank = bank(seen.policy);
    let slot = if seen.subject.is_primary() { rule(seen, bank) } else { REST };
    let rule = seen.policy.rule(bank, slot);
    let decision = if own != NOT_OURS {
        own
    } else if share::is_in(key.hash(seen.policy.seed), rule.share_ppm) {
        decision::MIRROR
    } else {
        decision::SHARE_OUT
    };
    Decided { decision, rule: slot, generation: rule.generation, ring: rule.ring }
}

/// Which half is in force. Read once for a decision: the agent may change it at any time.
#[inline(always)]
fn bank(policy: &ServicePolicy) -> u32 {
    // SAFETY: a live and aligned word.
    unsafe { (&raw const policy.bank).read_volatile() }
}

/// The slot of the first rule that names the client.
#[inline(always)]
fn rule(seen: &Sighting, bank: u32) -> u8 {
    if bank & BY_CLIENT == 0 {
        return REST;
    }
    let packet = seen.packet;
    let (client, port) = if seen.subject.side == side::CLIENT {
        (packet.source, packet.source_port)
    } else {
        (packet.target, packet.target_port)
    };
    let scope = PrefixKey::scope(bank, seen.subject.service);
    let Some(candidates) =
        RULES_BY_PREFIX.get(Key::new(PrefixKey::BITS, PrefixKey { scope, address: client }))
    else {
        return REST;
    };
    for slot in candidates.slots {
        if slot == REST || seen.policy.rule(bank, slot).has_port(port) {
            return slot;
        }
    }
    REST
}
