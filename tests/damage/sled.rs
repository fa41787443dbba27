//! Damage to a journal in sled is either detected or harmless. A read never returns wrong data.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tipoff::domain::Entry;
use tipoff::journal::{Journal, JournalError, OpenError, SledJournal, database};

use crate::append;
use crate::appends::{batch, close, settings};
use crate::disk::copy;

const ENTRIES: u64 = 20;

fn reopen(folder: &Path) -> Result<SledJournal, OpenError> {
    SledJournal::open(settings(folder))
}

fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let journal = reopen(folder.path()).unwrap();
    for number in 1..=ENTRIES {
        append(&journal, &[batch(number, 100, 100)]);
    }
    folder
}

/// The files of the database. The lock and the mark belong to the journal.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.join("journal")).unwrap().map(|file| file.unwrap().path());
    let is_sled =
        |path: &PathBuf| path.is_file() && !path.ends_with("lock") && !path.ends_with("mark");
    files.filter(is_sled).collect()
}

/// Opens a damaged copy. Detected: it does not open, or a read fails. Harmless: all entries are
/// unchanged.
fn is_detected(folder: &Path, whole: &[Entry], what: &str) -> bool {
    let Ok(journal) = reopen(folder) else { return true };
    assert_eq!(journal.head(), ENTRIES, "{what}: entries are missing from the end, and it opened");
    let mut next = 1;
    while next <= ENTRIES {
        match journal.read(next, 7) {
            Ok(read) => {
                assert_eq!(
                    read,
                    whole[usize::try_from(next).unwrap() - 1..][..read.len()],
                    "{what}"
                );
                next += read.len() as u64;
            }
            Err(_) => return true,
        }
    }
    false
}

#[test]
fn damage_is_found_or_harmless_and_never_read_as_something_else() {
    let folder = filled();
    let whole = reopen(folder.path()).unwrap().read(1, 99).unwrap();
    assert_eq!(whole.len() as u64, ENTRIES);
    let (mut found, mut harmless) = (0, 0);
    let names: Vec<_> =
        files(folder.path()).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        let length = fs::metadata(folder.path().join("journal").join(&name)).unwrap().len();
        let length = usize::try_from(length).unwrap();
        let step = (length / 25).max(1);
        for at in (0..length).step_by(step) {
            for cuts in [false, true] {
                let damaged = tempfile::tempdir().unwrap();
                copy(folder.path(), damaged.path());
                let path = damaged.path().join("journal").join(&name);
                let mut bytes = fs::read(&path).unwrap();
                if cuts {
                    bytes.truncate(at);
                } else {
                    bytes[at] ^= 0x10;
                }
                fs::write(&path, bytes).unwrap();
                let what = format!("{} at {at} {cuts}", name.display());
                if is_detected(damaged.path(), &whole, &what) { found += 1 } else { harmless += 1 }
            }
        }
    }
    assert!(found > 30, "{found} found, {harmless} harmless");
}

#[test]
fn a_missing_database_is_detected() {
    let folder = filled();
    fs::remove_file(folder.path().join("journal/db")).unwrap();
    let error = error_of(folder.path());
    assert!(matches!(error, JournalError::CutShort { found: 0, acknowledged: ENTRIES }), "{error}");
}

/// Changes values of the database of a closed journal.
fn change(folder: &Path, change: impl FnOnce(&sled::Db)) {
    let db = database::open(&folder.join("journal"), 1 << 20).unwrap();
    change(&db);
    db.flush().unwrap();
}

fn error_of(folder: &Path) -> JournalError {
    match reopen(folder).and_then(|journal| Ok(journal.check()?)) {
        Err(OpenError::Journal(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_changed_value_is_named_by_its_entry() {
    let folder = filled();
    for sequence in [1u64, 7, ENTRIES] {
        let copied = tempfile::tempdir().unwrap();
        copy(folder.path(), copied.path());
        change(copied.path(), |db| {
            let (key, value) = db.get_gt(sequence.to_be_bytes()).unwrap().unwrap();
            let mut value = value.to_vec();
            value[100] ^= 1;
            db.insert(key, value).unwrap();
        });
        let error = error_of(copied.path());
        assert!(
            matches!(error, JournalError::Damaged { sequence: named, .. } if named == sequence),
            "{error}"
        );
    }
}

#[test]
fn a_missing_entry_is_named_and_never_skipped() {
    let folder = filled();
    for sequence in 1..ENTRIES {
        let copied = tempfile::tempdir().unwrap();
        copy(folder.path(), copied.path());
        change(copied.path(), |db| {
            for key in db.scan_prefix(sequence.to_be_bytes()).keys() {
                db.remove(key.unwrap()).unwrap();
            }
        });
        let error = error_of(copied.path());
        assert!(
            matches!(error, JournalError::Damaged { sequence: named, .. } if named == sequence),
            "{error}"
        );
    }
}

#[test]
fn acknowledged_entries_that_are_missing_from_the_end_are_detected() {
    let folder = filled();
    change(folder.path(), |db| {
        for key in db.range((ENTRIES - 1).to_be_bytes()..).keys() {
            db.remove(key.unwrap()).unwrap();
        }
    });
    let error = error_of(folder.path());
    assert!(matches!(error, JournalError::CutShort { found: 18, acknowledged: 20 }), "{error}");
}

#[test]
fn an_unacknowledged_entry_that_is_incomplete_at_the_end_is_removed_and_stays_gone() {
    let folder = filled();
    let (key, value) = {
        // The state after a crash between two batches of one write: the last part is missing.
        let other = tempfile::tempdir().unwrap();
        let journal = reopen(other.path()).unwrap();
        for number in 1..=ENTRIES {
            append(&journal, &[close(number)]);
        }
        append(&journal, &[batch(21, 100, 100)]);
        drop(journal);
        let db = database::open(&other.path().join("journal"), 1 << 20).unwrap();
        db.get_gt(21u64.to_be_bytes()).unwrap().unwrap()
    };
    change(folder.path(), |db| drop(db.insert(key, value).unwrap()));
    for _ in 0..2 {
        let journal = reopen(folder.path()).unwrap();
        assert_eq!((journal.head(), journal.check().unwrap()), (ENTRIES, ENTRIES));
    }
    let journal = reopen(folder.path()).unwrap();
    assert_eq!(append(&journal, &[close(99)])[0].sequence, 21);
}

#[test]
fn an_acknowledged_entry_that_is_incomplete_is_named_and_stays() {
    let folder = filled();
    change(folder.path(), |db| {
        let (last, _) = db.last().unwrap().unwrap();
        db.remove(last).unwrap();
    });
    for _ in 0..2 {
        let error = error_of(folder.path());
        assert!(matches!(error, JournalError::Damaged { sequence: ENTRIES, .. }), "{error}");
    }
}
