//! A frame becomes a segment: what can be parsed is, what cannot is named.

pub mod segment;

pub use segment::{Flags, FlowKey, Segment, Side};
