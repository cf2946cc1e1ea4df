//! Which route a request is of: one that was given, or the template of its path, up to so many.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Pattern, template};

/// The most templates that are learned for one service. What would be a further one is [`OTHER`].
pub const MAX_ROUTES: usize = 256;

/// The route of all requests for which there was no room.
pub const OTHER: &str = "*";

/// The routes of one service.
#[derive(Debug, Default)]
pub struct Routes {
    given: Vec<Pattern>,
    learned: Mutex<BTreeSet<String>>,
    other: AtomicU64,
}

impl Routes {
    /// With the routes that were given: of those that match, the first is taken.
    pub fn new(given: Vec<Pattern>) -> Routes {
        Routes { given, ..Routes::default() }
    }

    /// The route of a request to `path`, which is without its query. `show` makes a template fit to be shown.
    pub fn of(&self, path: &[u8], show: impl FnOnce(&str) -> String) -> String {
        if let Some(given) = self.given.iter().find(|given| given.matches(path)) {
            return given.as_str().to_owned();
        }
        let mut bytes = Vec::new();
        template(path, &mut bytes);
        let route = show(&String::from_utf8_lossy(&bytes));
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if !learned.contains(&route) {
            if learned.len() >= MAX_ROUTES {
                self.other.fetch_add(1, Ordering::Relaxed);
                return OTHER.to_owned();
            }
            learned.insert(route.clone());
        }
        route
    }

    /// Requests for whose route there was no room.
    pub fn other(&self) -> u64 {
        self.other.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(routes: &Routes, path: &str) -> String {
        routes.of(path.as_bytes(), str::to_owned)
    }

    #[test]
    fn the_given_ones_first() {
        let given = ["/users/{name}", "/users/me", "/files/*"].map(|text| Pattern::parse(text).unwrap());
        let routes = Routes::new(given.to_vec());
        assert_eq!(of(&routes, "/users/ann"), "/users/{name}");
        assert_eq!(of(&routes, "/users/me"), "/users/{name}");
        assert_eq!(of(&routes, "/files/a/7"), "/files/*");
        assert_eq!(of(&routes, "/orders/7"), "/orders/{id}");
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let routes = Routes::default();
        for n in 0..MAX_ROUTES {
            let path = format!("/{}", "x".repeat(n % 20) + &"y".repeat(n / 20));
            assert_eq!(of(&routes, &path), path);
        }
        assert_eq!((of(&routes, "/z"), of(&routes, "/x"), routes.other()), ("*".into(), "/x".into(), 1));
    }
}
