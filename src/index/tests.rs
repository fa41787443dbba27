use std::path::Path;

use proptest::prelude::*;

use super::test_history::{DAY, History, MINUTE, applied, open, outcome, stopped_and_finished};
use super::*;
use crate::domain::assessment::Verdict;
use crate::domain::entry::{AppendId, ItemOutcome, VoidReason};
use crate::domain::sharing::Audience;
use crate::domain::{
    GroupId, Indicator, Kind as IndicatorKind, PartnerId, Position, Sharing, Timestamp, Tlp,
};

use ItemOutcome::{Created, Replaced, Unchanged};
use Verdict::{Malicious, Suspicious};

#[test]
fn items_are_created_replaced_and_unchanged_by_author_and_audience() {
    let mut history = History::new();
    let first =
        history.batch("birdsite", "s", 1, &[("a.example", Malicious), ("b.example", Malicious)]);
    let second =
        history.batch("birdsite", "s2", 1, &[("a.example", Malicious), ("b.example", Suspicious)]);
    let other = history.batch("facegraph", "s", 1, &[("a.example", Malicious)]);
    let narrow = Sharing {
        tlp: Tlp::Amber,
        audience: Audience::Named {
            groups: [GroupId::from_stored("core")].into(),
            partners: [].into(),
        },
        releases: Vec::new(),
    };
    let narrower = history.batch_to("birdsite", "s", 2, &[("a.example", Malicious)], narrow);
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, first), Outcome::Applied(vec![Created, Created]));
    let unchanged = Unchanged(Position::new(first, 0));
    let replaced = Replaced(Position::new(first, 1));
    assert_eq!(outcome(&index, second), Outcome::Applied(vec![unchanged, replaced]));
    assert_eq!(outcome(&index, other), Outcome::Applied(vec![Created]));
    assert_eq!(
        outcome(&index, narrower),
        Outcome::Applied(vec![Created]),
        "it is taken from nobody"
    );
    assert_eq!(
        index
            .read()
            .unwrap()
            .recent_closed_items(first)
            .unwrap()
            .unwrap()
            .iter()
            .copied()
            .collect::<Vec<_>>(),
        [1]
    );
    let id = Indicator::from_stored(IndicatorKind::Domain, None, "a.example").id();
    assert_eq!(index.read().unwrap().assessments(id).count(), 3);
}

#[test]
fn one_indicator_twice_in_a_batch_is_decided_in_order() {
    let mut history = History::new();
    let items = [("a.example", Malicious), ("a.example", Malicious), ("a.example", Suspicious)];
    let sequence = history.batch("birdsite", "s", 1, &items);
    let (_folder, index) = applied(&history);
    let first = Position::new(sequence, 0);
    assert_eq!(
        outcome(&index, sequence),
        Outcome::Applied(vec![
            ItemOutcome::Created,
            ItemOutcome::Unchanged(first),
            ItemOutcome::VerdictConflict
        ])
    );
}

#[test]
fn a_batch_is_taken_once_under_its_key() {
    let mut history = History::new();
    let first = history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let again = history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let other = history.batch("birdsite", "s", 1, &[("b.example", Malicious)]);
    let theirs = history.batch("facegraph", "s", 1, &[("b.example", Malicious)]);
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, again), Outcome::Void(VoidReason::Repeats(first)));
    assert_eq!(outcome(&index, other), Outcome::Void(VoidReason::Conflicts(first)));
    assert!(
        matches!(outcome(&index, theirs), Outcome::Applied(_)),
        "ids are scoped to their author"
    );
}

#[test]
fn a_close_names_the_batches_and_ends_the_submission() {
    let mut history = History::new();
    let item = [("a.example", Malicious)];
    let unknown = history.close("birdsite", "s", Some(1));
    history.batch("birdsite", "s", 1, &item);
    history.batch("birdsite", "s", 3, &item);
    let missing = history.close("birdsite", "s", Some(3));
    let beyond = history.close("birdsite", "s", Some(2));
    history.batch("birdsite", "s", 2, &item);
    let closed = history.close("birdsite", "s", Some(3));
    let repeated = history.close("birdsite", "s", Some(3));
    let late = history.batch("birdsite", "s", 4, &item);
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, unknown), Outcome::Void(VoidReason::SubmissionUnknown));
    assert_eq!(outcome(&index, missing), Outcome::Void(VoidReason::BatchMissing(2)));
    assert_eq!(outcome(&index, beyond), Outcome::Void(VoidReason::BatchesBeyond(3)));
    assert!(matches!(outcome(&index, closed), Outcome::Applied(_)));
    assert!(matches!(outcome(&index, repeated), Outcome::Applied(_)));
    assert_eq!(outcome(&index, late), Outcome::Void(VoidReason::SubmissionClosed));
}

#[test]
fn batches_that_are_applied_together_count_though_an_older_state_is_in_memory() {
    let mut history = History::new();
    let item = [("a.example", Malicious)];
    history.batch("birdsite", "s", 1, &item);
    let first = history.entries.len();
    history.batch("birdsite", "s", 2, &item);
    history.batch("birdsite", "s", 3, &item);
    let closed = history.close("birdsite", "s", Some(3));
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path(), &history);
    let mut applier = Applier::new(Arc::clone(&index)).unwrap();
    applier.apply(&history.entries[..first]).unwrap();
    applier.apply(&history.entries[first..]).unwrap();
    assert!(
        matches!(outcome(&index, closed), Outcome::Applied(_)),
        "{:?}",
        outcome(&index, closed)
    );
}

#[test]
fn what_the_exchange_closed_opens_again_until_its_receipts_are_gone() {
    let mut history = History::new();
    let item = [("a.example", Malicious)];
    history.batch("birdsite", "s", 1, &item);
    history.now += 20 * MINUTE;
    history.close("birdsite", "s", None);
    let (_folder, index) = applied(&history);
    assert!(
        index
            .read()
            .unwrap()
            .idle_submissions(Timestamp::from_millis(i64::MAX))
            .unwrap()
            .is_empty()
    );
    history.now += 6 * DAY;
    let back = history.batch("birdsite", "s", 2, &item);
    history.close("birdsite", "s", None);
    history.now += 8 * DAY;
    let late = history.batch("birdsite", "s", 3, &item);
    let old = history.batch("birdsite", "s", 1, &item);
    let (_folder, index) = applied(&history);
    assert!(matches!(outcome(&index, back), Outcome::Applied(_)));
    for sequence in [late, old] {
        assert_eq!(outcome(&index, sequence), Outcome::Void(VoidReason::SubmissionClosed));
    }
}

#[test]
fn a_repeat_after_half_of_the_default_life_renews() {
    let mut history = History::new();
    history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    history.now += 200 * DAY;
    let renewed = history.batch("birdsite", "t", 1, &[("a.example", Malicious)]);
    let (_folder, index) = applied(&history);
    assert!(
        matches!(&outcome(&index, renewed), Outcome::Applied(o) if matches!(o[0], ItemOutcome::Replaced(_)))
    );
}

#[test]
fn a_group_that_the_author_left_before_the_batch_was_decided_makes_it_void() {
    let mut history = History::new();
    let core =
        Audience::Named { groups: [GroupId::from_stored("core")].into(), partners: [].into() };
    let sharing = Sharing { tlp: Tlp::Amber, audience: core, releases: Vec::new() };
    history.group(&["facegraph"]);
    let sequence = history.batch_to("birdsite", "s", 1, &[("a.example", Malicious)], sharing);
    let (_folder, index) = applied(&history);
    assert_eq!(outcome(&index, sequence), Outcome::Void(VoidReason::AudienceGone));
}

#[test]
fn memberships_are_intervals_and_survive_a_reopening() {
    let mut history = History::new();
    let left = history.group(&["facegraph"]);
    let back = history.group(&["facegraph", "birdsite"]);
    let (folder, index) = applied(&history);
    let reader =
        |index: &Index| index.registry().reader(&PartnerId::from_stored("birdsite")).unwrap();
    let before = reader(&index);
    assert_eq!(before.groups[&GroupId::from_stored("core")], back);
    drop(index);
    let index = open(folder.path(), &history);
    assert_eq!(reader(&index), before);
    let group = index.registry().group(&GroupId::from_stored("core")).unwrap().clone();
    assert!(group.memberships.iter().any(|m| m.until == Some(left)));
}

#[test]
fn an_index_of_another_journal_or_ahead_of_its_own_is_rebuilt() {
    let mut history = History::new();
    history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let (folder, index) = applied(&history);
    drop(index);
    history.entries.pop();
    assert_eq!(open(folder.path(), &history).checkpoint(), 0, "it is ahead of the journal");

    let (folder, index) = applied(&history);
    drop(index);
    history.entries.last_mut().unwrap().id = AppendId::derive(&[b"went on otherwise"]);
    assert_eq!(open(folder.path(), &history).checkpoint(), 0, "the journal was restored");

    let history = History::new();
    let (folder, index) = applied(&history);
    drop(index);
    let mut other = History::new();
    other.entries[0].id = AppendId::derive(&[b"another"]);
    assert_eq!(open(folder.path(), &other).checkpoint(), 0, "it belongs to another journal");
}

#[test]
fn a_damaged_index_and_one_of_another_database_are_rebuilt_from_the_journal() {
    let mut history = History::new();
    history.batch("birdsite", "s", 1, &[("a.example", Malicious)]);
    let damages: [fn(&Path); 5] = [
        |folder| std::fs::write(folder.join("version"), b"no database").unwrap(),
        |folder| std::fs::remove_file(folder.join("version")).unwrap(),
        |folder| std::fs::remove_dir_all(folder.join("keyspaces/0")).unwrap(),
        |folder| std::fs::remove_dir_all(folder.join("keyspaces/1")).unwrap(),
        |folder| std::fs::write(folder.join("damaged"), b"found before").unwrap(),
    ];
    for damage in damages {
        let (folder, index) = applied(&history);
        let digest = index.read().unwrap().digest().unwrap();
        drop(index);
        damage(folder.path());
        let index = open(folder.path(), &history);
        assert_eq!(index.checkpoint(), 0, "nothing is left of it");
        assert!(!folder.path().join("damaged").exists());
        Applier::new(Arc::clone(&index)).unwrap().apply(&history.entries).unwrap();
        assert_eq!(index.read().unwrap().digest().unwrap(), digest);
    }
}

/// Histories over small alphabets, so that many keys collide.
fn any_history() -> impl Strategy<Value = History> {
    let entry = (
        0u8..10,
        0usize..2,
        0usize..3,
        1u32..4,
        proptest::collection::vec((0usize..40, any::<bool>()), 1..300),
    );
    proptest::collection::vec(entry, 1..12).prop_map(|entries| {
        let mut history = History::new();
        let names: Vec<String> = (0..40).map(|n| format!("n{n}.example")).collect();
        for (what, author, submission, number, items) in entries {
            let author = ["birdsite", "facegraph"][author];
            let submission = ["s", "t", "u"][submission];
            let _ = match what {
                0 => history.close(author, submission, Some(number)),
                1 => history.close(author, submission, None),
                2 => history.group(&["birdsite", "facegraph", "tubeworks"][..number as usize]),
                _ => {
                    let items: Vec<_> = items
                        .iter()
                        .map(|(at, bad)| {
                            (names[*at].as_str(), if *bad { Malicious } else { Suspicious })
                        })
                        .collect();
                    history.batch(author, submission, number, &items)
                }
            };
        }
        history
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The index ends with the same bytes, whether entries are applied one by one or together, and
    /// wherever it is closed and reopened in between.
    #[test]
    fn two_indexes_of_one_history_are_equal(history in any_history(), cut in any::<prop::sample::Index>()) {
        let (_whole, in_one_go) = applied(&history);
        let folder = tempfile::tempdir().unwrap();
        let cut = cut.index(history.entries.len());
        for entries in [&history.entries[..cut], &history.entries[cut..]] {
            let index = open(folder.path(), &history);
            let mut applier = Applier::new(index).unwrap();
            for entry in entries {
                applier.apply([entry]).unwrap();
            }
        }
        let in_steps = open(folder.path(), &history);
        prop_assert_eq!(in_steps.checkpoint(), in_one_go.checkpoint());
        prop_assert_eq!(in_steps.read().unwrap().digest().unwrap(), in_one_go.read().unwrap().digest().unwrap());
        for entry in &history.entries {
            prop_assert_eq!(outcome(&in_steps, entry.sequence), outcome(&in_one_go, entry.sequence));
            let closed = [&in_steps, &in_one_go].map(|index| index.read().unwrap().recent_closed_items(entry.sequence).unwrap());
            prop_assert_eq!(&closed[0], &closed[1]);
        }
    }

    /// A crash between two batches loses nothing and repeats nothing.
    #[test]
    fn after_a_crash_it_goes_on_from_a_whole_entry(history in any_history(), batches in 1usize..6) {
        let (_whole, whole) = applied(&history);
        let (_folder, index) = stopped_and_finished(&history, batches);
        prop_assert_eq!(index.read().unwrap().digest().unwrap(), whole.read().unwrap().digest().unwrap());
    }
}
