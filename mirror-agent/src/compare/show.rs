//! How a value is cut, so that what is kept still shows where two values part.

/// The most bytes of a value in a difference.
pub const MAX_VALUE: usize = 128;

/// Bytes shown before the first byte that differs, when the beginning is cut.
const LEAD: usize = 32;

const CUT: &str = "…";

/// Cuts what is there to `max` bytes: both around the place where they part, or the beginning of the only one.
pub(super) fn cut_both(
    v1: Option<String>,
    v2: Option<String>,
    max: usize,
) -> (Option<String>, Option<String>) {
    let start = match (&v1, &v2) {
        (Some(v1), Some(v2)) => v1.bytes().zip(v2.bytes()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    // Both from the same place, so that they can be read side by side.
    let fits = |value: &Option<String>| value.as_ref().is_none_or(|value| value.len() <= max);
    let start = if start <= max / 2 || (fits(&v1) && fits(&v2)) { 0 } else { start.saturating_sub(LEAD) };
    (v1.map(|value| cut_from(&value, start, max)), v2.map(|value| cut_from(&value, start, max)))
}

/// The beginning of `text`, at most `max` bytes (no fewer than the three of the mark), whole characters. An ellipsis
/// stands for what is cut.
pub(super) fn cut_to(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max.saturating_sub(CUT.len()));
    format!("{}{CUT}", text.get(..end).unwrap_or_default())
}

fn cut_from(text: &str, start: usize, max: usize) -> String {
    if start == 0 {
        return cut_to(text, max);
    }
    let rest = text.get(text.floor_char_boundary(start)..).unwrap_or_default();
    format!("{CUT}{}", cut_to(rest, max.saturating_sub(CUT.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(v1: &str, v2: &str) -> (String, String) {
        let (v1, v2) = cut_both(Some(v1.to_owned()), Some(v2.to_owned()), MAX_VALUE);
        (v1.unwrap(), v2.unwrap())
    }

    #[test]
    fn the_beginning_of_the_only_one() {
        let cut = |text: &str| cut_both(None, Some(text.to_owned()), MAX_VALUE).1.unwrap();
        let at_bound = "x".repeat(MAX_VALUE);
        assert_eq!(cut(&at_bound), at_bound);
        assert_eq!(cut(""), "");
        assert_eq!(cut(&"x".repeat(MAX_VALUE + 1)), format!("{}…", "x".repeat(MAX_VALUE - 3)));
        assert_eq!(cut(&"é".repeat(100)), format!("{}…", "é".repeat(62)));
        assert_eq!(cut_both(None, None, MAX_VALUE), (None, None));
    }

    #[test]
    fn a_late_difference_stays_in_sight() {
        let lead = "x".repeat(1000);
        let (v1, v2) = both(&format!("{lead}cat{}", "y".repeat(1000)), &format!("{lead}dog"));
        assert_eq!(v2, format!("…{}dog", "x".repeat(LEAD)));
        assert!(v1.starts_with(&format!("…{}caty", "x".repeat(LEAD))) && v1.ends_with("y…"), "{v1}");
        assert_eq!(both(&format!("{}a", "x".repeat(127)), &"x".repeat(127)).1, "x".repeat(127));
    }

    proptest! {
        #[test]
        fn bounded_and_still_different(lead in ".{0,200}", a in ".{0,90}", b in ".{0,90}") {
            let (v1, v2) = (format!("{lead}{a}"), format!("{lead}{b}"));
            let (shown1, shown2) = both(&v1, &v2);
            prop_assert!(shown1.len() <= MAX_VALUE && shown2.len() <= MAX_VALUE);
            // An ellipsis in the input could be taken for the mark.
            if !v1.contains('…') && !v2.contains('…') {
                prop_assert_eq!(shown1 == shown2, v1 == v2, "{} {}", shown1, shown2);
            }
        }
    }
}
