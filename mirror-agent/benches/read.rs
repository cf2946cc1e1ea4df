//! How fast `mirror-agent read` is as its users start it, on files of about 200 MB, by the time of the processor.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark panics, and prints")]

mod traffic;

use std::path::Path;
use std::process::{Command, Stdio};

use procfs::process::Process;
use traffic::{Kind, Traffic};

const AGENT: &str = env!("CARGO_BIN_EXE_mirror-agent");
const SIZE: usize = 200 << 20;
/// The best of these counts: everything else was somebody else's.
const RUNS: usize = 3;
const WAYS: [(&str, &[&str]); 3] = [
    ("summary", &["--format", "json", "--summary-only"]),
    ("json", &["--format", "json"]),
    ("text", &["--format", "text"]),
];

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| !"read".contains(&filter)) {
        return;
    }
    println!(
        "{:<9}{:<9}{:>8}{:>13}{:>13}  instructions",
        "traffic", "output", "MB/s", "packets/s", "exchanges/s"
    );
    let directory = tempfile::tempdir().unwrap();
    for kind in Kind::ALL {
        let traffic = Traffic::new(kind, SIZE);
        let path = directory.path().join("traffic.pcap");
        std::fs::write(&path, &traffic.file).unwrap();
        for (name, flags) in WAYS {
            measure(&traffic, kind, name, &path, flags);
        }
    }
}

fn measure(traffic: &Traffic, kind: Kind, name: &str, path: &Path, flags: &[&str]) {
    let best = (0..RUNS).map(|_| run(path, flags)).fold(f64::INFINITY, f64::min);
    let packets = traffic.frames.len() as u64;
    let [megabytes, by_packet, by_exchange] =
        [traffic.file.len() as u64 / 1_000_000, packets, traffic.exchanges].map(|count| count as f64 / best);
    let kind = format!("{kind:?}").to_lowercase();
    print!("{kind:<9}{name:<9}{megabytes:>8.0}{by_packet:>13.0}{by_exchange:>13.0}  ");
    match instructions(path, flags) {
        Ok(count) => println!("{} a packet", count / packets),
        Err(why) => println!("{why}"),
    }
}

fn command(program: &mut Command, path: &Path, flags: &[&str]) {
    program.arg("read").arg(path).args(flags).stdout(Stdio::null()).stderr(Stdio::null());
}

/// The seconds that it had a processor, in user space and in the kernel. Others who want one do not count.
fn run(path: &Path, flags: &[&str]) -> f64 {
    let before = children();
    let mut agent = Command::new(AGENT);
    command(&mut agent, path, flags);
    assert!(agent.status().unwrap().success());
    (children() - before) as f64 / procfs::ticks_per_second() as f64
}

/// Ticks that the processes had that we have waited for.
fn children() -> i64 {
    let stat = Process::myself().unwrap().stat().unwrap();
    stat.cutime + stat.cstime
}

/// Instructions in user space, as far as this machine counts them.
fn instructions(path: &Path, flags: &[&str]) -> Result<u64, &'static str> {
    let report = path.with_extension("stat");
    let mut perf = Command::new("perf");
    perf.args(["stat", "-x,", "-e", "instructions:u", "-o"]).arg(&report).arg(AGENT);
    command(&mut perf, path, flags);
    let did_well = perf.status().map_err(|_| "no perf here")?.success();
    let text = std::fs::read_to_string(&report).unwrap_or_default();
    let count = text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).next();
    count.filter(|_| did_well).ok_or("not counted here")
}
