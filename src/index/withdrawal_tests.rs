//! Records of withdrawals, and closes that continue where they stopped.

use super::keys::lists as keys;
use super::list_tests::{ListHistory, PLAIN, SHRINK, author, everyone, id_of, with_verdict};
use super::record::{PendingGeneration, SubmissionLists};
use super::test_history::History;
use crate::domain::assessment::Verdict::{Malicious, Suspicious};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::ItemOutcome::{Created, Moved, Recreated, Replaced};
use crate::domain::entry::{Body, Outcome, SubmissionId, WithdrawalSweep};
use crate::domain::list::ListReceipt;
use crate::domain::sharing::Audience;
use crate::domain::{GroupId, Position, Sharing, Timestamp, Tlp};

#[test]
fn the_record_of_a_withdrawal_ends_with_its_retention() {
    let mut lists = ListHistory::new();
    lists.send("", "s1", &["1", "2", "3"]);
    lists.withdraw_by_hand("1");
    let first = Timestamp::from_millis(lists.history.now);
    lists.withdraw_by_hand("2");
    lists.withdraw_by_hand("3");
    let last = lists.history.entries.len() as u64;
    lists.send("", "s2", &["2"]);
    let before = |time: Timestamp, limit| {
        let view = lists.index.read().unwrap();
        view.withdrawals_before(time, Position::default(), limit).unwrap()
    };
    let at = |sequence| Position::new(sequence, 0);
    assert_eq!(before(first, 9), [], "a withdrawal at that time is not before it");
    let later = Timestamp::from_millis(lists.history.now);
    assert_eq!(before(later, 9), [at(last - 2), at(last)], "2 is current again");
    assert_eq!(before(later, 1), [at(last - 2)]);

    assert_eq!(lists.sweep_withdrawals(1), [at(last - 2)]);
    let sent = lists.send("", "s3", &["1", "3"]);
    let Outcome::Applied(outcomes) = sent else { panic!("{sent:?}") };
    assert!(matches!(outcomes[..], [Created, Recreated(_)]), "{outcomes:?}");
    // A sweep that is late: both values are current again.
    let targets = vec![at(last - 2), at(last)];
    lists.push(None, Body::WithdrawalSweep(WithdrawalSweep { targets }));
    let view = lists.index.read().unwrap();
    assert_eq!(
        view.snapshot.scan(b"Kw").count() + view.snapshot.scan(keys::WITHDRAWALS).count(),
        0
    );
}

#[test]
fn a_value_that_moves_to_an_audience_from_which_it_was_withdrawn_is_named() {
    let mut lists = ListHistory::new();
    let groups = [GroupId::from_stored("core")].into();
    let core = Audience::Named { groups, partners: [].into() };
    let sharing = || Sharing { tlp: Tlp::Amber, audience: core.clone(), releases: Vec::new() };
    lists.send("", "s1", &["1", "2"]);
    let withdrawn = Timestamp::from_millis(lists.history.now + 1);
    lists.withdraw_by_hand("1");
    let shared = History::batch_of("s2", 1, &with_verdict(&["1", "2"]), sharing());
    lists.push(Some("birdsite"), shared);
    let from = lists.history.entries.len() as u64;
    // Both move from the group to everyone.
    let all = Sharing { tlp: Tlp::Green, audience: Audience::Everyone, releases: Vec::new() };
    let items = [("1", Suspicious), ("2", Suspicious)];
    let Body::SubmissionBatch(mut batch) = History::batch_of("s3", 1, &items, all) else {
        panic!("a batch")
    };
    batch.replaces = Some(AudienceDigest::of(&core));
    let moved = lists.push(Some("birdsite"), Body::SubmissionBatch(batch));
    let outcomes = vec![
        Moved { from: Position::new(from, 0), over: None, withdrawn: Some(withdrawn) },
        Moved {
            from: Position::new(from, 1),
            over: Some(Position::new(from - 2, 1)),
            withdrawn: None,
        },
    ];
    assert_eq!(moved, Outcome::Applied(outcomes));
    let again = lists.send_batch("", "s4", 1, &[("1", Malicious)]);
    assert!(matches!(again, Outcome::Applied(all) if matches!(all[..], [Replaced(_)])));
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn pending(lists: &ListHistory, submission: &str) -> Vec<PendingGeneration> {
    let key = keys::of_submission(&author(), &SubmissionId::from_stored(submission));
    let stored = lists.index.read().unwrap().snapshot.get(&key).unwrap().unwrap();
    SubmissionLists::decode(&stored).unwrap().closing.unwrap().pending
}

#[test]
fn a_close_continues_after_the_last_value_that_it_withdrew() {
    let mut lists = ListHistory::new();
    let all = numbers(0..9);
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    lists.send("a", "s1", &all);
    lists.close("s1", PLAIN);
    lists.send("a", "s2", &[]);
    lists.close_with("s2", Some(1), SHRINK);
    let mut ids: Vec<_> = all.iter().map(|value| id_of(value)).collect();
    ids.sort_unstable();
    for done in [0, 4, 8] {
        let receipt = lists.receipt("s2");
        assert_eq!((receipt.done.withdrawn, receipt.pending), (done, 9 - done));
        let last = usize::try_from(done).unwrap().checked_sub(1).map(|last| ids[last]);
        assert_eq!(pending(&lists, "s2")[0].after, last);
        assert!(lists.withdraw_some("s2", 4));
    }
    let receipt = lists.receipt("s2");
    assert_eq!((receipt.done.withdrawn, receipt.pending), (9, 0));
    assert!(!lists.withdraw_some("s2", 4));
}

#[test]
fn a_value_that_waits_in_two_lists_is_one_value() {
    let mut lists = ListHistory::new();
    let all = numbers(0..8);
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    for (list, submission, values) in [("a", "s1", &all[..6]), ("b", "s2", &all[4..])] {
        lists.send(list, submission, values);
        lists.close(submission, PLAIN);
    }
    // A third list holds one of the values that both have.
    lists.send("c", "s3", &all[5..6]);
    lists.close("s3", PLAIN);
    lists.send_batch("a", "s4", 1, &[]);
    lists.send_batch("b", "s4", 2, &[]);
    lists.close_with("s4", Some(2), SHRINK);
    let mut sums = Vec::new();
    loop {
        let ListReceipt { done, pending, .. } = lists.receipt("s4");
        sums.push(done.withdrawn + done.held_by_other_lists + pending);
        if !lists.withdraw_some("s4", 3) {
            break;
        }
        assert!(sums.len() < 8, "the close does not end: {sums:?}");
    }
    assert!(sums.len() > 2 && sums.iter().all(|sum| *sum == 8), "{sums:?}");
    let ListReceipt { done, pending, .. } = lists.receipt("s4");
    assert_eq!((done.withdrawn, done.held_by_other_lists, pending), (7, 1, 0));
    let view = lists.index.read().unwrap();
    assert!(view.current(id_of("5"), &author(), everyone()).unwrap().is_some());
}
