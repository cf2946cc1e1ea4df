//! Scripts of thousands of packets, through the programs and through the model: both must say the same in everything.
//!
//! `TAP_SCRIPTS` is how many scripts are run; a script that fails is run again step by step, and the first step after
//! which the two differ is shown with those before it.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use mirror_agent::kernel::flows::to_address;
use mirror_agent::kernel::object::{EGRESS, INGRESS};
use mirror_common::count::{Packet, Skip};
use mirror_common::flow::{Flow, FlowKey, known, mark};
use mirror_common::policy::{BY_CLIENT, ServicePolicy};
use mirror_common::rule;
use mirror_common::turn::Ambiguous;

use crate::model::rules::{Buckets, Policy, has};
use crate::model::span::{Span, agrees};
use crate::model::wire::End;
use crate::model::{Decision, Key, Model, Role, Sight, Talk};
use crate::programs::{Meta, Moment, Programs, RAW_EGRESS, RAW_INGRESS, WHOLE};
use crate::reuse::Loaded;
use crate::script::{MARK, SERVICES, Step, script, servers};

const STEPS: usize = 2500;
/// Steps between two comparisons of everything.
const OFTEN: usize = 500;

#[test]
fn the_programs_do_what_the_model_does() {
    // One is a minute where the kernel is emulated.
    let usual = if std::env::var_os("MIRROR_GUEST").is_some() { 1 } else { 20 };
    let scripts = std::env::var("TAP_SCRIPTS").map_or(usual, |scripts| scripts.parse().unwrap());
    for seed in 0..scripts {
        let steps = script(seed, STEPS);
        let several = seed % 3 != 0;
        if run(&steps, several, OFTEN).is_some() {
            let (at, why) = run(&steps, several, 1).expect("a failure that does not come again");
            let shown: Vec<String> =
                steps[at.saturating_sub(12)..=at].iter().map(|step| format!("{step:02x?}")).collect();
            panic!("script {seed} fails at step {at}: {why}\n{}", shown.join("\n"));
        }
    }
}

/// Runs a script; says where the two differ, and how.
fn run(steps: &[Step], several: bool, often: usize) -> Option<(usize, String)> {
    let (mut programs, mut model) = world(several);
    let mut banks = [0; SERVICES as usize];
    let mut events = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        take(step, &mut programs, &mut model, &mut banks);
        events.extend(programs.events());
        if (at + 1) % often == 0 || at + 1 == steps.len() {
            let heard = events.drain(..).map(|event| (model_key(&event.key), event.service as u8));
            let differ = compare(&programs, &model, heard.collect());
            model.events.clear();
            if let Err(why) = differ {
                std::mem::forget(programs); // its ledgers need not balance
                return Some((at, why));
            }
        }
    }
    None
}

fn world(several: bool) -> (Loaded, Model) {
    let (mut programs, mut model) = (Programs::load(), Model::default());
    programs.load_raw();
    model.told.policies = vec![Policy { rest: 1_000_000, ..Policy::default() }; SERVICES.into()];
    model.buckets = vec![Buckets::default(); SERVICES.into()];
    (model.told.any_address, model.told.own_mark, model.told.several) = (true, MARK, several);
    programs.steer(|control| {
        (control.any_address, control.own_mark, control.several_interfaces) = (1, MARK, several.into());
    });
    for (address, service, version, role) in servers() {
        programs.know(address, service, version, role);
        let role = [Role::Primary, Role::Shadow, Role::Observed][usize::from(role)];
        let ip = if address.ip().is_unspecified() { [0; 16] } else { octets(address.ip()) };
        for protocol in [6, 17] {
            model.told.endpoints.insert(((ip, address.port()), protocol), (service, version, role));
        }
    }
    (programs, model)
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn take(step: &Step, programs: &mut Programs, model: &mut Model, banks: &mut [u32]) {
    match step {
        Step::Packet { frame, raw, vantage, mark } => {
            let program = match (raw, vantage.1) {
                (false, 1) => INGRESS,
                (false, _) => EGRESS,
                (true, 1) => RAW_INGRESS,
                (true, _) => RAW_EGRESS,
            };
            let Moment(before, after) =
                programs.run(frame, Meta { program, interface: vantage.0, mark: *mark });
            let now = Span(before, after);
            model.take(&Sight { frame, raw: *raw, vantage: *vantage, mark: *mark, now });
        }
        Step::Policy(service, policy) => {
            let bank = &mut banks[usize::from(*service)];
            *bank = BY_CLIENT | ((*bank + 1) % 2);
            programs.clear_bank(*bank, *service);
            compile(programs, *bank, *service, policy);
            programs.set_policy(*service, kernel_policy(policy, *bank));
            model.told.policies[usize::from(*service)] = policy.clone();
        }
        Step::Killed(killed) => {
            programs.steer(|control| control.killed = (*killed).into());
            model.told.killed = *killed;
        }
        Step::Ring(ring, killed) => {
            let bit = 1 << ring;
            programs.steer(|control| {
                control.rings_killed = control.rings_killed & !bit | u64::from(*killed) << ring
            });
            model.told.rings_killed.remove(ring);
            model.told.rings_killed.extend(killed.then_some(*ring));
        }
        Step::LeaseOver(over) => {
            programs.steer(|control| control.lease_until = if *over { 1 } else { u64::MAX });
            model.told.lease_over = *over;
        }
        Step::Shadow(there) => {
            let shadow = if *there { programs.shadow } else { 0 };
            programs.steer(|control| {
                (control.shadow_interface, control.raw_shadow_interface) = (shadow, shadow);
            });
            model.told.no_shadow = !there;
        }
    }
}

/// The rules of a service as the kernel wants them: each prefix with the rules that cover it.
pub fn compile(programs: &mut Programs, bank: u32, service: u8, policy: &Policy) {
    let prefixes: HashSet<_> = policy.rules.iter().flat_map(|rule| rule.prefixes.clone()).collect();
    for (address, bits) in prefixes {
        let covers = |(other, fewer): &([u8; 16], u32)| *fewer <= bits && has(&(*other, *fewer), &address);
        let rules = policy.rules.iter().filter(|rule| rule.prefixes.iter().any(covers));
        let slots: Vec<u8> = rules.map(|rule| rule.slot).collect();
        programs.set_candidates(bank, service, (address, bits), &slots);
    }
}

/// A policy as the kernel wants it.
pub fn kernel_policy(policy: &Policy, bank: u32) -> ServicePolicy {
    let mut kernel = ServicePolicy {
        seed: policy.seed,
        paused: policy.paused.into(),
        bank,
        max_connections: policy.max_connections as u32,
        packet_cost: policy.packet_cost,
        byte_cost: policy.byte_cost,
        connection_cost: policy.connection_cost,
        burst: policy.burst,
        thresholds: policy.thresholds,
        ..WHOLE
    };
    kernel.set_share_ppm(policy.rest);
    for rule in &policy.rules {
        kernel.rules_in_force()[usize::from(rule.slot)] = rule::Rule {
            share_ppm: rule.share,
            lowest_port: rule.ports.0,
            highest_port: rule.ports.1,
            ring: rule.ring,
            generation: rule.generation,
            zero: [0; 2],
        };
    }
    kernel
}

/// Compares everything.
fn compare(programs: &Programs, model: &Model, events: Vec<(Key, u8)>) -> Result<(), String> {
    same("events", &events, &model.events)?;
    compare_skips(programs, model)?;
    for service in 0..SERVICES {
        compare_service(programs, model, service)?;
        (0..4).try_for_each(|version| compare_version(programs, model, service, version))?;
    }
    compare_flows(programs, model)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, kernel: &T, model: &T) -> Result<(), String> {
    if kernel == model { Ok(()) } else { Err(format!("{what}: kernel {kernel:?}, model {model:?}")) }
}

/// Of a packet that is both, either reason may be counted: a stranger's port is looked at before the rest of its header.
fn compare_skips(programs: &Programs, model: &Model) -> Result<(), String> {
    let merge = |name: &'static str| if name == "malformed" { "unmatched" } else { name };
    let (mut kernel, mut expect) = (BTreeMap::new(), BTreeMap::new());
    programs.skips().into_iter().for_each(|(name, count)| *kernel.entry(merge(name)).or_insert(0) += count);
    model.skips.iter().for_each(|(name, count)| *expect.entry(merge(name)).or_insert(0) += count);
    assert!(kernel.keys().all(|name| Skip::NAMES.contains(name)));
    same("skips", &kernel, &expect)
}

fn compare_service(programs: &Programs, model: &Model, service: u8) -> Result<(), String> {
    for side in [0, 1] {
        let count = programs.side(service, side as u8);
        for (index, name) in Packet::NAMES.into_iter().enumerate() {
            let expect = model.ends.get(&(service, side, name)).copied().unwrap_or_default();
            same(
                &format!("{name} of {service}/{side}"),
                &[count.packets[index], count.bytes[index]],
                &expect,
            )?;
        }
        same("events lost", &count.events_lost, &0)?;
    }
    for slot in 0..16 {
        let count = programs.rule(service, slot);
        let expect = model.rules.get(&(service, slot)).copied().unwrap_or_default();
        same("a rule's counts", &[count.named, count.mirrored, count.capped, count.cut], &expect)?;
    }
    same("open", &programs.buckets(service).open, &model.buckets[usize::from(service)].open)
}

fn compare_version(programs: &Programs, model: &Model, service: u8, version: u8) -> Result<(), String> {
    let count = programs.counts.turns(service, version).unwrap();
    let expect = model.counts.get(&(service, version)).cloned().unwrap_or_default();
    let ambiguous: BTreeMap<_, _> =
        Ambiguous::NAMES.into_iter().zip(count.ambiguous).filter(|(_, count)| *count != 0).collect();
    let what = format!("turns of {service}/{version}");
    same(&what, &ambiguous, &expect.ambiguous)?;
    same(&what, &[count.started, count.recorded], &[expect.started, expect.recorded])?;
    same(&what, &(count.retransmits, count.resets), &(expect.retransmits, expect.resets))?;
    same(&what, &[count.opened, count.closed], &[expect.opened, expect.closed])?;
    for kind in ["ttfb", "total", "handshake", "timestamp"] {
        for index in 0..if kind.starts_with('t') && kind != "timestamp" { 3 } else { 2 } {
            let series = match kind {
                "ttfb" | "total" => {
                    programs.turn_series(service, version, (kind == "total").into(), index as u8)
                }
                _ => programs.round_trips(service, version, (kind == "timestamp").into(), index),
            };
            let spans = model.series.get(&(service, version, kind, index)).cloned().unwrap_or_default();
            if !agrees(&spans, &series.slots, series.sum, series.under, None) {
                let count: u64 = series.slots.iter().sum();
                return Err(format!("{what}: {kind} {index}: {count} of {}, {spans:?}", series.sum));
            }
        }
    }
    Ok(())
}

fn compare_flows(programs: &Programs, model: &Model) -> Result<(), String> {
    let flows = programs.flows();
    same("entries", &flows.len(), &model.talks.len())?;
    for (key, flow) in flows {
        let talk = model.talks.get(&model_key(&key)).ok_or_else(|| format!("an entry too many: {flow:?}"))?;
        compare_flow(&key, &flow, talk).map_err(|why| format!("{why}\n{flow:?}\n{talk:?}"))?;
    }
    Ok(())
}

fn model_key(key: &FlowKey) -> Key {
    let [low, high] = key.ends().map(|(ip, port)| -> End {
        (ip.map(u32::to_ne_bytes).as_flattened().try_into().unwrap(), u16::from_be(port))
    });
    (low, high, key.protocol())
}

fn compare_flow(key: &FlowKey, flow: &Flow, talk: &Talk) -> Result<(), String> {
    let has = |bit: u8| flow.known & bit != 0;
    let [low, high] = [model_key(key).0, model_key(key).1];
    let client = if flow.marks & mark::CLIENT_IS_LOW != 0 { low } else { high };
    same("client", &client, &talk.client)?;
    let role = [Role::Primary, Role::Shadow, Role::Observed][usize::from(flow.role)];
    same("whose", &(flow.service, flow.version, role), &talk.whose)?;
    let decision = [Decision::ShareOut, Decision::Mirror, Decision::Capped, Decision::Own, Decision::Probe];
    same("decision", &decision[usize::from(flow.decision)], &talk.decision)?;
    same("rule", &[flow.rule, flow.generation, flow.ring], &[talk.slot, talk.generation, talk.ring])?;
    let marks = [mark::COUNTED, mark::CUT, mark::HANDSHAKE].map(|bit| flow.marks & bit != 0);
    same("marks", &marks, &[talk.counted, talk.cut, talk.trips.handshake])?;
    let owner = [0, 1].map(|i| (flow.interface[i] != 0).then_some((flow.interface[i], flow.hook[i])));
    same("owner", &owner, &talk.owner)?;
    let next = [
        has(known::REQUEST_NEXT).then_some(flow.request_next),
        has(known::RESPONSE_NEXT).then_some(flow.response_next),
    ];
    same("next", &next, &talk.turns.next)?;
    let bits = [known::START, known::CLIENT_FIN, known::SERVER_FIN].map(has);
    same("known", &bits, &[talk.turns.start, talk.turns.fin[0], talk.turns.fin[1]])?;
    let why = |value: u8| (value != 0).then(|| Ambiguous::NAMES[usize::from(value)]);
    let doubt = if flow.phase == 0 { 0 } else { flow.doubt };
    let state = (flow.phase, has(known::PENDING), why(flow.poison), why(doubt));
    same("turn", &state, &talk.turns.state())?;
    let awaits = flow.echo_since.map(|since| since != 0);
    same("awaits", &awaits, &[0, 1].map(|side| talk.trips.awaits(side)))?;
    same("stamps", &flow.newest_stamp, &talk.trips.newest())
}

/// What the scripts are made of is worth their time: every reason comes up in them.
#[test]
fn the_scripts_know_every_reason() {
    let address: SocketAddr = "10.0.0.2:8000".parse().unwrap();
    assert_eq!(octets(address.ip()), to_address(address.ip()).map(u32::to_ne_bytes).as_flattened());
    let (_programs, mut model) = world(true);
    for seed in 0..10 {
        model.told = world_told();
        for step in script(seed, STEPS) {
            if let Step::Packet { frame, raw, vantage, mark } = step {
                let now = Span(1 << 40, 1 << 40);
                model.take(&Sight { frame: &frame, raw, vantage, mark, now });
            }
        }
    }
    let reasons: HashSet<_> =
        model.counts.values().flat_map(|count| count.ambiguous.keys().copied()).collect();
    let expect: HashSet<_> =
        Ambiguous::NAMES.into_iter().filter(|name| !["", "long_request"].contains(name)).collect();
    assert_eq!(reasons, expect);
    let skips: HashSet<_> = model.skips.keys().copied().collect();
    let expect: HashSet<_> = Skip::NAMES.into_iter().filter(|name| *name != "flow_table_full").collect();
    assert_eq!(skips, expect);
}

fn world_told() -> crate::model::Told {
    world(true).1.told
}
