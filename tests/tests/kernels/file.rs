//! The agent's own file: where it is linked statically, it must ask for nothing but the kernel.

use std::fs;

use crate::machine::{is_guest, skip};

/// Types of program headers (ELF, "Program Header"), and the tag of a needed library in the dynamic section.
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;

const LARGEST: usize = 15 << 20;

/// A 64-bit little-endian ELF file.
struct Elf(Vec<u8>);

impl Elf {
    fn number(&self, at: usize, bytes: usize) -> u64 {
        self.0[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Where the segments of a type are in the file, and how long they are.
    fn segments(&self, kind: u32) -> Vec<(usize, usize)> {
        let (start, size, count) = (self.number(32, 8), self.number(54, 2), self.number(56, 2));
        let headers = (0..count).map(|index| (start + index * size) as usize);
        let ours = headers.filter(|at| self.number(*at, 4) == u64::from(kind));
        ours.map(|at| (self.number(at + 8, 8) as usize, self.number(at + 32, 8) as usize)).collect()
    }

    /// How many libraries its loader must find. (A static program that may lie anywhere in memory has a dynamic
    /// section too, by which it moves itself.)
    fn libraries(&self) -> usize {
        let entries = self.segments(PT_DYNAMIC).into_iter().flat_map(|(at, len)| (at..at + len).step_by(16));
        entries.filter(|at| self.number(*at, 8) == DT_NEEDED).count()
    }
}

#[test]
fn the_static_agent_is_small_and_needs_no_library() {
    let file = Elf(fs::read(mirror_tests::agent_binary().unwrap()).unwrap());
    assert_eq!(file.number(0, 4), 0x464c_457f, "no ELF file");
    if !is_guest() {
        return skip("the agent under test is linked for this machine; guests have the static one");
    }
    assert_eq!(file.segments(PT_INTERP), [], "it asks for a loader");
    assert_eq!(file.libraries(), 0);
    assert!(file.0.len() < LARGEST, "{} bytes", file.0.len());
}

/// The check itself, on a program that surely needs a library.
#[test]
fn a_dynamic_program_is_seen_to_be_one() {
    if is_guest() {
        return; // everything that is here may be static
    }
    let shell = Elf(fs::read("/bin/sh").unwrap());
    assert!(shell.segments(PT_INTERP).len() == 1 && shell.libraries() > 0);
}
