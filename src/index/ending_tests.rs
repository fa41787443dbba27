//! How versions end: by withdrawal, expiry or a move to another audience. And what is kept of them.

use proptest::prelude::*;

use super::record::EndReason as Why;
use super::test_history::{DAY, History, applied, open, outcome, stopped_and_finished};
use super::*;
use crate::domain::assessment::Verdict;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{
    Body, Expiry, Feedback, ItemOutcome, RegistryRule, Sighting, Sightings, SubmissionId, Target,
    VoidReason, Withdrawal,
};
use crate::domain::feedback::Opinion;
use crate::domain::sharing::Audience;
use crate::domain::{
    GroupId, Indicator, IndicatorId, Kind as IndicatorKind, PartnerId, Sharing, Timestamp, Tlp,
};

use ItemOutcome::{Created, Ended, Merged, Moved, NoCurrentVersion};
use Verdict::{Malicious, Suspicious};

fn everyone() -> Sharing {
    Sharing { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() }
}

fn to_core() -> Sharing {
    let audience =
        Audience::Named { groups: [GroupId::from_stored("core")].into(), partners: [].into() };
    Sharing { tlp: Tlp::Amber, audience, releases: Vec::new() }
}

fn id_of(value: &str) -> IndicatorId {
    Indicator::from_stored(IndicatorKind::Domain, None, value).id()
}

fn target(value: &str, sharing: &Sharing, version: Option<Position>) -> Target {
    Target { id: id_of(value), audience: AudienceDigest::of(&sharing.audience), version }
}

fn withdraw(history: &mut History, partner: &str, targets: Vec<Target>) -> u64 {
    let partner_id = PartnerId::from_stored(partner);
    let body = Body::Withdrawal(Withdrawal { partner: partner_id, targets, closed: None });
    history.push(Some(partner), body)
}

/// A batch that moves assessments from another audience.
fn moving(
    history: &mut History,
    submission: &str,
    items: &[(&str, Verdict)],
    to: Sharing,
    from: &Sharing,
) -> u64 {
    let Body::SubmissionBatch(mut batch) = History::batch_of(submission, 1, items, to) else {
        panic!("a batch")
    };
    batch.replaces = Some(AudienceDigest::of(&from.audience));
    history.push(Some("birdsite"), Body::SubmissionBatch(batch))
}

fn at(sequence: u64, index: u32) -> Position {
    Position::new(sequence, index)
}

#[test]
fn a_withdrawal_ends_what_it_names_for_that_audience_and_author_alone() {
    let mut history = History::new();
    let all =
        history.batch("birdsite", "s", 1, &[("a.example", Malicious), ("b.example", Malicious)]);
    let core = history.batch_to("birdsite", "t", 1, &[("a.example", Malicious)], to_core());
    history.batch("facegraph", "s", 1, &[("a.example", Malicious)]);
    let targets = vec![
        target("a.example", &everyone(), None),
        target("b.example", &everyone(), Some(at(core, 0))),
        target("nobody.example", &everyone(), None),
    ];
    let sequence = withdraw(&mut history, "birdsite", targets.clone());
    let again = withdraw(&mut history, "birdsite", targets);
    let (_folder, index) = applied(&history);
    let first = Outcome::Applied(vec![Ended(at(all, 0)), NoCurrentVersion, NoCurrentVersion]);
    assert_eq!(outcome(&index, sequence), first);
    assert_eq!(outcome(&index, again), Outcome::Applied(vec![NoCurrentVersion; 3]));
    assert_eq!(
        index.read().unwrap().assessments(id_of("a.example")).count(),
        2,
        "the others' and the group's stand"
    );
    assert!(index.read().unwrap().recent_closed_items(all).unwrap().unwrap().contains(&0));
    let closed = index.read().unwrap().closed_version(at(all, 0)).unwrap().unwrap();
    assert_eq!(
        (closed.ended_by, closed.reason, closed.id),
        (at(sequence, 0), Why::Withdrawn, id_of("a.example"))
    );
    assert!(closed.metadata.indicator.value().is_empty(), "no content is kept");
}

#[test]
fn a_batch_moves_what_was_said_to_another_audience() {
    let mut history = History::new();
    let items = [("a.example", Malicious), ("b.example", Malicious), ("c.example", Malicious)];
    let all = history.batch("birdsite", "s", 1, &items[..2]);
    let core = history.batch_to("birdsite", "t", 1, &[items[1]], to_core());
    // `a` is only with everyone, `b` with both and unchanged in the group, `c` is new.
    let moved = moving(&mut history, "u", &items, to_core(), &everyone());
    let worse = [("b.example", Suspicious)];
    let over = moving(&mut history, "v", &worse, to_core(), &everyone());
    let (_folder, index) = applied(&history);
    let outcomes = vec![
        Moved { from: at(all, 0), over: None, withdrawn: None },
        Merged { from: at(all, 1), current: at(core, 0) },
        Created,
    ];
    assert_eq!(outcome(&index, moved), Outcome::Applied(outcomes));
    // Nothing is left to replace with everyone.
    assert_eq!(outcome(&index, over), Outcome::Applied(vec![ItemOutcome::Replaced(at(core, 0))]));
    let everywhere: Vec<_> = ["a.example", "b.example"]
        .iter()
        .map(|v| index.read().unwrap().assessments(id_of(v)).count())
        .collect();
    assert_eq!(everywhere, [1, 1]);
}

#[test]
fn what_moves_over_an_older_word_to_the_same_audience_ends_both() {
    let mut history = History::new();
    let all = history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let core = history.batch_to("birdsite", "t", 1, &[("a.example", Malicious)], to_core());
    let moved = moving(&mut history, "u", &[("a.example", Suspicious)], to_core(), &everyone());
    let (_folder, index) = applied(&history);
    let both = Moved { from: at(all, 0), over: Some(at(core, 0)), withdrawn: None };
    assert_eq!(outcome(&index, moved), Outcome::Applied(vec![both]));
    assert_eq!(both.ended_versions().collect::<Vec<_>>(), [at(core, 0), at(all, 0)]);
    assert_eq!(index.read().unwrap().assessments(id_of("a.example")).count(), 1);
}

#[test]
fn what_has_had_its_time_is_due_and_ends_once_if_it_is_still_current() {
    let mut history = History::new();
    let items = [("a.example", Malicious), ("b.example", Malicious)];
    let first = history.batch("birdsite", "s", 1, &items);
    history.batch("birdsite", "s2", 1, &[("b.example", Suspicious)]);
    let (_folder, index) = applied(&history);
    let life = Timestamp::from_millis(history.now + 366 * DAY);
    assert!(
        index
            .read()
            .unwrap()
            .expiries_due(Timestamp::from_millis(history.now), 10)
            .unwrap()
            .is_empty()
    );
    let due = index.read().unwrap().expiries_due(life, 10).unwrap();
    assert_eq!(due.len(), 2, "one for each entry");
    let ends = due[0].0;
    assert_eq!(due[0].1, first);
    let versions = items.iter().zip(0..).map(|((value, _), index)| (index, id_of(value))).collect();
    let audience = AudienceDigest::of(&Audience::Everyone);
    let partner = PartnerId::from_stored("birdsite");
    let expiry = Body::Expiry(Expiry { partner, audience, ends, sequence: first, versions });
    let sequence = history.push(None, expiry.clone());
    let again = history.push(None, expiry);
    let (_folder, index) = applied(&history);
    // `b` was replaced, and has another expiry.
    assert_eq!(
        outcome(&index, sequence),
        Outcome::Applied(vec![Ended(at(first, 0)), NoCurrentVersion])
    );
    assert_eq!(outcome(&index, again), Outcome::Applied(vec![NoCurrentVersion, NoCurrentVersion]));
    assert_eq!(
        index.read().unwrap().expiries_due(life, 10).unwrap().len(),
        1,
        "it is not looked at again"
    );
    assert_eq!(
        index.read().unwrap().closed_version(at(first, 0)).unwrap().unwrap().reason,
        Why::Expired
    );
}

#[test]
fn sightings_and_feedback_count_once_under_their_key() {
    let mut history = History::new();
    let accepted = history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let indicator = Indicator::from_stored(IndicatorKind::Domain, None, "a.example");
    let sightings = |key: &str, digest: u8| {
        Body::Sightings(Sightings {
            request: SubmissionId::from_stored(key),
            digest: [digest; 32],
            sharing: to_core(),
            items: vec![Sighting {
                index: 0,
                id: indicator.id(),
                indicator: indicator.clone(),
                count: 4,
                first_seen: None,
                last_seen: None,
            }],
            rejected: Vec::new(),
        })
    };
    let first = history.push(Some("facegraph"), sightings("k", 1));
    let again = history.push(Some("facegraph"), sightings("k", 1));
    let other = history.push(Some("facegraph"), sightings("k", 2));
    history.push(Some("birdsite"), sightings("k", 1));
    let left = history.push(Some("tubeworks"), sightings("k", 1));
    let feedback = |key: &str, version: Position| {
        Body::Feedback(Feedback {
            request: SubmissionId::from_stored(key),
            digest: [7; 32],
            assessment_author: PartnerId::from_stored("birdsite"),
            target: target("a.example", &everyone(), Some(version)),
            opinion: Opinion::Disagree,
            note: None,
            sharing: everyone(),
        })
    };
    let opined = history.push(Some("facegraph"), feedback("f", at(accepted, 0)));
    let same_key = history.push(Some("facegraph"), feedback("k", at(accepted, 0)));
    let gone = history.push(Some("facegraph"), feedback("g", at(accepted, 9)));
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, first), Outcome::Applied(vec![Created]));
    assert_eq!(outcome(&index, again), Outcome::Void(VoidReason::Repeats(first)));
    assert_eq!(outcome(&index, other), Outcome::Void(VoidReason::Conflicts(first)));
    assert_eq!(outcome(&index, left), Outcome::Void(VoidReason::AudienceGone), "not in the group");
    assert_eq!(index.read().unwrap().sightings(indicator.id()).count(), 2);
    assert_eq!(outcome(&index, opined), Outcome::Applied(vec![Created]));
    assert_eq!(outcome(&index, same_key), Outcome::Void(VoidReason::Conflicts(first)));
    assert_eq!(outcome(&index, gone), Outcome::Void(VoidReason::VersionGone));
    assert_eq!(index.read().unwrap().feedback(at(accepted, 0)).count(), 1);
}

#[test]
fn the_order_decides_where_two_operators_disagree() {
    let mut history = History::new();
    let mut partner = super::test_history::partner("birdsite");
    partner.role = crate::domain::partner::Role::Liaison;
    let role = history.push(None, Body::PartnerPut(partner));
    let stranger = history.push(None, Body::PartnerSuspended(PartnerId::from_stored("nobody")));
    let unfit = history.group(&["birdsite", "nobody"]);
    let suspended = history.push(None, Body::PartnerSuspended(PartnerId::from_stored("facegraph")));
    let (folder, index) = applied(&history);
    let void = |rule| Outcome::Void(VoidReason::Registry(rule));
    assert_eq!(outcome(&index, role), void(RegistryRule::RoleFixed));
    assert_eq!(outcome(&index, stranger), void(RegistryRule::PartnerUnknown));
    assert_eq!(outcome(&index, unfit), void(RegistryRule::MemberUnfit));
    assert_eq!(outcome(&index, suspended), Outcome::Applied(Vec::new()));
    assert!(index.is_suspended(&PartnerId::from_stored("facegraph")));
    drop(index);
    assert!(open(folder.path(), &history).is_suspended(&PartnerId::from_stored("facegraph")));
}

/// Histories in which many versions end, some in large entries.
fn any_history() -> impl Strategy<Value = History> {
    let values = proptest::collection::vec((0usize..150, any::<bool>()), 1..250);
    let entry = (0u8..8, 0usize..3, values);
    proptest::collection::vec(entry, 1..9).prop_map(|entries| {
        let mut history = History::new();
        let names: Vec<String> = (0..150).map(|n| format!("n{n}.example")).collect();
        for (number, (what, audience, items)) in entries.into_iter().enumerate() {
            let submission = format!("s{number}");
            let items: Vec<_> = items
                .iter()
                .map(|(at, bad)| (names[*at].as_str(), if *bad { Malicious } else { Suspicious }))
                .collect();
            let to = if audience == 0 { everyone() } else { to_core() };
            let from = if audience == 0 { to_core() } else { everyone() };
            let targets = || items.iter().map(|(value, _)| target(value, &to, None)).collect();
            let _ = match what {
                0 | 1 => withdraw(&mut history, "birdsite", targets()),
                2 | 3 => moving(&mut history, &submission, &items, to, &from),
                _ => history.batch_to("birdsite", &submission, 1, &items, to),
            };
        }
        history
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A crash between any two writes loses nothing and repeats nothing, in memory as on disk.
    #[test]
    fn wherever_it_stops_it_ends_with_the_same_bytes(history in any_history(), batches in 0usize..20) {
        let whole = Arc::new(Index::in_memory().unwrap());
        Applier::new(Arc::clone(&whole)).unwrap().apply(&history.entries).unwrap();
        let (_folder, index) = stopped_and_finished(&history, batches);
        prop_assert_eq!(index.read().unwrap().digest().unwrap(), whole.read().unwrap().digest().unwrap());
        for entry in &history.entries {
            prop_assert_eq!(outcome(&index, entry.sequence), outcome(&whole, entry.sequence));
        }
    }
}
