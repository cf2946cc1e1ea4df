//! Which requests are meant: `/users/{id}/orders` is any of `/users/7/orders`, and `/admin/*` all below `/admin/`.

/// Bytes of a pattern.
const MAX: usize = 256;

/// A path in which a segment in braces stands for any one, and `*` at the end for whatever follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
}

impl Pattern {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// On one line, what is wrong with it.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let begins = text.starts_with('/');
        let inner = text.strip_suffix('*').unwrap_or(text);
        let plain = inner.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"*?#".contains(c));
        if !begins || !plain || text.len() > MAX {
            return Err(format!(
                "{text:?} is not a route: write a path, for example /users/{{id}}/orders or /admin/*"
            ));
        }
        Ok(Pattern { text: text.to_owned() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path, without a query, is one of those meant.
    pub fn matches(&self, path: &[u8]) -> bool {
        let mut segments = path.split(|byte| *byte == b'/');
        let mut wanted = self.text.as_bytes().split(|byte| *byte == b'/').peekable();
        while let Some(want) = wanted.next() {
            let Some(segment) = segments.next() else { return false };
            match want.strip_suffix(b"*") {
                Some(beginning) if wanted.peek().is_none() => return segment.starts_with(beginning),
                _ if is_any(want, segment) => {}
                _ if want == segment => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }
}

/// `{id}` is any segment but none at all, and `{id}.jpg` any with this end.
fn is_any(want: &[u8], segment: &[u8]) -> bool {
    let close = want.iter().position(|byte| *byte == b'}').filter(|_| want.starts_with(b"{"));
    let end = close.and_then(|close| want.get(close + 1..));
    end.is_some_and(|end| segment.strip_suffix(end).is_some_and(|rest| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn segments_in_braces_and_a_star_at_the_end() {
        for (pattern, path, fits) in [
            ("/users/{id}", "/users/7", true),
            ("/users/{id}", "/users/", false),
            ("/users/{id}", "/users/7/orders", false),
            ("/users/{id}/orders", "/users/7/orders", true),
            ("/users/{id}", "/users", false),
            ("/img/{id}.jpg", "/img/7.jpg", true),
            ("/img/{id}.jpg", "/img/.jpg", false),
            ("/admin/*", "/admin/a/b", true),
            ("/admin/*", "/admin/", true),
            ("/admin/*", "/administrator", false),
            ("/admin*", "/administrator/x", true),
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/", "/", true),
            ("/*", "/anything/at/all", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(path.as_bytes()), fits, "{pattern} {path}");
        }
        for bad in ["", "users", "/a b", "/*/a", "/a?b", "/\u{1}", &format!("/{}", "x".repeat(256))] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// A template means every path that it is made of.
        #[test]
        fn a_template_is_a_pattern(path in "(/[a-z0-9-]{1,12}(\\.[a-z]{1,4})?){1,5}") {
            let mut template = Vec::new();
            crate::route::template(path.as_bytes(), &mut template);
            let template = String::from_utf8(template).unwrap();
            prop_assert!(Pattern::parse(&template).unwrap().matches(path.as_bytes()), "{} {}", template, path);
        }
    }
}
