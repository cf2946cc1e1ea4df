//! What to do when somebody takes a tap away, or comes before it.

/// What to do about a tap that was displaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDisplaced {
    /// Say so: in the log, in the metrics, in the status.
    #[default]
    Report,
    /// Say so, and put the tap back, a few times a minute at most.
    Reattach,
}
