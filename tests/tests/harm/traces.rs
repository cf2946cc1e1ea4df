//! What an agent has in the kernel, looked up without asking it, and whether all of it is gone.

use std::collections::BTreeSet;
use std::fs;

use aya::maps::{Map, MapData, PerCpuArray, loaded_maps};
use aya::programs::loaded_programs;
use aya::programs::tc::{SchedClassifier, TcAttachType};
use mirror_common::count::{Packet, SideCount, side};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};

use crate::scene::PATIENCE;

/// The programs and maps that a process holds, by id.
pub struct Traces {
    programs: BTreeSet<u32>,
    maps: BTreeSet<u32>,
}

impl Traces {
    /// Those of a living process.
    pub fn of(pid: u32) -> Traces {
        let mut traces = Traces { programs: BTreeSet::new(), maps: BTreeSet::new() };
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            traces.programs.extend(
                text.lines().filter_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u32>().ok()),
            );
            traces.maps.extend(
                text.lines().filter_map(|line| line.strip_prefix("map_id:")?.trim().parse::<u32>().ok()),
            );
        }
        assert!(
            !traces.programs.is_empty() && !traces.maps.is_empty(),
            "process {pid} holds nothing in the kernel"
        );
        traces
    }

    /// The programs' ids.
    pub fn programs(&self) -> &BTreeSet<u32> {
        &self.programs
    }

    /// Waits until all of it is gone, and the node has only its own interfaces, with nothing on their hooks.
    pub fn vanish(&self, world: &World) {
        self.unload();
        let gone = || Ok((interfaces(world) == own_interfaces()).then_some(()));
        until("the end of the agent's interfaces", PATIENCE, gone).unwrap();
        for interface in own_interfaces() {
            assert!(chain(world, &interface).is_empty(), "a program is left on {interface}");
        }
    }

    /// Waits until its programs and maps are gone.
    pub fn unload(&self) {
        let programs = || loaded_programs().flatten().map(|program| program.id()).collect::<BTreeSet<_>>();
        let maps = || loaded_maps().flatten().map(|map| map.id()).collect::<BTreeSet<_>>();
        let gone = || self.programs.is_disjoint(&programs()) && self.maps.is_disjoint(&maps());
        until("the end of the agent's programs and maps", PATIENCE, || Ok(gone().then_some(()))).unwrap();
    }

    /// The agent's counters of packets, also while it stands still.
    pub fn packets(&self) -> [u64; Packet::COUNT] {
        let is_ours = |id: &&u32| {
            aya::maps::MapInfo::from_id(**id).is_ok_and(|map| map.name_as_str() == Some("SIDE_COUNTS"))
        };
        let id = *self.maps.iter().find(is_ours).unwrap();
        let map = Map::PerCpuArray(MapData::from_id(id).unwrap());
        let counts: PerCpuArray<MapData, SideCount> = map.try_into().unwrap();
        let mut sum = [0; Packet::COUNT];
        for side in [side::CLIENT, side::SERVER] {
            for count in counts.get(&side.into(), 0).unwrap().iter() {
                sum.iter_mut().zip(count.packets).for_each(|(to, from)| *to += from);
            }
        }
        sum
    }
}

/// The node's interfaces now.
pub fn interfaces(world: &World) -> BTreeSet<String> {
    let list = world.enter(Host::Node, || fs::read_to_string("/proc/thread-self/net/dev")).unwrap().unwrap();
    list.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

/// The node's interfaces in a world without an agent. Some kernels put tunnels into every new namespace; the world's
/// directory remembers none, so they are told by what a fresh namespace has.
pub fn own_interfaces() -> BTreeSet<String> {
    [Host::Client, Host::V1, Host::V2]
        .map(|host| host.interface().to_owned())
        .into_iter()
        .chain(["lo".into()])
        .collect()
}

/// The ids of the programs on both hooks of an interface of the node, ingress first.
pub fn chain(world: &World, interface: &str) -> Vec<u32> {
    let query = |kind| SchedClassifier::query_tcx(interface, kind).unwrap().1;
    let both = || [TcAttachType::Ingress, TcAttachType::Egress].map(query);
    world.enter(Host::Node, both).unwrap().iter().flatten().map(|program| program.id()).collect()
}
