//! Conformance tests of subscription stores: the same tests for every backend.

use std::fs;
use std::path::Path;

use super::*;
use crate::domain::assessment::{Confidence, Involvement, Verdict};
use crate::domain::cursor::{EpochId, FeedPosition, JournalEpoch, JournalTag};
use crate::domain::filter::Filter;
use crate::domain::label::Label;
use crate::domain::{CampaignId, Cursor, GroupId, Kind, Platform, Position, Timestamp};

/// Runs a body on every backend. `reopen` closes a store and opens it again.
fn on_every_backend(body: impl Fn(&mut dyn Backend)) {
    body(&mut MemoryCursors::new());
    let folder = tempfile::tempdir().unwrap();
    body(&mut OnDisk::open(&folder.path().join("cursors")));
}

trait Backend {
    fn store(&self) -> &dyn CursorStore;
    fn reopen(&mut self);

    fn names(&self) -> Vec<String> {
        let all = self.store().all().unwrap();
        all.iter().map(|one| format!("{}/{}", one.partner, one.name)).collect()
    }
}

impl Backend for MemoryCursors {
    fn store(&self) -> &dyn CursorStore {
        self
    }

    fn reopen(&mut self) {}
}

struct OnDisk {
    folder: PathBuf,
    open: Option<SledCursors>,
}

impl OnDisk {
    fn open(folder: &Path) -> Self {
        let open = Some(SledCursors::open(folder).unwrap());
        Self { folder: folder.to_owned(), open }
    }
}

impl Backend for OnDisk {
    fn store(&self) -> &dyn CursorStore {
        self.open.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.open = None;
        self.open = Some(SledCursors::open(&self.folder).unwrap());
    }
}

fn subscription(partner: &str, name: &str) -> Subscription {
    Subscription {
        partner: PartnerId::parse(partner).unwrap(),
        name: SubscriptionName::parse(name).unwrap(),
        filter: Filter::default(),
        cursor: at(FeedPosition::after_entry(7)),
        created: Timestamp::from_millis(1_000),
        acknowledged: None,
    }
}

fn at(place: FeedPosition) -> Cursor {
    let epoch = EpochId([5, 6, 7, 8, 9, 10, 11, 12]);
    Cursor { journal: JournalEpoch { journal: JournalTag([1, 2, 3, 4]), epoch }, position: place }
}

/// A filter with every field, the lists with so many values.
fn filter(values: usize) -> Filter {
    let texts = || (0..values).map(|number| format!("{}{number}", "v".repeat(50)));
    Filter {
        campaigns: vec![CampaignId::from_bytes([7; 16]), CampaignId::from_bytes([0; 16])],
        kinds: Kind::ALL.to_vec(),
        platforms: texts().map(Platform::from_stored).collect(),
        labels: texts().map(|text| Label::from_stored(&text)).collect(),
        groups: texts().map(|text| GroupId::from_stored(&text)).collect(),
        authors: texts().map(|text| PartnerId::from_stored(&text)).collect(),
        min_confidence: Some(Confidence::new(0).unwrap()),
        verdicts: vec![Verdict::NonMalicious, Verdict::Malicious],
        involvements: vec![Involvement::Victim],
    }
}

#[test]
fn what_was_created_is_there_after_a_restart_as_it_was_by_partner_and_name() {
    on_every_backend(|backend| {
        assert!(backend.store().all().unwrap().is_empty());
        let mut created = Vec::new();
        for (partner, name) in [("ab", "a"), ("ab", "a-b"), ("ab", "b"), ("ab-c", "a"), ("b0", "a")]
        {
            created.push(subscription(partner, name));
        }
        created[1].filter = filter(3);
        // Larger than one value.
        created[2].filter = filter(100);
        created[3].cursor = at(FeedPosition::in_expansion(9, Position::new(3, 2)));
        created[4].acknowledged = Some(Timestamp::from_millis(-5));
        for one in created.iter().rev() {
            backend.store().create(one).unwrap();
        }
        assert_eq!(backend.store().all().unwrap(), created);
        backend.reopen();
        assert_eq!(backend.store().all().unwrap(), created);
    });
}

#[test]
fn a_move_changes_where_a_subscription_stands_and_nothing_else() {
    on_every_backend(|backend| {
        let (mut one, other) = (subscription("birdsite", "one"), subscription("birdsite", "other"));
        one.filter = filter(40);
        backend.store().create(&one).unwrap();
        backend.store().create(&other).unwrap();
        let moved = Subscription {
            cursor: at(FeedPosition::in_expansion(12, Position::new(1, 0))),
            acknowledged: Some(Timestamp::from_millis(2_000)),
            filter: Filter::default(),
            ..one.clone()
        };
        backend.store().update(std::slice::from_ref(&moved)).unwrap();
        backend.reopen();
        let kept = Subscription { filter: one.filter, ..moved };
        assert_eq!(backend.store().all().unwrap(), [kept, other]);
    });
}

#[test]
fn many_moves_are_written_at_once() {
    on_every_backend(|backend| {
        let names = (0..450).map(|number| subscription("birdsite", &format!("s{number:03}")));
        let mut all: Vec<_> = names.collect();
        for one in &all {
            backend.store().create(one).unwrap();
        }
        for (number, one) in (0..).zip(&mut all) {
            one.cursor = at(FeedPosition::after_entry(number));
        }
        backend.store().update(&all).unwrap();
        backend.reopen();
        assert_eq!(backend.store().all().unwrap(), all);
    });
}

#[test]
fn what_was_deleted_is_gone_and_no_move_brings_it_back() {
    on_every_backend(|backend| {
        let (gone, stays) = (subscription("birdsite", "a"), subscription("birdsite", "ab"));
        backend.store().create(&gone).unwrap();
        backend.store().create(&stays).unwrap();
        for _ in 0..2 {
            backend.store().delete(&gone.partner, &gone.name).unwrap();
        }
        backend.store().update(std::slice::from_ref(&gone)).unwrap();
        backend.reopen();
        assert_eq!(backend.names(), ["birdsite/ab"]);
    });
}

#[test]
fn one_that_is_created_again_has_nothing_of_the_old() {
    on_every_backend(|backend| {
        let old = Subscription { filter: filter(100), ..subscription("birdsite", "a") };
        let new = Subscription { filter: filter(1), ..subscription("birdsite", "a") };
        backend.store().create(&old).unwrap();
        backend.store().create(&new).unwrap();
        backend.reopen();
        assert_eq!(backend.store().all().unwrap(), [new]);
    });
}

#[test]
fn no_value_is_larger_than_the_disk_is_safe_with() {
    let large = Subscription { filter: filter(1_000), ..subscription("birdsite", "a") };
    let parts = record::filter(&large).unwrap();
    assert!(parts.len() > 20, "{}", parts.len());
    assert!(parts.iter().all(|(_, value)| value.len() <= 8_192));
}

#[test]
fn damage_is_named_and_never_skipped_whichever_byte_it_is() {
    let one = Subscription { filter: filter(100), ..subscription("birdsite", "a") };
    let other = subscription("facegraph", "b");
    let pairs: Vec<_> = [&one, &other]
        .into_iter()
        .flat_map(|one| [record::state(one)].into_iter().chain(record::filter(one).unwrap()))
        .collect();
    assert_eq!(record::read(pairs.clone()).unwrap(), [one, other]);
    for (at, (key, value)) in pairs.iter().enumerate() {
        let damaged = |pair: Option<record::Pair>| {
            let mut pairs = pairs.clone();
            pairs.splice(at..=at, pair);
            record::read(pairs).unwrap_err()
        };
        let message = damaged(None);
        assert!(
            message.contains("is missing") || message.contains("parts of its filter"),
            "{message}"
        );
        for byte in (0..value.len()).step_by(97).chain(0..5) {
            let mut value = value.clone();
            value[byte] ^= 1;
            let message = damaged(Some((key.clone(), value)));
            assert!(message.starts_with("subscription `"), "{message}");
        }
        for byte in 0..key.len() {
            let mut key = key.clone();
            key[byte] ^= 1;
            damaged(Some((key, value.clone())));
        }
        damaged(Some((key.clone(), value[..value.len() - 1].to_vec())));
    }
}

#[test]
fn a_store_on_damaged_files_says_what_to_do_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledCursors::open(folder.path()).unwrap();
    let (one, other) = (subscription("birdsite", "a"), subscription("facegraph", "b"));
    store.create(&one).unwrap();
    store.create(&other).unwrap();
    store.spoil(&record::state(&one).0);
    drop(store);
    let store = SledCursors::open(folder.path()).unwrap();
    let message = store.all().unwrap_err().to_string();
    assert!(message.contains("`a` of partner `birdsite`"), "{message}");
    assert!(message.contains("restore the folder from a backup"), "{message}");
    drop(store);

    let file = folder.path().join("db");
    let half = fs::metadata(&file).unwrap().len() / 2;
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(half).unwrap();
    let error = SledCursors::open(folder.path()).map(|store| store.all());
    let (Err(error) | Ok(Err(error))) = error else { panic!("half a file is no store") };
    assert!(matches!(error, CursorError::Unreadable { .. }), "{error:?}");
}

#[test]
fn what_stands_in_for_an_unreadable_store_refuses_everything() {
    let one = subscription("birdsite", "a");
    let store = UnreadableCursors { folder: "data/cursors".into(), reason: "damaged".into() };
    let refused = [
        store.all().map(drop),
        store.create(&one),
        store.update(std::slice::from_ref(&one)),
        store.delete(&one.partner, &one.name),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(CursorError::Unreadable { .. })));
    }
}
