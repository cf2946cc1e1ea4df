//! Many runs of each case, in a table of Markdown.

mod course;
mod row;

use std::fmt::Write as _;

use mirror_agent::judge::Settings;

use super::cases::{self, Case};
pub use course::{Course, End};
use row::Row;

/// How the cases are run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of each case at each rate.
    pub runs: u64,
    /// Of the first run; each next one has the next.
    pub seed: u64,
    /// Requests per second.
    pub rates: Vec<u32>,
    /// Seconds before v2 changes.
    pub lead_in: u64,
    /// Seconds that are looked at after that, or of identical versions altogether.
    pub length: u64,
    /// Seconds from one look at the verdict to the next.
    pub every: u64,
    /// How it is judged.
    pub settings: Settings,
}

/// The table, a row at a time.
pub fn table(plan: &Plan, mut print: impl FnMut(&str)) {
    print(HEAD);
    for case in cases::identical().into_iter().chain(cases::worse()) {
        for rate in &plan.rates {
            print(&row(plan, &case, *rate).to_string());
        }
    }
}

const HEAD: &str = "\
| v2 | requests/s | runs | FAIL | seconds to FAIL: half, 90 % | limit | PASS | seconds to PASS | neither |
|---|---|---|---|---|---|---|---|---|";

/// All runs of a case at a rate.
fn row(plan: &Plan, case: &Case, rate: u32) -> Row {
    let course = Course::new(case, f64::from(rate), plan);
    let ends: Vec<End> = (plan.seed..plan.seed + plan.runs).map(|seed| course.run(seed)).collect();
    Row::new(case, rate, ends, &plan.settings)
}

/// What the table was made with.
pub fn made_with(plan: &Plan) -> String {
    let mut text = String::new();
    let Plan { runs, lead_in, length, .. } = plan;
    let Settings { alpha, margin, slower, .. } = plan.settings;
    let (margin, slower) = (margin * 100.0, slower * 100.0);
    let _ = write!(text, "{runs} runs each, alpha {alpha}, margin {margin} %, slower {slower} %; ");
    let _ = write!(
        text,
        "v2 changes after {lead_in} s and is watched for {length} s, as are identical versions. "
    );
    let fewest = row::fewest(&plan.settings);
    let _ = write!(text, "A limit has the fewest seconds in which anything is shown in it, {fewest}.");
    text
}
