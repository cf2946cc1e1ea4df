use super::*;

const GOOD: &str = "{title: t, why: w, limits: {losses: 50%}, phases: [{for: 1m, rate: 5}], expect: [{at: 1m, guard: none}]}";

#[test]
fn a_mistake_is_told() {
    assert_eq!(Rehearsal::parse(GOOD).unwrap().faults(), Vec::<String>::new());
    for (good, bad, told) in [
        ("rate: 5", "rates: 5", "rates"),
        ("rate: 5", "v2: {errors: 0.5}", "5%"),
        ("rate: 5", "agent: {memory: lots}", "lots"),
        ("for: 1m", "for: 300ms", "four a second"),
        ("losses: 50%", "loses: 50%", "loses"),
        ("losses: 50%", "losses: 0%", "no part at all"),
        ("losses: 50%", "objective: 100%", "no error budget"),
        ("losses: 50%", "ramp: [{share: 5%}]", "for"),
        ("guard: none", "guard: nobody", "nobody"),
        ("guard: none", "remaining: 75", "5%"),
        ("guard: none", "guard: none, share: 5%", "one of"),
        ("guard: none", "guard: none, never: any", "one of"),
        ("at: 1m, guard", "guard", "one of"),
        ("at: 1m, guard", "never: any, guard", "one of"),
        ("at: 1m", "at: 2m", "after the end"),
        ("{at: 1m, guard: none}", "", "expectation"),
    ] {
        let text = GOOD.replace(good, bad);
        let error = Rehearsal::parse(&text).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").contains(told), "{text}: {error:#}");
    }
}

/// A check that cannot fail is none.
#[test]
fn what_is_not_so_is_a_fault() {
    for expect in [
        "at: 1m, guard: v1_burn",
        "by: 1m, guard: any",
        "not_before: 30s, guard: none",
        "never: none",
        "at: 1m, share: 99%",
        "at: 1m, spent: 1",
        "at: 1m, remaining: 100%",
        "at: 1m, waits: evidence",
        "at: 59s 900ms, guard: none",
    ] {
        let text = GOOD.replace("at: 1m, guard: none", expect);
        assert_eq!(Rehearsal::parse(&text).unwrap().faults().len(), 1, "{expect}");
    }
}
