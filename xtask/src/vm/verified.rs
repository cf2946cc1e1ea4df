//! The kept counts of verified instructions: kernel series, program, count.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::outcome::Outcomes;
use crate::exec::cargo;
use crate::place;

/// The tests compare with this file; see `tests/tests/kernels/verified.rs`.
const FILE: &str = "tests/verified-instructions.json";

/// Puts what a kernel said into the file.
pub(super) fn keep(series: &str, counts: &BTreeMap<String, u64>) -> Result<()> {
    ensure!(!counts.is_empty(), "the tests said no counts of verified instructions");
    let path = place::root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("read {FILE}"))?;
    let mut kept: BTreeMap<String, BTreeMap<String, u64>> = serde_json::from_str(&text).context(FILE)?;
    kept.insert(series.to_owned(), counts.clone());
    fs::write(&path, serde_json::to_string_pretty(&kept)? + "\n").with_context(|| format!("write {FILE}"))?;
    eprintln!("kept the counts of {series} in {FILE}");
    Ok(())
}

/// The same for the kernel that runs here.
pub(super) fn keep_of_this_kernel() -> Result<()> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").context("ask for the kernel's release")?;
    let mut test = cargo(&["test", "--package", "mirror-tests", "--test", "kernels", "--", "verified::"]);
    let output = run(test.env("MIRROR_UPDATE_VERIFIED", "1"))?;
    let mut outcomes = Outcomes::default();
    output.lines().for_each(|line| {
        outcomes.take(line);
    });
    keep(&series(&release), &outcomes.verified)
}

fn run(test: &mut Command) -> Result<String> {
    let output = test.stdout(Stdio::inherit()).output().context("start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{} from {test:?}:\n{said}", output.status);
    Ok(said)
}

/// `6.18` of `6.18.44-some`.
fn series(release: &str) -> String {
    release.trim().splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_two_numbers() {
        assert_eq!(series("6.18.44-some\n"), "6.18");
        assert_eq!(series("6.1.0-56-cloud-amd64"), "6.1");
    }
}
