//! The fence's programs around one cgroup: loaded for it, attached to it, and gone with this process.

use std::mem::size_of;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use aya::maps::lpm_trie::Key;
use aya::maps::{HashMap, LpmTrie, MapData};
use aya::programs::{CgroupAttachMode, CgroupSockAddr};
use aya::{Ebpf, EbpfLoader};
use aya_log::{LEVEL, Level};
use mirror_common::fence::{Count, DestinationKey, PORTS, Settings, UnknownKey, hook, mode, slot};

use super::cgroup::Cgroup;
use super::proposal::Unknown;
use super::{said, table};
use crate::config::Destination;
use crate::kernel::control::take_map;
use crate::kernel::flows::{to_address, to_end};
use crate::kernel::mapped::Mapped;
use crate::kernel::object::patiently;
use crate::kernel::pulse::Pulse;

/// The object file, aligned as an ELF reader wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/fence.bpf.o"));

/// The level of aya's log at which the programs write nothing.
const SILENT: u8 = 0;

/// Programs on a cgroup. Dropping them takes them off.
pub struct Attached {
    counts: Mapped,
    unknown: Mutex<HashMap<MapData, UnknownKey, u64>>,
    _lines: Option<Pulse>,
    /// Holds the links.
    _object: Ebpf,
}

impl Attached {
    /// Loads the programs with an allow list and attaches them. `what` goes before each line of their log.
    ///
    /// # Errors
    ///
    /// When the kernel or our rights do not allow it.
    pub fn new(cgroup: &Cgroup, allow: &[Destination], settings: Settings, what: &str) -> Result<Self> {
        let mut object = load(settings, allow)?;
        let lines = said::is_wanted() && settings.mode != mode::COUNT;
        let lines = lines.then(|| said::start(&mut object, what.to_owned())).transpose()?;
        let counts =
            Mapped::new(take_map(&mut object, "COUNTS")?, slot::COUNT as usize * size_of::<Count>())?;
        let unknown =
            object.take_map("UNKNOWN_CALLS").context("no kernel map UNKNOWN_CALLS in this build")?;
        fill(&mut object, allow)?;
        attach(&mut object, cgroup)?;
        Ok(Attached { counts, unknown: Mutex::new(unknown.try_into()?), _lines: lines, _object: object })
    }

    /// What the calls to one destination came to.
    pub fn count(&self, slot: u32) -> Count {
        let at = slot as usize * size_of::<Count>();
        let (allowed, denied) = (self.counts.read(at), self.counts.read(at + size_of::<u64>()));
        Count { allowed, denied }
    }

    /// The probes that each hook has denied so far.
    pub fn probes(&self) -> [u64; hook::COUNT] {
        std::array::from_fn(|hook| self.count(slot::PROBES + hook as u32).denied)
    }

    /// The destinations that the list does not cover and that were called.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn unknown(&self) -> Result<Vec<Unknown>> {
        let calls = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |entry: Result<(UnknownKey, u64), _>| {
            let (key, calls) = entry?;
            Ok(Unknown { to: to_end(&key.address, key.port), protocol: key.protocol, calls })
        };
        // An entry may go while we read: the walk begins anew then, and meets some twice.
        let all: Result<Vec<_>> = calls.iter().map(read).collect();
        let mut all = all.context("read the calls that the fence does not know")?;
        all.sort_by_key(|one| (one.to, one.protocol));
        all.dedup_by_key(|one| (one.to, one.protocol));
        Ok(all)
    }
}

/// What the programs are told: the mode, and where the self-test calls.
pub fn settings(mode: u32, probes: [SocketAddr; 2]) -> Settings {
    let [v4, v6] = probes;
    Settings {
        mode,
        probe_port: u32::from(v4.port().to_be()),
        probes: [to_address(v4.ip()), to_address(v6.ip())],
    }
}

/// Loads maps and programs. Nothing is attached yet.
///
/// # Errors
///
/// When the kernel refuses a map or a program; the verifier's log is part of the error.
pub fn load(settings: Settings, allow: &[Destination]) -> Result<Ebpf> {
    let level = if said::is_wanted() { Level::Debug as u8 } else { SILENT };
    let prefixes = u32::try_from(table::by_prefix(allow).len()).unwrap_or(u32::MAX).max(1);
    let mut loader = EbpfLoader::new();
    loader.override_global("SETTINGS", &settings, true).override_global(LEVEL, &level, true);
    let mut object = loader
        .map_max_entries("DESTS_BY_PREFIX", prefixes)
        .load(OBJECT)
        .context("create the kernel maps of the fence")?;
    for name in hook::NAMES {
        let program = program(&mut object, name)?;
        patiently(|| program.load()).with_context(|| format!("load the fence's kernel program {name}"))?;
    }
    Ok(object)
}

fn fill(object: &mut Ebpf, allow: &[Destination]) -> Result<()> {
    let map = object.take_map("DESTS_BY_PREFIX").context("no kernel map DESTS_BY_PREFIX in this build")?;
    let mut prefixes: LpmTrie<MapData, DestinationKey, u64> = map.try_into()?;
    for (prefix, mask) in table::by_prefix(allow) {
        let (bits, key) = table::key(prefix);
        prefixes.insert(&Key::new(bits, key), mask, 0).context("write a prefix of the fence")?;
    }
    let ports = Mapped::new(take_map(object, "DESTS_BY_PORT")?, PORTS as usize * size_of::<u64>())?;
    for (port, mask) in table::by_port(allow).into_iter().enumerate() {
        let word = ports.word(port * size_of::<u64>()).context("the table of ports is too short")?;
        word.store(mask, Ordering::Relaxed);
    }
    Ok(())
}

fn attach(object: &mut Ebpf, cgroup: &Cgroup) -> Result<()> {
    for name in hook::NAMES {
        // A link always lets others' programs run beside it (BPF_F_ALLOW_MULTI), and takes no flag that says so.
        let attached = program(object, name)?.attach(&cgroup.directory, CgroupAttachMode::Single);
        attached.with_context(|| format!("attach the fence to {name} of {}", cgroup.path.display()))?;
    }
    Ok(())
}

fn program<'a>(object: &'a mut Ebpf, hook: &str) -> Result<&'a mut CgroupSockAddr> {
    let name = format!("fence_{hook}");
    let program =
        object.program_mut(&name).with_context(|| format!("no kernel program {name} in this build"))?;
    Ok(program.try_into()?)
}
