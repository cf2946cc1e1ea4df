//! A field that varies, as a scenario says it.

use mirror_agent::compare::{Field, Kind, Part};
use serde::Deserialize;

use super::super::traffic::Varies;
use super::units::Share;

/// A field that varies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    name: String,
    #[serde(default)]
    kind: InWhat,
    /// In how many of v1's second answers it is not what it was in the first.
    v1: Option<Share>,
    /// In how many of v2's answers it is not what it is in v1's.
    v2: Option<Share>,
}

/// In what way it varies, as the statistics spell it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct InWhat(Kind);

impl Default for InWhat {
    fn default() -> InWhat {
        InWhat(Kind::Value)
    }
}

impl TryFrom<String> for InWhat {
    type Error = String;

    fn try_from(text: String) -> Result<InWhat, String> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.map(InWhat).ok_or(format!("{text:?} is no way to differ"))
    }
}

impl Line {
    pub(super) fn varies(&self) -> Varies {
        let share = |share: Option<Share>| share.map_or(0.0, |share| share.0);
        Varies { field: self.field(), v1: share(self.v1), v2: share(self.v2) }
    }

    /// As a comparison would name it.
    fn field(&self) -> Field {
        let (name, kind) = (self.name.clone(), self.kind.0);
        let part = match kind {
            Kind::Missing | Kind::Extra => Part::Missing,
            _ if name == "status" => Part::Status,
            _ if name.starts_with("header.") => Part::Header,
            _ => Part::Body,
        };
        let leaf = name != "body" && kind != Kind::Order;
        Field { part, name, kind, leaf }
    }
}
