//! Withdrawals of a close, with other requests between them.

use super::*;

#[test]
fn what_is_sent_again_before_its_withdrawal_is_written_stays() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1", "2", "3"]);
    lists.close("s1", PLAIN);
    lists.send("a", "s2", &["4"]);
    lists.close_with("s2", Some(1), PLAIN);
    // The node stops here. Meanwhile two values are sent again, and one is withdrawn by hand.
    lists.send("a", "s3", &["1"]);
    lists.send("b", "s4", &["2"]);
    lists.withdraw_by_hand("3");
    while lists.withdraw_some("s2", 1) {}
    assert_eq!(lists.receipt("s2"), receipt(0, 1, 0));
    assert_eq!(lists.current(&["1", "2", "3", "4"]), ["1", "2", "4"]);
    assert_eq!(lists.index.read().unwrap().incomplete_list_closes(None, 9).unwrap(), []);
}

#[test]
fn a_close_of_two_lists_ends_though_a_value_left_one_of_them_before_its_entry() {
    let mut lists = ListHistory::new();
    let names: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    let mut values: Vec<&str> = names.iter().map(String::as_str).collect();
    // The entries have the values in this order.
    values.sort_by_key(|value| id_of(value));
    for (list, submission, values) in [("a", "s1", &values[3..]), ("b", "s2", &values[..])] {
        lists.send(list, submission, values);
        lists.close(submission, PLAIN);
    }
    lists.send_batch("a", "s3", 1, &with_verdict(&["new"]));
    lists.send_batch("b", "s3", 2, &with_verdict(&["new"]));
    lists.close_with("s3", Some(2), PLAIN);
    // The values of the entry are read. Before it is written, the last of them is sent again in one of the lists.
    let withdrawal = lists.next_withdrawal("s3", 6).unwrap();
    lists.send("a", "s4", &values[8..]);
    lists.push(None, Body::Withdrawal(withdrawal));
    for _ in 0..20 {
        lists.withdraw_some("s3", 1);
    }
    assert_eq!(lists.current(&values), values[8..]);
    assert_eq!(lists.index.read().unwrap().incomplete_list_closes(None, 9).unwrap(), []);
}

#[test]
fn a_stale_entry_of_a_close_withdraws_nothing() {
    let mut lists = ListHistory::new();
    lists.send("a", "s1", &["1"]);
    lists.close("s1", PLAIN);
    let closed = ClosedSubmission { submission: SubmissionId::from_stored("s1"), close: 999 };
    let targets = vec![Target { id: id_of("1"), audience: everyone(), version: None }];
    let body = Withdrawal { partner: author(), targets, closed: Some(closed.clone()) };
    let stale = lists.push(None, Body::Withdrawal(body.clone()));
    assert_eq!(stale, Outcome::Void(VoidReason::AlreadyApplied));
    let close = lists.history.entries.len() as u64 - 1;
    let closed = ClosedSubmission { close, ..closed };
    let nothing_pending = Withdrawal { closed: Some(closed), ..body };
    let outcome = lists.push(None, Body::Withdrawal(nothing_pending));
    assert_eq!(outcome, Outcome::Applied(vec![NoCurrentVersion]));
    assert_eq!(lists.current(&["1"]), ["1"]);
}
