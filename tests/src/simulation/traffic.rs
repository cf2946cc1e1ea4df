//! What comes in and how the versions behave, while nothing changes.

use mirror_agent::compare::Field;
use serde::Deserialize;

/// Traffic and the behaviour of both versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Requests per second, each independent of the others.
    pub rate: f64,
    /// The version that serves the users.
    pub v1: Version,
    /// The version that gets the copy.
    pub v2: Version,
    /// The share of v1's errors whose cause, such as a database, hits v2 as well.
    pub shared_errors: f64,
    /// By how much our own way to a version is slower than the users' (0.03: 3 %).
    pub way_slower: f64,
    /// The share of requests that v1 is asked a second time.
    pub asked_again: f64,
    /// The share of requests that cannot be compared.
    pub lost: f64,
    /// Fields that do not always have one value.
    pub fields: Vec<Varies>,
}

/// How one version behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// How much longer than usual it takes, at the median (1.1: 10 % longer).
    pub slower: f64,
    /// The share of requests that fail.
    pub errors: f64,
    /// Requests that take far longer than the rest.
    pub slow: Slow,
    /// Stalls per second. Everything waits for the end of a stall.
    pub stalls: f64,
    /// What it does when it is asked.
    pub when_asked: WhenAsked,
}

/// What a version does when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAsked {
    /// It answers.
    #[default]
    Answers,
    /// It takes the request and says nothing.
    IsSilent,
    /// It accepts no connection.
    Refuses,
}

/// Requests that take far longer than the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slow {
    /// The share of them.
    pub share: f64,
    /// How many times longer they take.
    pub times: f64,
}

/// A field that does not always have one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Varies {
    /// Which.
    pub field: Field,
    /// The share of v1's second answers that differ there from its first.
    pub v1: f64,
    /// The share of v2's answers that differ there from v1's first.
    pub v2: f64,
}

impl Default for Traffic {
    fn default() -> Traffic {
        Traffic {
            rate: 50.0,
            v1: Version::default(),
            v2: Version::default(),
            shared_errors: 0.0,
            way_slower: 0.0,
            asked_again: 0.05,
            lost: 0.0,
            fields: Vec::new(),
        }
    }
}

impl Default for Version {
    fn default() -> Version {
        Version {
            slower: 1.0,
            errors: 0.0,
            slow: Slow { share: 0.0, times: 20.0 },
            stalls: 0.0,
            when_asked: WhenAsked::Answers,
        }
    }
}
