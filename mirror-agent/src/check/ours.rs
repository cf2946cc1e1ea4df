//! The things that a run makes, made once and given back: the same code, so the same answer.

use anyhow::Error;

use super::report::{Item, Row, why};
use crate::intake::ring::Ring;
use crate::kernel::Kernel;
use crate::kernel::attach::Mechanism;
use crate::kernel::namespace::Namespace;

/// Why much is not tried.
const NOT_LOADED: &str = "not tried: the kernel programs do not load";
/// What stands in for a shadow interface of our own.
const GIVEN: &str = "--shadow-interface NAME, an interface that exists";

/// The rows, and how taps are attached here if that is known.
pub(super) fn rows() -> (Option<Mechanism>, Vec<Row>) {
    let kernel = Kernel::load();
    let mechanism = kernel.as_ref().ok().map(|kernel| kernel.mechanism);
    let private = Namespace::new();
    let mut rows = vec![
        programs(kernel.as_ref().err()),
        attaching(mechanism),
        ring(Ring::open("lo", false, None).err()),
        namespace(private.as_ref().err()),
    ];
    let (tried_tap, tried_shadow) = match kernel {
        Ok(kernel) => (
            private.map_or(Tried::NoPlace, |private| tap_in(&private, &kernel)),
            kernel.shadow(None, &[]).map_or_else(Tried::InVain, |shadow| Tried::Well(shadow.name.clone())),
        ),
        Err(_) => (Tried::NoPrograms, Tried::NoPrograms),
    };
    rows.extend([tap(tried_tap), shadow_interface(tried_shadow)]);
    (mechanism, rows)
}

/// What came of a try that needs the programs.
#[derive(Debug)]
enum Tried {
    /// With the name of what was made.
    Well(String),
    InVain(Error),
    /// There is no namespace to try it in, and production's is not for trying.
    NoPlace,
    NoPrograms,
}

/// Taps the loopback of a private namespace, which carries nothing.
fn tap_in(private: &Namespace, kernel: &Kernel) -> Tried {
    let tapped = private.run(|| {
        kernel.tap("lo")?;
        kernel.untap(); // in there, where the tap is
        Ok(())
    });
    tapped.map_or_else(Tried::InVain, |()| Tried::Well("lo".into()))
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
        None => item.unknown(NOT_LOADED),
    }
}

fn ring(error: Option<Error>) -> Row {
    let item = Item::new("packet ring", "reading the clones");
    match error {
        None => item.ok("opened on lo (TPACKET_V3), and closed again"),
        Some(error) => item.missing(why(&error)),
    }
}

fn namespace(error: Option<&Error>) -> Row {
    let item = Item::new("private namespace", "the far end of the agent's own shadow interface");
    match error {
        None => item.ok("made, and let go again"),
        Some(error) => item.instead(why(error), GIVEN),
    }
}

fn tap(tried: Tried) -> Row {
    let item = Item::new("tap", "seeing the packets of v1");
    match tried {
        Tried::Well(name) => {
            item.ok(format!("attached to {name} of a private namespace, and taken off again"))
        }
        Tried::InVain(error) => item.missing(why(&error)),
        Tried::NoPlace => {
            item.instead("not tried: there is no private namespace", "it is tried when a run starts")
        }
        Tried::NoPrograms => item.unknown(NOT_LOADED),
    }
}

fn shadow_interface(tried: Tried) -> Row {
    let item = Item::new("shadow interface", "taking the clones out of production's way");
    match tried {
        Tried::Well(name) => item.ok(format!("{name}, a veth pair, made and removed again")),
        Tried::InVain(error) => item.instead(why(&error), GIVEN),
        Tried::NoPlace | Tried::NoPrograms => item.unknown(NOT_LOADED),
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
            (namespace(Some(&refused())), State::Fallback),
            (tap(Tried::InVain(refused())), State::Missing),
            (tap(Tried::NoPlace), State::Fallback),
            (tap(Tried::NoPrograms), State::Unknown),
            (shadow_interface(Tried::InVain(refused())), State::Fallback),
            (shadow_interface(Tried::NoPrograms), State::Unknown),
        ];
        for (row, expect) in rows {
            assert_eq!(row.state, expect, "{row:?}");
            assert_eq!(row.state == State::Fallback, row.instead.is_some(), "{row:?}");
        }
        assert_eq!(programs(Some(&refused())).detail, "make it: refused");
    }
}
