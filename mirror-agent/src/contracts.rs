//! What the controllers of deployments ask, and how a verdict reads to each of them.
//!
//! A verdict has three words and most of them know two. No data is never a pass: where there is no third answer,
//! INCONCLUSIVE says no, unless the operator has said `advance` at that very place.

pub mod argo;
pub mod flagger;
pub mod kayenta;
#[cfg(test)]
mod tests;

/// Where the verdict itself is read, by `GET`.
pub const VERDICT: &str = "/v1/verdict";
/// The key that names a service, in a query and in Flagger's metadata.
pub const SERVICE: &str = "service";
/// The key for how far back to look, in a query and in Flagger's metadata: `5m`.
pub const WINDOW: &str = "window";
/// The key for what INCONCLUSIVE means, in Flagger's metadata and Kayenta's `judgeConfigurations`.
pub const INCONCLUSIVE: &str = "inconclusive";

/// What INCONCLUSIVE means to somebody who knows only yes and no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenInconclusive {
    /// No. The default everywhere.
    #[default]
    Halt,
    /// Yes: only proven harm stops.
    Advance,
}

impl WhenInconclusive {
    /// Reads `halt` or `advance`.
    ///
    /// # Errors
    ///
    /// A line that names the key and what it may be.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "halt" => Ok(WhenInconclusive::Halt),
            "advance" => Ok(WhenInconclusive::Advance),
            _ => Err(format!("{INCONCLUSIVE}: {} is neither halt nor advance", shown(text))),
        }
    }
}

/// A foreign text in an error: quoted, escaped and short.
fn shown(text: &str) -> String {
    cut(format!("{text:?}"), 80)
}

/// The error of a body that does not fit; it may quote the body, however long that is.
fn misread(what: &str, error: &serde_json::Error) -> String {
    cut(format!("read {what}: {error}"), 320)
}

/// At most `max` bytes of a text.
fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max - '…'.len_utf8()));
        text.push('…');
    }
    text
}
