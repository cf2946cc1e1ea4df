//! Every file in `tests/scenarios` turns out as it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use mirror_tests::simulation::scenario::Scenario;

/// By the names of their files.
fn all() -> BTreeMap<String, Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &Path| Scenario::parse(&std::fs::read_to_string(path).unwrap());
    let named = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let scenario = read(&path).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        (name, scenario)
    };
    files.map(named).collect()
}

#[test]
fn all_turn_out_as_they_say() {
    let scenarios = all();
    assert!(scenarios.len() >= 14, "{} files", scenarios.len());
    let faults: Vec<String> = thread::scope(|scope| {
        let playing = scenarios.iter().map(|(name, scenario)| scope.spawn(|| faults(name, scenario)));
        let playing: Vec<_> = playing.collect(); // all of them run before the first is waited for
        playing.into_iter().flat_map(|playing| playing.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn faults(name: &str, scenario: &Scenario) -> Vec<String> {
    scenario.faults().into_iter().map(|fault| format!("{name}: {fault}")).collect()
}
