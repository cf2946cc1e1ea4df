//! Every file in `guard-scenarios` turns out as it says, and each guard that needs no kernel has one that it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;

use mirror_agent::guard::Reason;
use mirror_tests::rehearsal::Rehearsal;

/// Those that look at a network namespace and at a file: there is none of either here.
const OF_THE_WORLD: [Reason; 2] = [Reason::FenceLost, Reason::KillFile];

/// By the names of their files.
fn all() -> BTreeMap<String, Rehearsal> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guard-scenarios");
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let read = Rehearsal::parse(&std::fs::read_to_string(path).unwrap());
        (name.clone(), read.unwrap_or_else(|error| panic!("{name}: {error:#}")))
    };
    folder.read_dir().unwrap().map(|entry| named(entry.unwrap().path())).collect()
}

#[test]
fn all_turn_out_as_they_say() {
    let files = all();
    assert!(files.len() >= 30, "{} files", files.len());
    let faults: Vec<String> = thread::scope(|scope| {
        let playing = files.iter().map(|(name, file)| scope.spawn(|| faults(name, file)));
        let playing: Vec<_> = playing.collect(); // all of them run before the first is waited for
        playing.into_iter().flat_map(|playing| playing.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn faults(name: &str, file: &Rehearsal) -> Vec<String> {
    file.faults().into_iter().map(|fault| format!("{name}: {fault}")).collect()
}

#[test]
fn each_guard_stops_something() {
    let files = all();
    let seen: BTreeSet<&str> = files.values().flat_map(Rehearsal::guards).collect();
    let wanted = Reason::ALL.into_iter().filter(|reason| !OF_THE_WORLD.contains(reason)).map(Reason::as_str);
    assert_eq!(seen, wanted.collect());
}
