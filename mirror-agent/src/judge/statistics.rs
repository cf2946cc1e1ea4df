//! Evidence that may be looked at at any time, and a few numbers that go with it.
//!
//! Evidence is an e-value, as its natural logarithm: while the null hypothesis holds, its supremum over all time
//! reaches `ln(1/level)` with probability `level` at most, whatever decides when to look (Ville's inequality). It needs
//! no plan of how often to look and no end that is known before. Two are none: [`interval`] is what such evidence has
//! not excluded, and [`binomial`] is a tail that holds for one look.

pub mod binomial;
pub mod evidence;
pub mod harm;
pub mod interval;
pub mod mixture;
pub mod quantile;
mod special;
pub mod split;
pub mod watch;

pub use binomial::upper_tail;
pub use evidence::{log_evidence, votes_needed};
pub use harm::Bound;
pub use interval::bernoulli_interval;
pub use watch::Watch;

#[cfg(test)]
pub(crate) mod random;
