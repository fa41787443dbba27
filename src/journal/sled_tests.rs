use std::sync::Arc;

use super::super::chunk::tests::split;
use super::super::{Append, FileJournal, FileSettings, Journal};
use super::*;
use crate::domain::entry::{Body, Close, SubmissionId};
use crate::domain::{Entry, PartnerId, Timestamp};

fn append(number: u64) -> Append {
    let body = Body::SubmissionClosed(Close {
        partner: PartnerId::from_stored("birdsite"),
        // Every third in several chunks.
        submission: SubmissionId::from_stored(&"s".repeat(if number.is_multiple_of(3) {
            20_000
        } else {
            9
        })),
        batches: None,
    });
    Append::new(AppendId::derive(&[&number.to_be_bytes()]), None, body)
}

fn stamp(sequence: u64) -> Stamp {
    let time = Timestamp::from_millis(i64::try_from(sequence).unwrap() * 10);
    Stamp { sequence, time, repeated: false }
}

/// A journal of sled's with these entries; of the last only so many chunks, where that is said.
fn make(folder: &Path, sequences: std::ops::RangeInclusive<u64>, chunks_of_last: Option<usize>) {
    let db = database::open(folder, 1 << 20).unwrap();
    let end = *sequences.end();
    for sequence in sequences {
        let chunks = split(&append(sequence), stamp(sequence));
        let most = chunks_of_last.filter(|_| sequence == end).unwrap_or(chunks.len());
        for (key, value) in chunks.into_iter().take(most) {
            db.insert(key, value).unwrap();
        }
    }
    db.flush().unwrap();
}

fn acknowledge(folder: &Path, sequence: u64) {
    fs::write(folder.join(ACKNOWLEDGED), sequence.to_be_bytes()).unwrap();
}

fn open(folder: &Path) -> Result<FileJournal, JournalError> {
    let time = Arc::new(|| Timestamp::from_millis(5));
    FileJournal::open(FileSettings {
        min_free_bytes: 0,
        file_bytes: 50_000,
        ..FileSettings::new(folder, time)
    })
}

fn entry(sequence: u64) -> Entry {
    append(sequence).into_entry(stamp(sequence))
}

fn names(folder: &Path) -> Vec<String> {
    let names = paths(folder).unwrap();
    let names = names.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| Path::new(name).extension().is_none_or(|kind| kind != "log")).collect()
}

#[test]
fn every_entry_is_taken_over_with_its_place_its_time_and_its_id_and_sled_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 1..=20, None);
    acknowledge(folder.path(), 20);
    for _ in 0..2 {
        let journal = open(folder.path()).unwrap();
        assert_eq!((journal.oldest(), journal.head()), (1, 20));
        assert_eq!(journal.read(1, 99).unwrap(), (1..=20).map(entry).collect::<Vec<_>>());
        let again = journal.append(&[append(7)]).unwrap();
        assert_eq!((again[0].sequence, again[0].repeated), (7, true));
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["lock", "mark"]);
    }
    let journal = open(folder.path()).unwrap();
    let next = journal.append(&[append(21)]).unwrap()[0];
    assert_eq!((next.sequence, next.time), (21, stamp(20).time), "time does not go back");
}

#[test]
fn one_that_was_trimmed_begins_where_it_did() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 11..=20, None);
    for _ in 0..2 {
        let journal = open(folder.path()).unwrap();
        assert_eq!((journal.oldest(), journal.head(), journal.check().unwrap()), (11, 20, 10));
        assert!(matches!(journal.read(10, 1), Err(JournalError::Trimmed { oldest: 11, .. })));
    }
}

#[test]
fn an_empty_one_becomes_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    drop(database::open(folder.path(), 1 << 20).unwrap());
    let journal = open(folder.path()).unwrap();
    assert_eq!((journal.oldest(), journal.head()), (1, 0));
    assert!(!lies_in(folder.path()));
}

#[test]
fn an_incomplete_entry_at_the_end_is_left_out_unless_it_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 1..=9, Some(2));
    acknowledge(folder.path(), 9);
    let refused = open(folder.path()).unwrap_err();
    assert!(matches!(refused, JournalError::Damaged { sequence: 9, .. }), "{refused}");
    assert!(lies_in(folder.path()), "nothing of it was changed");
    acknowledge(folder.path(), 8);
    let journal = open(folder.path()).unwrap();
    assert_eq!(journal.head(), 8);
    assert_eq!(journal.append(&[append(9)]).unwrap()[0].sequence, 9);
}

#[test]
fn one_that_is_damaged_is_named_and_stays_as_it_is() {
    for change in [0, 1, 2] {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), 1..=9, None);
        acknowledge(folder.path(), if change == 2 { 10 } else { 9 });
        let db = database::open(folder.path(), 1 << 20).unwrap();
        let key = |chunk: u16| [&6u64.to_be_bytes()[..], &chunk.to_be_bytes()].concat();
        match change {
            0 => {
                let mut value = db.get(key(1)).unwrap().unwrap().to_vec();
                value[100] ^= 1;
                drop(db.insert(key(1), value).unwrap());
            }
            1 => (0..4).for_each(|chunk| drop(db.remove(key(chunk)).unwrap())),
            _ => {}
        }
        drop(db);
        for _ in 0..2 {
            let refused = open(folder.path()).unwrap_err();
            match refused {
                JournalError::Damaged { sequence: 6, .. } if change < 2 => {}
                JournalError::CutShort { found: 9, acknowledged: 10 } if change == 2 => {}
                other => panic!("{change}: {other}"),
            }
            assert!(lies_in(folder.path()));
        }
    }
}

#[test]
fn one_whose_taking_over_was_interrupted_is_taken_over_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 1..=20, None);
    let aside = tempfile::tempdir().unwrap();
    make(aside.path(), 1..=9, None);
    drop(open(aside.path()).unwrap());
    for path in paths(aside.path()).unwrap() {
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let journal = open(folder.path()).unwrap();
    assert_eq!((journal.head(), journal.check().unwrap()), (20, 20));
}

#[test]
fn one_that_has_lost_a_file_is_refused_and_nothing_of_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 1..=9, None);
    fs::remove_file(folder.path().join(CONF)).unwrap();
    for _ in 0..2 {
        let refused = open(folder.path()).unwrap_err();
        assert!(matches!(refused, JournalError::Unopenable { .. }), "{refused}");
        assert!(refused.to_string().contains("`conf` is missing"), "{refused}");
        assert!(folder.path().join(DB).exists());
    }
}

#[test]
fn what_the_disk_refuses_is_not_called_damage() {
    use io::ErrorKind::{InvalidData, PermissionDenied, StorageFull};
    let folder = Path::new("x");
    let refused =
        |kind: io::ErrorKind| unopened(folder, OpenError::Other(sled::Error::Io(kind.into())));
    assert!(matches!(refused(StorageFull), JournalError::Storage(_)));
    assert!(matches!(refused(PermissionDenied), JournalError::NotWritable { .. }));
    assert!(matches!(refused(InvalidData), JournalError::Unopenable { .. }));
    let damaged = unopened(folder, OpenError::Damaged);
    assert!(matches!(damaged, JournalError::Unopenable { .. }));
}

#[test]
fn what_was_left_of_the_database_is_removed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 1..=9, None);
    let db = fs::read(folder.path().join("db")).unwrap();
    drop(open(folder.path()).unwrap());
    // As a crash leaves it right behind the removal of `conf`.
    fs::write(folder.path().join("db"), db).unwrap();
    let journal = open(folder.path()).unwrap();
    assert_eq!(journal.head(), 9);
    assert!(!folder.path().join("db").exists());
}
