//! How often the judge is wrong by chance.

use mirror_agent::judge::{Again, Settings};
use mirror_tests::simulation::cases::{self, Case};
use mirror_tests::simulation::table::{Course, End, Plan};

const RUNS: u64 = 60;
/// Of the requests per second of a small service: many runs, or much traffic in few.
const RATE: f64 = 10.0;
/// Seconds between two looks. The judge counts by the highest evidence of all seconds, so no second goes unseen.
const EVERY: u64 = 10;
/// How often these tests may fail with other seeds, were the judge just as good as it says.
const SURE: f64 = 1e-4;

fn plan(margin: f64) -> Plan {
    let settings = Settings { again: Again::V1, margin, ..Settings::default() };
    Plan { runs: RUNS, seed: 1, rates: Vec::new(), lead_in: 0, length: 600, every: EVERY, settings }
}

fn ends(case: &Case, plan: &Plan) -> Vec<End> {
    let course = Course::new(case, RATE, plan);
    (plan.seed..plan.seed + plan.runs).map(|seed| course.run(seed)).collect()
}

/// The most of `runs` that may go wrong where each does so with the probability `chance`.
fn most(runs: u64, chance: f64) -> u64 {
    let mut exactly = (1.0 - chance).powi(runs as i32);
    let mut more = 1.0 - exactly;
    let mut count = 0;
    while more > SURE {
        exactly *= (runs - count) as f64 / (count + 1) as f64 * chance / (1.0 - chance);
        count += 1;
        more -= exactly;
    }
    count
}

#[test]
fn the_bound_is_that_of_the_tables() {
    // P[Bin(100, 0.01) > 5] is 5.3e-4, of more than 6 it is 6.6e-5; of 10 at one half, more than 9 is one in 1024.
    assert_eq!((most(100, 0.01), most(10, 0.5)), (6, 10));
}

#[test]
fn identical_versions_are_seldom_failed_however_often_one_looks() {
    let plan = plan(0.01);
    let runs: Vec<End> = cases::identical().iter().flat_map(|case| ends(case, &plan)).collect();
    let failed = runs.iter().filter(|end| end.fail.is_some()).count() as u64;
    let most = most(runs.len() as u64, plan.settings.alpha);
    assert!(failed <= most, "{failed} of {} runs, more than {most}", runs.len());
}

/// What passes wrongly is a v2 that is worse by more than the margin.
#[test]
fn a_worse_version_seldom_passes_however_often_one_looks() {
    let plan = plan(0.02);
    let mut case = cases::identical().remove(0);
    case.before.v2.errors = case.before.v1.errors + 1.05 * plan.settings.margin;
    let runs = ends(&case, &plan);
    let passed = runs.iter().filter(|end| end.pass.is_some()).count() as u64;
    assert!(passed <= most(plan.runs, plan.settings.alpha), "{passed} of {} runs", plan.runs);
}
