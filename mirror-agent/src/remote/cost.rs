//! What the agent takes, for people.

use super::show::{duration, row};
use crate::status::{Cost, Programs};

/// A row for each part, with line ends.
pub fn text(cost: &Cost) -> String {
    let mut text = String::new();
    let memory = bytesize::ByteSize(cost.memory_bytes);
    row("\ncost", format!("{:.2} s of processors, {memory} of memory", cost.cpu_s), &mut text);
    if let Some(programs) = &cost.programs {
        let took = format!("measured for {:.1} s", programs.sampled_s);
        row("programs", took, &mut text);
        for (name, program) in &programs.by_name {
            let each = Programs::average(program).map_or("-".into(), duration);
            let share = 100.0 * program.run_s / programs.sampled_s;
            let runs = program.runs;
            row("", format!("{name} {runs} runs, {each} each, {share:.2} % of a processor"), &mut text);
        }
    }
    for (name, level) in &cost.maps {
        row("table", format!("{name} {} of {}", level.entries, level.max), &mut text);
    }
    let ring = &cost.ring;
    let blocks = format!(
        "{} of {} blocks wait, at most {} of {} in one",
        ring.waiting, ring.all, ring.highest, ring.of_one
    );
    row("ring", blocks, &mut text);
    text
}
