//! The contract of the journal: one body of tests, every backend.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/appends.rs"]
mod appends;
mod bodies;
#[path = "../support/bodies.rs"]
mod campaign_bodies;
#[path = "../support/nats.rs"]
mod nats;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use appends::{batch, close, settings, time};
use bodies::any_body;
use nats::Nats;
use proptest::prelude::*;
use tempfile::TempDir;
use tipoff::domain::entry::{AppendId, Body, Entry};
use tipoff::domain::{PartnerId, Timestamp};
use tipoff::journal::{
    Append, AppendError, AppendOutcome, Backend, Fault, JetStreamJournal, JetStreamSettings,
    Journal, JournalError, LocalSettings, Log, LogSettings, MAX_ENTRY_BYTES, MemoryJournal, Stamp,
    TimeSource, open,
};
use tokio::sync::watch;

/// What a journal lies in.
struct Home {
    folder: TempDir,
    /// The server of a journal in a stream.
    _nats: Option<Nats>,
}

/// An empty journal of every backend, and of JetStream with a copy in each.
fn journals(time: &TimeSource) -> Vec<(Arc<dyn Journal>, Home)> {
    let home = |nats| Home { folder: tempfile::tempdir().unwrap(), _nats: nats };
    let mut journals: Vec<(Arc<dyn Journal>, _)> =
        vec![(Arc::new(MemoryJournal::new(Arc::clone(time))), home(None))];
    for backend in Backend::ALL {
        let home = home(None);
        let settings = LocalSettings { time: Arc::clone(time), ..settings(home.folder.path()) };
        journals.push((open(backend, settings).unwrap(), home));
    }
    for copy in Backend::ALL {
        let nats = Nats::start();
        let folder = tempfile::tempdir().unwrap();
        let settings = LocalSettings { time: Arc::clone(time), ..settings(folder.path()) };
        let settings = JetStreamSettings { copy, ..nats.settings(settings) };
        let journal = JetStreamJournal::open(settings).unwrap();
        journals.push((Arc::new(journal), Home { folder, _nats: Some(nats) }));
    }
    journals
}

/// Runs a test on every backend.
fn on_every_backend(test: impl Fn(&dyn Journal)) {
    for (journal, _home) in journals(&time()) {
        test(&*journal);
    }
}

/// Appends an entry that every backend accepts.
fn append(journal: &dyn Journal, batch: &[Append]) -> Vec<Stamp> {
    journal.append(batch).into_iter().map(Result::unwrap).collect()
}

fn sequences(journal: &dyn Journal, from: u64, most: usize) -> Vec<u64> {
    journal.read(from, most).unwrap().iter().map(|entry| entry.sequence).collect()
}

#[test]
fn entries_are_read_in_order_without_a_gap_as_they_were_appended() {
    on_every_backend(|journal| {
        assert_eq!((journal.head(), journal.oldest()), (0, 1));
        assert!(journal.read(1, 10).unwrap().is_empty());
        append(journal, &[close(1), close(2)]);
        let stamps = append(journal, &[batch(3, 500, 20), close(4)]);
        assert_eq!(stamps.iter().map(|s| s.sequence).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(sequences(journal, 1, 10), [1, 2, 3, 4]);
        assert_eq!(sequences(journal, 2, 2), [2, 3]);
        assert!(sequences(journal, 5, 2).is_empty());
        let entry = journal.read(3, 1).unwrap().remove(0);
        let Body::SubmissionBatch(read) = &entry.body else { panic!("{entry:?}") };
        assert_eq!(read.items.len(), 500);
        assert_eq!(journal.check().unwrap(), 4);
    });
}

#[test]
fn times_never_go_back_though_the_clock_does() {
    let clock = Arc::new(AtomicI64::new(5_000));
    let source = {
        let clock = Arc::clone(&clock);
        Arc::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed)))
    };
    for (journal, _home) in journals(&(source as TimeSource)) {
        let journal = &*journal;
        clock.store(5_000, Ordering::Relaxed);
        append(journal, &[close(1)]);
        clock.store(4_000, Ordering::Relaxed);
        append(journal, &[close(2)]);
        let times: Vec<_> =
            journal.read(1, 9).unwrap().iter().map(|e| e.time.as_millis()).collect();
        assert_eq!(times, [5_000, 5_000]);
    }
}

#[test]
fn an_id_is_stored_once_and_answered_with_its_first_position() {
    on_every_backend(|journal| {
        append(journal, &[close(1)]);
        let stamps = append(journal, &[close(1), close(2), close(2)]);
        let placed: Vec<_> = stamps.iter().map(|s| (s.sequence, s.repeated)).collect();
        assert_eq!(placed, [(1, true), (2, false), (2, true)]);
        assert_eq!(sequences(journal, 1, 9), [1, 2]);
    });
}

#[test]
fn a_large_entry_comes_back_whole() {
    on_every_backend(|journal| {
        let large = batch(1, 1_000, 900);
        assert!(large.encoded().len() > 900_000);
        append(journal, &[large, close(2)]);
        let entries = journal.read(1, 9).unwrap();
        let Body::SubmissionBatch(read) = &entries[0].body else { panic!() };
        assert_eq!(read.items.len(), 1_000);
        assert_eq!(entries[1].sequence, 2);
    });
}

#[test]
fn trimming_removes_what_is_old_and_never_the_newest() {
    on_every_backend(|journal| {
        for number in 1..=300 {
            append(journal, &[close(number)]);
        }
        journal.trim(251).unwrap();
        assert_eq!((journal.oldest(), journal.head()), (251, 300));
        assert_eq!(sequences(journal, 251, 2), [251, 252]);
        let refused = journal.read(250, 1).unwrap_err();
        assert!(matches!(refused, JournalError::Trimmed { asked: 250, oldest: 251 }), "{refused}");
        journal.trim(1_000).unwrap();
        assert_eq!((journal.oldest(), journal.head()), (300, 300));
        let stamps = append(journal, &[close(301)]);
        assert_eq!(stamps[0].sequence, 301);
    });
}

#[test]
fn each_append_of_a_batch_has_an_outcome_of_its_own() {
    on_every_backend(|journal| {
        let too_large = batch(2, 1_000, MAX_ENTRY_BYTES / 1_000);
        let outcomes = journal.append(&[close(1), too_large, close(1), close(3)]);
        let stored: Vec<_> = outcomes
            .iter()
            .map(|outcome| outcome.as_ref().ok().map(|stamp| stamp.sequence))
            .collect();
        assert_eq!(stored, [Some(1), None, Some(1), Some(2)]);
        assert!(
            matches!(outcomes[1], Err(AppendError::TooLarge { bytes }) if bytes > MAX_ENTRY_BYTES)
        );
        assert_eq!(sequences(journal, 1, 9), [1, 2]);
    });
}

#[test]
fn the_largest_entry_is_stored_between_others() {
    let with_note = |bytes: usize| batch(7, 1, bytes);
    let overhead = with_note(3_000_000).encoded().len() - 3_000_000;
    let largest = with_note(MAX_ENTRY_BYTES - overhead);
    assert_eq!(largest.encoded().len(), MAX_ENTRY_BYTES);
    let larger = with_note(MAX_ENTRY_BYTES - overhead + 1);
    on_every_backend(|journal| {
        assert!(matches!(
            journal.append(std::slice::from_ref(&larger))[0],
            Err(AppendError::TooLarge { .. })
        ));
        append(journal, &[close(1), largest.clone(), close(2)]);
        let entries: Vec<_> = (1..=3).map(|at| journal.read(at, 1).unwrap().remove(0)).collect();
        assert_eq!(entries[1].id, largest.id());
        let Body::SubmissionBatch(read) = &entries[1].body else { panic!() };
        assert_eq!(
            read.items[0].assessment.note.as_ref().map(|note| note.len()),
            Some(MAX_ENTRY_BYTES - overhead)
        );
        assert_eq!(journal.check().unwrap(), 3);
    });
}

#[test]
fn the_head_can_be_followed_whoever_moves_it() {
    on_every_backend(|journal| {
        let mut head = journal.watch();
        assert_eq!(*head.borrow_and_update(), 0);
        append(journal, &[close(1), close(2)]);
        assert!(head.has_changed().unwrap());
        assert_eq!(*head.borrow_and_update(), 2);
        append(journal, &[close(1)]);
        assert!(!head.has_changed().unwrap(), "a repeated append stores nothing");
        let mut next = journal.read(2, 1).unwrap();
        next[0].sequence = 3;
        journal.put(&next).unwrap();
        assert_eq!(*head.borrow_and_update(), 3);
    });
}

#[test]
fn entries_that_have_their_stamps_are_put_from_any_first_sequence() {
    let source = MemoryJournal::new(time());
    for number in 1..=40 {
        source.append(&[close(number), batch(number, 30, 400)])[0].as_ref().unwrap();
    }
    let entries = source.read(31, 50).unwrap();
    on_every_backend(|journal| {
        for some in entries.chunks(7) {
            journal.put(some).unwrap();
        }
        assert_eq!((journal.oldest(), journal.head()), (31, 80));
        assert_eq!(journal.read(31, 50).unwrap(), entries);
        for (first, second) in [(80, 81), (82, 83)] {
            let mut again = entries[..2].to_vec();
            (again[0].sequence, again[1].sequence) = (first, second);
            let refused = journal.put(&again).unwrap_err();
            assert!(matches!(refused, JournalError::OutOfOrder { expected: 81, .. }), "{refused}");
        }
        let mut with_a_gap = entries[..2].to_vec();
        (with_a_gap[0].sequence, with_a_gap[1].sequence) = (81, 83);
        assert!(journal.put(&with_a_gap).is_err());
        assert_eq!(journal.head(), 80, "nothing of it is stored");
        let known = append(journal, &[close(40)]);
        assert_eq!((known[0].sequence, known[0].repeated), (79, true), "ids are kept");
        assert_eq!(append(journal, &[close(41)])[0].sequence, 81);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_shows_what_another_node_appended() {
    for (journal, _home) in journals(&time()) {
        let log = Log::start(Arc::clone(&journal), LogSettings::default()).unwrap();
        log.append(close(1)).await.unwrap();
        append(&*journal, &[close(2)]);
        let mut head = log.watch();
        tokio::time::timeout(Duration::from_secs(10), head.wait_for(|head| *head == 2))
            .await
            .expect("the head moves")
            .unwrap();
        assert_eq!(log.append(close(3)).await.unwrap().sequence, 3);
        let read = log.read(1, 9).await.unwrap();
        assert_eq!(read.iter().map(|logged| logged.entry.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    }
}

#[test]
fn after_an_unknown_append_the_same_one_is_stored_once() {
    let memory = MemoryJournal::new(time());
    let journal: &dyn Journal = &memory;
    for fault in [Fault::Rejected, Fault::Lost, Fault::StoredButUnanswered] {
        memory.inject(fault);
        let number = fault as u64 + 10;
        assert!(journal.append(&[close(number)])[0].is_err());
        append(journal, &[close(number)]);
    }
    assert_eq!(sequences(journal, 1, 9), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_answers_every_append_and_its_readers_see_what_it_answered() {
    for (journal, _home) in journals(&time()) {
        // A tail of a few entries, so that reads come from memory and from disk.
        let log_settings = LogSettings { queue: 8, tail_bytes: 2_000, ..LogSettings::default() };
        let log = Arc::new(Log::start(journal, log_settings).unwrap());
        let tasks: Vec<_> = (0..16u64)
            .map(|task| {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    for number in 0..25 {
                        let sequence =
                            log.append(close(task * 25 + number)).await.unwrap().sequence;
                        assert!(log.head() >= sequence);
                        assert_eq!(
                            log.read(sequence, 1).await.unwrap()[0].entry.sequence,
                            sequence
                        );
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(log.head(), 400);
        let mut next = 1;
        while next <= 400 {
            for logged in log.read(next, 7).await.unwrap() {
                assert_eq!(logged.entry.sequence, next);
                next += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_has_no_gap_after_an_append_with_an_unknown_outcome() {
    let journal = Arc::new(MemoryJournal::new(time()));
    let log = Log::start(Arc::clone(&journal) as Arc<dyn Journal>, LogSettings::default()).unwrap();
    log.append(close(1)).await.unwrap();
    journal.inject(Fault::StoredButUnanswered);
    assert!(matches!(log.append(close(2)).await, Err(AppendError::Unknown(_))));
    assert_eq!(log.append(close(3)).await.unwrap().sequence, 3);
    let read: Vec<_> = log.read(1, 9).await.unwrap().iter().map(|l| l.entry.sequence).collect();
    let rest: Vec<_> = log.read(2, 9).await.unwrap().iter().map(|l| l.entry.sequence).collect();
    assert_eq!((read.first(), rest), (Some(&1), vec![2, 3]));
    let again = log.append(close(2)).await.unwrap();
    assert_eq!((again.sequence, again.repeated), (2, true), "it is the one that was stored");
}

/// A journal with a failed disk and a damaged first entry.
#[derive(Debug)]
struct BrokenJournal;

impl Journal for BrokenJournal {
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        batch.iter().map(|_| Err(AppendError::Unknown("the disk failed".into()))).collect()
    }

    fn put(&self, _: &[Entry]) -> Result<(), JournalError> {
        Err(JournalError::Storage("the disk failed".into()))
    }

    fn read(&self, from: u64, _: usize) -> Result<Vec<Entry>, JournalError> {
        Err(JournalError::Damaged { sequence: from, reason: "its checksum does not hold".into() })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        watch::Sender::new(1).subscribe()
    }

    fn oldest(&self) -> u64 {
        1
    }

    fn trim(&self, _: u64) -> Result<(), JournalError> {
        Ok(())
    }

    fn has_failed(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_says_when_its_journal_cannot_go_on() {
    let log = Log::start(Arc::new(BrokenJournal), LogSettings::default()).unwrap();
    assert!(matches!(log.append(close(1)).await, Err(AppendError::Unknown(_))));
    assert!(log.broken().await.contains("the disk failed"));
    assert!(matches!(log.append(close(2)).await, Err(AppendError::Unknown(_))));

    let log = Log::start(Arc::new(BrokenJournal), LogSettings::default()).unwrap();
    assert!(log.read(1, 1).await.is_err());
    assert!(log.broken().await.contains("entry 1 of the journal is damaged"));
}

proptest! {
    #[test]
    fn every_entry_comes_back_as_it_was(body in any_body(), named in any::<bool>()) {
        let journal = MemoryJournal::new(time());
        let author = named.then(|| PartnerId::from_stored("birdsite"));
        let append = Append::new(AppendId::derive(&[b"x"]), author.clone(), body.clone());
        journal.append(&[append])[0].as_ref().unwrap();
        let entry = journal.read(1, 1).unwrap().remove(0);
        prop_assert_eq!((entry.author, entry.body), (author, body));
    }
}
