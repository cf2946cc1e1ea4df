//! Which of our crates may depend on which: `mirror-ebpf → mirror-common ← mirror-agent ← tests`.

/// Our crates by their directories, and those of ours that each may name in its `Cargo.toml`.
pub(super) const ALLOWED: [(&str, &[&str]); 6] = [
    ("mirror-common", &[]),
    ("mirror-ebpf", &["mirror-common"]),
    ("mirror-agent", &["mirror-common"]),
    ("tests", &["mirror-agent", "mirror-common"]),
    ("tests/fuzz", &["mirror-agent", "mirror-tests"]),
    ("xtask", &[]),
];

/// Dependencies of `manifest` on crates of ours that it may not have.
pub(super) fn faults(name: &str, allowed: &[&str], manifest: &str) -> Vec<String> {
    let key = |line: &str| line.split(['=', '.', ' ']).next().unwrap_or_default().to_owned();
    let ours = |key: &String| key.starts_with("mirror-") || key == "xtask";
    let dependencies = manifest.lines().map(key).filter(ours);
    let wrong = dependencies.filter(|key| !allowed.contains(&key.as_str()));
    wrong.map(|key| format!("{name}/Cargo.toml: {name} must not depend on {key}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arrows_of_the_table() {
        let manifest = "[package]\nname = \"mirror-x\"\n[dependencies]\nmirror-common.workspace = true\nanyhow = \"1\"\n";
        assert!(faults("x", &["mirror-common"], manifest).is_empty());
        assert_eq!(faults("x", &[], manifest).len(), 1);
        let table = "[dependencies]\nmirror-agent = { path = \"..\" }\nmirror-common = \"1\"\n";
        assert_eq!(
            faults("x", &["mirror-common"], table),
            ["x/Cargo.toml: x must not depend on mirror-agent"]
        );
    }
}
