//! Builds the kernel programs for the BPF target and leaves the objects where `src/kernel/object.rs` and
//! `src/kernel/fence/object.rs` embed them.
//!
//! Two toolchains are known: a rustup nightly with `rust-src` (the aya convention), and Debian's `rustc-web` with its
//! ready-made `core` for BPF. `cargo xtask setup` installs one where both are missing.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use object::build::elf;
use object::elf as elf_names;

const TARGET: &str = "bpfel-unknown-none";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const MISSING: &str = "no BPF toolchain found (a rustup nightly with rust-src, or Debian's rustc-web with \
                       libstd-rust-web-dev-bpf, and bpf-linker); run: cargo xtask setup";

/// How to compile for the BPF target.
enum Toolchain {
    /// `cargo +nightly -Z build-std=core`.
    Nightly,
    /// A stable compiler that ships `core` for BPF.
    Debian,
}

fn main() {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("..");
    for input in ["mirror-ebpf/src", "mirror-ebpf/Cargo.toml", "mirror-common/src"] {
        println!("cargo:rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo:rerun-if-env-changed=MIRROR_EBPF_OBJECT");
    println!("cargo:rerun-if-changed=build.rs");
    // The object that is named stands for both: who names one loads none, or has both in it.
    let objects = match env::var_os("MIRROR_EBPF_OBJECT") {
        Some(path) => [PathBuf::from(&path), PathBuf::from(path)],
        None => build(&root.join("mirror-ebpf")),
    };
    for (object, name) in objects.iter().zip(["mirror.bpf.o", "fence.bpf.o"]) {
        let embedded = PathBuf::from(var("OUT_DIR")).join(name);
        if let Err(error) = without_debug_info(object).and_then(|object| Ok(fs::write(&embedded, object)?)) {
            fail(&format!("cannot read the kernel programs from {}: {error}", object.display()));
        }
    }
}

/// The object without what only a debugger reads: two thirds of it. The kernel wants BTF, which was made of it.
fn without_debug_info(object: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let object = fs::read(object)?;
    let mut builder = elf::Builder::read(&*object)?;
    for section in &mut builder.sections {
        let name = section.name.to_vec();
        section.delete = name.starts_with(b".debug") || name.starts_with(b".rel.debug");
    }
    builder.delete_orphans();
    // LLVM keeps the names of sections and symbols in one table; this writer wants two.
    let names = builder.sections.add();
    names.name = b".shstrtab"[..].into();
    names.sh_type = elf_names::SHT_STRTAB;
    names.sh_addralign = 1;
    names.data = elf::SectionData::SectionString;
    let mut stripped = Vec::new();
    builder.write(&mut stripped)?;
    Ok(stripped)
}

/// The object of the taps, and that of the fence.
fn build(source: &Path) -> [PathBuf; 2] {
    let Some(linker) = linker(source) else { fail(MISSING) };
    let Some(toolchain) = toolchain() else { fail(MISSING) };
    let target_dir = PathBuf::from(var("OUT_DIR")).join("bpf");
    let mut cargo = command(&toolchain);
    clean(&mut cargo);
    cargo
        .current_dir(source)
        .args(["build", "--quiet", "--release", "--locked", "--target", TARGET])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("RUSTFLAGS", format!("-Clinker={} -Clink-arg=--btf -Cdebuginfo=2", linker.display()));
    match cargo.status() {
        Ok(status) if status.success() => {
            let release = target_dir.join(TARGET).join("release");
            [release.join("mirror"), release.join("fence")]
        }
        Ok(_) => fail("the kernel programs did not compile; the messages above say why"),
        Err(error) => fail(&format!("cannot start cargo for the kernel programs: {error}")),
    }
}

fn command(toolchain: &Toolchain) -> Command {
    match toolchain {
        Toolchain::Nightly => {
            let mut cargo = Command::new("rustup");
            cargo.args(["run", "nightly", "cargo", "-Zbuild-std=core"]);
            cargo
        }
        Toolchain::Debian => {
            let mut cargo = Command::new(var("CARGO"));
            // aya-ebpf uses unstable features of the compiler.
            cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
            cargo
        }
    }
}

/// What cargo set for the host's compiler must not reach the other one.
fn clean(cargo: &mut Command) {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let of_cargo = name.starts_with("CARGO_") && name != "CARGO_HOME";
        if of_cargo || ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOC"].contains(&&*name)
        {
            cargo.env_remove(&*name);
        }
        if matches!(&*name, "RUSTUP_TOOLCHAIN" | "TARGET" | "HOST" | "OUT_DIR" | "PROFILE") {
            cargo.env_remove(&*name);
        }
    }
}

fn toolchain() -> Option<Toolchain> {
    if sysroot("rustup", &["run", "nightly", "rustc"])
        .is_some_and(|root| root.join("lib/rustlib/src/rust/library").is_dir())
    {
        return Some(Toolchain::Nightly);
    }
    sysroot(DEBIAN_RUSTC, &[])
        .is_some_and(|root| root.join("lib/rustlib").join(TARGET).is_dir())
        .then_some(Toolchain::Debian)
}

fn sysroot(program: &str, args: &[&str]) -> Option<PathBuf> {
    let output = Command::new(program).args(args).args(["--print", "sysroot"]).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// The linker where `cargo xtask setup` puts it, else the one on the path.
fn linker(source: &Path) -> Option<PathBuf> {
    let ours = source.join("../target/tools/bin/bpf-linker");
    if ours.is_file() {
        return ours.canonicalize().ok();
    }
    let mut places: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    places.extend(env::home_dir().map(|home| home.join(".cargo/bin")));
    places.into_iter().map(|place| place.join("bpf-linker")).find(|path| path.is_file())
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo did not set {name}")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1)
}
