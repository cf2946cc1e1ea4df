//! One node with the tap, and everything that is measured on it.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use aya::sys::{Stats, enable_stats};
use mirror_agent::kernel::Kernel;
use mirror_agent::kernel::object::{EGRESS, INGRESS};
use mirror_agent::kernel::shadow::Shadow;
use mirror_common::flow::{Endpoint, role};
use mirror_common::policy::ServicePolicy;
use mirror_common::share::WHOLE_PPM;
use mirror_tests::world::{Host, World};

use crate::bare::{self, Bare};
use crate::case::Case;
use crate::repeat::Program;
use crate::traffic::{Flood, Talk};

/// The node's interface towards the client.
const INTERFACE: &str = "eth0";

/// Services: the one whose share is 0, and the one that is cloned whole.
const LEFT_OUT: u8 = 0;
const CLONED: u8 = 1;

pub struct Rig<'a> {
    world: &'a World,
    kernel: Kernel,
    shadow: Shadow,
    unmatched: Flood,
    left_out: Flood,
    cloned: Flood,
    other_address: Flood,
    talk: Talk,
}

impl<'a> Rig<'a> {
    pub fn new(world: &'a World) -> Self {
        let kernel = Kernel::load().unwrap();
        let shadow = kernel.shadow(None, &[]).unwrap();
        let rig = Rig {
            world,
            unmatched: Flood::new(world),
            left_out: Flood::new(world),
            cloned: Flood::new(world),
            other_address: Flood::new(world),
            talk: Talk::new(world),
            kernel,
            shadow,
        };
        rig.know(rig.left_out.target(), LEFT_OUT, 0);
        rig.know(rig.talk.target(), LEFT_OUT, 0);
        let nobody = SocketAddr::new(IpAddr::from([192, 0, 2, 1]), rig.other_address.target().port());
        rig.know(nobody, LEFT_OUT, 0);
        rig.know(rig.cloned.target(), CLONED, WHOLE_PPM);
        rig
    }

    fn know(&self, address: SocketAddr, service: u8, share_ppm: u32) {
        self.kernel.set_policy(service, ServicePolicy::of_share(share_ppm)).unwrap();
        self.kernel
            .add_endpoint(address, Endpoint { service, version: 0, role: role::PRIMARY, zero: 0 })
            .unwrap();
    }

    /// Nanoseconds a packet, by the kernel's own statistics.
    pub fn cost(&mut self, case: Case) -> f64 {
        let _attached = self.attach(case);
        let names: &[&str] = if case == Case::Empty { &[bare::NAME] } else { &[INGRESS, EGRESS] };
        let statistics = enable_stats(Stats::RunTime).unwrap();
        let before = bare::runs(names);
        match case {
            Case::Timed => self.talk.run(),
            other => _ = self.flood(other).run(),
        }
        let after = bare::runs(names);
        drop(statistics);
        self.kernel.untap();
        (after.0 - before.0) / (after.1 - before.1)
    }

    /// The same for packets made here, whose way holds nothing else.
    pub fn repeated_cost(&mut self, case: Case) -> f64 {
        let attached = self.attach(case);
        let name = if case == Case::Empty { bare::NAME } else { INGRESS };
        let program = Program::named(name);
        let statistics = enable_stats(Stats::RunTime).unwrap();
        let before = bare::runs(&[name]);
        match case {
            Case::Timed => program.talk(self.talk.target()),
            Case::SeenAgain => program.segments(self.talk.target()),
            Case::Acknowledged => program.acknowledgements(self.talk.target()),
            other => program.datagrams(self.flood(other).target()),
        }
        let after = bare::runs(&[name]);
        drop((statistics, attached));
        self.kernel.untap();
        (after.0 - before.0) / (after.1 - before.1)
    }

    /// Packets a second, without statistics.
    pub fn speed(&mut self, case: Case) -> f64 {
        let attached = self.attach(case);
        self.kernel.control.renew_lease();
        let speed = self.flood(case).run();
        if case == Case::Mirred {
            self.tc(&["qdisc", "del", "dev", INTERFACE, "clsact"]);
        }
        self.kernel.untap();
        drop(attached);
        speed
    }

    fn flood(&self, case: Case) -> &Flood {
        match case {
            Case::Cloned => &self.cloned,
            Case::LeftOut => &self.left_out,
            Case::OtherAddress => &self.other_address,
            _ => &self.unmatched,
        }
    }

    fn attach(&self, case: Case) -> Option<Bare> {
        match case {
            Case::Bare => {}
            Case::Empty => return Some(Bare::empty(index(INTERFACE))),
            Case::Cloning => return Some(Bare::cloning(index(INTERFACE), index(&self.shadow.name))),
            Case::Mirred => self.mirred(),
            _ => self.kernel.tap(INTERFACE).unwrap(),
        }
        None
    }

    fn mirred(&self) {
        self.tc(&["qdisc", "add", "dev", INTERFACE, "clsact"]);
        let filter =
            ["filter", "add", "dev", INTERFACE, "ingress", "protocol", "ip", "u32", "match", "u32", "0", "0"];
        let action = ["action", "mirred", "egress", "mirror", "dev", &self.shadow.name];
        self.tc(&[&filter[..], &action[..]].concat());
    }

    fn tc(&self, arguments: &[&str]) {
        let output = self.world.output(Host::Node, Command::new("tc").args(arguments)).unwrap();
        assert!(output.status.success(), "tc {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn index(interface: &str) -> u32 {
    mirror_agent::kernel::interface::index(interface).unwrap()
}
