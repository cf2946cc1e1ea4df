//! Debian's kernels: the newest package of a series, unpacked and not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::exec::{exec, output};
use crate::place;

/// Debian's kernels for virtual machines: small, with all that is needed here.
const PREFIX: &str = "linux-image-";
const SUFFIX: &str = "-cloud-amd64-unsigned";

/// An unpacked kernel.
pub(super) struct Kernel {
    /// Such as `6.1`.
    pub(super) series: String,
    /// As `uname -r` says it.
    pub(super) release: String,
    directory: PathBuf,
}

impl Kernel {
    /// Of a series: the newest that the package lists have, or that was got before.
    pub(super) fn get(series: &str) -> Result<Kernel> {
        let home = place::target()?.join("vm");
        fs::create_dir_all(&home)?;
        let package = newest(series, packages(series)?.into_iter().chain(unpacked(&home)))
            .with_context(|| format!("no Debian package {PREFIX}{series}.*{SUFFIX}; try apt-get update"))?;
        let directory = home.join(&package);
        if !directory.exists() {
            unpack(&package, &home, &directory)?;
        }
        let release = fs::read_dir(directory.join("lib/modules"))?.flatten().next();
        let release = release.and_then(|entry| entry.file_name().into_string().ok());
        let release = release.with_context(|| format!("{package} has no modules"))?;
        Ok(Kernel { series: series.to_owned(), release, directory })
    }

    /// The image to boot.
    pub(super) fn image(&self) -> PathBuf {
        self.directory.join(format!("boot/vmlinuz-{}", self.release))
    }

    /// Where its modules are.
    pub(super) fn modules(&self) -> PathBuf {
        self.directory.join("lib/modules").join(&self.release)
    }
}

/// What the package lists have. Lists that are too old name packages that are gone: see [`unpack`].
fn packages(series: &str) -> Result<Vec<String>> {
    let list = || output(Command::new("apt-cache").args(["pkgnames", &format!("{PREFIX}{series}")]));
    let names = list().context("no apt-cache: the kernels to test on are Debian's")?;
    Ok(names.lines().map(str::to_owned).collect())
}

fn unpacked(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn newest(series: &str, packages: impl IntoIterator<Item = String>) -> Option<String> {
    let start = format!("{PREFIX}{series}.");
    let ours = packages.into_iter().filter(|name| name.starts_with(&start) && name.ends_with(SUFFIX));
    ours.max_by_key(|name| numbers(name))
}

/// `6.12.9` is older than `6.12.10`.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// Into a directory that has its name only when all is there.
fn unpack(package: &str, home: &Path, directory: &Path) -> Result<()> {
    let scratch = home.join("unpacking");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    eprintln!("vm: getting {package}");
    if download(package, &scratch).is_err() {
        exec(Command::new("apt-get").args(["update", "-qq"]))?;
        download(package, &scratch)?;
    }
    let file = fs::read_dir(&scratch)?.flatten().next().context("apt-get left no package")?.path();
    let tree = scratch.join("tree");
    exec(Command::new("dpkg-deb").arg("-x").args([&file, &tree]))?;
    ensure!(tree.join("boot").is_dir(), "{package} has no kernel in it");
    fs::rename(&tree, directory)?;
    Ok(fs::remove_dir_all(&scratch)?)
}

fn download(package: &str, to: &Path) -> Result<()> {
    // Not by apt's own user, who may have no right to write here.
    let mut download = Command::new("apt-get");
    download.args(["download", "-qq", "-o", "APT::Sandbox::User=root", package]);
    exec(download.current_dir(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_series_is_found_by_number() {
        let package = |release: &str| format!("linux-image-{release}-cloud-amd64-unsigned");
        let list = ["6.1.0-9", "6.1.0-47", "6.12.9+deb12", "6.12.117+deb12", "6.12.21+deb12"].map(package);
        for (series, expected) in
            [("6.1", Some("6.1.0-47")), ("6.12", Some("6.12.117+deb12")), ("6.6", None), ("6", None)]
        {
            let expected = expected.map(package);
            let found = newest(series, list.clone().into_iter().filter(|_| series != "6"));
            assert_eq!(found, expected, "{series}");
        }
        let other = ["linux-image-6.1.0-99-amd64".to_owned(), "guest-6.1".to_owned()];
        assert_eq!(newest("6.1", other), None);
    }
}
