//! One loaded object for many tests, where a kernel is emulated and its verifier takes seconds. A test gets it as if it
//! were new: in a namespace of its own, with every map as it was after loading.

use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::{Mutex, PoisonError};

use aya::maps::{MapInfo, MapType};
use mirror_agent::kernel::object::{DRAIN, EGRESS, INGRESS};

use crate::programs::Programs;

/// Set where loading is slow.
const WHERE: &str = "MIRROR_GUEST";

static IDLE: Mutex<Option<Programs>> = Mutex::new(None);

/// The programs of one test. When it goes, every ledger in it must balance.
pub struct Loaded(Option<Programs>);

impl Loaded {
    /// New ones, or those of an earlier test.
    pub fn get() -> Loaded {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).take();
        Loaded(Some(idle.unwrap_or_else(Programs::fresh)))
    }
}

impl Deref for Loaded {
    type Target = Programs;

    fn deref(&self) -> &Programs {
        self.0.as_ref().unwrap()
    }
}

impl DerefMut for Loaded {
    fn deref_mut(&mut self) -> &mut Programs {
        self.0.as_mut().unwrap()
    }
}

impl Drop for Loaded {
    /// What a failed test leaves is not used again.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.assert_balance();
        if std::env::var_os(WHERE).is_some() && !self.has_rules {
            self.0.iter().for_each(clear);
            *IDLE.lock().unwrap_or_else(PoisonError::into_inner) = self.0.take();
        }
    }
}

/// Empties every map that the programs use.
fn clear(programs: &Programs) {
    let used = [INGRESS, EGRESS, DRAIN].map(|name| programs.program(name).info().unwrap().map_ids().unwrap());
    let mut ids: Vec<u32> = used.into_iter().flatten().flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let map = MapInfo::from_id(id).unwrap();
        match map.map_type().unwrap() {
            // The compiler's own: `.rodata` and the like.
            MapType::Array if map.name_as_str().is_none_or(|name| name.contains('.')) => {}
            MapType::Array | MapType::PerCpuArray => zero(&map),
            MapType::Hash | MapType::LruHash | MapType::PerCpuHash | MapType::LpmTrie => remove_all(&map),
            MapType::RingBuf => {} // only its reader can empty it
            other => panic!("cannot empty the map {:?} of kind {other:?}", map.name_as_str()),
        }
    }
}

/// The numbers of the kernel's map commands (`enum bpf_cmd`).
const DELETE: libc::c_long = 3;
const NEXT_KEY: libc::c_long = 4;
const UPDATE_BATCH: libc::c_long = 26;

/// Writes zeros over all entries of an array at once.
fn zero(map: &MapInfo) {
    let copies =
        if map.map_type().unwrap() == MapType::PerCpuArray { aya::util::nr_cpus().unwrap() } else { 1 };
    let value = (map.value_size() as usize).next_multiple_of(8) * copies;
    let keys: Vec<u32> = (0..map.max_entries()).collect();
    let values = vec![0u8; keys.len() * value];
    let fd = map.fd().unwrap();
    let descriptor = u64::from(fd.as_fd().as_raw_fd().cast_unsigned());
    let (keys, values) = (keys.as_ptr() as u64, values.as_ptr() as u64);
    // `struct { in_batch, out_batch, keys, values: u64; count, map_fd: u32; elem_flags, flags: u64 }`
    let attributes = [0, 0, keys, values, u64::from(map.max_entries()) | descriptor << 32, 0, 0];
    assert_eq!(
        call(UPDATE_BATCH, &attributes),
        0,
        "{:?}: {}",
        map.name_as_str(),
        std::io::Error::last_os_error()
    );
}

/// Takes every entry of a table out.
fn remove_all(map: &MapInfo) {
    let mut key = vec![0u8; map.key_size() as usize];
    let fd = map.fd().unwrap();
    let descriptor = u64::from(fd.as_fd().as_raw_fd().cast_unsigned());
    // `struct { map_fd: u32; key, next_key: u64 }`; no key stands before the first.
    while call(NEXT_KEY, &[descriptor, 0, key.as_mut_ptr() as u64]) == 0 {
        assert_eq!(call(DELETE, &[descriptor, key.as_ptr() as u64, 0]), 0);
    }
}

fn call(command: libc::c_long, attributes: &[u64]) -> libc::c_long {
    // SAFETY: the attributes are as the kernel wants them for these commands, and what they point to lives through the
    // call and is as long as the map's description says.
    unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(attributes)) }
}
