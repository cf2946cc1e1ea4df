//! When to stop at once: pure. It is told what was counted and what time it is, and says which guard was breached.
//!
//! A breach is latched by whoever acts on it: nothing here re-arms by itself, and nothing here stops anything.

pub mod breach;
pub mod burn;
pub mod events;
pub mod process;
pub mod service;
pub mod switchback;

pub use breach::{Breach, Reason};
pub use burn::Objective;
pub use events::Count;
