//! What the judge is told of each pair of live traffic, and the second answers that it asks for.

use std::time::Instant;

use super::client::Answered;
use super::lane::{Lane, marked};
use super::timings::Turn;
use crate::compare::{Comparison, Field};
use crate::exchange::Exchange;
use crate::judge::{Again, Leg, Pair, Second};
use crate::judging::Ending;
use crate::ledger::V2Failure;

/// From here on a status says that the server failed (RFC 9110, section 15.6).
const SERVER_ERROR: u16 = 500;

impl Lane {
    /// Both versions have answered. Asks one of them again where that is due, tells the judge, and leaves out of the
    /// comparison what it calls noise.
    pub(super) async fn judge(
        &mut self,
        exchange: &Exchange,
        v1: Option<Turn>,
        v2: &Answered,
        comparison: Comparison,
    ) -> Comparison {
        let second = self.second(exchange, v2).await;
        let judging = &self.target.service.judging;
        let turn = Turn::made(v2);
        let pair = Pair {
            v1: leg(exchange.response.status, v1.as_ref()),
            v2: leg(v2.response.status, Some(&turn)),
            differs: &comparison.fields,
            second: second.as_ref().map(|(leg, differs)| Second { ttfb: leg.ttfb, differs }),
        };
        judging.pair(Instant::now(), &pair);
        let noise = judging.noise(&comparison.fields);
        comparison.without_noise(|field| noise.contains(field))
    }

    /// v2 gave no proper answer to what v1 answered.
    pub(super) fn judge_failure(&self, exchange: &Exchange, v1: Option<Turn>, how: V2Failure) {
        if self.target.terms.is_some() {
            return;
        }
        let (judging, now) = (&self.target.service.judging, Instant::now());
        let v1 = leg(exchange.response.status, v1.as_ref());
        if how == V2Failure::Connect {
            return judging.unreached(now, v1);
        }
        let v2 = Leg { is_error: true, ttfb: None };
        judging.pair(now, &Pair { v1, v2, differs: &[], second: None });
    }

    /// A second answer, and where it differs from the first of that version. It comes after v2's, so that it is in
    /// nobody's way, and within the limits of everything that is replayed.
    async fn second(&mut self, exchange: &Exchange, v2: &Answered) -> Option<(Leg, Vec<Field>)> {
        let target = self.target.clone();
        let (request, judging) = (&exchange.request, &target.service.judging);
        let again = judging.asks_again(request.method.as_str(), request.started)?;
        let (peer, first) = match again {
            Again::Off => return None,
            Again::V1 => (self.v1.as_mut()?, &*exchange.response),
            Again::V2 => (&mut self.v2, &v2.response),
        };
        if target.is_stopped() || !target.limiter.admit(request.wire.len()) {
            judging.note_second(Ending::Shed);
            return None;
        }
        let Ok(answered) = peer.ask(request, &marked(request), target.service.timeout(), None, || ()).await
        else {
            judging.note_second(Ending::Failed);
            return None;
        };
        judging.note_second(Ending::Answered);
        let differs = self.compare(exchange, first, &answered.response).fields;
        let leg = leg(answered.response.status, Some(&Turn::made(&answered)));
        Some((leg, differs))
    }
}

/// A fast error is no fast answer: what failed has no time.
fn leg(status: u16, turn: Option<&Turn>) -> Leg {
    let is_error = status >= SERVER_ERROR;
    Leg { is_error, ttfb: turn.filter(|_| !is_error).and_then(Turn::ttfb) }
}
