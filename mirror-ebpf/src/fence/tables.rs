//! The tables of one fence: each fence has an object, and so tables, of its own.

use aya_ebpf::Global;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, LpmTrie, LruHashMap};
use mirror_common::fence::{Count, DestinationKey, PORTS, Pace, Settings, UNKNOWN, UnknownKey, slot};

/// `BPF_F_MMAPABLE`: user space reads and writes the array without a system call.
const MMAPABLE: u32 = 1 << 10;

/// What the agent says before it loads the programs.
#[unsafe(no_mangle)]
pub static SETTINGS: Global<Settings> = Global::new(Settings { mode: 0, probe_port: 0, probes: [[0; 4]; 2] });

/// The destinations, as bits of a mask, of whose prefixes one covers the address.
#[map]
pub static DESTS_BY_PREFIX: LpmTrie<DestinationKey, u64> = LpmTrie::with_max_entries(1, 0);
/// The destinations that name the port, which is in host order.
#[map]
pub static DESTS_BY_PORT: Array<u64> = Array::with_max_entries(PORTS, MMAPABLE);
#[map]
pub static COUNTS: Array<Count> = Array::with_max_entries(slot::COUNT, MMAPABLE);
#[map]
pub static UNKNOWN_CALLS: LruHashMap<UnknownKey, u64> = LruHashMap::with_max_entries(UNKNOWN, 0);
#[map]
pub static PACE: Array<Pace> = Array::with_max_entries(1, 0);
