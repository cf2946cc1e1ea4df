//! The experiment that is shipped as an example.

use crate::chaos::{Ending, Experiment};

#[test]
fn it_is_accepted() {
    let text = include_str!("../../../../deploy/chaos-v2-is-slow.yaml");
    let parsed = Experiment::parse("chaos-v2-is-slow.yaml", text, &["checkout"]).unwrap();
    assert_eq!(parsed.service, "checkout");
    assert_eq!(parsed.method.len(), 2);
}

#[test]
fn only_a_hypothesis_that_held_ends_with_0() {
    let codes = [
        (Ending::Completed, 0),
        (Ending::Deviated, 99),
        (Ending::Aborted, 98),
        (Ending::Refused, 98),
        (Ending::Inconclusive, 98),
    ];
    codes.into_iter().for_each(|(ending, code)| assert_eq!(ending.exit_code(), code, "{ending:?}"));
}
