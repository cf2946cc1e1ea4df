//! What v2 can do to a service, and how soon it should be told.

use super::traffic::{Slow, Traffic, Version};

/// A change of v2, or none.
#[derive(Clone, Debug)]
pub struct Case {
    /// In a few words.
    pub name: &'static str,
    /// Before v2 changes.
    pub before: Traffic,
    /// From then on; `None` if v2 never does worse.
    pub after: Option<Traffic>,
    /// Within how many seconds it should be found at so many requests a second, on top of the fewest votes.
    pub limits: &'static [(u32, f64)],
}

impl Case {
    /// The limit at this rate, in seconds without the fewest votes.
    pub fn limit(&self, rate: u32) -> Option<f64> {
        self.limits.iter().find(|(at, _)| *at == rate).map(|(_, limit)| *limit)
    }
}

/// A version that fails now and then, as most do.
fn healthy() -> Version {
    Version { errors: 0.001, ..Version::default() }
}

fn both(version: Version) -> Traffic {
    Traffic { v1: version.clone(), v2: version, ..Traffic::default() }
}

/// Those in which v2 does as v1 does.
pub fn identical() -> Vec<Case> {
    let same = |name, before| Case { name, before, after: None, limits: &[] };
    let over_our_way = |way_slower| Traffic { way_slower, ..both(healthy()) };
    let stalls = Version { stalls: 0.1, ..healthy() };
    let errors = both(Version { errors: 0.01, ..healthy() });
    vec![
        same("the same", both(healthy())),
        same("the same, both stall for 200 ms now and then", both(stalls)),
        same("the same, our way 3 % slower", over_our_way(0.03)),
        same("the same, our way 30 % slower", over_our_way(0.3)),
        same("the same, 1 % errors, 80 % of them of both", Traffic { shared_errors: 0.8, ..errors }),
    ]
}

/// Those in which v2 does worse from some moment on.
pub fn worse() -> Vec<Case> {
    let errors = |errors| Version { errors, ..healthy() };
    let slower = |slower| Version { slower, ..healthy() };
    let slow = |share| Version { slow: Slow { share, times: 20.0 }, ..healthy() };
    let case = |name, v2, limits| {
        let before = both(healthy());
        Case { name, after: Some(Traffic { v2, ..before.clone() }), before, limits }
    };
    let on_a_slow_way = |case: Case| {
        let slow = |traffic| Traffic { way_slower: 0.03, ..traffic };
        Case { before: slow(case.before), after: case.after.map(slow), ..case }
    };
    vec![
        case("errors 0.1 % to 1 %", errors(0.01), &[(10, 120.0), (50, 24.0), (500, 3.0)]),
        case("errors 0.1 % to 5 %", errors(0.05), &[(10, 18.0), (50, 4.0), (500, 1.0)]),
        case("errors 0.1 % to 100 %", errors(1.0), &[(10, 1.0), (50, 1.0), (500, 1.0)]),
        case("median 10 % slower", slower(1.1), &[(50, 8.0), (500, 1.0)]),
        on_a_slow_way(case("median 10 % slower, our way 3 %", slower(1.1), &[(50, 13.0)])),
        case("median 20 % slower", slower(1.2), &[]),
        case("median twice as slow", slower(2.0), &[(50, 1.0), (500, 1.0)]),
        case("3 % of requests 20 times slower", slow(0.03), &[(50, 10.5), (500, 1.0)]),
        case("1 % of requests 20 times slower", slow(0.01), &[(50, 34.0), (500, 4.0)]),
    ]
}
