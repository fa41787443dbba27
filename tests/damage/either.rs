//! Guarantees of both backends.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tipoff::journal::{
    AppendError, Backend, Journal, LocalSettings, Log, LogSettings, OpenError, open,
};

use crate::append;
use crate::appends::{batch, close, settings};
use crate::disk::Tmpfs;

const EITHER: [Backend; 2] = Backend::ALL;

fn fill(backend: Backend, folder: &Path) -> Arc<dyn Journal> {
    let journal = open(backend, settings(folder)).unwrap();
    for number in 1..=20 {
        append(&*journal, &[batch(number, 100, 100)]);
    }
    journal
}

#[test]
fn appended_entries_with_their_ids_and_times_are_there_after_reopening() {
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        drop(fill(backend, folder.path()));
        let journal = open(backend, settings(folder.path())).unwrap();
        assert_eq!(journal.check().unwrap(), 20);
        let again = append(&*journal, &[batch(20, 100, 100)]);
        assert_eq!((again[0].sequence, again[0].repeated), (20, true));
        let last = journal.read(20, 1).unwrap()[0].time;
        let next = append(&*journal, &[close(21)]);
        assert_eq!(next[0].sequence, 21);
        assert!(next[0].time >= last, "the clock of this process began again");
    }
}

#[test]
fn what_was_trimmed_stays_trimmed_and_is_gone_from_the_disk() {
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        let journal = fill(backend, folder.path());
        let reference = journal.read(1, 20).unwrap();
        journal.trim(12).unwrap();
        drop(journal);
        for _ in 0..2 {
            let journal = open(backend, settings(folder.path())).unwrap();
            assert_eq!((journal.oldest(), journal.head()), (12, 20), "{backend}");
            assert_eq!(journal.read(12, 20).unwrap(), reference[11..]);
            assert!(journal.read(11, 1).is_err());
            assert_eq!(journal.check().unwrap(), 9);
        }
    }
}

#[test]
fn a_folder_that_another_holds_open_is_refused_by_name() {
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        let _open = fill(backend, folder.path());
        let refused = open(backend, settings(folder.path())).unwrap_err();
        assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
        assert!(refused.to_string().contains("in use by another process"), "{refused}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_by_name() {
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        // Root may write anywhere, so the folder is made impossible: its parent is a file.
        fs::write(folder.path().join("file"), b"").unwrap();
        let refused = open(backend, settings(&folder.path().join("file"))).unwrap_err();
        assert!(matches!(refused, OpenError::NotWritable { .. }), "{refused}");
    }
}

#[test]
fn too_little_room_is_refused_and_the_journal_goes_on_when_there_is_more() {
    static FREE: AtomicU64 = AtomicU64::new(0);
    for backend in EITHER {
        FREE.store(1 << 20, Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let tight = LocalSettings {
            min_free_bytes: 10 << 20,
            free_space: Some(|_| Ok(FREE.load(Ordering::Relaxed))),
            ..settings(folder.path())
        };
        let journal = open(backend, tight).unwrap();
        let refused = journal.append(&[close(1)]).remove(0).unwrap_err();
        assert!(matches!(refused, AppendError::Full { free_mb: 1, floor_mb: 10 }), "{refused}");
        assert!(matches!(journal.check_writable(), Err(AppendError::Full { .. })));
        assert_eq!(journal.free_bytes(), Some(1 << 20));
        FREE.store(11 << 20, Ordering::Relaxed);
        journal.check_writable().unwrap();
        assert_eq!(append(&*journal, &[close(1)])[0].sequence, 1);
    }
}

#[test]
fn a_disk_that_runs_full_loses_nothing_that_was_acknowledged() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("NOT RUN, since this is not root and cannot mount: a disk that runs full");
        return;
    }
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        let disk = Tmpfs::mount(&folder.path().join("disk"), "24m");
        let journal = open(backend, settings(&disk.at)).unwrap();
        let mut acknowledged = 0;
        for number in 1.. {
            match journal.append(&[batch(number, 100, 300)]).remove(0) {
                Ok(stamp) => acknowledged = stamp.sequence,
                Err(AppendError::Unknown(_)) => break,
                Err(other) => panic!("{backend}: {other}"),
            }
        }
        assert!(acknowledged > 100 && journal.has_failed(), "{backend}: {acknowledged}");
        let refused = journal.append(&[close(1)]).remove(0);
        assert!(matches!(refused, Err(AppendError::Rejected(_))), "{backend}: {refused:?}");
        assert!(matches!(journal.check_writable(), Err(AppendError::Rejected(_))), "{backend}");
        drop(journal);
        disk.grow("64m");
        let journal = open(backend, settings(&disk.at)).unwrap();
        assert!(journal.head() >= acknowledged, "{backend}: {} of {acknowledged}", journal.head());
        assert_eq!(journal.check().unwrap(), journal.head());
        let next = append(&*journal, &[close(1)])[0].sequence;
        assert_eq!(next, journal.head());
    }
}

#[test]
fn the_journal_of_another_backend_is_refused_and_the_command_named() {
    for (here, configured) in [(Backend::Sled, Backend::Files), (Backend::Files, Backend::Sled)] {
        let folder = tempfile::tempdir().unwrap();
        drop(fill(here, folder.path()));
        let refused = open(configured, settings(folder.path())).unwrap_err();
        assert!(
            matches!(refused, OpenError::OtherBackend { found, .. } if found == here),
            "{refused}"
        );
        let command = format!("tipoff journal migrate --to {configured}");
        assert!(refused.to_string().contains(&command), "{refused}");
        assert_eq!(open(here, settings(folder.path())).unwrap().check().unwrap(), 20);
    }
}

#[test]
fn two_journals_in_one_folder_are_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(fill(Backend::Sled, one.path()));
    drop(fill(Backend::Files, other.path()));
    for file in fs::read_dir(other.path().join("journal")).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, one.path().join("journal").join(file.file_name().unwrap())).unwrap();
    }
    for backend in EITHER {
        let refused = open(backend, settings(one.path())).unwrap_err();
        assert!(matches!(refused, OpenError::TwoBackends(_)), "{refused}");
        assert!(refused.to_string().contains("tipoff journal migrate"), "{refused}");
    }
}

#[test]
fn reads_end_where_they_are_large_enough_and_go_on() {
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(backend, settings(folder.path())).unwrap();
        for number in 1..=12 {
            append(&*journal, &[batch(number, 1_000, 900), close(100 + number)]);
        }
        let (mut next, mut reads) = (1, 0);
        while next <= 24 {
            let read = journal.read(next, 100).unwrap();
            assert!(!read.is_empty() && read.len() < 12, "{backend}: {}", read.len());
            for entry in read {
                assert_eq!(entry.sequence, next);
                next += 1;
            }
            reads += 1;
        }
        assert!(reads > 2, "{reads}");
        assert!(journal.read(25, 1).unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_free_as_soon_as_its_log_is_gone() {
    for backend in EITHER {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..50 {
            let journal = open(backend, settings(folder.path())).unwrap();
            let log = Log::start(journal, LogSettings::default()).unwrap();
            assert_eq!(log.append(close(number)).await.unwrap().sequence, number + 1);
        }
    }
}
