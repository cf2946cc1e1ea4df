//! What Argo makes of our answers, by a double of its web metric: written after the behaviour that its documentation
//! and source describe, for conditions of the form `result.a.b == "text"`.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::contracts::tests::{argo_metric, verdict};
use crate::judge::Outcome;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Successful,
    Failed,
    Inconclusive,
    Error,
    Running,
}

/// One measurement.
fn measure((status, body): (u16, String), success: Option<&str>, failure: Option<&str>) -> Phase {
    if !(200..300).contains(&status) {
        return Phase::Error;
    }
    // `{$}`; what is not JSON is a text.
    let result = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let evaluated = |condition: Option<&str>| condition.map(|it| evaluate(&result, it)).transpose();
    let (Ok(success), Ok(failure)) = (evaluated(success), evaluated(failure)) else { return Phase::Error };
    match (success, failure) {
        (_, Some(true)) | (Some(false), None) => Phase::Failed,
        (Some(true), _) | (None, _) => Phase::Successful,
        (Some(false), Some(false)) => Phase::Inconclusive,
    }
}

/// A missing key is nil, and nil equals no text; a key of what is no object is an error.
fn evaluate(result: &Value, condition: &str) -> Result<bool, ()> {
    let (path, text) = condition.split_once(" == ").ok_or(())?;
    let mut at = Some(result);
    for key in path.strip_prefix("result.").ok_or(())?.split('.') {
        at = at.ok_or(())?.as_object().ok_or(())?.get(key);
    }
    Ok(at == Some(&serde_json::from_str(text).map_err(|_| ())?))
}

/// The phase of a metric after measurements, under the limits of its template.
fn assess(metric: &Value, measurements: &[Phase]) -> Phase {
    let limit = |key: &str, otherwise: u64| metric[key].as_u64().unwrap_or(otherwise) as usize;
    let (mut failed, mut inconclusive, mut errors, mut successes, mut count) = (0, 0, 0, 0, 0);
    for phase in measurements {
        (errors, successes) = match phase {
            Phase::Error => (errors + 1, 0),
            Phase::Successful => (0, successes + 1),
            _ => (0, 0),
        };
        failed += usize::from(*phase == Phase::Failed);
        inconclusive += usize::from(*phase == Phase::Inconclusive);
        count += usize::from(*phase != Phase::Error);
        let wanted = limit("consecutiveSuccessLimit", 0);
        let end = match () {
            () if errors > limit("consecutiveErrorLimit", 4) => Phase::Error,
            () if inconclusive > limit("inconclusiveLimit", 0) => Phase::Inconclusive,
            () if failed > limit("failureLimit", 0) => Phase::Failed,
            () if wanted > 0 && successes >= wanted => Phase::Successful,
            () if count >= limit("count", 1) && wanted > 0 => Phase::Inconclusive,
            () if count >= limit("count", 1) => Phase::Successful,
            () => continue,
        };
        return end;
    }
    Phase::Running
}

#[test]
fn with_both_conditions_each_word_is_a_phase_of_its_own() {
    for (word, both, success, failure) in [
        (Outcome::Pass, Phase::Successful, Phase::Successful, Phase::Successful),
        (Outcome::Fail, Phase::Failed, Phase::Failed, Phase::Failed),
        (Outcome::Inconclusive, Phase::Inconclusive, Phase::Failed, Phase::Successful),
    ] {
        let answer = || answer(Ok(&verdict(word)));
        assert_eq!(answer().0, 200, "{word}");
        assert_eq!(measure(answer(), Some(SUCCESS), Some(FAILURE)), both, "{word}, both conditions");
        assert_eq!(measure(answer(), Some(SUCCESS), None), success, "{word}, success alone");
        assert_eq!(measure(answer(), None, Some(FAILURE)), failure, "{word}, failure alone");
        assert_eq!(measure(answer(), None, None), Phase::Successful, "{word}, no condition");
    }
}

#[test]
fn of_two_true_conditions_failure_wins() {
    let fail = || answer(Ok(&verdict(Outcome::Fail)));
    assert_eq!(measure(fail(), Some(FAILURE), Some(FAILURE)), Phase::Failed);
}

#[test]
fn a_question_without_a_verdict_is_an_error_whatever_the_conditions_say() {
    let refused = || answer(Err("there is no service \"chekout\""));
    assert_eq!(refused(), (400, r#"{"error":"there is no service \"chekout\""}"#.to_owned()));
    for (success, failure) in [(Some(SUCCESS), Some(FAILURE)), (None, Some(FAILURE)), (None, None)] {
        assert_eq!(measure(refused(), success, failure), Phase::Error);
    }
}

#[test]
fn something_else_at_the_address_never_passes() {
    for body in ["{}", "[]", "null", "pass", "\"pass\"", r#"{"verdict":"PASS"}"#, r#"{"verdict":null}"#, ""] {
        let phase = measure((200, body.into()), Some(SUCCESS), Some(FAILURE));
        assert!(matches!(phase, Phase::Inconclusive | Phase::Error), "{body}: {phase:?}");
    }
}

#[test]
fn what_is_answered_is_the_verdict() {
    let verdict = verdict(Outcome::Fail);
    assert_eq!(serde_json::from_str::<Verdict>(&answer(Ok(&verdict)).1).unwrap(), verdict);
}

#[test]
fn the_sample_ends_as_its_comments_say() {
    use Phase::{Error, Failed, Inconclusive, Running, Successful};
    let metric = argo_metric();
    let count = metric["count"].as_u64().unwrap() as usize;
    let then = |before: usize, last: &[Phase]| [&vec![Inconclusive; before], last].concat();
    for (measurements, end) in [
        (then(0, &[Successful]), Successful),
        (then(0, &[Failed]), Failed),
        (then(5, &[Failed]), Failed),
        (then(count - 1, &[Successful]), Successful),
        (then(count - 1, &[]), Running),
        (then(count, &[]), Inconclusive),
        (then(3, &[Error; 4]), Running),
        (then(3, &[Error; 5]), Error),
        (then(0, &[Error, Error, Error, Error, Inconclusive, Error, Successful]), Successful),
    ] {
        assert_eq!(assess(&metric, &measurements), end, "{measurements:?}");
    }
}

#[test]
fn an_older_argo_does_not_pass_the_sample_for_want_of_evidence() {
    let mut metric = argo_metric();
    metric.as_object_mut().unwrap().remove("consecutiveSuccessLimit");
    let count = metric["count"].as_u64().unwrap() as usize;
    assert_eq!(assess(&metric, &vec![Phase::Inconclusive; count]), Phase::Inconclusive);
    // One more, and it would: a count that is reached is a success.
    metric["inconclusiveLimit"] = count.into();
    assert_eq!(assess(&metric, &vec![Phase::Inconclusive; count]), Phase::Successful);
}

#[test]
fn a_failure_limit_of_two_aborts_on_the_third() {
    let metric = serde_json::json!({"count": 30, "failureLimit": 2});
    assert_eq!(assess(&metric, &[Phase::Failed; 2]), Phase::Running);
    assert_eq!(assess(&metric, &[Phase::Failed; 3]), Phase::Failed);
}

#[test]
fn every_word_has_a_phase() {
    let phases: HashSet<_> = Outcome::ALL
        .map(|word| measure(answer(Ok(&verdict(word))), Some(SUCCESS), Some(FAILURE)))
        .into_iter()
        .collect();
    assert_eq!(phases.len(), Outcome::ALL.len());
}
