//! Segments become two ordered byte streams per connection.

pub mod event;

pub use event::{Close, Event};
