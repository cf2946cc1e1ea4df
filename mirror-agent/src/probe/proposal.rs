//! Probes that users' requests suggest, as a snippet for the config file.

use serde::{Deserialize, Serialize};

use super::{Asked, EVERY, TIMEOUT};

/// Probes that are proposed for one service.
pub const PROPOSED_MAX: usize = 5;

/// A probe that would ask what users ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Made of its path.
    pub name: String,
    /// GET, HEAD or OPTIONS.
    pub method: String,
    /// The path.
    pub path: String,
    /// The Host that users ask for.
    pub host: Option<String>,
    /// How often users asked for it, at least.
    pub seen: u64,
}

impl Proposal {
    /// One for each request, with distinct names.
    pub fn all(asked: Vec<Asked>) -> Vec<Proposal> {
        let mut proposals: Vec<Proposal> = Vec::with_capacity(asked.len());
        for Asked { method, path, host, count } in asked {
            let name = name(&method, &path);
            let is_taken = |name: &String| proposals.iter().any(|other| other.name == *name);
            let numbered = (2..).map(|number| format!("{name}-{number}"));
            let name = std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name));
            proposals.push(Proposal { name: name.unwrap_or_default(), method, path, host, seen: count });
        }
        proposals
    }
}

/// The snippet, as it goes into the file's service; quoted as JSON, which YAML takes too.
pub fn yaml(proposals: &[Proposal]) -> String {
    let mut text = "probes:\n".to_owned();
    for Proposal { name, method, path, host, seen } in proposals {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        text += &format!("  - name: {name}  # asked {seen} times\n");
        if method != "GET" {
            text += &format!("    method: {method}\n");
        }
        text += &format!("    path: {}\n", quoted(path));
        if let Some(host) = host {
            text += &format!("    headers: {{host: {}}}\n", quoted(host));
        }
        text += &format!("    every: {}s\n    timeout: {}s\n", EVERY.as_secs(), TIMEOUT.as_secs());
    }
    text
}

/// Room for a number behind it.
const NAME_MAX: usize = 28;

fn name(method: &str, path: &str) -> String {
    let mut name = if method == "GET" { String::new() } else { method.to_ascii_lowercase() };
    for part in path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        if !name.is_empty() {
            name.push('-');
        }
        name += &part.to_ascii_lowercase();
    }
    name.truncate(NAME_MAX); // it is all ASCII
    if name.is_empty() { "root".into() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Draft};

    fn asked(method: &str, path: &str, host: Option<&str>) -> Asked {
        Asked { method: method.into(), path: path.into(), host: host.map(str::to_owned), count: 12 }
    }

    /// What the config makes of the snippet.
    fn read(proposals: &[Proposal]) -> Vec<crate::probe::Spec> {
        let service = "interfaces: [eth0]\nservices:\n  - name: a\n    v1: 10.0.0.4:80\n    v2: 10.0.0.5:80\n    share: 0%\n";
        let indented: String = yaml(proposals).lines().map(|line| format!("    {line}\n")).collect();
        let config = Config::build(Draft::default(), Some(("c", &format!("{service}{indented}"))));
        config.unwrap_or_else(|errors| panic!("{errors}\n{indented}")).services.remove(0).probes
    }

    #[test]
    fn the_snippet() {
        let all =
            Proposal::all(vec![asked("GET", "/api/users", Some("shop.example")), asked("HEAD", "/", None)]);
        assert_eq!(
            yaml(&all),
            "probes:\n  - name: api-users  # asked 12 times\n    path: \"/api/users\"\n    headers: {host: \"shop.example\"}\n    \
             every: 10s\n    timeout: 1s\n  - name: head  # asked 12 times\n    method: HEAD\n    path: \"/\"\n    every: 10s\n    \
             timeout: 1s\n"
        );
    }

    proptest! {
        #[test]
        fn any_snippet_is_a_good_config(paths in prop::collection::vec(r#"/[!"$->@-~]{0,40}"#, 1..=PROPOSED_MAX), host in prop::option::of("[!-~]{1,20}")) {
            let all = Proposal::all(paths.iter().map(|path| asked("GET", path, host.as_deref())).collect());
            let read = read(&all);
            prop_assert_eq!(read.iter().map(|probe| &probe.path).collect::<Vec<_>>(), paths.iter().collect::<Vec<_>>());
            prop_assert!(read.iter().zip(&all).all(|(probe, said)| probe.name == said.name));
        }
    }
}
