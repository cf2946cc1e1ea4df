//! Captures made by seed, whose every exchange is known beforehand, and damage done to them by seed.
//!
//! ```text
//! rng ─► message ─► dialogue ─► tcp ─► frame ─► capture ─► damage
//! ```
//!
//! Nothing here knows the agent: what it says of a capture must not share the agent's mistakes. Times are
//! nanoseconds since the Unix epoch, everywhere.

mod capture;
mod damage;
mod dialogue;
mod flight;
mod frame;
mod kinds;
mod message;
mod rng;
mod tcp;
mod truth;

pub use capture::{Capture, Options, Timed, write};
pub use damage::{Act, Damage, Damaged};
pub use rng::Rng;
pub use truth::{Body, Connection, Exchange, Fate, Feature, Message, Side};
