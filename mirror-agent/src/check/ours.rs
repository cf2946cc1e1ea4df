//! The things that a run makes, made once and given back: the same code, so the same answer.

use anyhow::{Error, Result};

use super::report::{Item, Row, why};
use crate::intake::ring::Ring;
use crate::kernel::Kernel;
use crate::kernel::attach::Mechanism;
use crate::kernel::namespace::Namespace;

/// What stands in for a shadow interface of our own.
const GIVEN: &str = "--shadow-interface NAME, an interface that exists";

/// The rows, and how taps are attached here if that is known.
pub(super) fn rows() -> (Option<Mechanism>, Vec<Row>) {
    let kernel = Kernel::load();
    let mechanism = kernel.as_ref().ok().map(|kernel| kernel.mechanism);
    let shadow = kernel.as_ref().map(|kernel| kernel.shadow(None).map(|shadow| shadow.name.clone()));
    let rows = vec![
        programs(kernel.as_ref().err()),
        attaching(mechanism),
        ring(Ring::open("lo", false, None).err()),
        namespace(Namespace::new().err()),
        shadow_interface(shadow),
    ];
    (mechanism, rows)
}

fn programs(error: Option<&Error>) -> Row {
    let item = Item::new("kernel programs", "cloning and timing");
    match error {
        None => item.ok("loaded, and let go again"),
        Some(error) => item.missing(why(error)),
    }
}

fn attaching(mechanism: Option<Mechanism>) -> Row {
    let item = Item::new("tcx", "taps that go with the process, and come first");
    match mechanism {
        Some(Mechanism::Tcx) => item.ok("a link was made on lo"),
        Some(Mechanism::Clsact) => item.instead(
            "not in this kernel (Linux 6.6 has it)",
            "clsact filters; after a SIGKILL they stay, without a lease and so without clones, until the next start",
        ),
        None => item.unknown("not tried: the kernel programs do not load"),
    }
}

fn ring(error: Option<Error>) -> Row {
    let item = Item::new("packet ring", "reading the clones");
    match error {
        None => item.ok("opened on lo (TPACKET_V3), and closed again"),
        Some(error) => item.missing(why(&error)),
    }
}

fn namespace(error: Option<Error>) -> Row {
    let item = Item::new("private namespace", "the far end of the agent's own shadow interface");
    match error {
        None => item.ok("made, and let go again"),
        Some(error) => item.instead(why(&error), GIVEN),
    }
}

/// `Err` outside: not tried. `Err` inside: tried in vain.
fn shadow_interface(made: Result<Result<String>, &Error>) -> Row {
    let item = Item::new("shadow interface", "taking the clones out of production's way");
    match made {
        Ok(Ok(name)) => item.ok(format!("{name}, a veth pair, made and removed again")),
        Ok(Err(error)) => item.instead(why(&error), GIVEN),
        Err(_) => item.unknown("not tried: the kernel programs do not load"),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::check::State;

    #[test]
    fn what_has_a_way_round_is_not_missing() {
        let refused = || anyhow!("refused").context("make it");
        let rows = [
            (programs(Some(&refused())), State::Missing),
            (attaching(Some(Mechanism::Clsact)), State::Fallback),
            (attaching(None), State::Unknown),
            (ring(Some(refused())), State::Missing),
            (namespace(Some(refused())), State::Fallback),
            (shadow_interface(Ok(Err(refused()))), State::Fallback),
            (shadow_interface(Err(&refused())), State::Unknown),
        ];
        for (row, expect) in rows {
            assert_eq!(row.state, expect, "{row:?}");
            assert_eq!(row.state == State::Fallback, row.instead.is_some(), "{row:?}");
        }
        assert_eq!(programs(Some(&refused())).detail, "make it: refused");
    }
}
