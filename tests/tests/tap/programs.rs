//! One loaded object in a network namespace of its own, and everything that its programs leave behind.

use std::cell::RefCell;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use aya::Ebpf;
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, RingBuf};
use aya::programs::{SchedClassifier, TestRun as _, TestRunOptions};
use mirror_agent::config::Config;
use mirror_agent::kernel::attach::{self, Tap};
use mirror_agent::kernel::caps;
use mirror_agent::kernel::clock::monotonic;
use mirror_agent::kernel::control::take_map;
use mirror_agent::kernel::counts::{Counts, imbalance};
use mirror_agent::kernel::flows::to_address;
use mirror_agent::kernel::histograms::Histograms;
use mirror_agent::kernel::object;
use mirror_agent::kernel::rules::Rules;
use mirror_common::count::{Packet, RuleCount, SideCount, Skip, side};
use mirror_common::event::Event;
use mirror_common::flow::{Endpoint, EndpointKey, Flow, FlowKey, TCP, UDP, known, phase, role};
use mirror_common::histogram::{Histogram, round_trip_series, series};
use mirror_common::limits::{RULES, SERVICES, VERSIONS};
use mirror_common::policy::{Buckets, Control, ServicePolicy};
use mirror_common::rule::{Candidates, PrefixKey};
use mirror_common::share::WHOLE_PPM;
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, unshare};

use crate::reuse::Loaded;

/// The loopback interface, where a packet without [`Meta::interface`] is seen.
pub const LOOPBACK: u32 = 1;

/// What is known of a packet beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    pub program: &'static str,
    pub interface: u32,
    pub mark: u32,
}

/// As it comes in at [`LOOPBACK`].
pub const IN: Meta = Meta { program: object::INGRESS, interface: LOOPBACK, mark: 0 };
/// As it goes out at [`LOOPBACK`].
pub const OUT: Meta = Meta { program: object::EGRESS, interface: LOOPBACK, mark: 0 };

/// When a program ran: not before the first (ns), not after the second.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub u64, pub u64);

/// The taps for interfaces without a link header.
pub const RAW_INGRESS: &str = object::RAW_INGRESS;
/// See [`RAW_INGRESS`].
pub const RAW_EGRESS: &str = object::RAW_EGRESS;

/// The object and its maps.
pub struct Programs {
    object: Ebpf,
    control: Array<MapData, Control>,
    policies: Array<MapData, ServicePolicy>,
    buckets: Array<MapData, Buckets>,
    endpoints: HashMap<MapData, EndpointKey, Endpoint>,
    prefixes: LpmTrie<MapData, PrefixKey, Candidates>,
    rule_counts: PerCpuArray<MapData, RuleCount>,
    raw_histograms: Array<MapData, Histogram>,
    events: RefCell<RingBuf<MapData>>,
    flows: RefCell<HashMap<MapData, FlowKey, Flow>>,
    pub counts: Counts,
    pub rules: Rules,
    /// A config's rules were put in force, which are remembered beside the maps.
    pub has_rules: bool,
    pub histograms: Histograms,
    /// Where clones go.
    pub shadow: u32,
}

/// Everything is mirrored, without a cap.
pub const WHOLE: ServicePolicy = ServicePolicy::of_share(WHOLE_PPM);

impl Programs {
    /// With a shadow interface, an endless lease, and [`WHOLE`] as every service's policy. No endpoint is known.
    pub fn load() -> Loaded {
        let shadow = make_namespace();
        let mut programs = Loaded::get();
        programs.shadow = shadow;
        while programs.events.get_mut().next().is_some() {} // an earlier test's
        programs.steer(|control| {
            control.lease_until = u64::MAX;
            control.shadow_interface = shadow;
        });
        for service in 0..SERVICES {
            programs.policies.set(service, WHOLE, 0).unwrap();
        }
        programs
    }

    /// As the kernel has them after loading.
    pub fn fresh() -> Self {
        let mut object = object::load().unwrap();
        let [histograms, prefixes, rule_counts] =
            ["HISTOGRAMS", "RULES_BY_PREFIX", "RULE_COUNTS"].map(|name| again(&object, name));
        let raw_histograms = Array::try_from(Map::Array(histograms)).unwrap();
        let control = take_map(&mut object, "CONTROL").unwrap();
        let histograms = Histograms::new(take_map(&mut object, "HISTOGRAMS").unwrap()).unwrap();
        let counts = Counts::new(&mut object).unwrap();
        let rules = Rules::new(&mut object).unwrap();
        let mut take = |name| object.take_map(name).unwrap();
        let (policies, buckets) = (take("POLICIES"), take("BUCKETS"));
        let (endpoints, flows) = (take("ENDPOINTS_BY_KEY"), take("FLOWS_BY_KEY"));
        let events = take("EVENTS");
        Programs {
            object,
            control: Array::try_from(Map::Array(control)).unwrap(),
            policies: policies.try_into().unwrap(),
            buckets: buckets.try_into().unwrap(),
            endpoints: endpoints.try_into().unwrap(),
            prefixes: Map::LpmTrie(prefixes).try_into().unwrap(),
            rule_counts: Map::PerCpuArray(rule_counts).try_into().unwrap(),
            raw_histograms,
            events: RefCell::new(events.try_into().unwrap()),
            flows: RefCell::new(flows.try_into().unwrap()),
            counts,
            rules,
            has_rules: false,
            histograms,
            shadow: 0,
        }
    }

    /// The same, and every service has its primary at [`address_of`] it.
    pub fn with_services() -> Loaded {
        let mut programs = Self::load();
        for service in 0..SERVICES as u8 {
            programs.know(address_of(service), service, 0, role::PRIMARY);
        }
        programs
    }

    /// Changes the control words.
    pub fn steer(&mut self, change: impl FnOnce(&mut Control)) {
        let mut control = self.control.get(&0, 0).unwrap();
        change(&mut control);
        self.control.set(0, control, 0).unwrap();
    }

    /// Changes how a service is mirrored.
    pub fn set_policy(&mut self, service: u8, policy: ServicePolicy) {
        self.policies.set(service.into(), policy, 0).unwrap();
    }

    /// Puts the rules of a config in force, as the agent does.
    pub fn replace_rules(&mut self, config: &Config) {
        self.has_rules = true;
        let policies = &mut self.policies;
        let change = |service: u8, act: &dyn Fn(&mut ServicePolicy)| {
            let mut policy = policies.get(&service.into(), 0)?;
            act(&mut policy);
            Ok(policies.set(u32::from(service), policy, 0)?)
        };
        self.rules.replace(&config.services, change, caps::set).unwrap();
    }

    /// Loads the programs for interfaces without a link header too; their clones go where all others go.
    pub fn load_raw(&mut self) {
        object::load_raw(&mut self.object).unwrap();
        let shadow = self.shadow;
        self.steer(|control| control.raw_shadow_interface = shadow);
    }

    /// Says which rules are tried for the clients of a prefix: of this many bits, of an address in its mapped form.
    pub fn set_candidates(&mut self, bank: u32, service: u8, (ip, bits): ([u8; 16], u32), slots: &[u8]) {
        let mut candidates = Candidates { slots: [0; RULES] };
        candidates.slots[..slots.len()].copy_from_slice(slots);
        let key =
            PrefixKey { scope: PrefixKey::scope(bank, service), address: mirror_common::flow::address(ip) };
        self.prefixes.insert(&Key::new(PrefixKey::SCOPE_BITS + bits, key), candidates, 0).unwrap();
    }

    /// Empties one service's half of the prefixes.
    pub fn clear_bank(&mut self, bank: u32, service: u8) {
        let scope = PrefixKey::scope(bank, service);
        let keys: Vec<_> = self.prefixes.keys().map(Result::unwrap).collect();
        for key in keys.into_iter().filter(|key| key.data().scope == scope) {
            self.prefixes.remove(&key).unwrap();
        }
    }

    /// What one rule has decided.
    pub fn rule(&self, service: u8, slot: u8) -> RuleCount {
        let index = u32::from(service) * RULES as u32 + u32::from(slot);
        let mut sum = RuleCount::default();
        for count in self.rule_counts.get(&index, 0).unwrap().iter() {
            sum.named += count.named;
            sum.mirrored += count.mirrored;
            sum.capped += count.capped;
            sum.cut += count.cut;
        }
        sum
    }

    /// A service's buckets.
    pub fn buckets(&self, service: u8) -> Buckets {
        self.buckets.get(&service.into(), 0).unwrap()
    }

    /// Changes them.
    pub fn set_buckets(&mut self, service: u8, buckets: Buckets) {
        self.buckets.set(service.into(), buckets, 0).unwrap();
    }

    /// A series of turns, whole.
    pub fn turn_series(&self, service: u8, version: u8, measure: u8, outcome: u8) -> Histogram {
        self.raw_histograms.get(&series(service, version, measure, outcome), 0).unwrap()
    }

    /// A series of round trips, whole.
    pub fn round_trips(&self, service: u8, version: u8, kind: u8, side: usize) -> Histogram {
        self.raw_histograms.get(&round_trip_series(service, version, kind, side as u8), 0).unwrap()
    }

    /// The events that nobody has taken yet.
    pub fn events(&self) -> Vec<Event> {
        let mut ring = self.events.borrow_mut();
        let mut events = Vec::new();
        while let Some(item) = ring.next() {
            assert_eq!(item.len(), size_of::<Event>());
            // SAFETY: as long as an event, which is made of integers only; read without regard to alignment.
            events.push(unsafe { item.as_ptr().cast::<Event>().read_unaligned() });
        }
        events
    }

    /// Takes one connection's entry out, as a sweep does.
    pub fn forget(&self, key: &FlowKey) {
        self.flows.borrow_mut().remove(key).unwrap();
    }

    /// Fills a service's token buckets up again.
    pub fn refill(&mut self, service: u8) {
        self.buckets.set(service.into(), Buckets::default(), 0).unwrap();
    }

    /// Makes an endpoint known, for TCP and UDP.
    pub fn know(&mut self, address: SocketAddr, service: u8, version: u8, role: u8) {
        let any = address.ip().is_unspecified();
        let port = address.port();
        self.steer(|control| control.ports[usize::from(port / 64)] |= 1 << (port % 64));
        for protocol in [TCP, UDP] {
            let ip = if any { [0; 4] } else { to_address(address.ip()) };
            let key = EndpointKey { address: ip, port: address.port().to_be(), protocol, zero: 0 };
            self.endpoints.insert(key, Endpoint { service, version, role, zero: 0 }, 0).unwrap();
        }
    }

    /// Runs a tap on a packet. Whatever the packet is, the verdict is "next".
    pub fn run(&self, packet: &[u8], meta: Meta) -> Moment {
        let before = monotonic();
        assert_eq!(self.verdict(packet, meta), -1, "{packet:02x?}");
        Moment(before, monotonic())
    }

    /// What a program returns for a packet.
    pub fn verdict(&self, packet: &[u8], meta: Meta) -> i32 {
        // The head of `__sk_buff`: mark is its third word, ingress_ifindex and ifindex its tenth and eleventh.
        let mut context = [0u32; 11];
        (context[2], context[9], context[10]) = (meta.mark, meta.interface, meta.interface);
        let context = context.map(u32::to_ne_bytes);
        let options = TestRunOptions {
            data_in: Some(packet),
            ctx_in: Some(context.as_flattened()),
            ..TestRunOptions::new()
        };
        self.program(meta.program).test_run(options).unwrap().return_value.cast_signed()
    }

    /// Puts the programs into the path of an interface's real packets, for as long as the taps are held.
    pub fn tap(&mut self, interface: &str) -> Vec<Tap> {
        let mechanism = attach::probe(&mut self.object).unwrap();
        attach::attach(&mut self.object, interface, mechanism, &attach::HOOKS).unwrap()
    }

    /// A program by name.
    pub fn program(&self, name: &str) -> &SchedClassifier {
        self.object.program(name).unwrap().try_into().unwrap()
    }

    /// What happened to the packets of one service, by name; counts that are not 0.
    pub fn ends(&self, service: u8) -> Vec<(&'static str, u64)> {
        named(&Packet::NAMES[1..], &self.counts.service(service).unwrap().packets[1..])
    }

    /// Why packets were not matched, by name; counts that are not 0.
    pub fn skips(&self) -> Vec<(&'static str, u64)> {
        named(&Skip::NAMES, &self.counts.skips().unwrap().packets)
    }

    /// What one side of one service has seen.
    pub fn side(&self, service: u8, side: u8) -> SideCount {
        self.counts.side(service, side).unwrap()
    }

    /// The flow table.
    pub fn flows(&self) -> Vec<(FlowKey, Flow)> {
        self.flows.borrow().iter().map(Result::unwrap).collect()
    }

    /// One connection's entry.
    pub fn flow(&self, key: &FlowKey) -> Option<Flow> {
        self.flows.borrow().get(key, 0).ok()
    }

    /// Writes one connection's entry.
    pub fn set_flow(&self, key: &FlowKey, flow: Flow) {
        self.flows.borrow_mut().insert(key, flow, 0).unwrap();
    }

    /// Every packet and every turn has ended in one way, or is open.
    pub fn assert_balance(&self) {
        let flows = self.flows();
        for service in 0..SERVICES as u8 {
            for side in [side::CLIENT, side::SERVER] {
                assert_eq!(imbalance(&self.side(service, side)), 0, "packets of service {service}");
            }
            (0..VERSIONS as u8).for_each(|version| self.assert_turns_balance(&flows, service, version));
        }
    }

    fn assert_turns_balance(&self, flows: &[(FlowKey, Flow)], service: u8, version: u8) {
        let ours = |(_, flow): &&(_, Flow)| (flow.service, flow.version) == (service, version);
        let open: u64 = flows.iter().filter(ours).map(|(_, flow)| open_turns(flow)).sum();
        let count = self.counts.turns(service, version).unwrap();
        let ended = count.recorded + count.ambiguous.iter().sum::<u64>();
        assert_eq!(count.started, ended + open, "turns of service {service}: {count:?}, {open} open");
    }
}

/// A second handle on a map, before somebody takes the first.
fn again(object: &Ebpf, name: &str) -> MapData {
    match object.map(name).unwrap() {
        Map::Array(map) | Map::LpmTrie(map) | Map::PerCpuArray(map) => {
            MapData::from_id(map.info().unwrap().id()).unwrap()
        }
        other => panic!("{name} is {other:?}"),
    }
}

/// Where [`Programs::with_services`] puts a service.
pub fn address_of(service: u8) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, 2), 8000 + u16::from(service)).into()
}

/// Turns of a connection that have begun and not ended.
pub fn open_turns(flow: &Flow) -> u64 {
    u64::from(flow.phase != phase::IDLE) + u64::from(flow.known & known::PENDING != 0)
}

fn named(names: &[&'static str], counts: &[u64]) -> Vec<(&'static str, u64)> {
    names.iter().copied().zip(counts.iter().copied()).filter(|(_, count)| *count != 0).collect()
}

/// Moves this thread into a namespace with loopback up and a veth pair to clone into; returns the index of its near end.
fn make_namespace() -> u32 {
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    // The kernel's own packets would be counted among the clones.
    std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
    // The near end last: it would send nothing until the kernel had found that it has a carrier.
    ip_batch("link set lo up\nlink add far up type veth peer name shadow\nlink set shadow up\n");
    if_nametoindex("shadow").unwrap()
}

/// Runs `ip` once for several lines: starting it is what takes long.
fn ip_batch(lines: &str) {
    let mut child = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "ip: {lines}");
}

/// Runs `ip` in this thread's namespace.
pub fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
