//! What is said of the places in which answers differ.

use super::account::{Account, Tally};
use super::block::Metric;
use super::conclusion::shown;
use super::{Again, Claim, FieldClaim, FieldFinding, Finding, Judge};
use crate::compare::Field;

/// Fields that a verdict has.
const FIELDS_SHOWN: usize = 64;
/// Fields that a reason names.
const FIELDS_NAMED: usize = 3;

impl Judge {
    /// v2 is worse if it is in any field. It is fine by what was asked twice, or where nothing differs in the first place.
    pub(super) fn differences_claim(&self, account: &Account) -> Claim {
        let (again, same) = (account.tally(Metric::Again), account.tally(Metric::Same));
        let fine = again.bound.log_evidence().max(same.bound.log_evidence()) - 2.0_f64.ln(); // the better of two looks
        let worst = self.fields.all().map(|(id, _)| account.field(id).worst).fold(0.0, f64::max);
        let claim = Claim {
            evidence: shown(worst),
            needed: account.needed_of_fields(&self.settings),
            ..self.claim(account, "differences", again, fine, "")
        };
        if let Some(named) = self.named(account) {
            let than = if self.settings.again == Again::V1 {
                "than v1 does from itself"
            } else {
                "from v1 than from itself"
            };
            return Claim {
                finding: Finding::Worse,
                why: format!("v2 differs more {than}: {named}"),
                ..claim
            };
        }
        let differ = same.votes.pairs_worse;
        let what =
            asked_twice(again).unwrap_or_else(|| format!("{differ} of {} answers differ", same.votes.pairs));
        if self.is_fine(account, again, fine) || differ == 0 && self.is_fine(account, same, fine) {
            return Claim { finding: Finding::Fine, why: what, ..claim };
        }
        if self.settings.again == Again::Off && differ > 0 {
            let why =
                format!("{what}, and nothing is asked twice to tell noise from change (second_answers)");
            return Claim { finding: Finding::Unjudged, why, ..claim };
        }
        let why = format!("{what}: {}", self.open_because(account, again, fine));
        Claim { finding: Finding::Open, why, ..claim }
    }

    /// The fields in which v2 differs; `None` if in none.
    fn named(&self, account: &Account) -> Option<String> {
        let differs = |id, field| account.finding(id, field, &self.settings) == FieldFinding::Differs;
        let fields = self.fields.all().filter(|(id, field)| differs(*id, field));
        let names: Vec<_> =
            fields.map(|(_, field)| format!("{} ({})", field.name, field.kind.as_str())).collect();
        let (first, more) = names.split_at(names.len().min(FIELDS_NAMED));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        (!first.is_empty()).then(|| first.join(", ") + &more)
    }

    pub(super) fn fields_claimed(&self, account: &Account) -> Vec<FieldClaim> {
        let needed = account.needed_of_fields(&self.settings);
        let claim = |(id, field): (usize, &Field)| {
            let tally = account.field(id);
            FieldClaim {
                field: field.name.clone(),
                kind: field.kind.as_str().to_owned(),
                finding: account.finding(id, field, &self.settings),
                differing: tally.count.differing,
                only_v2: tally.count.only_v2,
                only_again: tally.count.only_again,
                both: tally.count.both,
                evidence: shown(tally.worst),
                needed,
            }
        };
        let was_seen = |field: &FieldClaim| field.differing + field.only_again > 0;
        let mut fields: Vec<FieldClaim> = self.fields.all().map(claim).filter(was_seen).collect();
        fields.sort_by(|a, b| b.evidence.total_cmp(&a.evidence).then(b.differing.cmp(&a.differing)));
        fields.truncate(FIELDS_SHOWN);
        fields
    }
}

/// What second answers have shown; `None` if there were none.
fn asked_twice(again: &Tally) -> Option<String> {
    let votes = &again.votes;
    let (v2, second, asked) = (votes.pairs_worse, votes.pairs_better, votes.pairs);
    let text = format!(
        "of {asked} requests asked twice, v2 alone differed in {v2}, the second answer alone in {second}"
    );
    (asked > 0).then_some(text)
}
