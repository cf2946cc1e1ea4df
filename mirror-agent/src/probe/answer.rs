//! How a probe ended: what was answered, how long each part of it took, and whether that was expected.

use std::time::Duration;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Expect;

/// How a probe ended at one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was answered as expected.
    Success,
    /// With a status that was not.
    Status,
    /// With a body that was not.
    Body,
    /// Not in time.
    Timeout,
    /// No connection could be made.
    Connect,
    /// The connection ended before the answer did.
    Reset,
    /// The answer is no HTTP.
    Malformed,
}

/// How long each part took. A part that was not reached has no duration, which is not the same as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Until the connection stood.
    pub connect: Option<Duration>,
    /// From the request's last byte sent to the answer's first.
    pub processing: Option<Duration>,
    /// From the answer's first byte to its end.
    pub transfer: Option<Duration>,
}

/// What one version made of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub ended: Ended,
    /// The status, if there was a whole answer.
    pub status: Option<u16>,
    /// How long it took.
    pub phases: Phases,
}

/// An [`Expect`], ready to be held against answers.
#[derive(Clone, Debug)]
pub struct Check {
    status: Vec<u16>,
    body: Option<Regex>,
}

impl Ended {
    /// Every way to end.
    pub const ALL: [Ended; 7] = [
        Ended::Success,
        Ended::Status,
        Ended::Body,
        Ended::Timeout,
        Ended::Connect,
        Ended::Reset,
        Ended::Malformed,
    ];

    /// As status and metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Ended::Success => "success",
            Ended::Status => "status",
            Ended::Body => "body",
            Ended::Timeout => "timeout",
            Ended::Connect => "connect",
            Ended::Reset => "reset",
            Ended::Malformed => "malformed",
        }
    }
}

impl Phases {
    /// The names of the phases in status and metrics, with what was measured of each.
    pub fn by_name(&self) -> [(&'static str, Option<Duration>); 3] {
        [("connect", self.connect), ("processing", self.processing), ("transfer", self.transfer)]
    }
}

impl Check {
    /// Makes ready what is expected.
    ///
    /// # Errors
    ///
    /// When the expression of the body is none.
    pub fn new(expect: &Expect) -> Result<Check, String> {
        let body = expect.body.as_deref().map(crate::compare::compile).transpose()?;
        Ok(Check { status: expect.status.clone(), body })
    }

    /// Whether a whole answer is what was expected; of a body that is no UTF-8, what is.
    pub fn judge(&self, status: u16, body: &[u8]) -> Ended {
        let is_expected =
            if self.status.is_empty() { (200..300).contains(&status) } else { self.status.contains(&status) };
        let fits = |body_is: &Regex| body_is.is_match(&String::from_utf8_lossy(body));
        match &self.body {
            _ if !is_expected => Ended::Status,
            Some(expression) if !fits(expression) => Ended::Body,
            _ => Ended::Success,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &[u16], body: Option<&str>, answer: (u16, &[u8])) -> Ended {
        let expect = Expect { status: status.to_vec(), body: body.map(str::to_owned) };
        Check::new(&expect).unwrap().judge(answer.0, answer.1)
    }

    #[test]
    fn without_a_word_any_success_will_do() {
        for (status, ended) in [
            (199, Ended::Status),
            (200, Ended::Success),
            (299, Ended::Success),
            (300, Ended::Status),
            (503, Ended::Status),
        ] {
            assert_eq!(judged(&[], None, (status, b"")), ended, "{status}");
        }
    }

    #[test]
    fn status_goes_before_body() {
        let body = Some(r#""status" *: *"ok""#);
        assert_eq!(judged(&[200, 404], body, (404, br#"{"status": "ok"}"#)), Ended::Success);
        assert_eq!(judged(&[200, 404], body, (404, br#"{"status": "down"}"#)), Ended::Body);
        assert_eq!(judged(&[404], body, (200, br#"{"status": "down"}"#)), Ended::Status);
        assert_eq!(judged(&[], Some("^b"), (200, b"\xff\nb")), Ended::Body);
        assert_eq!(judged(&[], Some("b$"), (200, b"\xff\nb")), Ended::Success);
    }

    #[test]
    fn every_way_to_end_is_spelled_as_it_is_sent() {
        for ended in Ended::ALL {
            assert_eq!(serde_json::to_string(&ended).unwrap(), format!("{:?}", ended.as_str()));
        }
    }
}
