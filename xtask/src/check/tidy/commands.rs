//! The README's commands exist: `cargo xtask VERB` and `mirror-agent VERB`.

use clap::CommandFactory as _;

use super::source::Source;

/// Commands that `readme` names and that nobody would understand.
pub(super) fn faults(readme: &str, agent: &[Source]) -> Vec<String> {
    let ours: Vec<String> =
        crate::Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let xtask = verbs(readme, "cargo xtask ").into_iter().filter(|verb| !ours.contains(verb));
    let agents = verbs(readme, "mirror-agent ").into_iter().filter(|verb| !agent_has(verb, agent));
    let say = |program: &'static str| move |verb| format!("README.md: there is no `{program} {verb}`");
    xtask.map(say("cargo xtask")).chain(agents.map(say("mirror-agent"))).collect()
}

/// The words behind `program` where it is written as code: in a block, or behind a backtick. Prose may go on as it likes.
fn verbs(readme: &str, program: &str) -> Vec<String> {
    let mut in_block = false;
    let mut verbs = Vec::new();
    for line in readme.lines() {
        in_block ^= line.trim_start().starts_with("```");
        let block = in_block || line.starts_with("    ");
        for (at, _) in line.match_indices(program) {
            let rest = &line[at + program.len()..];
            let verb: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            let begins_code = line[..at].ends_with('`') || (block && is_prompt(&line[..at]));
            if begins_code && !verb.is_empty() && !verb.starts_with('-') {
                verbs.push(verb);
            }
        }
    }
    verbs.sort();
    verbs.dedup();
    verbs
}

/// What may stand before a command on its line.
fn is_prompt(text: &str) -> bool {
    text.split_whitespace().all(|word| ["$", "#", "sudo", "-E"].contains(&word) || word.ends_with('='))
}

/// Whether the command line has a variant for `verb` (`share` for `Share(…)`). The agent's own list is private to it,
/// and building it to ask would take minutes.
fn agent_has(verb: &str, agent: &[Source]) -> bool {
    let variant: String = verb.split('-').map(capitalised).collect();
    let is_variant = |line: &str| {
        line.trim()
            .strip_prefix(&variant)
            .is_some_and(|rest| rest.starts_with(['(', ',', '{']) || rest.starts_with(" {"))
    };
    let mut files = agent.iter().filter(|source| source.module == "cli" || source.module == "main");
    files.any(|source| source.code.lines().any(is_variant))
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1.min(word.len()));
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_code_and_not_in_prose() {
        let readme = "mirror-agent does things. Run `mirror-agent run -i eth0`:\n\n    sudo mirror-agent share 10%\n\n\
            ```\nmirror-agent kill # mirror-agent is gone\nmirror-agent --help\n```\nthe mirror-agent process\n";
        assert_eq!(verbs(readme, "mirror-agent "), ["kill", "run", "share"]);
    }

    #[test]
    fn unknown_commands_are_faults() {
        let cli = Source::new("cli.rs", "enum Command {\n    Run(Box<Run>),\n    Check { json: bool },\n}");
        let readme = "`cargo xtask demo` `cargo xtask dance` `mirror-agent run` `mirror-agent check` `mirror-agent fly`";
        assert_eq!(
            faults(readme, &[cli]),
            ["README.md: there is no `cargo xtask dance`", "README.md: there is no `mirror-agent fly`"]
        );
    }
}
