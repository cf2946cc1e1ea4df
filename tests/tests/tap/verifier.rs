//! What the programs ask of a verifier.

use mirror_agent::kernel::object::{DRAIN, EGRESS, INGRESS};

use crate::frame::ethernet;
use crate::programs::{LOOPBACK, Meta, Programs};

/// The kernel gives up at a million; much less leaves room for kernels that prune worse, and loads fast.
const MOST_INSTRUCTIONS: u32 = 150_000;

#[test]
fn the_programs_are_easy_to_verify() {
    let programs = Programs::load();
    for name in [INGRESS, EGRESS, DRAIN] {
        let info = programs.program(name).info().unwrap();
        // Kernels before 5.16 do not say.
        let verified = info.verified_instruction_count().unwrap_or(0);
        println!("{name}: {verified} instructions verified, {:?} bytes translated", info.size_translated());
        assert!(verified < MOST_INSTRUCTIONS, "{name}: {verified}");
    }
}

#[test]
fn the_drain_drops() {
    let programs = Programs::load();
    let drain = Meta { program: DRAIN, interface: LOOPBACK, mark: 0 };
    assert_eq!(programs.verdict(&ethernet(0x0800, &[0; 20]), drain), 2);
}
