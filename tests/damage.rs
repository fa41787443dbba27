//! What the journal on disk promises besides: it opens again, it names what is damaged, it says what
//! it needs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/appends.rs"]
mod appends;

use std::sync::atomic::{AtomicU64, Ordering};

use appends::{batch, close, settings};
use tempfile::TempDir;
use tipoff::journal::database;
use tipoff::journal::{AppendError, Journal, JournalError, SledJournal, SledSettings};

fn reopen(folder: &TempDir) -> Result<SledJournal, JournalError> {
    SledJournal::open(settings(folder.path()))
}

fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let journal = reopen(&folder).unwrap();
    for number in 1..=20 {
        journal.append(&[batch(number, 100, 100)]).unwrap();
    }
    folder
}

#[test]
fn what_was_appended_is_there_when_it_is_opened_again_ids_and_times_included() {
    let folder = filled();
    let journal = reopen(&folder).unwrap();
    assert_eq!(journal.check().unwrap(), 20);
    let again = journal.append(&[batch(20, 100, 100)]).unwrap();
    assert_eq!((again[0].sequence, again[0].repeated), (20, true));
    let last = journal.read(20, 1).unwrap()[0].time;
    let next = journal.append(&[close(21)]).unwrap();
    assert_eq!(next[0].sequence, 21);
    assert!(next[0].time >= last, "the clock of this process began again");
}

#[test]
fn a_folder_that_another_holds_open_is_refused_by_name() {
    let folder = filled();
    let _open = reopen(&folder).unwrap();
    let refused = reopen(&folder).unwrap_err();
    assert!(matches!(refused, JournalError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    // Root may write anywhere, so the folder is made impossible: its parent is a file.
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let refused = SledJournal::open(settings(&folder.path().join("file"))).unwrap_err();
    assert!(matches!(refused, JournalError::NotWritable { .. }), "{refused}");
}

#[test]
fn too_little_room_is_refused_and_the_journal_goes_on_when_there_is_more() {
    static FREE: AtomicU64 = AtomicU64::new(1 << 20);
    let folder = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(SledSettings {
        min_free_bytes: 10 << 20,
        free_space: Some(|_| Ok(FREE.load(Ordering::Relaxed))),
        ..settings(folder.path())
    })
    .unwrap();
    let refused = journal.append(&[close(1)]).unwrap_err();
    assert!(matches!(refused, AppendError::Full { free_mb: 1, floor_mb: 10 }), "{refused}");
    FREE.store(11 << 20, Ordering::Relaxed);
    assert_eq!(journal.append(&[close(1)]).unwrap()[0].sequence, 1);
}

/// Changes the journal's values as only a fault could, through the database under it.
fn damage(folder: &TempDir, change: impl Fn(&sled::Db)) {
    let db = database::open(&folder.path().join("journal"), 1 << 20).unwrap();
    change(&db);
    db.flush().unwrap();
}

fn key(sequence: u64, chunk: u16) -> Vec<u8> {
    [&sequence.to_be_bytes()[..], &chunk.to_be_bytes()[..]].concat()
}

#[test]
fn a_flipped_byte_is_named_wherever_it_is_and_never_skipped() {
    for at in [0usize, 3, 5, 10, 40, 4_000] {
        let folder = filled();
        damage(&folder, |db| {
            let mut value = db.get(key(7, 1)).unwrap().unwrap().to_vec();
            let at = at % value.len();
            value[at] ^= 1;
            db.insert(key(7, 1), value).unwrap();
        });
        let error = reopen(&folder).and_then(|journal| journal.check().map(drop)).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { sequence: 7, .. }), "{at}: {error}");
        assert!(error.to_string().contains("entry 7"), "{error}");
    }
}

#[test]
fn a_missing_chunk_and_a_missing_entry_are_named() {
    let folder = filled();
    damage(&folder, |db| drop(db.remove(key(7, 1)).unwrap()));
    let error = reopen(&folder).and_then(|journal| journal.check().map(drop)).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { sequence: 7, .. }), "{error}");

    let folder = filled();
    damage(&folder, |db| {
        for chunk in 0..8 {
            db.remove(key(9, chunk)).unwrap();
        }
    });
    let error = reopen(&folder).and_then(|journal| journal.check().map(drop)).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { sequence: 9, .. }), "{error}");
}

#[test]
fn an_unacknowledged_entry_that_is_incomplete_at_the_end_is_cut_off() {
    let folder = filled();
    // The entry behind the last, as a crash between two batches of one write leaves it: its first
    // chunk says that there are more.
    damage(&folder, |db| {
        let first = db.get(key(20, 0)).unwrap().unwrap();
        let mut value = first.to_vec();
        let tag = crc32c::crc32c_append(crc32c::crc32c(&key(21, 0)), &value[5..]);
        value[1..5].copy_from_slice(&tag.to_be_bytes());
        db.insert(key(21, 0), value).unwrap();
    });
    let journal = reopen(&folder).unwrap();
    assert_eq!(journal.head(), 20);
    assert_eq!(journal.append(&[close(21)]).unwrap()[0].sequence, 21);
}

#[test]
fn acknowledged_entries_that_are_gone_from_the_end_are_missed() {
    let folder = filled();
    damage(&folder, |db| {
        for chunk in 0..8 {
            db.remove(key(20, chunk)).unwrap();
        }
    });
    let error = reopen(&folder).unwrap_err();
    let missed = matches!(error, JournalError::CutShort { found: 19, acknowledged: 20 });
    assert!(missed, "{error}");
}

#[test]
fn a_data_file_that_was_cut_or_flipped_is_refused_or_harmless_and_never_wrong() {
    let reference = reopen(&filled()).map(|journal| journal.read(1, 20).unwrap()).unwrap();
    for round in 0..12u64 {
        let folder = filled();
        let path = folder.path().join("journal/db");
        let mut bytes = std::fs::read(&path).unwrap();
        let at = usize::try_from(round * 7_919 * 31).unwrap() % bytes.len();
        if round % 3 == 0 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 0x10;
        }
        std::fs::write(&path, bytes).unwrap();
        let read =
            std::panic::catch_unwind(|| reopen(&folder).and_then(|journal| journal.read(1, 20)));
        match read.expect("a panic of the database is caught") {
            Ok(entries) => assert!(entries == reference, "round {round}: a wrong value"),
            Err(error) => assert!(error.to_string().contains("journal"), "{error}"),
        }
    }
}
