//! What the tap costs a packet: cases taken side by side, in interleaved rounds, and their medians.
//!
//! A client floods the node with datagrams, then asks it over one TCP connection; the tap is on the node's interface.
//! Nanoseconds are the kernel's own (`kernel.bpf_stats_enabled`) and above those of a program that does nothing, which
//! are mostly the cost of measuring. Packets a second are measured without statistics. Needs root.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]
#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]

#[path = "tap/bare.rs"]
mod bare;
#[path = "tap/case.rs"]
mod case;
#[path = "tap/repeat.rs"]
mod repeat;
#[path = "tap/rig.rs"]
mod rig;
#[path = "tap/traffic.rs"]
mod traffic;

use case::Case;
use mirror_tests::world::{Host, World};
use rig::Rig;

/// Rounds, each of which takes every case once.
const ROUNDS: usize = 15;

fn main() {
    let world = World::new().unwrap();
    world.enter(Host::Node, || run(&world)).unwrap();
}

fn run(world: &World) {
    let mut rig = Rig::new(world);
    let repeated = rounds(&Case::REPEATED, |case| rig.repeated_cost(case));
    print_costs("nanoseconds a packet, one packet right after the other", &Case::REPEATED, &repeated);
    let cost = rounds(&Case::COSTS, |case| rig.cost(case));
    print_costs("nanoseconds a packet, on its way through the kernel", &Case::COSTS, &cost);
    let speed = rounds(&Case::SPEEDS, |case| rig.speed(case));
    println!("\npackets a second through a veth");
    for (index, (case, values)) in Case::SPEEDS.iter().zip(&speed).enumerate() {
        let base = case.base().map(|base| {
            let base_index = Case::SPEEDS.iter().position(|other| *other == base).unwrap_or(index);
            let ratios: Vec<f64> = values.iter().zip(&speed[base_index]).map(|(a, b)| a / b).collect();
            format!(
                "{:.3} of {} [{:.3}, {:.3}]",
                median(&ratios),
                base.name(),
                at(&ratios, 0.25),
                at(&ratios, 0.75)
            )
        });
        println!("  {:38} {:9.0}   {}", case.name(), median(values), base.unwrap_or_default());
    }
}

fn print_costs(title: &str, cases: &[Case], all: &[Vec<f64>]) {
    let empty = median(&all[0]);
    let least = at(&all[0], 0.0);
    println!("\n{title}, above a program that does nothing: median, quartiles, fastest");
    println!("  {:38} {empty:6.0}   whole   {least:.0}", cases[0].name());
    for (case, values) in cases.iter().zip(all).skip(1) {
        let [low, middle, high] = [0.25, 0.5, 0.75].map(|q| at(values, q) - empty);
        let fastest = at(values, 0.0) - least;
        println!("  {:38} {middle:6.0}   [{low:.0}, {high:.0}]   {fastest:.0}", case.name());
    }
}

/// The values of every case, by case.
fn rounds(cases: &[Case], mut measure: impl FnMut(Case) -> f64) -> Vec<Vec<f64>> {
    let mut values = vec![Vec::new(); cases.len()];
    for round in 0..=ROUNDS {
        for (case, values) in cases.iter().zip(&mut values) {
            let value = measure(*case);
            if round > 0 {
                values.push(value); // the first warms up
            }
        }
    }
    values
}

fn median(values: &[f64]) -> f64 {
    at(values, 0.5)
}

fn at(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize; // nearest rank
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
