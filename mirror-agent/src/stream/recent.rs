//! Who has just closed. Segments still on their way then would look like a connection joined late, and a
//! retransmitted request among them like a second request.

use std::collections::VecDeque;
use std::time::Duration;

use hashbrown::HashMap;

use crate::packet::FlowKey;
use crate::time::Nanos;

/// The connections that closed within the last `linger`, at most `cap` of them.
#[derive(Debug)]
pub(super) struct Recent {
    linger: Duration,
    cap: usize,
    closed: HashMap<FlowKey, Nanos>,
    order: VecDeque<(Nanos, FlowKey)>,
}

impl Recent {
    pub fn new(linger: Duration, cap: usize) -> Recent {
        Recent { linger, cap, closed: HashMap::new(), order: VecDeque::new() }
    }

    pub fn contains(&self, key: &FlowKey, now: Nanos) -> bool {
        self.closed.get(key).is_some_and(|at| now < *at + self.linger)
    }

    pub fn add(&mut self, key: FlowKey, at: Nanos) {
        if self.cap == 0 {
            return;
        }
        while self.order.len() >= self.cap || self.oldest_is_over(at) {
            self.forget_oldest();
        }
        self.closed.insert(key, at);
        self.order.push_back((at, key));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.order.len().max(self.closed.len())
    }

    fn oldest_is_over(&self, now: Nanos) -> bool {
        self.order.front().is_some_and(|(at, _)| *at + self.linger <= now)
    }

    fn forget_oldest(&mut self) {
        let Some((at, key)) = self.order.pop_front() else { return };
        // The same addresses may have closed again since.
        if self.closed.get(&key) == Some(&at) {
            self.closed.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(port: u16) -> FlowKey {
        FlowKey { client: ([10, 0, 0, 1], port).into(), server: ([10, 0, 0, 2], 80).into() }
    }

    #[test]
    fn a_connection_is_remembered_for_a_while() {
        let mut recent = Recent::new(Duration::from_nanos(10), 8);
        recent.add(key(1), Nanos(100));
        assert!(recent.contains(&key(1), Nanos(109)));
        assert!(!recent.contains(&key(1), Nanos(110)));
        assert!(!recent.contains(&key(2), Nanos(100)));
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_closing_again_counts() {
        let mut recent = Recent::new(Duration::from_nanos(10), 2);
        recent.add(key(1), Nanos(100));
        recent.add(key(1), Nanos(101));
        recent.add(key(2), Nanos(102));
        assert!(recent.contains(&key(1), Nanos(103)));
        recent.add(key(3), Nanos(103));
        assert!(!recent.contains(&key(1), Nanos(103)));
        assert!(recent.contains(&key(2), Nanos(103)) && recent.contains(&key(3), Nanos(103)));
        assert_eq!((recent.closed.len(), recent.order.len()), (2, 2));
    }
}
