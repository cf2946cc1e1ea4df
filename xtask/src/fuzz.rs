//! Fuzzing for a bounded time. The compiler at hand puts the counters in that libFuzzer needs: no nightly, no clang.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::exec::{cargo, exec, output, which};
use crate::place;

/// What each target is told to say no more than, and may take.
const LIMITS: [&str; 5] =
    ["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=0", "-verbosity=0"];

/// Counters at each edge, and the operands of each comparison.
const INSTRUMENT: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=16",
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target, by the name of its directory in tests/fuzz/corpus [default: all]
    target: Option<String>,
    /// Only these inputs, once each
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    seconds: u32,
}

/// Every target runs, so that one finding does not hide another.
pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = targets(options.target.as_deref())?;
    let binary = build()?;
    let mut found = Vec::new();
    for name in targets {
        eprintln!("fuzz: {name}");
        found.extend(fuzz(&binary, &name, options)?);
    }
    if found.is_empty() {
        return Ok(());
    }
    let files: Vec<_> = found.iter().map(|file| format!("\n  {}", file.display())).collect();
    bail!("found (copy it to tests/fuzz/corpus with the fix):{}", files.concat())
}

fn home() -> PathBuf {
    place::root().join("tests/fuzz")
}

/// The targets are the directories of the corpus.
fn targets(only: Option<&str>) -> Result<Vec<String>> {
    let directories = fs::read_dir(home().join("corpus")).context("tests/fuzz/corpus")?;
    let mut names: Vec<_> =
        directories.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    match only {
        None => Ok(names),
        Some(name) if names.iter().any(|known| known == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("no fuzz target {name}; there are {}", names.join(", ")),
    }
}

/// The binary, in a directory of its own: its flags are for nothing else. It loads no kernel programs, and needs no
/// compiler for them.
fn build() -> Result<PathBuf> {
    ensure!(which("c++").is_some(), "libFuzzer needs a C++ compiler: install Debian's package g++");
    let directory = place::target()?.join("fuzz");
    fs::create_dir_all(&directory)?;
    let nothing = directory.join("no-kernel-programs.o");
    if !nothing.exists() {
        fs::write(&nothing, [])?;
    }
    let host = host()?;
    let mut build = cargo(&["build", "--profile=fuzz", "--package=mirror-fuzz", "--bin=fuzz"]);
    build.args(["--features=libfuzzer", "--target", &host]);
    build.env("CARGO_TARGET_DIR", &directory).env("MIRROR_EBPF_OBJECT", &nothing);
    exec(build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENT.join("\x1f")))?;
    Ok(directory.join(host).join("fuzz/fuzz"))
}

/// Flags for a named target do not reach build scripts and macros, which cannot carry the counters.
fn host() -> Result<String> {
    let about = output(Command::new("rustc").arg("-vV")).context("cannot ask rustc for its host")?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

/// What breaks the target. What is new and breaks nothing stays in the build directory, for the next run.
fn fuzz(binary: &Path, name: &str, options: &Options) -> Result<Vec<PathBuf>> {
    let artifacts = home().join("artifacts").join(name);
    let learnt = place::target()?.join("fuzz/corpus").join(name);
    fs::create_dir_all(&artifacts)?;
    fs::create_dir_all(&learnt)?;
    let before = files(&artifacts)?;
    let mut run = Command::new(binary);
    run.env("MIRROR_FUZZ_TARGET", name).args(LIMITS);
    run.arg(format!("-artifact_prefix={}/", artifacts.display()));
    if options.files.is_empty() {
        run.arg(format!("-max_total_time={}", options.seconds));
        run.arg(format!("-dict={}", home().join("http.dict").display()));
        run.args([learnt, home().join("corpus").join(name)]);
    } else {
        run.args(&options.files);
    }
    let ended = exec(&mut run);
    let new: Vec<_> = files(&artifacts)?.into_iter().filter(|file| !before.contains(file)).collect();
    // A failure that left no file is ours, or that of a file that was named.
    if new.is_empty() { ended.map(|()| new) } else { Ok(new) }
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    Ok(fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect())
}
