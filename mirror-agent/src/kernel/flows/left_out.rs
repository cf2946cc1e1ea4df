//! Connections that a smaller share has left out.

use mirror_common::flow::{Flow, FlowKey, decision, phase, role};
use mirror_common::rule::REST;
use mirror_common::share;

use super::Flows;
use super::sweep::Why;

impl Flows {
    /// Takes out the connections of a service that the share of a moment ago left out and this one, in parts per million, would
    /// not: the next packet of each decides anew, and its next request is the first that is mirrored. Returns how many.
    ///
    /// Not while a request waits for its answer: call it again for those. The turn before may be lost to the clock, because its
    /// end is only known when the next one begins; it is counted as evicted.
    pub fn forget_left_out(&mut self, service: u8, seed: u32, share_ppm: u32) -> usize {
        let concerned = |(key, flow): &(FlowKey, Flow)| {
            flow.service == service && is_left_out(flow) && share::is_in(key.hash(seed), share_ppm)
        };
        let concerned: Vec<_> = self.table.iter().flatten().filter(concerned).collect();
        let mut forgotten = 0;
        for (key, _) in concerned {
            // As it is now: a request may have begun meanwhile.
            let Ok(flow) = self.table.get(&key, 0) else { continue };
            if is_left_out(&flow) && self.table.remove(&key).is_ok() {
                self.gone.note(&flow, Why::Evicted);
                forgotten += 1;
            }
        }
        forgotten
    }
}

/// Whether nothing but the service's own share keeps it out, and no request of it waits for its answer.
fn is_left_out(flow: &Flow) -> bool {
    flow.decision == decision::SHARE_OUT
        && flow.role == role::PRIMARY
        && flow.rule == REST
        && flow.phase != phase::REQUEST
}
