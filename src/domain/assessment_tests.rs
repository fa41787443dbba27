use super::*;

const DAY: i64 = 86_400_000;

fn domain() -> Assessment {
    Assessment::of(Indicator::from_stored(Kind::Domain, None, "sample.example"))
}

#[test]
fn techniques_of_both_schemes_are_read_and_nothing_else() {
    for good in ["0.9.4", "1.2", " 10.3.1 ", "T0090", "T0090.001"] {
        assert!(Technique::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "9", "0.9.", ".9", "T90", "T0090.1", "t0090", "0.9.4.1.1", "0.x"] {
        assert!(Technique::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn confidence_ends_at_a_hundred() {
    assert_eq!(Confidence::new(100).unwrap().percent(), 100);
    assert!(Confidence::new(101).is_err());
    assert!(Confidence::new(356).is_err());
}

#[test]
fn a_repeat_without_an_end_renews_once_half_of_the_default_life_is_gone() {
    let accepted = Timestamp::from_millis(0);
    let late = Timestamp::from_millis(183 * DAY);
    assert!(!domain().is_renewal(accepted, Timestamp::from_millis(182 * DAY)));
    assert!(domain().is_renewal(accepted, late));
    let end = Some(Timestamp::from_millis(300 * DAY));
    assert!(!Assessment { valid_until: end, ..domain() }.is_renewal(accepted, late));
}

#[test]
fn what_is_left_out_is_read_as_the_default_and_is_not_the_same_as_saying_it() {
    let explicit = Assessment { verdict: Some(Verdict::Suspicious), ..domain() };
    assert_eq!(domain().verdict(), explicit.verdict());
    assert_ne!(domain(), explicit);
}

#[test]
fn an_end_lies_ahead_and_within_the_kinds_maximum() {
    let now = Timestamp::from_millis(0);
    let ending = |days: i64| Assessment {
        valid_until: Some(Timestamp::from_millis(days * DAY)),
        ..domain()
    };
    assert!(ending(1).check_times(now).is_ok());
    assert!(ending(1_825).check_times(now).is_ok());
    assert_eq!(ending(1_826).check_times(now).unwrap_err().field, "valid_until");
    assert_eq!(ending(0).check_times(now).unwrap_err().field, "valid_until");
    assert_eq!(domain().expires_at(now), Timestamp::from_millis(365 * DAY));
}

#[test]
fn last_seen_is_not_before_first_seen() {
    let reversed = Assessment {
        first_seen: Some(Timestamp::from_millis(2)),
        last_seen: Some(Timestamp::from_millis(1)),
        ..domain()
    };
    assert_eq!(reversed.check_times(Timestamp::default()).unwrap_err().field, "last_seen");
}
