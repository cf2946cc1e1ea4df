//! What must be known before the first clone: v1 as it is, a v2 that answers, and somebody who can look.

use std::net::SocketAddr;

use mirror_common::policy::paused;

use super::{Agent, unix_time};
use crate::service::{Service, V1};
use crate::status::guards::Item;

/// Asks a v2 something harmless; answers what it said, or why it did not.
pub type Probe = dyn Fn(SocketAddr) -> Result<String, String> + Send;

impl Agent {
    /// Looks whether a service may be mirrored, and lets it be once all is known.
    pub(super) fn check_preflight(&self, service: &Service, probe: &Probe) {
        let turns = self.guarding.watched(service).and_then(|watched| {
            let preflight = &watched.preflight;
            preflight.turns.filter(|_| !preflight.is_over)
        });
        let Some(turns) = turns else { return };
        let items = self.items(service, turns, probe);
        let is_over = items.iter().all(|item| item.is_met);
        if let Some(mut watched) = self.guarding.watched(service) {
            if !std::mem::replace(&mut watched.preflight.has_looked, true) {
                let waits: Vec<_> =
                    items.iter().filter(|item| !item.is_met).map(|item| item.why.as_str()).collect();
                if !waits.is_empty() {
                    tracing::info!(service = service.name, "preflight: waits for {}", waits.join("; "));
                }
            }
            watched.preflight.items = items;
            watched.preflight.is_over = is_over;
        }
        if is_over {
            self.rejoin(service);
            match self.set_paused(service, paused::PREFLIGHT, false) {
                Ok(()) => {
                    tracing::info!(service = service.name, "preflight: all is known, the mirror may begin")
                }
                Err(error) => tracing::error!(service = service.name, "preflight: {error:#}"),
            }
        }
    }

    fn items(&self, service: &Service, turns: u32, probe: &Probe) -> Vec<Item> {
        let recorded = self.kernel.counts.turns(service.index, V1).map_or(0, |count| count.recorded);
        let baseline = format!("{recorded} of {turns} of v1's turns timed");
        let answer = probe(service.v2);
        let v2 = match &answer {
            Ok(said) => format!("v2 answers: {said}"),
            Err(why) => format!("v2 does not answer: {why}"),
        };
        let mut items = vec![
            item("baseline", recorded >= u64::from(turns), baseline),
            item("v2", answer.is_ok(), v2),
            item("metrics", true, format!("served on {}", self.guarding.served)),
        ];
        items.extend(self.fence_item(service));
        items.extend(self.budget_item(service));
        items
    }

    fn fence_item(&self, service: &Service) -> Option<Item> {
        let status = self.fence(service.index)?.status().ok()?;
        let age = status.tested_s_ago.map_or(String::new(), |age| format!(" {age:.0} s ago"));
        let why = match &status.lost {
            Some(why) => format!("lost{age}: {why}"),
            None => format!("proven{age} ({})", status.mode),
        };
        Some(item("fence", status.proven, why))
    }

    fn budget_item(&self, service: &Service) -> Option<Item> {
        let watched = self.guarding.watched(service)?;
        let standing = watched.budget.as_ref()?.standing(unix_time());
        let why = format!("{} of {:.0} bad events spent by the mirror", standing.spent, standing.allowance);
        Some(item("budget", !standing.is_frozen, why))
    }
}

fn item(name: &str, is_met: bool, why: String) -> Item {
    Item { name: name.into(), is_met, why }
}
