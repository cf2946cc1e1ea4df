//! The kernel modules that the tests need, as the guest's kernel takes them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::kernel::Kernel;

/// In an order in which each finds what it needs. Names of files below the directory of modules.
const NEEDED: [&str; 4] = [
    "kernel/drivers/net/veth",
    "kernel/net/sched/sch_ingress",
    "kernel/net/sched/cls_bpf",
    "kernel/net/sched/sch_netem",
];

/// A module by name.
pub(super) struct Module {
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
}

impl Module {
    /// Where the guest has it.
    pub(super) fn path(&self) -> String {
        format!("modules/{}.ko", self.name)
    }
}

/// Those of a kernel, in the order in which they are to be loaded.
pub(super) fn of(kernel: &Kernel) -> Result<Vec<Module>> {
    NEEDED.into_iter().map(|path| read(&kernel.modules(), path)).collect()
}

fn read(modules: &Path, path: &'static str) -> Result<Module> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let file = |ending: &str| modules.join(format!("{path}.{ending}"));
    let content = match fs::read(file("ko")) {
        Ok(content) => content,
        Err(_) => unpack(&file("ko.xz"))?,
    };
    Ok(Module { name, content })
}

/// Newer kernels have their modules packed; busybox does not unpack them.
fn unpack(file: &Path) -> Result<Vec<u8>> {
    let mut xz = Command::new("xz");
    let output = xz.arg("-dc").arg(file).stderr(Stdio::inherit()).output().context("start xz")?;
    ensure!(output.status.success(), "cannot unpack the module {}", file.display());
    Ok(output.stdout)
}
