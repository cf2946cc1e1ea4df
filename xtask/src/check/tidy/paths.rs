//! Paths in the text of a program: `crate::a::b`, `crate::{a::x, b}`, `super::a`.

/// The modules at the top of the crate that `code` names, sorted. `depth` is how many `super::` lead there.
pub(super) fn modules_used(code: &str, depth: usize) -> Vec<String> {
    let to_the_top = "super::".repeat(depth);
    let mut starts = vec!["crate::"];
    if depth > 0 {
        starts.push(&to_the_top);
    }
    let mut modules: Vec<String> =
        starts.into_iter().flat_map(|start| after(code, start)).flat_map(first_names).collect();
    modules.sort();
    modules.dedup();
    modules
}

/// Whether `code` names `path`: spelled out, behind a longer path, or in a group (`std::net::{IpAddr, TcpStream}`).
pub(super) fn names(code: &str, path: &str) -> bool {
    let whole = |(at, _): (usize, &str)| {
        !code[..at].ends_with(is_word) && !code[at + path.len()..].starts_with(is_word)
    };
    if code.match_indices(path).any(whole) {
        return true;
    }
    let Some((before, last)) = path.rsplit_once("::") else { return false };
    after(code, &format!("{before}::")).any(|rest| first_names(rest).iter().any(|name| name == last))
}

/// The text behind each place where `start` begins as a word of its own, and not in the middle of a path.
fn after<'a>(code: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = |at: usize| !code[..at].ends_with(|c| is_word(c) || c == ':');
    code.match_indices(start).filter(move |(at, _)| begins(*at)).map(|(at, _)| &code[at + start.len()..])
}

/// `a` of `a::b`; `a` and `b` of `{a::{x, y}, b}`.
fn first_names(rest: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut names, mut depth, mut item) = (Vec::new(), 1, String::new());
    for c in group.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 || (depth == 1 && c == ',') {
            names.push(word(item.trim()));
            item.clear();
        } else {
            item.push(c);
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_every_form() {
        for (code, depth, expected) in [
            ("use crate::http;", 1, "http"),
            ("use crate::http::h1::Head;", 1, "http"),
            ("use crate::{\n    http::{h1, h2},\n    stream,\n    time::Nanos,\n};", 1, "http stream time"),
            ("let x = crate::exchange::pair(a) + crate::http::b();", 1, "exchange http"),
            ("use super::http;", 1, "http"),
            ("use super::{http, stream::Event};", 1, "http stream"),
            ("use super::sibling;", 2, ""),
            ("use super::super::http;", 2, "http"),
            ("pub(crate) fn mycrate() {} other_crate::x()", 1, ""),
            ("use $crate::http;", 1, "http"),
            ("use super::x;", 0, ""),
        ] {
            assert_eq!(modules_used(code, depth).join(" "), expected, "{code}");
        }
    }

    #[test]
    fn names_are_whole_words() {
        assert!(names("std::thread::spawn", "std::thread"));
        assert!(names("use std::{thread, net};", "std::thread"));
        assert!(names("use aya::Ebpf;", "aya") && names("::aya::Ebpf", "aya"));
        assert!(names("std::time::SystemTime::now()", "SystemTime"));
        assert!(!names("use bayaya::x; aya_log", "aya"));
        assert!(!names("mystd::threads", "std::thread"));
        assert!(!names("use std::{net::{thread2}};", "std::thread"));
    }
}
