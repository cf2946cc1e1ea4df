//! How old the kernel is. Only a hint: what it can do is tried, not derived.

use anyhow::{Context, Result};

use super::report::{Item, Row};

/// The oldest kernel that the programs were made for.
const OLDEST: Version = (5, 10);

/// Major and minor number.
pub(super) type Version = (u32, u32);

/// The kernel's release, and the row on it.
pub(super) fn row() -> Result<(String, Row)> {
    let path = "/proc/sys/kernel/osrelease";
    let release = std::fs::read_to_string(path).with_context(|| format!("read {path}"))?.trim().to_owned();
    let row = judge(&release);
    Ok((release, row))
}

fn judge(release: &str) -> Row {
    let item = Item::new("kernel", "all that follows");
    match version(release) {
        Some(version) if version >= OLDEST => item.ok(release),
        _ => {
            let (major, minor) = OLDEST;
            item.instead(
                format!("{release}, where {major}.{minor} or newer is expected"),
                "what it was given since, as the rows below find by trying",
            )
        }
    }
}

/// Major and minor number of a release such as `6.1.0-49-cloud-amd64`.
pub(super) fn version(release: &str) -> Option<Version> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::State;

    #[test]
    fn releases_of_distributions_are_read() {
        for (release, expect) in [
            ("6.1.0-49-cloud-amd64", Some((6, 1))),
            ("5.10.0", Some((5, 10))),
            ("4.18.0-553.el8_10.x86_64", Some((4, 18))),
            ("7.0-rc3", Some((7, 0))),
            ("linux", None),
            ("6", None),
            ("", None),
        ] {
            assert_eq!(version(release), expect, "{release}");
        }
    }

    #[test]
    fn an_old_kernel_is_tried_all_the_same() {
        let state = |release| judge(release).state;
        assert_eq!([state("5.10.1"), state("6.18.5"), state("10.0.0")], [State::Ok; 3]);
        assert_eq!([state("5.9.16"), state("4.18.0-553.el8"), state("odd")], [State::Fallback; 3]);
    }
}
