//! Shares: a table by hand, every part per million there and back, and texts that nobody thought of.

use proptest::prelude::*;

use super::{Share, ShareError};

const ACCEPTED: [(&str, u32, &str); 15] = [
    ("0%", 0, "0%"),
    ("0.0%", 0, "0%"),
    ("0ppm", 0, "0%"),
    ("1ppm", 1, "0.0001%"),
    ("0.0001%", 1, "0.0001%"),
    ("0.001%", 10, "0.001%"),
    ("0.5%", 5_000, "0.5%"),
    ("5%", 50_000, "5%"),
    ("005%", 50_000, "5%"),
    ("50000ppm", 50_000, "5%"),
    ("12.3456%", 123_456, "12.3456%"),
    ("99.9999%", 999_999, "99.9999%"),
    ("100%", 1_000_000, "100%"),
    ("100.0000%", 1_000_000, "100%"),
    ("1000000ppm", 1_000_000, "100%"),
];

const REFUSED: [(&str, &str); 24] = [
    ("5", "5 is ambiguous: write 5%"),
    ("0", "0 is ambiguous: write 0%"),
    ("0.05", "0.05 is ambiguous: write 0.05%"),
    ("100.0001%", "100.0001% is more than 100%"),
    ("101%", "101% is more than 100%"),
    ("1000001ppm", "1000001ppm is more than 100%"),
    ("4294967296ppm", "4294967296ppm is more than 100%"),
    ("99999999999999999999%", "99999999999999999999% is more than 100%"),
    ("0.00001%", "0.00001% is finer than 0.0001%, the smallest step"),
    ("1.0000001%", "1.0000001% is finer than 0.0001%, the smallest step"),
    ("", "\"\" is not a share: write a percentage, for example 5% or 0.5%"),
    ("%", "\"%\" is not a share"),
    ("ppm", "\"ppm\" is not a share"),
    (".5%", "\".5%\" is not a share"),
    ("5.%", "\"5.%\" is not a share"),
    (".", "\".\" is not a share"),
    ("-5%", "\"-5%\" is not a share"),
    ("+5%", "\"+5%\" is not a share"),
    ("5 %", "\"5 %\" is not a share"),
    (" 5%", "\" 5%\" is not a share"),
    ("5%%", "\"5%%\" is not a share"),
    ("1e1%", "\"1e1%\" is not a share"),
    ("0.5ppm", "\"0.5ppm\" is not a share"),
    ("٥%", "\"٥%\" is not a share"),
];

#[test]
fn shares_that_are_accepted() {
    for (text, ppm, shortest) in ACCEPTED {
        let share: Share = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((share.ppm(), share.to_string().as_str()), (ppm, shortest), "{text}");
    }
}

#[test]
fn shares_that_are_refused() {
    for (text, expected) in REFUSED {
        let error = text.parse::<Share>().expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn every_part_per_million_survives_the_way_there_and_back() {
    for ppm in 0..=1_000_000 {
        let share = Share::from_ppm(ppm).unwrap();
        assert_eq!(share.to_string().parse(), Ok(share));
    }
    assert_eq!(Share::from_ppm(1_000_001), None);
}

#[test]
fn json_holds_the_text_and_never_a_bare_number() {
    assert_eq!(serde_json::to_string(&Share::from_ppm(5_000)).unwrap(), "\"0.5%\"");
    assert_eq!(serde_json::from_str::<Share>("\"0.5\\u0025\"").unwrap().ppm(), 5_000);
    assert!(serde_json::from_str::<Share>("5").is_err());
    assert!(serde_json::from_str::<Share>("\"5\"").unwrap_err().to_string().contains("write 5%"));
}

#[test]
fn yaml_holds_the_text_and_says_why_a_bare_number_is_not_enough() {
    assert_eq!(serde_saphyr::from_str::<Share>("5%").unwrap().ppm(), 50_000);
    assert!(serde_saphyr::from_str::<Share>("5").unwrap_err().to_string().contains("write 5%"));
}

proptest! {
    #[test]
    fn what_is_accepted_is_what_floating_point_reads(text in "[0-9]{1,4}(\\.[0-9]{1,6})?(%|ppm|)") {
        let share = match text.parse::<Share>() {
            Ok(share) => share,
            Err(ShareError::Malformed(_)) => {
                prop_assert!(text.ends_with("ppm") && text.contains('.'));
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let (number, scale) = match text.strip_suffix('%') {
            Some(number) => (number, 10_000.0),
            None => (text.trim_end_matches("ppm"), 1.0),
        };
        prop_assert_eq!(f64::from(share.ppm()), (number.parse::<f64>().unwrap() * scale).round());
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,12}|[0-9.%pm]{0,12}") {
        let _ = text.parse::<Share>();
    }
}
