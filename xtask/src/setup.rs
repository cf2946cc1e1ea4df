//! Finds what the build, the demo and the tests need, and installs what is missing.

mod apt;
mod linker;
pub(crate) mod toolchain;

use anyhow::Result;

use apt::Package;
use toolchain::Toolchain;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also what the end-to-end tests speak to: nginx, curl, wrk, tshark, Prometheus, qemu and others
    #[arg(long)]
    tests: bool,
}

/// What somebody is about to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum For {
    Build,
    Check,
    Demo,
    Tests,
}

/// Headers and tools with which the agent's C dependency (libbpf) is built.
const BUILD: [Package; 6] = [
    Package::with_file("libelf-dev", "/usr/include/libelf.h"),
    Package::with_file("zlib1g-dev", "/usr/include/zlib.h"),
    Package::with_program("pkg-config", "pkg-config"),
    Package::with_program("gcc", "cc"),
    Package::with_file("libc6-dev", "/usr/include/stdio.h"),
    Package::with_program("make", "make"),
];

/// What makes the network namespaces.
const DEMO: [Package; 1] = [Package::with_program("iproute2", "ip")];

/// What the tests have the agent mirror, and what they compare it with.
const TESTS: [Package; 14] = [
    Package::with_program("nginx-light", "nginx"),
    Package::with_program("curl", "curl"),
    Package::with_program("wrk", "wrk"),
    Package::with_program("tshark", "tshark"),
    Package::with_program("prometheus", "prometheus"),
    Package::with_program("tcpdump", "tcpdump"),
    Package::with_program("gzip", "gzip"),
    Package::with_program("zstd", "zstd"),
    Package::with_program("bpftool", "bpftool"),
    Package::with_program("python3", "python3"),
    Package::with_program("redis-tools", "redis-cli"),
    // To boot other kernels.
    Package::with_program("qemu-system-x86", "qemu-system-x86_64"),
    Package::with_program("busybox-static", "busybox"),
    Package::with_program("xz-utils", "xz"),
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let toolchain = ensure(if options.tests { For::Tests } else { For::Build })?;
    eprintln!("ready: eBPF is compiled by {toolchain}");
    Ok(())
}

/// Installs what is missing for `purpose`; silent and quick when nothing is. Gives the compiler that will be used.
pub(crate) fn ensure(purpose: For) -> Result<Toolchain> {
    let found = Toolchain::find();
    let mut wanted: Vec<Package> = BUILD.to_vec();
    wanted.extend(toolchain::packages(found.as_ref(), purpose));
    if purpose >= For::Demo {
        wanted.extend(DEMO);
    }
    if purpose >= For::Tests {
        wanted.extend(TESTS);
    }
    apt::install(&wanted)?;
    let toolchain = match found {
        Some(toolchain) => toolchain,
        None => Toolchain::installed()?,
    };
    linker::ensure(&toolchain)?;
    Ok(toolchain)
}
