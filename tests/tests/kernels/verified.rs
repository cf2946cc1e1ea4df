//! How much work the programs are for this kernel's verifier, compared with what is kept for its series.
//!
//! `cargo xtask test --update-verified` keeps new counts.

use std::collections::BTreeMap;

use mirror_agent::kernel::object;

use crate::machine::{is_guest, say, series, skip};

/// Series, program, instructions.
const KEPT: &str = include_str!("../../verified-instructions.json");

/// How much a program may grow before somebody has to look, in percent.
const GROWTH: u64 = 25;

fn verified() -> BTreeMap<String, u64> {
    let mut object = object::load().unwrap();
    object::load_raw(&mut object).unwrap();
    let count = |program: &aya::programs::Program| program.info().unwrap().verified_instruction_count();
    // Kernels before 5.16 do not say.
    let counts =
        object.programs().filter_map(|(name, program)| Some((name.to_owned(), count(program)?.into())));
    counts.collect()
}

/// Programs that are new or have grown too much, each with both counts.
fn grown(found: &BTreeMap<String, u64>, kept: &BTreeMap<String, u64>) -> Vec<String> {
    let most = |name: &str| kept.get(name).map_or(0, |count| count + count * GROWTH / 100);
    let too_much = found.iter().filter(|(name, count)| **count > most(name));
    too_much.map(|(name, count)| format!("{name}: {count}, kept {:?}", kept.get(name))).collect()
}

#[test]
fn the_programs_have_not_grown() {
    let found = verified();
    found.iter().for_each(|(name, count)| say(&format!("verified: {name} {count}")));
    if std::env::var_os("MIRROR_UPDATE_VERIFIED").is_some() {
        return;
    }
    let kept: BTreeMap<String, BTreeMap<String, u64>> = serde_json::from_str(KEPT).unwrap();
    let (major, minor) = series();
    let series = format!("{major}.{minor}");
    let how = "if that is meant, keep the new counts: cargo xtask test --update-verified";
    match kept.get(&series) {
        Some(kept) => {
            assert_eq!(grown(&found, kept), [""; 0], "more than {GROWTH} % above the kept count; {how}")
        }
        None if is_guest() => panic!("no counts are kept for {series}; {how}"),
        None => skip(&format!("no counts are kept for Linux {series}")),
    }
}

#[test]
fn growth_is_told_from_noise() {
    let counts = |count| BTreeMap::from([("tap".to_owned(), count)]);
    for (found, kept, expected) in [(100, 100, 0), (125, 100, 0), (126, 100, 1), (50, 100, 0)] {
        assert_eq!(grown(&counts(found), &counts(kept)).len(), expected, "{found} for {kept}");
    }
    assert_eq!(grown(&counts(1), &BTreeMap::new()).len(), 1, "a new program");
}
