//! Damage to a journal in files.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tipoff::journal::{FileJournal, Journal, JournalError, LocalSettings};

use crate::appends::{batch, close, settings};
use crate::{append, journal_error};

fn reopen(folder: &TempDir) -> Result<FileJournal, JournalError> {
    FileJournal::open(settings(folder.path())).map_err(journal_error)
}

fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let journal = reopen(&folder).unwrap();
    for number in 1..=20 {
        append(&journal, &[batch(number, 100, 100)]);
    }
    folder
}

/// The header length of a file and of an entry, in bytes.
const HEAD: usize = 32;
const HEADER: usize = 48;

/// The files of entries, oldest first.
fn files(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("journal")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "log"));
    files.sort();
    files
}

/// The offset and the sequence of each entry of a file.
fn entries(bytes: &[u8]) -> Vec<(u64, Range<usize>)> {
    let (mut found, mut at) = (Vec::new(), HEAD);
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at + 4..at + 8].try_into().unwrap());
        let sequence = u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap());
        let end = at + HEADER + usize::try_from(length).unwrap();
        found.push((sequence, at..end));
        at = end;
    }
    found
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// The state that a power cut may leave: without the mark, only the entries show what was
/// acknowledged.
fn forget_the_mark(folder: &TempDir) {
    fs::remove_file(folder.path().join("journal/mark")).unwrap();
}

fn checked(folder: &TempDir) -> Result<u64, JournalError> {
    reopen(folder).and_then(|journal| journal.check().map(|_| journal.head()))
}

#[test]
fn a_flipped_byte_is_named_wherever_it_is_and_never_skipped() {
    let folder = filled();
    assert!(files(&folder).len() > 3);
    for path in files(&folder) {
        let whole = fs::read(&path).unwrap();
        for (sequence, range) in entries(&whole) {
            let header = range.start..range.start + HEADER;
            for at in header.step_by(5).chain(range.step_by(6_101)) {
                change(&path, |bytes| bytes[at] ^= 0x10);
                let error = checked(&folder).unwrap_err();
                let named = matches!(error, JournalError::Damaged { sequence: found, .. } if found == sequence);
                assert!(named, "entry {sequence} at {at}: {error}");
                assert!(error.to_string().contains(&format!("entry {sequence} ")), "{error}");
                fs::write(&path, &whole).unwrap();
            }
        }
    }
    assert_eq!(checked(&folder).unwrap(), 20, "reading changed nothing");
}

#[test]
fn entries_that_later_ones_show_to_be_acknowledged_are_not_cut_off_even_without_the_mark() {
    let folder = filled();
    let newest = files(&folder).pop().unwrap();
    let ranges = entries(&fs::read(&newest).unwrap());
    assert!(ranges.len() > 2);
    for (sequence, range) in &ranges[..ranges.len() - 1] {
        forget_the_mark(&folder);
        for at in [range.start, range.start + 5, range.start + HEADER, range.end - 1] {
            change(&newest, |bytes| bytes[at] ^= 1);
            let error = checked(&folder).unwrap_err();
            let named = matches!(error, JournalError::Damaged { sequence: found, .. } if found == *sequence);
            assert!(named, "entry {sequence} at {at}: {error}");
            change(&newest, |bytes| bytes[at] ^= 1);
        }
        assert_eq!(checked(&folder).unwrap(), 20);
    }
}

#[test]
fn a_missing_file_is_detected() {
    let count = files(&filled()).len();
    for missing in 0..count {
        let folder = filled();
        let path = &files(&folder)[missing];
        let first = entries(&fs::read(path).unwrap())[0].0;
        fs::remove_file(path).unwrap();
        match reopen(&folder).unwrap_err() {
            JournalError::Damaged { sequence, .. } if missing + 1 < count => {
                assert_eq!(sequence, first);
            }
            JournalError::CutShort { found, acknowledged: 20 } => assert_eq!(found, first - 1),
            other => panic!("file {missing}: {other}"),
        }
    }
    let folder = filled();
    for path in files(&folder) {
        fs::remove_file(path).unwrap();
    }
    let error = reopen(&folder).unwrap_err();
    assert!(matches!(error, JournalError::CutShort { found: 0, acknowledged: 20 }), "{error}");
}

#[test]
fn an_unacknowledged_write_that_is_incomplete_at_the_end_is_cut_off_and_stays_gone() {
    let folder = filled();
    // All entries in one file.
    let open = || {
        let settings = settings(folder.path());
        FileJournal::open(LocalSettings { file_bytes: 1 << 20, ..settings }).unwrap()
    };
    let before = fs::read(files(&folder).pop().unwrap()).unwrap();
    {
        let journal = open();
        append(&journal, &[batch(21, 3, 50), close(22), batch(23, 3, 50)]);
    }
    let newest = files(&folder).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    let written = whole.len() - before.len();
    assert!(written > 500 && whole.starts_with(&before));
    let starts: Vec<_> = entries(&whole).into_iter().map(|(_, range)| range.start).collect();
    for missing in (1..=written).step_by(7) {
        // A short file, and a hole before a part that did reach the disk.
        for hole in [false, true] {
            change(&newest, |bytes| {
                bytes.clone_from(&whole);
                let length = whole.len() - missing;
                if hole {
                    bytes[length..(length + 100).min(whole.len())].fill(0);
                } else {
                    bytes.truncate(length);
                }
            });
            forget_the_mark(&folder);
            let length = whole.len() - missing;
            let head =
                20 + starts.iter().filter(|at| **at > before.len() && **at <= length).count();
            let journal = open();
            // Zeroes that were zeroes change nothing.
            let same = hole && journal.head() == 23 && fs::read(&newest).unwrap() == whole;
            assert!(same || journal.head() == head as u64, "{missing} {hole}: {}", journal.head());
            let head = journal.head();
            // Complete entries after the torn one are removed as well. Otherwise they would
            // reappear after the next append.
            let next = entries(&whole).into_iter().find(|(sequence, _)| *sequence == head + 1);
            let end = next.map_or(whole.len(), |(_, range)| range.start);
            assert_eq!(fs::metadata(&newest).unwrap().len(), end as u64, "{missing} {hole}");
            assert_eq!(append(&journal, &[close(99)])[0].sequence, head + 1);
            drop(journal);
            assert_eq!(checked(&folder).unwrap(), head + 1, "{missing} {hole}");
        }
    }
}

#[test]
fn acknowledged_entries_that_are_missing_from_the_end_are_detected() {
    let folder = filled();
    let newest = files(&folder).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    let (sequence, last) = entries(&whole).pop().unwrap();
    assert_eq!(sequence, 20);
    change(&newest, |bytes| bytes.truncate(last.start));
    let error = reopen(&folder).unwrap_err();
    assert!(matches!(error, JournalError::CutShort { found: 19, acknowledged: 20 }), "{error}");
    for length in [last.start + 1, last.start + HEADER, last.end - 1] {
        change(&newest, |bytes| {
            bytes.clone_from(&whole);
            bytes.truncate(length);
        });
        let error = reopen(&folder).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { sequence: 20, .. }), "{error}");
        assert_eq!(fs::read(&newest).unwrap(), whole[..length], "nothing was changed");
    }
}

#[test]
fn a_file_that_was_just_created_is_removed_and_a_damaged_beginning_is_named() {
    let folder = filled();
    let new_file = folder.path().join("journal").join(format!("{:020}.log", 21));
    for bytes in [&[][..], &[0; HEAD], &b"tipoffj"[..]] {
        fs::write(&new_file, bytes).unwrap();
        let journal = reopen(&folder).unwrap();
        assert_eq!(journal.head(), 20);
        assert!(!new_file.exists());
    }
    for path in files(&folder) {
        let whole = fs::read(&path).unwrap();
        let first = entries(&whole)[0].0;
        for at in (0..HEAD).step_by(3) {
            change(&path, |bytes| bytes[at] ^= 1);
            for marked in [true, false] {
                let mark = fs::read(folder.path().join("journal/mark")).unwrap();
                if !marked {
                    forget_the_mark(&folder);
                }
                let error = reopen(&folder).unwrap_err();
                let named =
                    matches!(error, JournalError::Damaged { sequence, .. } if sequence == first);
                assert!(named, "{first} at {at}: {error}");
                fs::write(folder.path().join("journal/mark"), mark).unwrap();
            }
            fs::write(&path, &whole).unwrap();
        }
    }
    assert_eq!(checked(&folder).unwrap(), 20);
}

#[test]
fn a_file_under_the_name_of_another_is_detected() {
    let folder = filled();
    let files = files(&folder);
    fs::copy(&files[1], &files[2]).unwrap();
    let error = reopen(&folder).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}

#[test]
fn a_damaged_mark_counts_as_a_missing_one() {
    let folder = filled();
    let mark = folder.path().join("journal/mark");
    for bytes in [&[][..], &[0xff; 20], &[7; 8]] {
        fs::write(&mark, bytes).unwrap();
        assert_eq!(checked(&folder).unwrap(), 20);
    }
}

#[test]
fn what_was_trimmed_is_gone_from_the_disk_by_files_and_stays_trimmed() {
    let folder = filled();
    let before: Vec<_> =
        files(&folder).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let reference = reopen(&folder).unwrap().read(1, 20).unwrap();
    {
        let journal = reopen(&folder).unwrap();
        let size = journal.size_on_disk().unwrap();
        journal.trim(12).unwrap();
        assert!(journal.size_on_disk().unwrap() < size);
        assert_eq!(journal.read(12, 20).unwrap(), reference[11..]);
    }
    let left = files(&folder);
    let (removed, rest) = before.split_at(before.len() - left.len());
    assert!(!removed.is_empty() && rest.iter().map(|(path, _)| path).eq(&left));
    let journal = reopen(&folder).unwrap();
    assert_eq!((journal.oldest(), journal.check().unwrap()), (12, 9));
    drop(journal);
    // A crash between writing the mark and removing the files.
    let (path, bytes) = &removed[removed.len() - 1];
    fs::write(path, bytes).unwrap();
    let journal = reopen(&folder).unwrap();
    assert_eq!((journal.oldest(), journal.check().unwrap()), (12, 9));
    drop(journal);
    // A file with entries that are kept.
    fs::remove_file(path).unwrap();
    fs::remove_file(&left[0]).unwrap();
    let error = reopen(&folder).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { sequence: 12, .. }), "{error}");
}
