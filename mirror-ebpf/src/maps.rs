//! The maps, and the only code that looks into them.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, PerCpuArray};
use mirror_common::count::{SideCount, SkipCount, TurnCount};
use mirror_common::flow::{Endpoint, EndpointKey, Flow, FlowKey};
use mirror_common::histogram::{Histogram, SERIES};
use mirror_common::limits::{ENDPOINTS, FLOWS, SERVICES, VERSIONS};
use mirror_common::policy::{Buckets, Control, ServicePolicy};

use crate::packet::Packet;

/// `BPF_F_MMAPABLE`: user space reads and writes the array without a system call.
const MMAPABLE: u32 = 1 << 10;

#[map]
pub static CONTROL: Array<Control> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub static POLICIES: Array<ServicePolicy> = Array::with_max_entries(SERVICES, 0);
#[map]
pub static BUCKETS: Array<Buckets> = Array::with_max_entries(SERVICES, 0);
#[map]
pub static ENDPOINTS_BY_KEY: HashMap<EndpointKey, Endpoint> = HashMap::with_max_entries(ENDPOINTS, 0);
#[map]
pub static FLOWS_BY_KEY: HashMap<FlowKey, Flow> = HashMap::with_max_entries(FLOWS, 0);
#[map]
pub static SIDE_COUNTS: PerCpuArray<SideCount> = PerCpuArray::with_max_entries(SERVICES * 2, 0);
#[map]
pub static SKIP_COUNTS: PerCpuArray<SkipCount> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static TURN_COUNTS: PerCpuArray<TurnCount> = PerCpuArray::with_max_entries(SERVICES * VERSIONS, 0);
/// The packet that this processor looks at.
#[map]
pub static PARSED: PerCpuArray<Packet> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static HISTOGRAMS: Array<Histogram> = Array::with_max_entries(SERIES, MMAPABLE);

/// The entry of an array, copied out.
#[inline(always)]
pub fn control() -> Option<&'static Control> {
    CONTROL.get(0)
}
