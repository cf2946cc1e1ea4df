//! The brakes in the status, for people.

use super::show::row;
use crate::ramp::State;
use crate::status::Fence;
use crate::status::guards::{AgentGuards, Guards};

/// Those of the agent as a whole.
pub fn of_agent(guards: &AgentGuards, text: &mut String) {
    if let Some(breach) = &guards.aborted {
        row("ABORTED", format!("{}: {}", breach.reason, breach.why), text);
    }
}

/// The fence of one service.
pub fn fence(fence: &Fence, text: &mut String) {
    let age = fence.tested_s_ago.map_or(String::new(), |age| format!(" {age:.0} s ago"));
    let proof = match &fence.lost {
        Some(why) => format!("LOST{age}: {why}"),
        None if fence.proven => format!("proven{age}"),
        None => "not proven".into(),
    };
    row("fence", format!("{}, {proof}", fence.mode), text);
    for one in &fence.destinations {
        let beside = one.v1.map_or(String::new(), |v1| format!("; v1 {v1}"));
        let word = if fence.mode == "report" { "would be denied" } else { "denied" };
        row(
            "",
            format!("{}: {} let through, {} {word}{beside}", one.name, one.v2_allowed, one.v2_denied),
            text,
        );
    }
}

/// Those of one service.
pub fn of_service(guards: &Guards, text: &mut String) {
    if let Some(breach) = &guards.aborted {
        row("ABORTED", format!("{}: {}", breach.reason, breach.why), text);
    }
    for item in guards.preflight.iter().filter(|item| !item.is_met) {
        row("waits for", format!("{}: {}", item.name, item.why), text);
    }
    if let Some(ramp) = &guards.ramp {
        let place = match ramp.state {
            State::Waiting => "before its first step".into(),
            State::Step(step) => format!("step {} of {}", step + 1, ramp.steps),
            State::Fallen => "fallen to 0".into(),
        };
        row("ramp", format!("{place}, {}", ramp.why), text);
    }
    if let Some(worst) =
        guards.burns.iter().max_by(|a, b| (a.long / a.factor).total_cmp(&(b.long / b.factor)))
    {
        row("burn", format!("{:.2} over {}, stops at {:.1}", worst.long, worst.window, worst.factor), text);
    }
    if let Some(budget) = &guards.budget {
        let left = 100.0 * budget.remaining_ratio;
        let spent = format!("{} of {:.0} bad events spent by the mirror", budget.spent, budget.allowance);
        row("budget", format!("{left:.1}% of v1's is left; {spent}"), text);
    }
    if let Some(finding) = &guards.switchback {
        let word = if finding.is_harmful { "HARMS v1" } else { "no harm to v1 shown" };
        let votes: Vec<_> =
            finding.votes.iter().map(|(name, worse, better)| format!("{name} {worse}:{better}")).collect();
        let seen = format!("{} (with the mirror worse : better)", votes.join(", "));
        row("switchback", format!("{word} in {} pairs: {seen}", finding.pairs), text);
    }
}
