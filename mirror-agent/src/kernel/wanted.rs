//! Which interfaces are to be tapped: names, and patterns of names.

use anyhow::{Context, Result};
use glob::Pattern;

use super::links::Link;
use super::shadow;

/// What was asked for, and what is never tapped.
#[derive(Debug, Default)]
pub struct Wanted {
    names: Vec<String>,
    patterns: Vec<Pattern>,
    /// The interface that the clones leave by.
    shadow: Option<String>,
}

impl Wanted {
    /// Takes names and patterns as they stand in the configuration.
    ///
    /// # Errors
    ///
    /// When a pattern is none.
    pub fn new(interfaces: &[String]) -> Result<Self> {
        let (patterns, names): (Vec<_>, Vec<_>) =
            interfaces.iter().cloned().partition(|one| crate::config::values::is_pattern(one));
        let parse = |text: &String| Pattern::new(text).with_context(|| format!("interface pattern {text}"));
        Ok(Wanted { patterns: patterns.iter().map(parse).collect::<Result<_>>()?, names, shadow: None })
    }

    /// Leaves the shadow interface out.
    #[must_use]
    pub fn without(mut self, shadow: &str) -> Self {
        self.shadow = Some(shadow.to_owned());
        self
    }

    /// The names that were given as such.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The patterns, as they were typed.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(Pattern::as_str)
    }

    /// Whether an interface of this name was asked for.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|one| one == name) || self.patterns.iter().any(|one| one.matches(name))
    }

    /// Of all interfaces, those to tap.
    pub fn among<'l>(&self, links: &'l [Link]) -> Vec<&'l Link> {
        links.iter().filter(|link| self.has(&link.name) && !self.is_shadow(link, links)).collect()
    }

    /// Copies of copies: the shadow interface, the other end of its pair, and the shadow interfaces of other agents.
    fn is_shadow(&self, link: &Link, links: &[Link]) -> bool {
        let Some(name) = &self.shadow else { return link.alias == shadow::ALIAS };
        let is_far_end = || {
            let near = links.iter().find(|link| link.name == *name);
            link.kind == "veth" && near.is_some_and(|near| link.other == Some(near.index))
        };
        link.name == *name || link.alias == shadow::ALIAS || is_far_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, other: Option<u32>) -> Link {
        Link { index, name: name.into(), kind: "veth".into(), other, ..Link::default() }
    }

    fn wanted(interfaces: &[&str]) -> Wanted {
        Wanted::new(&interfaces.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn names_and_patterns_match_whole_names() {
        for (asked, name, expect) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("veth*", "veth", true),
            ("veth*", "veth1a2b", true),
            ("veth*", "xveth1", false),
            ("eth[0-3]", "eth3", true),
            ("eth[!0]", "eth0", false),
            ("eth?", "eth10", false),
            ("*", "anything.7", true),
        ] {
            assert_eq!(wanted(&[asked]).has(name), expect, "{asked} {name}");
        }
        let both = wanted(&["lo", "veth*"]);
        assert_eq!(
            (both.names(), both.patterns().collect::<Vec<_>>()),
            (&["lo".to_owned()][..], vec!["veth*"])
        );
    }

    #[test]
    fn no_shadow_interface_is_tapped() {
        let mut links =
            [link(2, "eth0", Some(9)), link(3, "slow0", Some(4)), link(4, "slow0p", Some(3))].to_vec();
        links.push(Link { alias: shadow::ALIAS.into(), ..link(5, "shadow1", None) });
        let found = wanted(&["*"]).without("slow0");
        let names: Vec<_> = found.among(&links).iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["eth0"]);
    }
}
