//! Lists that are sent again: what a close withdraws, what it leaves, and when it is refused.

mod interleaved;

use super::test_history::{History, outcome};
use super::*;
use crate::domain::assessment::Verdict::{self, Malicious, Suspicious};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::ItemOutcome::{
    Created, Ended, NoCurrentVersion, Recreated, Replaced, Unchanged, VerdictConflict,
};
use crate::domain::entry::{
    Body, Close, ClosedSubmission, Outcome, SubmissionId, Target, VoidReason, Withdrawal,
    WithdrawalSweep,
};
use crate::domain::list::{ListChanges, ListName, ListReceipt, ShrinkPolicy};
use crate::domain::sharing::Audience;
use crate::domain::{
    Indicator, IndicatorId, Kind as IndicatorKind, PartnerId, Position, Timestamp,
};

pub const SHRINK: ShrinkPolicy = ShrinkPolicy { shrink: true, unreadable: 0 };
pub const PLAIN: ShrinkPolicy = ShrinkPolicy { shrink: false, unreadable: 0 };

pub fn everyone() -> AudienceDigest {
    AudienceDigest::of(&Audience::Everyone)
}

pub fn id_of(value: &str) -> IndicatorId {
    Indicator::from_stored(IndicatorKind::Domain, None, value).id()
}

pub fn author() -> PartnerId {
    PartnerId::from_stored("birdsite")
}

/// A history in which birdsite sends lists, and the index that follows it.
pub struct ListHistory {
    pub history: History,
    pub index: Arc<Index>,
}

impl ListHistory {
    pub fn new() -> Self {
        let history = History::new();
        Self { index: in_memory(&history), history }
    }

    pub fn push(&mut self, by: Option<&str>, body: Body) -> Outcome {
        let sequence = self.history.push(by, body);
        let mut applier = Applier::new(Arc::clone(&self.index)).unwrap();
        applier.apply(self.history.entries.last()).unwrap();
        outcome(&self.index, sequence)
    }

    /// Sends a batch of a list.
    pub fn send(&mut self, list: &str, submission: &str, values: &[&str]) -> Outcome {
        self.send_batch(list, submission, 1, &with_verdict(values))
    }

    pub fn send_batch(
        &mut self,
        list: &str,
        submission: &str,
        number: u32,
        items: &[(&str, Verdict)],
    ) -> Outcome {
        let sharing = crate::domain::Sharing {
            tlp: crate::domain::Tlp::Green,
            audience: Audience::Everyone,
            releases: Vec::new(),
        };
        let Body::SubmissionBatch(mut batch) =
            History::batch_of(submission, number, items, sharing)
        else {
            panic!("a batch")
        };
        batch.list = (!list.is_empty()).then(|| ListName::from_stored(list));
        self.push(Some("birdsite"), Body::SubmissionBatch(batch))
    }

    pub fn close_with(
        &mut self,
        submission: &str,
        batches: Option<u32>,
        policy: ShrinkPolicy,
    ) -> Outcome {
        let submission = SubmissionId::from_stored(submission);
        let close = Close { partner: author(), submission, batches, policy };
        self.push(None, Body::SubmissionClosed(close))
    }

    /// Closes a submission of one batch, and writes the entries that withdraw what its lists lack.
    pub fn close(&mut self, submission: &str, policy: ShrinkPolicy) -> ListReceipt {
        assert_eq!(self.close_with(submission, Some(1), policy), Outcome::Applied(Vec::new()));
        while self.withdraw_some(submission, 2) {}
        self.receipt(submission)
    }

    pub fn receipt(&self, submission: &str) -> ListReceipt {
        let submission = SubmissionId::from_stored(submission);
        let read = self.index.read().unwrap().list_receipt(&author(), &submission);
        let receipt = read.unwrap().unwrap();
        // The entries depend on what a test wrote before. They are checked here, and left out.
        assert_eq!(receipt.withdrawn_by.is_some(), receipt.done.withdrawn > 0, "{receipt:?}");
        assert!(receipt.withdrawn_by.is_none_or(|(first, last)| first <= last), "{receipt:?}");
        ListReceipt { withdrawn_by: None, ..receipt }
    }

    /// Writes the next entry of a close. Returns whether there was something to do.
    pub fn withdraw_some(&mut self, submission: &str, limit: usize) -> bool {
        let Some(withdrawal) = self.next_withdrawal(submission, limit) else { return false };
        self.push(None, Body::Withdrawal(withdrawal));
        true
    }

    /// The next entry of a close.
    fn next_withdrawal(&self, submission: &str, limit: usize) -> Option<Withdrawal> {
        let submission = SubmissionId::from_stored(submission);
        let view = self.index.read().unwrap();
        let pending = view.pending_withdrawals(&author(), &submission, limit).unwrap()?;
        let closed = Some(ClosedSubmission { submission, close: pending.close });
        Some(Withdrawal { partner: author(), targets: pending.targets, closed })
    }

    pub fn withdraw_by_hand(&mut self, value: &str) -> Outcome {
        let target = Target { id: id_of(value), audience: everyone(), version: None };
        let targets = vec![target];
        let body = Body::Withdrawal(Withdrawal { partner: author(), targets, closed: None });
        self.push(Some("birdsite"), body)
    }

    /// Deletes the oldest records of withdrawals.
    pub fn sweep_withdrawals(&mut self, limit: usize) -> Vec<Position> {
        let now = Timestamp::from_millis(self.history.now + 1);
        let view = self.index.read().unwrap();
        let targets = view.withdrawals_before(now, Position::default(), limit).unwrap();
        drop(view);
        self.push(None, Body::WithdrawalSweep(WithdrawalSweep { targets: targets.clone() }));
        targets
    }

    /// Which of these values are current.
    fn current<'a>(&self, values: &[&'a str]) -> Vec<&'a str> {
        let view = self.index.read().unwrap();
        let is_current =
            |value: &&&str| view.current(id_of(value), &author(), everyone()).unwrap().is_some();
        values.iter().filter(is_current).copied().collect()
    }
}

/// An index in memory, because the random histories open hundreds of them.
pub fn in_memory(history: &History) -> Arc<Index> {
    let index = Arc::new(Index::in_memory().unwrap());
    Applier::new(Arc::clone(&index)).unwrap().apply(&history.entries).unwrap();
    index
}

pub fn with_verdict<'a>(values: &[&'a str]) -> Vec<(&'a str, Verdict)> {
    values.iter().map(|value| (*value, Malicious)).collect()
}

fn receipt(withdrawn: u64, held_by_other_lists: u64, not_withdrawn: u64) -> ListReceipt {
    let done = ListChanges { withdrawn, held_by_other_lists, not_withdrawn };
    ListReceipt { done, withdrawn_by: None, pending: 0, resumes_at: None }
}

#[test]
fn a_close_withdraws_what_the_last_close_had_and_this_submission_lacks() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2", "3", "4"]);
    assert_eq!(lists.close("s1", PLAIN), receipt(0, 0, 0), "there was no list before");
    lists.send("a", "s2", &["1", "5"]);
    assert_eq!(lists.current(&["1", "2", "3", "4", "5"]).len(), 5, "not before the close");
    assert_eq!(lists.close("s2", PLAIN), receipt(3, 0, 0));
    assert_eq!(lists.current(&["1", "2", "3", "4", "5"]), ["1", "5"]);
    // The same close again answers the same and withdraws nothing.
    lists.send("", "s3", &["2"]);
    assert_eq!(lists.close("s2", PLAIN), receipt(3, 0, 0));
    assert_eq!(lists.current(&["2"]), ["2"]);
}

#[test]
fn a_submission_without_the_list_and_another_list_change_nothing() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2"]);
    lists.close("s1", PLAIN);
    lists.send("", "s2", &["3"]);
    lists.close_with("s2", Some(1), SHRINK);
    lists.send("b", "s3", &["4"]);
    assert_eq!(lists.close("s3", SHRINK), receipt(0, 0, 0));
    assert_eq!(lists.current(&["1", "2", "3", "4"]).len(), 4);
}

#[test]
fn what_another_list_holds_stays_until_that_list_lacks_it_too() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2", "3"]);
    lists.close("s1", PLAIN);
    lists.send("b", "s2", &["2", "3", "4"]);
    lists.close("s2", PLAIN);
    lists.send("a", "s3", &["3"]);
    assert_eq!(lists.close("s3", PLAIN), receipt(1, 1, 0));
    assert_eq!(lists.current(&["1", "2", "3", "4"]), ["2", "3", "4"]);
    lists.send("b", "s4", &["4"]);
    assert_eq!(lists.close("s4", PLAIN), receipt(1, 1, 0));
    assert_eq!(lists.current(&["1", "2", "3", "4"]), ["3", "4"]);
}

#[test]
fn an_older_submission_that_is_closed_later_withdraws_nothing_of_the_newer() {
    let mut lists = ListHistory::new();
    lists.send("a", "s0", &["0", "1"]);
    lists.close("s0", PLAIN);
    lists.send("a", "s1", &["1", "2"]);
    lists.send("a", "s2", &["1", "2", "3"]);
    assert_eq!(lists.close("s2", PLAIN), receipt(1, 0, 0));
    assert_eq!(lists.close("s1", SHRINK), receipt(0, 0, 0));
    assert_eq!(lists.current(&["0", "1", "2", "3"]), ["1", "2", "3"]);
    lists.send("a", "s3", &["3"]);
    assert_eq!(lists.close("s3", PLAIN), receipt(2, 0, 0));
}

#[test]
fn a_close_for_idleness_adds_to_the_list_and_withdraws_nothing() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2"]);
    lists.close("s1", PLAIN);
    lists.send("a", "s2", &["3"]);
    lists.close_with("s2", None, SHRINK);
    assert!(!lists.withdraw_some("s2", 9));
    assert_eq!(lists.current(&["1", "2", "3"]).len(), 3);
    // Opened again: what it sent before and after belongs to it.
    lists.send_batch("a", "s2", 2, &with_verdict(&["1"]));
    lists.close_with("s2", Some(2), PLAIN);
    while lists.withdraw_some("s2", 9) {}
    assert_eq!(lists.current(&["1", "2", "3"]), ["1", "3"]);
}

#[test]
fn nothing_is_withdrawn_while_something_was_rejected_or_unreadable() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2"]);
    lists.close("s1", PLAIN);
    lists.send("a", "s2", &["1"]);
    let unreadable = ShrinkPolicy { shrink: false, unreadable: 1 };
    assert_eq!(lists.close("s2", unreadable), receipt(0, 0, 1));
    // An item that contradicts an earlier one is rejected too, and blocks as well.
    let items = [("1", Malicious), ("3", Malicious), ("3", Suspicious)];
    let outcomes = lists.send_batch("a", "s3", 1, &items);
    let kept = Position::new(5, 0);
    assert_eq!(outcomes, Outcome::Applied(vec![Unchanged(kept), Created, VerdictConflict]));
    assert_eq!(lists.close("s3", PLAIN), receipt(0, 0, 1));
    assert_eq!(lists.current(&["1", "2", "3"]).len(), 3);
    // The next close that may, withdraws all that is left.
    lists.send("a", "s4", &["1"]);
    assert_eq!(lists.close("s4", PLAIN), receipt(2, 0, 0));
    lists.send("a", "s5", &["4"]);
    let confirmed = ShrinkPolicy { shrink: true, unreadable: 7 };
    assert_eq!(lists.close("s5", confirmed), receipt(1, 0, 0));
}

#[test]
fn a_close_that_withdraws_much_is_refused_until_it_is_confirmed() {
    let mut lists = ListHistory::new();
    let values: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    lists.send("a", "s1", &values);
    lists.close("s1", PLAIN);
    lists.send("b", "s2", &values[..2]);
    lists.close("s2", PLAIN);
    lists.send("a", "s3", &values[21..]);
    // 21 are missing, but two of them stay with the other list: 19 need no confirmation.
    assert_eq!(lists.close("s3", PLAIN), receipt(19, 2, 0));
    lists.send("a", "s4", &values);
    lists.close("s4", PLAIN);
    lists.send("a", "s5", &values[22..]);
    let list = ListName::from_stored("a");
    let refused = VoidReason::ListShrinks { list, would_withdraw: 20, size: 30 };
    assert_eq!(lists.close_with("s5", Some(1), PLAIN), Outcome::Void(refused));
    assert_eq!(lists.current(&values).len(), 30);
    assert_eq!(lists.close("s5", SHRINK), receipt(20, 2, 0));
    assert_eq!(lists.current(&values), [&values[..2], &values[22..]].concat());
}

#[test]
fn a_submission_that_shrinks_two_lists_with_the_same_values_needs_confirmation() {
    let mut lists = ListHistory::new();
    let all: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for (list, submission) in [("a", "s1"), ("b", "s2")] {
        lists.send(list, submission, &all);
        lists.close(submission, PLAIN);
    }
    lists.send_batch("a", "s3", 1, &with_verdict(&["0"]));
    lists.send_batch("b", "s3", 2, &with_verdict(&["0"]));
    let list = ListName::from_stored("a");
    let refused = VoidReason::ListShrinks { list, would_withdraw: 29, size: 30 };
    assert_eq!(lists.close_with("s3", Some(2), PLAIN), Outcome::Void(refused));
    assert_eq!(lists.current(&all).len(), 30);
}

#[test]
fn a_value_that_ended_otherwise_has_left_the_list() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2"]);
    lists.close("s1", PLAIN);
    lists.withdraw_by_hand("1");
    assert_eq!(lists.withdraw_by_hand("1"), Outcome::Applied(vec![NoCurrentVersion]));
    // Sent again outside of the list, it is no member: the next close leaves it.
    lists.send("", "s2", &["1"]);
    lists.send("a", "s3", &["3"]);
    assert_eq!(lists.close("s3", PLAIN), receipt(1, 0, 0));
    assert_eq!(lists.current(&["1", "2", "3"]), ["1", "3"]);
}

#[test]
fn a_value_that_its_author_withdrew_is_named_when_it_is_sent_again() {
    let mut lists = ListHistory::new();
    lists.send("", "s1", &["1", "2"]);
    assert!(
        matches!(lists.withdraw_by_hand("1"), Outcome::Applied(all) if matches!(all[..], [Ended(_)]))
    );
    let at = Timestamp::from_millis(lists.history.now);
    assert_eq!(lists.send("", "s2", &["1", "3"]), Outcome::Applied(vec![Recreated(at), Created]));
    let again = lists.send("", "s3", &["1"]);
    assert!(matches!(again, Outcome::Applied(all) if matches!(all[..], [Unchanged(_)])));
    // The operator withdrew it after a compromise: its author did not.
    let target = Target { id: id_of("2"), audience: everyone(), version: None };
    let targets = vec![target];
    let body = Body::Withdrawal(Withdrawal { partner: author(), targets, closed: None });
    lists.push(None, body);
    assert_eq!(lists.send("", "s4", &["2"]), Outcome::Applied(vec![Created]));
    // A list that lost it is its author's withdrawal.
    lists.send("a", "s5", &["4"]);
    lists.close("s5", PLAIN);
    lists.send("a", "s6", &[]);
    lists.close("s6", PLAIN);
    let recreated = lists.send("a", "s7", &["4"]);
    assert!(matches!(recreated, Outcome::Applied(all) if matches!(all[..], [Recreated(_)])));
}

#[test]
fn a_second_verdict_within_a_submission_is_rejected_and_the_first_stands() {
    let mut lists = ListHistory::new();
    lists.send("", "s0", &["1"]);
    // Unchanged by this submission, but said by it.
    lists.send("", "s1", &["1", "2"]);
    let second = [("1", Suspicious), ("2", Malicious), ("3", Suspicious)];
    let Outcome::Applied(outcomes) = lists.send_batch("", "s1", 2, &second) else {
        panic!("applied")
    };
    assert!(matches!(outcomes[..], [VerdictConflict, Unchanged(_), Created]));
    let view = lists.index.read().unwrap();
    let kept = view.current(id_of("1"), &author(), everyone()).unwrap().unwrap();
    assert_eq!(kept.assessment.verdict(), Malicious);
    drop(view);
    // Another submission may change it.
    let changed = lists.send_batch("", "s2", 1, &[("1", Suspicious)]);
    assert!(matches!(changed, Outcome::Applied(all) if matches!(all[..], [Replaced(_)])));
}
