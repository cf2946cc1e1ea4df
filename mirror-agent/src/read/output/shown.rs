//! Bytes of the wire for a terminal: what could drive it, or turn its text round, is escaped.

use std::fmt::Write;

/// Appends at most `max` characters for `bytes`, and an ellipsis for the rest. Returns how many were appended.
///
/// Printable characters stand for themselves; a backslash is doubled, so that no escape can be feigned.
pub(super) fn push(bytes: &[u8], max: usize, to: &mut String) -> usize {
    let mut writer = Shown { to, left: max, width: 0 };
    for chunk in bytes.utf8_chunks() {
        let fits = chunk.valid().chars().all(|char| writer.char(char))
            && chunk.invalid().iter().all(|byte| writer.escape(format_args!("\\x{byte:02x}"), 4));
        if !fits {
            writer.to.push('…');
            return writer.width + 1;
        }
    }
    writer.width
}

/// `bytes` in at most `max` characters and an ellipsis.
pub(super) fn shown(bytes: &[u8], max: usize) -> String {
    let mut text = String::new();
    push(bytes, max, &mut text);
    text
}

struct Shown<'a> {
    to: &'a mut String,
    left: usize,
    width: usize,
}

impl Shown<'_> {
    /// Whether there was room.
    fn char(&mut self, char: char) -> bool {
        if matches!(char, ' '..='~') && char != '\\' || matches!(char, '\'' | '"') {
            let fits = self.take(1);
            if fits {
                self.to.push(char);
            }
            return fits;
        }
        // Controls, formats such as U+202E, unassigned and private characters, and marks that stack.
        let escaped = char.escape_debug();
        let len = escaped.clone().count();
        self.escape(format_args!("{escaped}"), len)
    }

    fn escape(&mut self, escaped: std::fmt::Arguments<'_>, len: usize) -> bool {
        self.take(len) && self.to.write_fmt(escaped).is_ok()
    }

    fn take(&mut self, len: usize) -> bool {
        let Some(left) = self.left.checked_sub(len) else { return false };
        self.left = left;
        self.width += len;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_shown() {
        let cases: [(&[u8], &str); 12] = [
            (b"/a?b=\"c\"&d='e'", "/a?b=\"c\"&d='e'"),
            ("/grün/日本".as_bytes(), "/grün/日本"),
            (b"\x1b[2J\x1b]0;owned\x07", "\\u{1b}[2J\\u{1b}]0;owned\\u{7}"),
            (b"a\r\nb\tc\0", "a\\r\\nb\\tc\\0"),
            (b"\x7f", "\\u{7f}"),
            ("\u{9b}2J".as_bytes(), "\\u{9b}2J"),
            (b"\x9b2J\xff", "\\x9b2J\\xff"),
            ("\u{202e}gpj.exe".as_bytes(), "\\u{202e}gpj.exe"),
            ("\u{2066}\u{2069}\u{200f}\u{61c}".as_bytes(), "\\u{2066}\\u{2069}\\u{200f}\\u{61c}"),
            ("\u{200b}\u{feff}\u{2028}\u{e0041}".as_bytes(), "\\u{200b}\\u{feff}\\u{2028}\\u{e0041}"),
            ("e\u{301}".as_bytes(), "e\\u{301}"),
            (b"\\x1b", "\\\\x1b"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(shown(bytes, 100), expected);
        }
    }

    #[test]
    fn what_is_cut() {
        assert_eq!(shown(b"abcd", 4), "abcd");
        assert_eq!(shown(b"abcde", 4), "abcd…");
        assert_eq!(shown(b"abc\x1b", 5), "abc…");
        assert_eq!(shown(&b"x".repeat(64 << 10), 10), "xxxxxxxxxx…");
        assert_eq!(shown(b"", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_that_drives_a_terminal(bytes in proptest::collection::vec(any::<u8>(), 0..200), max in 0usize..300) {
            let mut text = String::new();
            let width = push(&bytes, max, &mut text);
            prop_assert_eq!(width, text.chars().count());
            prop_assert!(width <= max + 1);
            prop_assert!(!text.chars().any(char::is_control));
        }

        #[test]
        fn nothing_that_turns_text_round(char: char) {
            let format = matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
            let text = shown(char.encode_utf8(&mut [0; 4]).as_bytes(), 20);
            prop_assert!(!format || text.is_ascii());
        }
    }
}
