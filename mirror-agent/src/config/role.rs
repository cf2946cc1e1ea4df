//! What v2 is.

/// What v2 is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It gets copies, and its answers reach nobody.
    #[default]
    Shadow,
    /// It serves a part of the users, and is only watched.
    Observed,
}
