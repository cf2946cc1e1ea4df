//! Experiments for people.

use std::fmt::Write as _;

use crate::chaos::{Journal, Phase, Step};
use crate::remote::show::duration;

/// What has become known since a journal that had shown this phase and so many steps at their end, a line each.
pub fn phase(journal: &Journal, (shown, steps): (Option<Phase>, usize)) -> Vec<String> {
    let mut lines = Vec::new();
    if shown.is_none() {
        lines.push(format!("experiment {} on {}: {}", journal.id, journal.service, journal.title));
        lines.push(format!("hypothesis {}", journal.hypothesis.join(", ")));
    }
    if matches!(shown, None | Some(Phase::Before)) && journal.phase != Phase::Before {
        lines.extend(state(journal, "before"));
    }
    let over = journal.method.iter().filter(|step| step.ended_s.is_some()).skip(steps);
    lines.extend(over.map(step));
    if journal.phase == Phase::Ended {
        lines.extend(["during", "after"].into_iter().filter_map(|name| state(journal, name)));
        lines.push(end(journal));
    }
    lines
}

/// A line for each experiment.
pub fn list(journals: &[Journal]) -> String {
    if journals.is_empty() {
        return "no experiment has run here\n".to_owned();
    }
    let mut text = String::new();
    for journal in journals {
        let _ =
            writeln!(text, "{:<3} {} on {}: {}", journal.id, end(journal), journal.service, journal.title);
        journal.method.iter().for_each(|one| _ = writeln!(text, "    {}", step(one)));
    }
    text
}

fn state(journal: &Journal, name: &str) -> Option<String> {
    let state = journal.steady.get(name)?;
    let version = |name: &str, figures: &crate::chaos::Figures| {
        let p99 = figures.p99_s.map_or_else(|| "not known".to_owned(), duration);
        format!("{name} p99 {p99}, {} of {} failed", figures.errors, figures.requests)
    };
    let (v1, v2) = (version("v1", &state.v1), version("v2", &state.v2));
    Some(format!("{name:<10} {:.0} s: {v1}; {v2}", state.seconds))
}

fn step(step: &Step) -> String {
    let length = step.ended_s.map(|ended| ended - step.began_s);
    let length = length.map_or_else(|| "in force".to_owned(), |length| format!("{length:.0} s"));
    format!("{:<10} {length}: {} requests of {} of the connections", step.fault, step.met, step.share)
}

fn end(journal: &Journal) -> String {
    match journal.ending {
        Some(ending) => format!("{}: {}", ending.as_str(), journal.why),
        None => format!("runs for {:.0} s", journal.elapsed_s),
    }
}
