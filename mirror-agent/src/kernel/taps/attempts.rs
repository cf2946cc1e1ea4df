//! A bound on doing something again and again, so that two who undo each other's work do not fight for ever.

use std::time::{Duration, Instant};

/// So many times...
pub const MOST: usize = 5;
/// ...in this time.
pub const WINDOW: Duration = Duration::from_secs(60);

/// The last attempts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempts {
    at: [Option<Instant>; MOST],
    next: usize,
}

impl Attempts {
    /// Whether one more may be made now; if so, it counts as made.
    pub fn allow(&mut self, now: Instant) -> bool {
        let Some(oldest) = self.at.get_mut(self.next) else { return false };
        if oldest.is_some_and(|oldest| now.saturating_duration_since(oldest) < WINDOW) {
            return false;
        }
        *oldest = Some(now);
        self.next = (self.next + 1) % MOST;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_holds_more_than_the_most() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        let mut allowed = Vec::new();
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            if attempts.allow(now) {
                allowed.push(second);
            }
        }
        assert_eq!(allowed[..7], [0, 1, 2, 3, 4, 60, 61]);
        let in_window = |from: u64| allowed.iter().filter(|at| (from..from + 60).contains(*at)).count();
        assert!((0..540).all(|from| in_window(from) <= MOST));
    }
}
