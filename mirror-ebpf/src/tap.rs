//! The tap: times what it knows, clones what it was asked to, and always lets the packet go on.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;
use mirror_common::count::{Packet as Ending, SideCount, Skip};
use mirror_common::flow::{Flow, FlowKey, TCP, decision};
use mirror_common::policy::{Control, PROBE_BIT};

use crate::caps;
use crate::clone::{Cloned, clone};
use crate::decide::{NOT_OURS, decide};
use crate::endpoint;
use crate::flow::{self, Found};
use crate::maps::{POLICIES, SIDE_COUNTS, SKIP_COUNTS, control};
use crate::packet::{ETHERNET, Packet, RAW, parse, tcp};
use crate::subject::{Decided, Sighting, Subject};
use crate::{round_trip, turn};

/// `TCX_NEXT` and `TC_ACT_UNSPEC` alike: go on with the next program. There is no other verdict here.
const NEXT: i32 = -1;

const INGRESS: u8 = 1;
const EGRESS: u8 = 2;

/// The tap on packets that come in through an interface.
#[classifier]
#[inline(always)]
pub fn mirror_ingress(ctx: TcContext) -> i32 {
    tap::<ETHERNET>(&ctx, INGRESS)
}

/// The same on packets that go out.
#[classifier]
#[inline(always)]
pub fn mirror_egress(ctx: TcContext) -> i32 {
    tap::<ETHERNET>(&ctx, EGRESS)
}

/// The tap on packets that come in through an interface without link headers, such as a tun.
#[classifier]
#[inline(always)]
pub fn mirror_raw_in(ctx: TcContext) -> i32 {
    tap::<RAW>(&ctx, INGRESS)
}

/// The same on packets that go out.
#[classifier]
#[inline(always)]
pub fn mirror_raw_out(ctx: TcContext) -> i32 {
    tap::<RAW>(&ctx, EGRESS)
}

#[inline(always)]
fn tap<const LINK: u32>(ctx: &TcContext, hook: u8) -> i32 {
    if let Err(skip) = observe::<LINK>(ctx, hook) {
        count_skip(skip);
    }
    NEXT
}

#[inline(always)]
fn observe<const LINK: u32>(ctx: &TcContext, hook: u8) -> Result<(), Skip> {
    let control = control().ok_or(Skip::Unmatched)?;
    let packet = parse::<LINK>(ctx, control)?;
    let (key, from_low) = FlowKey::directed(
        &packet.source,
        packet.source_port,
        &packet.target,
        packet.target_port,
        packet.protocol,
    );
    let shadow = if LINK == RAW { control.raw_shadow_interface } else { control.shadow_interface };
    Tap { ctx, control, packet, key: &key, from_low, hook, shadow }.take()
}

/// One packet at one hook.
struct Tap<'a> {
    ctx: &'a TcContext,
    control: &'a Control,
    packet: &'a Packet,
    key: &'a FlowKey,
    /// The lower end of the key sent it.
    from_low: bool,
    hook: u8,
    /// The interface that gets the clone.
    shadow: u32,
}

impl<'a> Tap<'a> {
    #[inline(always)]
    fn take(&self) -> Result<(), Skip> {
        let (seen, mut entry) = self.meet()?;
        if is_left_alone(self.own(), &seen) {
            return Err(Skip::Own);
        }
        let mut over = false;
        let decided = match &mut entry {
            Some(flow) => {
                let now = if seen.now != 0 { seen.now } else { self.control.renewed };
                if now > flow.last_seen {
                    flow.last_seen = now;
                }
                if is_left_alone(flow.decision, &seen) {
                    return Err(Skip::Own);
                }
                if !flow::owns(flow, seen.subject.side, self.interface(), self.hook) {
                    self.count(&seen, Ending::DuplicateVantage);
                    return Ok(());
                }
                over = self.follow(&seen, flow);
                Decided::by(flow)
            }
            None => match self.without_entry(&seen)? {
                Some(decided) => decided,
                None => {
                    self.count(&seen, Ending::DuplicateVantage);
                    return Ok(());
                }
            },
        };
        if seen.subject.is_primary() {
            let ending = self.mirror(&seen, decided, entry.as_deref_mut());
            self.count(&seen, ending);
        }
        if over && let Some(flow) = entry {
            flow::close(self.key, flow, self.control.several_interfaces != 0);
        }
        Ok(())
    }

    /// Whose packet it is, and its connection's entry, which a packet that says something gets.
    #[inline(always)]
    fn meet(&self) -> Result<(Sighting<'a>, Option<&'static mut Flow>), Skip> {
        let old = match flow::find(self.key, self.from_low, self.packet) {
            Found::Live(flow) => {
                let subject = Subject::of(flow, self.from_low);
                return Ok((self.sight(subject, self.is_timeless(flow, subject))?, Some(flow)));
            }
            Found::Old(flow) => Some(flow),
            Found::None => None,
        };
        let matched = endpoint::find(self.packet, self.control)?;
        let seen = self.sight(Subject::matched(&matched), false)?;
        if old.is_none() && !flow::is_worth_an_entry(self.packet) {
            return Ok((seen, None));
        }
        let flow = flow::open(self.key, self.from_low, &seen, self.own(), old.as_deref())?;
        Ok((seen, Some(flow)))
    }

    #[inline(always)]
    fn sight(&self, subject: Subject, timeless: bool) -> Result<Sighting<'a>, Skip> {
        let policy = POLICIES.get(subject.service as u32).ok_or(Skip::Unmatched)?;
        // SAFETY: the helper has no preconditions.
        let now = if timeless { 0 } else { unsafe { bpf_ktime_get_ns() } };
        Ok(Sighting { now, packet: self.packet, subject, policy })
    }

    /// A datagram that is left out, or a bare acknowledgement that nobody waits for and nobody clones: half of all
    /// packets, and to read the clock is a good part of what one costs.
    #[inline(always)]
    fn is_timeless(&self, flow: &Flow, subject: Subject) -> bool {
        let segment = &self.packet.segment;
        if self.packet.protocol != TCP {
            return flow.decision == decision::SHARE_OUT;
        }
        segment.payload == 0
            && segment.tcp_flags & (tcp::SYN | tcp::FIN | tcp::RST) == 0
            && flow.echo_since[(subject.side & 1) as usize] == 0
            && flow.decision != decision::MIRROR
            && flow.decision != decision::CAPPED
    }

    #[inline(always)]
    fn own(&self) -> u8 {
        // SAFETY: `ctx` is the live socket buffer of this run.
        match unsafe { (*self.ctx.skb.skb).mark } ^ self.control.own_mark {
            _ if self.control.own_mark == 0 => NOT_OURS,
            0 => decision::OWN,
            PROBE_BIT => decision::PROBE,
            _ => NOT_OURS,
        }
    }

    #[inline(always)]
    fn interface(&self) -> u32 {
        // SAFETY: `ctx` is the live socket buffer of this run.
        unsafe { (*self.ctx.skb.skb).ifindex }
    }

    /// Times the packet. Returns whether its connection is over.
    #[inline(always)]
    fn follow(&self, seen: &Sighting, flow: &mut Flow) -> bool {
        if self.packet.protocol != TCP {
            return false;
        }
        round_trip::follow(&self.packet.segment, seen.subject.side, flow, seen.now);
        turn::follow(self.ctx, seen, flow)
    }

    /// What holds without an entry: what was decided a moment ago, else what the share's hash says of the connection;
    /// `None` where another interface or hook owned it.
    #[inline(always)]
    fn without_entry(&self, seen: &Sighting) -> Result<Option<Decided>, Skip> {
        if self.control.several_interfaces != 0
            && let Some((owned, decided)) =
                flow::closed(self.key, seen.subject.side, self.interface(), self.hook)
        {
            return Ok(owned.then_some(decided));
        }
        let decided = decide(self.key, seen, self.own());
        if is_left_alone(decided.decision, seen) {
            return Err(Skip::Own);
        }
        Ok(Some(decided))
    }

    /// Whether and how a packet of v1 was cloned.
    #[inline(always)]
    fn mirror(&self, seen: &Sighting, decided: Decided, entry: Option<&mut Flow>) -> Ending {
        if let Some(why) = self.left_out(seen, decided) {
            return why;
        }
        if !caps::admit_packet(self.ctx, seen) {
            if let Some(flow) = entry {
                caps::cut(self.key, flow, seen);
            }
            return Ending::Capped;
        }
        match clone(self.ctx, self.shadow) {
            Cloned::Sent => {
                note(seen, |counts| counts.last_clone = seen.now);
                Ending::Cloned
            }
            Cloned::LinkRefused => {
                note(seen, |counts| counts.link_refused += 1);
                Ending::CloneFailed
            }
            Cloned::Failed => Ending::CloneFailed,
        }
    }

    /// The order of the reasons is the order in which an operator would ask.
    #[inline(always)]
    fn left_out(&self, seen: &Sighting, decided: Decided) -> Option<Ending> {
        if decided.decision == decision::SHARE_OUT || caps::is_share_gone(decided, seen) {
            return Some(Ending::ShareOut);
        }
        let ring_killed = self.control.rings_killed >> (decided.ring & 63) & 1 != 0;
        if self.control.killed != 0 || seen.policy.paused != 0 || ring_killed {
            return Some(Ending::Paused);
        }
        if seen.now >= self.control.lease_until {
            return Some(Ending::LeaseExpired);
        }
        (decided.decision == decision::CAPPED).then_some(Ending::Capped)
    }

    /// Counts a primary's packet as matched and by how it ended.
    #[inline(always)]
    fn count(&self, seen: &Sighting, ending: Ending) {
        if !seen.subject.is_primary() {
            return;
        }
        let len = self.ctx.len() as u64;
        note(seen, |counts| {
            for index in [Ending::Matched as usize, ending as usize & 7] {
                counts.packets[index] += 1;
                counts.bytes[index] += len;
            }
        });
    }
}

/// Our own traffic to v1, which is nobody's. What we send to v2 is timed, but for probes.
#[inline(always)]
fn is_left_alone(decision: u8, seen: &Sighting) -> bool {
    decision == decision::PROBE || decision == decision::OWN && seen.subject.is_primary()
}

#[inline(always)]
fn note(seen: &Sighting, act: impl FnOnce(&mut SideCount)) {
    if let Some(counts) = SIDE_COUNTS.get_ptr_mut(seen.subject.side_index()) {
        // SAFETY: a live entry of this processor's own array.
        act(unsafe { &mut *counts });
    }
}

#[inline(always)]
fn count_skip(skip: Skip) {
    if let Some(counts) = SKIP_COUNTS.get_ptr_mut(0) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*counts).packets[skip as usize & 7] += 1 };
    }
}
