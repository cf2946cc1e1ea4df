//! The table of the hooks, by hand, and payloads as Flagger documents them.

use proptest::prelude::*;

use super::*;
use crate::contracts::tests::verdict;
use WhenInconclusive::{Advance, Halt};

#[test]
fn the_table() {
    use Outcome::{Fail, Inconclusive, Pass};
    for (hook, when_inconclusive, word, status) in [
        (Hook::ConfirmRollout, Halt, Pass, 200),
        (Hook::ConfirmRollout, Halt, Inconclusive, 403),
        (Hook::ConfirmRollout, Halt, Fail, 403),
        (Hook::ConfirmRollout, Advance, Pass, 200),
        (Hook::ConfirmRollout, Advance, Inconclusive, 200),
        (Hook::ConfirmRollout, Advance, Fail, 403),
        (Hook::Rollout, Halt, Pass, 200),
        (Hook::Rollout, Halt, Inconclusive, 403),
        (Hook::Rollout, Halt, Fail, 403),
        (Hook::Rollout, Advance, Pass, 200),
        (Hook::Rollout, Advance, Inconclusive, 200),
        (Hook::Rollout, Advance, Fail, 403),
        (Hook::Rollback, Halt, Pass, 403),
        (Hook::Rollback, Halt, Inconclusive, 403),
        (Hook::Rollback, Halt, Fail, 200),
        (Hook::Rollback, Advance, Pass, 403),
        (Hook::Rollback, Advance, Inconclusive, 403),
        (Hook::Rollback, Advance, Fail, 200),
    ] {
        let answer = answer(hook, when_inconclusive, &verdict(word));
        assert_eq!(answer.0, status, "{hook:?} {when_inconclusive:?} {word}");
        assert_eq!(answer.1, format!("{word}: errors: v2 did worse in 12 of 12 seconds"));
    }
}

/// As Flagger reads it: up to 202 is a yes, and the body of a 5xx or 429 never arrives.
#[test]
fn every_answer_is_one_whose_body_arrives() {
    for hook in Hook::ALL {
        for word in Outcome::ALL {
            let (status, _) = answer(hook, Halt, &verdict(word));
            assert!(
                status == 200 || (400..500).contains(&status) && status != 429,
                "{hook:?} {word}: {status}"
            );
        }
    }
    assert_eq!(refusal("there is no service x"), (400, "there is no service x".to_owned()));
}

#[test]
fn a_payload_says_which_service_and_window() {
    let payload = Payload::read(
        br#"{"name": "checkout", "namespace": "shop", "phase": "Progressing", "checksum": "6c9f",
            "metadata": {"service": "checkout-eu", "window": "10m", "inconclusive": "advance", "owner": "x"}}"#,
    )
    .unwrap();
    assert_eq!((payload.service(), payload.window()), ("checkout-eu", Some("10m")));
    assert_eq!((payload.namespace.as_str(), payload.phase.as_str()), ("shop", "Progressing"));
    assert_eq!(payload.checksum, "6c9f");
    assert_eq!(payload.when_inconclusive(Hook::Rollout), Ok(Advance));
}

#[test]
fn what_a_payload_does_not_say_has_a_default() {
    for body in [
        r#"{"name": "checkout"}"#,
        r#"{"name": "checkout", "metadata": null, "phase": "Waiting", "canary": {"weight": [1, {}]}}"#,
        r#"{"name": "checkout", "namespace": "", "metadata": {}}"#,
    ] {
        let payload = Payload::read(body.as_bytes()).unwrap();
        assert_eq!((payload.service(), payload.window()), ("checkout", None), "{body}");
        for hook in Hook::ALL {
            assert_eq!(payload.when_inconclusive(hook), Ok(Halt), "{body}");
        }
    }
}

#[test]
fn a_payload_that_is_none_is_refused() {
    let long = format!(r#"{{"name": "{}"}}"#, "x".repeat(BODY_MAX));
    for (body, why) in [
        ("", "EOF"),
        ("[]", "length"),
        ("{}", "name"),
        (r#"{"name": 1}"#, "string"),
        (r#"{"name": "a", "metadata": {"service": 1}}"#, "string"),
        (r#"{"name": "a", "metadata": []}"#, "map"),
        (long.as_str(), "over 65536"),
    ] {
        let error = Payload::read(body.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_mistake_in_what_inconclusive_means_stops_a_rollout_and_never_a_rollback() {
    let payload = Payload::read(br#"{"name": "a", "metadata": {"inconclusive": "pass"}}"#).unwrap();
    assert!(payload.when_inconclusive(Hook::ConfirmRollout).is_err());
    assert!(payload.when_inconclusive(Hook::Rollout).is_err());
    assert_eq!(payload.when_inconclusive(Hook::Rollback), Ok(Halt));
}

#[test]
fn hooks_have_places_of_their_own() {
    let paths = Hook::ALL.map(Hook::path);
    assert_eq!(paths, ["/flagger/confirm-rollout", "/flagger/rollout", "/flagger/rollback"]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_in_one_line(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = Payload::read(&body) {
            prop_assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn an_answer_fits_an_event(reason in ".{0,800}", none in any::<bool>()) {
        let mut verdict = verdict(Outcome::Fail);
        verdict.reasons = if none { Vec::new() } else { vec![reason] };
        let (_, line) = answer(Hook::Rollout, Halt, &verdict);
        prop_assert!(line.len() <= ANSWER_MAX && line.starts_with("FAIL: ") && !line.contains(char::is_control));
    }
}
