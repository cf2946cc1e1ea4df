//! Which safe requests are asked most often, among any number of different ones, in little memory.
//!
//! The space-saving algorithm (Metwally, Agrawal and El Abbadi 2005): what is asked more often than once in
//! [`ENTRIES`] is in the table for certain, and no count is too low.

use std::collections::HashMap;

use crate::http::{Request, Response};
use crate::rewrite::MARKER;

/// Requests that are known at once.
const ENTRIES: usize = 256;
/// Bytes of a target and of a Host; longer ones are nobody's idea of a probe.
const LONGEST: usize = 256;

/// Counts requests by method and target.
#[derive(Clone, Debug, Default)]
pub struct Popular {
    /// By method, a space and the target.
    entries: HashMap<Box<str>, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    count: u64,
    /// How much of the count may be of a request that had to make room.
    error: u64,
    host: Option<Box<str>>,
}

/// A request that is often asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// GET, HEAD or OPTIONS.
    pub method: String,
    /// The path.
    pub path: String,
    /// The Host that was asked for last.
    pub host: Option<String>,
    /// How often it was asked for certain.
    pub count: u64,
}

impl Popular {
    /// Takes in what a user asked, and what v1 answered. Only what a probe could ask too, and be answered well, counts: a
    /// safe method, a path without a query, and neither credentials nor a refusal.
    pub fn note(&mut self, request: &Request, response: &Response) {
        let method = request.method.as_str();
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"?#".contains(byte);
        let target = request.target.as_ref();
        if !matches!(method, "GET" | "HEAD" | "OPTIONS")
            || !(200..300).contains(&response.status)
            || !target.starts_with(b"/")
            || target.len() > LONGEST
            || !target.iter().all(is_plain)
            || [MARKER.0, "authorization"].iter().any(|name| request.headers.get(name).is_some())
        {
            return;
        }
        let host = request.headers.get("host").and_then(|host| std::str::from_utf8(host).ok());
        let host =
            host.filter(|host| host.len() <= LONGEST && host.bytes().all(|byte| byte.is_ascii_graphic()));
        self.count(&format!("{method} {}", String::from_utf8_lossy(target)), host);
    }

    fn count(&mut self, key: &str, host: Option<&str>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.count += 1;
            if entry.host.as_deref() != host {
                entry.host = host.map(Into::into);
            }
            return;
        }
        let error = if self.entries.len() < ENTRIES { 0 } else { self.make_room() };
        self.entries.insert(key.into(), Entry { count: error + 1, error, host: host.map(Into::into) });
    }

    /// Takes out the rarest; returns its count.
    fn make_room(&mut self) -> u64 {
        let rarest = self.entries.iter().min_by_key(|(_, entry)| entry.count);
        let Some((key, count)) = rarest.map(|(key, entry)| (key.clone(), entry.count)) else { return 0 };
        self.entries.remove(&key);
        count
    }

    /// The requests that are asked most often, by how often that is certain.
    pub fn most(&self, how_many: usize) -> Vec<Asked> {
        let asked = |(key, entry): (&str, &Entry)| {
            let (method, path) = key.split_once(' ')?;
            Some(Asked {
                method: method.into(),
                path: path.into(),
                host: entry.host.as_deref().map(Into::into),
                count: entry.count - entry.error,
            })
        };
        let mut all: Vec<_> =
            self.entries.iter().map(|(key, entry)| (&**key, entry)).filter_map(asked).collect();
        all.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.path, &a.method).cmp(&(&b.path, &b.method)))
        });
        all.truncate(how_many);
        all
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::http::{Body, Headers, Method, Version};
    use crate::time::Nanos;

    fn body() -> Body {
        Body { kept: Bytes::new(), len: 0, digest: None, whole: true }
    }

    fn asked(method: &str, target: &str, header: (&str, &str), status: u16) -> (Request, Response) {
        let header =
            (Bytes::copy_from_slice(header.0.as_bytes()), Bytes::copy_from_slice(header.1.as_bytes()));
        let request = Request {
            method: Method::new(method.to_owned()).unwrap(),
            target: Bytes::copy_from_slice(target.as_bytes()),
            version: Version::Http11,
            headers: Headers::from_iter([header]),
            body: body(),
            wire: Bytes::new(),
            line_end: 0,
            whole: true,
            started: Nanos(0),
            finished: Nanos(0),
        };
        let response = Response {
            status,
            version: Version::Http11,
            headers: Headers::from_iter([("content-type", "text/plain")]),
            body: body(),
            whole: true,
            started: Nanos(0),
            finished: Nanos(0),
        };
        (request, response)
    }

    #[test]
    fn only_what_a_probe_could_ask_counts() {
        let host = ("Host", "shop.example");
        let cases = [
            (asked("GET", "/a", host, 200), true),
            (asked("HEAD", "/a", host, 204), true),
            (asked("POST", "/a", host, 200), false),
            (asked("GET", "/a?b=1", host, 200), false),
            (asked("GET", "http://shop/a", host, 200), false),
            (asked("GET", "/a", host, 404), false),
            (asked("GET", "/a", ("authorization", "Basic eA=="), 200), false),
            (asked("GET", "/a", ("X-Mirror-Shadow", "1"), 200), false),
            (asked("GET", &format!("/{}", "a".repeat(LONGEST)), host, 200), false),
        ];
        for ((request, response), counts) in cases {
            let mut popular = Popular::default();
            popular.note(&request, &response);
            assert_eq!(popular.most(9).len(), usize::from(counts), "{request:?} {}", response.status);
        }
    }

    #[test]
    fn the_most_frequent_come_first() {
        let mut popular = Popular::default();
        for (path, count) in [("/b", 3), ("/a", 3), ("/c", 7)] {
            let (request, response) = asked("GET", path, ("host", "shop"), 200);
            (0..count).for_each(|_| popular.note(&request, &response));
        }
        let most = popular.most(2);
        assert_eq!(
            most.iter().map(|one| (&*one.path, one.count)).collect::<Vec<_>>(),
            [("/c", 7), ("/a", 3)]
        );
        assert_eq!(most[0].host.as_deref(), Some("shop"));
    }

    proptest! {
        /// Against an exact count: what is frequent is there, and what is said of it is not too much.
        #[test]
        fn frequent_requests_survive_any_number_of_rare_ones(keys in prop::collection::vec((0u32..4, 0u32..5000), 0..3000)) {
            let (mut popular, mut exact) = (Popular::default(), HashMap::<String, u64>::new());
            for (kind, rare) in &keys {
                let key = if *kind == 0 { format!("GET /often{}", rare % 3) } else { format!("GET /rare{rare}") };
                popular.count(&key, None);
                *exact.entry(key).or_default() += 1;
            }
            prop_assert!(popular.entries.len() <= ENTRIES);
            for asked in popular.most(ENTRIES) {
                let truth = exact[&format!("GET {}", asked.path)];
                prop_assert!(asked.count <= truth, "{asked:?} {truth}");
            }
            for (key, count) in &exact {
                if *count > keys.len() as u64 / ENTRIES as u64 {
                    prop_assert!(popular.entries.get(&**key).is_some_and(|entry| entry.count >= *count), "{key}");
                }
            }
        }
    }
}
