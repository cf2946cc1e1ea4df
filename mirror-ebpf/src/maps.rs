//! The maps, and the only code that looks into them.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, RingBuf};
use mirror_common::count::{RuleCount, SideCount, SkipCount, TurnCount};
use mirror_common::event::RING_BYTES;
use mirror_common::flow::{Closed, Endpoint, EndpointKey, Flow, FlowKey};
use mirror_common::histogram::{Histogram, SERIES};
use mirror_common::limits::{CLOSED, ENDPOINTS, FLOWS, PREFIXES, RULES, SERVICES, VERSIONS};
use mirror_common::policy::{Buckets, Control, ServicePolicy};
use mirror_common::rule::{Candidates, PrefixKey};

use crate::packet::Packet;
use crate::scan::TextRoom;

/// `BPF_F_MMAPABLE`: user space reads and writes the array without a system call.
const MMAPABLE: u32 = 1 << 10;

#[map]
pub static CONTROL: Array<Control> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub static POLICIES: Array<ServicePolicy> = Array::with_max_entries(SERVICES, 0);
#[map]
pub static BUCKETS: Array<Buckets> = Array::with_max_entries(SERVICES, MMAPABLE);
#[map]
pub static ENDPOINTS_BY_KEY: HashMap<EndpointKey, Endpoint> = HashMap::with_max_entries(ENDPOINTS, 0);
#[map]
pub static RULES_BY_PREFIX: LpmTrie<PrefixKey, Candidates> = LpmTrie::with_max_entries(PREFIXES, 0);
#[map]
pub static FLOWS_BY_KEY: HashMap<FlowKey, Flow> = HashMap::with_max_entries(FLOWS, 0);
/// Connections that have just closed: only where several interfaces are tapped.
#[map]
pub static CLOSED_BY_KEY: LruHashMap<FlowKey, Closed> = LruHashMap::with_max_entries(CLOSED, 0);
#[map]
pub static SIDE_COUNTS: PerCpuArray<SideCount> = PerCpuArray::with_max_entries(SERVICES * 2, 0);
#[map]
pub static SKIP_COUNTS: PerCpuArray<SkipCount> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static TURN_COUNTS: PerCpuArray<TurnCount> = PerCpuArray::with_max_entries(SERVICES * VERSIONS, 0);
#[map]
pub static RULE_COUNTS: PerCpuArray<RuleCount> = PerCpuArray::with_max_entries(SERVICES * RULES as u32, 0);
/// The packet that this processor looks at.
#[map]
pub static PARSED: PerCpuArray<Packet> = PerCpuArray::with_max_entries(1, 0);
/// The segment of a request that this processor looks at.
#[map]
pub static TEXTS: PerCpuArray<TextRoom> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static HISTOGRAMS: Array<Histogram> = Array::with_max_entries(SERIES, MMAPABLE);
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// The control words, in place.
#[inline(always)]
pub fn control() -> Option<&'static Control> {
    CONTROL.get(0)
}

/// The counts of one version of one service, on this processor.
#[inline(always)]
pub fn turn_count(service: u8, version: u8) -> Option<*mut TurnCount> {
    TURN_COUNTS.get_ptr_mut(service as u32 * VERSIONS + version as u32)
}
