//! Holds and cursors of subscriptions.

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

fn is_held(table: &Table, subscription: &Subscription) -> bool {
    let states = table.of_partner(&subscription.partner);
    states.iter().any(|(stored, is_held)| stored.name == subscription.name && *is_held)
}

#[test]
fn the_newest_reader_takes_over_and_the_older_is_notified() {
    let stored = subscription("birdsite", "a");
    let table = Arc::new(Table::new(vec![stored.clone(), subscription("birdsite", "b")]));
    assert!(!is_held(&table, &stored));
    let older = table.acquire_lease(&stored).unwrap();
    assert!(older.lost().now_or_never().is_none());
    let newer = table.acquire_lease(&stored).unwrap();
    let lost = older.lost().now_or_never().unwrap();
    assert_eq!((lost.kind(), lost.label()), (Kind::Aborted, "taken_over"));
    assert!(newer.lost().now_or_never().is_none());
    drop(older);
    assert!(is_held(&table, &stored), "dropping the older hold does not release the newer one");
    drop(newer);
    assert!(!is_held(&table, &stored));
}

#[test]
fn the_reader_of_a_deleted_subscription_is_notified() {
    let stored = subscription("birdsite", "a");
    let table = Arc::new(Table::new(vec![stored.clone()]));
    let hold = table.acquire_lease(&stored).unwrap();
    table.remove(&stored.partner, &stored.name);
    let lost = hold.lost().now_or_never().unwrap();
    assert_eq!((lost.kind(), lost.label()), (Kind::Aborted, "subscription_deleted"));
    assert!(table.acquire_lease(&stored).is_none());
    table.insert(stored.clone());
    drop(hold);
    let again = table.acquire_lease(&stored).unwrap();
    assert!(again.lost().now_or_never().is_none());
}

#[test]
fn a_reader_cannot_hold_a_subscription_that_was_created_again_since_it_was_read() {
    let read = subscription("birdsite", "a");
    let filter = Filter { kinds: vec![IndicatorKind::Ip], ..Filter::default() };
    let created = Timestamp::from_millis(1_001);
    for recreated in
        [Subscription { filter, ..read.clone() }, Subscription { created, ..read.clone() }]
    {
        let table = Arc::new(Table::new(vec![recreated.clone()]));
        assert!(table.acquire_lease(&read).is_none());
        assert!(table.acquire_lease(&recreated).is_some());
    }
}

#[test]
fn an_acknowledgement_moves_forward_and_never_back_and_is_written_once() {
    let stored = subscription("birdsite", "a");
    let table = Table::new(vec![stored.clone(), subscription("facegraph", "a")]);
    let acknowledge =
        |cursor| table.acknowledge(&stored.partner, &stored.name, cursor, NOW, |_| true);
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
    assert_eq!(table.acknowledge(&stored.partner, &unknown, at(9), NOW, |_| true), None);
}

#[test]
fn a_cursor_of_the_current_journal_replaces_one_of_a_lost_epoch() {
    let stored = subscription("birdsite", "a");
    let table = Table::new(vec![stored.clone()]);
    let acknowledge = |cursor: Cursor, epochs: &[u8]| {
        let is_in_journal = |cursor: Cursor| epochs.contains(&cursor.journal.epoch.0[0]);
        table.acknowledge(&stored.partner, &stored.name, cursor, NOW, is_in_journal)
    };
    // The journal was restored from a copy that is older than the first epoch.
    let restored = in_epoch(2, 3);
    assert_eq!(acknowledge(restored, &[2]), Some(restored));
    // An earlier epoch still belongs to the journal, so an older position in it does not move the cursor.
    let newer = in_epoch(3, 9);
    assert_eq!(acknowledge(newer, &[2, 3]), Some(newer));
    assert_eq!(acknowledge(restored, &[2, 3]), Some(newer));
}

#[test]
fn an_unreadable_store_is_not_treated_as_empty() {
    let store = UnreadableCursors { folder: "data/cursors".into(), reason: "damaged".into() };
    let subscriptions = Subscriptions::load(Arc::new(store));
    let refused = subscriptions.check_readable().unwrap_err();
    assert_eq!(refused.label(), "subscriptions_unreadable");
}
