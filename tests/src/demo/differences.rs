//! The differences that the agent wrote, grouped by route and place.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// By route (`/price/N`) and place (`body.total_cents`).
pub(super) type Differences = BTreeMap<(String, String), Group>;

/// The same difference on many requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// On how many.
    pub(super) requests: u64,
    /// What v1 had on the first of them.
    pub(super) v1: Option<String>,
    /// What v2 had there.
    pub(super) v2: Option<String>,
}

/// A line of the agent's `--differences` file, as far as it matters here.
#[derive(Deserialize)]
struct Found {
    target: String,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
struct Difference {
    path: String,
    v1: Option<String>,
    v2: Option<String>,
}

/// Groups what the agent wrote; a file that it never made holds none.
pub(super) fn read(path: &Path) -> Result<Differences> {
    let text = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
    group(&text).with_context(|| format!("differences in {}", path.display()))
}

fn group(text: &str) -> Result<Differences> {
    let mut groups = Differences::new();
    for line in text.lines() {
        let found: Found = serde_json::from_str(line).with_context(|| line.to_owned())?;
        for Difference { path, v1, v2 } in found.differences {
            let first = || Group { requests: 0, v1, v2 };
            groups.entry((route(&found.target), path)).or_insert_with(first).requests += 1;
        }
    }
    Ok(groups)
}

/// The path of a target with numbers as `N`.
fn route(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let segment = |segment: &str| match segment.parse::<u64>() {
        Ok(_) => "N".to_owned(),
        Err(_) => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_target_make_one_route() {
        for (target, expected) in
            [("/price/17", "/price/N"), ("/a/1/b?x=1", "/a/N/b"), ("/", "/"), ("/v2x", "/v2x"), ("", "")]
        {
            assert_eq!(route(target), expected);
        }
    }

    #[test]
    fn the_first_example_of_each_group_is_kept() {
        let text = r#"{"target":"/price/1","differences":[{"part":"body","path":"body.total","v1":"1","v2":"2"}]}
{"target":"/price/2","differences":[{"part":"body","path":"body.total","v1":"3","v2":"4"}]}
{"target":"/price/2","differences":[{"part":"missing","path":"header.etag","v1":"x","v2":null}]}"#;
        let groups = group(text).unwrap();
        let total = &groups[&("/price/N".into(), "body.total".into())];
        assert_eq!(*total, Group { requests: 2, v1: Some("1".into()), v2: Some("2".into()) });
        assert_eq!(groups[&("/price/N".into(), "header.etag".into())].v2, None);
    }
}
