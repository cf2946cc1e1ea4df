//! Argo Rollouts' web metric: `GET /v1/verdict?service=NAME&window=5m`.
//!
//! Argo reads the status first: what is not 2xx is an *Error*, five in a row of which abort. So every verdict is a 200,
//! a FAIL too, and what Argo makes of it stands in the two conditions of the metric. It needs both: with
//! [`SUCCESS`] alone INCONCLUSIVE is a failure, with [`FAILURE`] alone it is a success; with both, and neither true, it
//! is Argo's own *Inconclusive*. (`metricproviders/webmetric/webmetric.go`, `utils/evaluate/evaluate.go`)

use crate::judge::Verdict;

/// The metric's `successCondition`.
pub const SUCCESS: &str = r#"result.verdict == "pass""#;
/// The metric's `failureCondition`.
pub const FAILURE: &str = r#"result.verdict == "fail""#;

/// Status and JSON body: 200 and the verdict, or 400 and `{"error": …}` for a service or window that there is not.
pub fn answer(verdict: Result<&Verdict, &str>) -> (u16, String) {
    match verdict.map(serde_json::to_string) {
        Ok(Ok(body)) => (200, body),
        Ok(Err(error)) => (500, refusal(&error.to_string())),
        Err(why) => (400, refusal(why)),
    }
}

fn refusal(why: &str) -> String {
    serde_json::json!({ "error": why }).to_string()
}

#[cfg(test)]
mod tests;
