//! Who holds a subscription, and where it stands.

use std::sync::Arc;

use futures_util::FutureExt;

use super::table::Table;
use super::*;
use crate::domain::cursor::{EpochId, FeedPosition, JournalEpoch};
use crate::domain::filter::Filter;
use crate::domain::{Kind as IndicatorKind, Timestamp};
use crate::journal::UnreadableCursors;

const NOW: Timestamp = Timestamp::from_millis(5_000);

fn subscription(partner: &str, name: &str) -> Subscription {
    Subscription {
        partner: PartnerId::parse(partner).unwrap(),
        name: SubscriptionName::parse(name).unwrap(),
        filter: Filter::default(),
        cursor: at(5),
        created: Timestamp::from_millis(1_000),
        acknowledged: None,
    }
}

fn at(sequence: u64) -> Cursor {
    in_epoch(1, sequence)
}

fn in_epoch(epoch: u8, sequence: u64) -> Cursor {
    let journal = JournalEpoch { epoch: EpochId([epoch; 8]), ..JournalEpoch::default() };
    Cursor { journal, position: FeedPosition::after_entry(sequence) }
}

fn connected(table: &Table, of: &Subscription) -> bool {
    table.of_partner(&of.partner).iter().any(|(one, held)| one.name == of.name && *held)
}

#[test]
fn the_newest_reader_holds_a_subscription_and_the_older_is_told() {
    let one = subscription("birdsite", "a");
    let table = Arc::new(Table::of(vec![one.clone(), subscription("birdsite", "b")]));
    assert!(!connected(&table, &one));
    let older = table.hold(&one).unwrap();
    assert!(older.lost().now_or_never().is_none());
    let newer = table.hold(&one).unwrap();
    let lost = older.lost().now_or_never().unwrap();
    assert_eq!((lost.kind(), lost.label()), (Kind::Aborted, "taken_over"));
    assert!(newer.lost().now_or_never().is_none());
    drop(older);
    assert!(connected(&table, &one), "what the older lets go of is no longer its own");
    drop(newer);
    assert!(!connected(&table, &one));
}

#[test]
fn the_reader_of_a_deleted_subscription_is_told() {
    let one = subscription("birdsite", "a");
    let table = Arc::new(Table::of(vec![one.clone()]));
    let hold = table.hold(&one).unwrap();
    table.remove(&one.partner, &one.name);
    let lost = hold.lost().now_or_never().unwrap();
    assert_eq!((lost.kind(), lost.label()), (Kind::Aborted, "subscription_deleted"));
    assert!(table.hold(&one).is_none());
    table.insert(one.clone());
    drop(hold);
    let again = table.hold(&one).unwrap();
    assert!(again.lost().now_or_never().is_none());
}

#[test]
fn a_reader_does_not_hold_what_was_made_anew_since_it_looked() {
    let seen = subscription("birdsite", "a");
    let filter = Filter { kinds: vec![IndicatorKind::Ip], ..Filter::default() };
    let created = Timestamp::from_millis(1_001);
    for anew in [Subscription { filter, ..seen.clone() }, Subscription { created, ..seen.clone() }]
    {
        let table = Arc::new(Table::of(vec![anew.clone()]));
        assert!(table.hold(&seen).is_none());
        assert!(table.hold(&anew).is_some());
    }
}

#[test]
fn an_acknowledgement_moves_forward_and_never_back_and_is_written_once() {
    let one = subscription("birdsite", "a");
    let table = Table::of(vec![one.clone(), subscription("facegraph", "a")]);
    let acknowledge = |cursor| table.acknowledge(&one.partner, &one.name, cursor, NOW, |_| true);
    assert!(table.take_moved().is_empty());
    assert_eq!(acknowledge(at(4)), Some(at(5)));
    assert!(table.take_moved().is_empty(), "an older cursor changes nothing");
    assert_eq!(acknowledge(at(9)), Some(at(9)));
    assert_eq!(acknowledge(at(7)), Some(at(9)));
    let moved = table.take_moved();
    assert_eq!(moved.len(), 1);
    assert_eq!((moved[0].cursor, moved[0].acknowledged), (at(9), Some(NOW)));
    assert!(table.take_moved().is_empty());
    let unknown = "b".parse().unwrap();
    assert_eq!(table.acknowledge(&one.partner, &unknown, at(9), NOW, |_| true), None);
}

#[test]
fn a_cursor_of_the_journal_that_is_there_takes_the_place_of_one_that_is_gone() {
    let one = subscription("birdsite", "a");
    let table = Table::of(vec![one.clone()]);
    let acknowledge = |cursor: Cursor, here: &[u8]| {
        let stands_here = |stands: Cursor| here.contains(&stands.journal.epoch.0[0]);
        table.acknowledge(&one.partner, &one.name, cursor, NOW, stands_here)
    };
    // The journal was put back from a copy older than the first epoch.
    let restored = in_epoch(2, 3);
    assert_eq!(acknowledge(restored, &[2]), Some(restored));
    // An epoch that ended is still the journal's, and a place in it is no way forward.
    let newer = in_epoch(3, 9);
    assert_eq!(acknowledge(newer, &[2, 3]), Some(newer));
    assert_eq!(acknowledge(restored, &[2, 3]), Some(newer));
}

#[test]
fn an_unreadable_store_is_never_taken_for_an_empty_one() {
    let store = UnreadableCursors { folder: "data/cursors".into(), reason: "damaged".into() };
    let subscriptions = Subscriptions::of(Arc::new(store));
    let refused = subscriptions.check_readable().unwrap_err();
    assert_eq!(refused.label(), "subscriptions_unreadable");
}
