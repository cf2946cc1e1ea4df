//! The same watch where the kernel has no tcx. This one has, so the taps are told to be filters.

use std::sync::Arc;

use aya::programs::links::LinkOrder;
use aya::programs::tc::{TcAttachOptions, TcAttachType};
use mirror_agent::config::OnDisplaced;
use mirror_agent::kernel::Kernel;
use mirror_agent::kernel::attach::{Mechanism, Vantage};
use mirror_agent::kernel::object::{INGRESS, load, program};
use mirror_agent::kernel::wanted::Wanted;
use mirror_agent::kernel::watch::Watch;
use mirror_agent::status::Condition;
use mirror_tests::wait::until;
use mirror_tests::world::Host;

use crate::scene::{SECOND, Scene};

/// Filter taps on the node's interface towards the client, watched.
struct Taps {
    kernel: Arc<Kernel>,
    _watch: Watch,
}

impl Taps {
    fn new(policy: OnDisplaced) -> Taps {
        let kernel = Arc::new(Kernel::load_as(Mechanism::Clsact).unwrap());
        kernel.want(Wanted::new(&["eth0".into()]).unwrap(), policy).unwrap();
        let watched = kernel.clone();
        Taps { _watch: Watch::start(move |heard| watched.look(heard)).unwrap(), kernel }
    }

    fn ingress(&self) -> Vantage {
        self.kernel.taps().into_iter().find(|tap| tap.hook == "ingress").unwrap()
    }

    fn await_ingress(&self, condition: Condition, position: Option<usize>) {
        let look = || {
            let ingress = self.ingress();
            Ok(((ingress.condition, ingress.position) == (condition, position)).then_some(()))
        };
        until(&format!("{condition:?} {position:?}"), SECOND, look)
            .unwrap_or_else(|error| panic!("{error}: {:?} {:?}", self.ingress(), self.kernel.tap_changes()));
    }
}

fn in_node(act: impl FnOnce(&Scene) + Send) {
    let scene = Scene::with(&[]);
    scene.world.enter(Host::Node, || act(&scene)).unwrap();
}

/// Somebody else's filter that lets everything pass.
fn filter(scene: &Scene, priority: u16) {
    scene.node(&format!(
        "tc filter add dev eth0 ingress prio {priority} protocol all u32 match u32 0 0 classid 1:1"
    ));
}

#[test]
fn a_filter_that_is_deleted_is_missed() {
    in_node(|scene| {
        let taps = Taps::new(OnDisplaced::Report);
        taps.await_ingress(Condition::First, Some(0));
        filter(scene, 100);
        until("a follower", SECOND, || Ok((taps.ingress().followers == Some(1)).then_some(()))).unwrap();
        scene.node("tc filter del dev eth0 ingress prio 49");
        taps.await_ingress(Condition::Removed, None);
        assert_eq!(taps.kernel.tap_changes().removed, 1);
    });
}

#[test]
fn what_took_the_place_of_ours_stays_when_we_go() {
    in_node(|scene| {
        let taps = Taps::new(OnDisplaced::Report);
        scene.node("tc filter del dev eth0 ingress prio 49");
        filter(scene, 49);
        taps.await_ingress(Condition::Removed, None);
        drop(taps);
        assert!(scene.node("tc filter show dev eth0 ingress").contains("pref 49 u32"));
        assert!(!scene.node("tc filter show dev eth0 egress").contains("mirror"));
    });
}

#[test]
fn who_comes_before_a_filter_is_said() {
    in_node(|scene| {
        scene.node("tc qdisc add dev eth0 clsact");
        filter(scene, 7);
        let taps = Taps::new(OnDisplaced::Reattach);
        taps.await_ingress(Condition::Preceded, Some(1));
        filter(scene, 1);
        filter(scene, 100);
        taps.await_ingress(Condition::Preceded, Some(2));
        scene.node("tc filter del dev eth0 ingress prio 1; tc filter del dev eth0 ingress prio 7");
        taps.await_ingress(Condition::First, Some(0));
        // A chain comes before every filter, whatever its priority.
        let mut object = load().unwrap();
        let first = TcAttachOptions::TcxOrder(LinkOrder::first());
        let intruder = program(&mut object, INGRESS).unwrap();
        intruder.attach_with_options("eth0", TcAttachType::Ingress, first).unwrap();
        taps.await_ingress(Condition::Preceded, Some(1));
        drop(object);
        taps.await_ingress(Condition::First, Some(0));
        let changes = taps.kernel.tap_changes();
        assert_eq!((changes.preceded, changes.first_again, changes.reattached), (2, 2, 0));
    });
}

#[test]
fn the_loss_of_clsact_is_made_good() {
    in_node(|scene| {
        let taps = Taps::new(OnDisplaced::Reattach);
        scene.node("tc qdisc del dev eth0 clsact");
        until("both filters again", SECOND, || Ok((taps.kernel.tap_changes().reattached == 2).then_some(())))
            .unwrap();
        taps.await_ingress(Condition::First, Some(0));
        for hook in ["ingress", "egress"] {
            let shown = scene.node(&format!("tc filter show dev eth0 {hook}"));
            assert!(shown.contains(&format!("pref 49 bpf chain 0 handle 0x6d61 mirror_{hook}")), "{shown}");
        }
        assert_eq!(taps.kernel.tap_changes().removed, 2);
    });
}
