//! Which kernel runs here, and how a test says that it has nothing to test.

use std::fs;
use std::io::Write as _;

use mirror_agent::kernel::attach::Mechanism;

/// `(6, 1)` of `6.1.0-56-cloud-amd64`.
pub fn series() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// How taps must be attached here: tcx came with Linux 6.6.
pub fn mechanism() -> Mechanism {
    if series() >= (6, 6) { Mechanism::Tcx } else { Mechanism::Clsact }
}

/// Whether this is a machine that was made for these tests, with everything in it.
pub fn is_guest() -> bool {
    std::env::var_os("MIRROR_GUEST").is_some()
}

/// Says that this test has nothing to test here.
pub fn skip(reason: &str) {
    say(&format!("skipped: {reason}"));
}

/// Writes a line past the test runner, which would keep it to itself.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "\n{line}");
}
