use std::path::{Path, PathBuf};

use super::database::OpenError;
use super::test_history::{History, applied, open};
use super::*;
use crate::domain::assessment::Verdict;

/// A history, the folder of its index, flushed to tables, and the digest of the index.
fn in_tables() -> (History, tempfile::TempDir, u32) {
    let mut history = History::new();
    let values: Vec<String> = (0..1_000).map(|number| format!("n{number}.example")).collect();
    let items: Vec<_> = values.iter().map(|value| (value.as_str(), Verdict::Malicious)).collect();
    for (number, items) in (1..).zip(items.chunks(100)) {
        history.batch("birdsite", "s", number, items);
    }
    let (folder, index) = applied(&history);
    let digest = index.read().unwrap().digest().unwrap();
    index.store.load().as_ref().unwrap().flush();
    (history, folder, digest)
}

fn table(folder: &Path) -> PathBuf {
    let mut tables = std::fs::read_dir(folder.join("keyspaces/1/tables")).unwrap();
    tables.next().unwrap().unwrap().path()
}

#[test]
fn damage_that_is_met_while_entries_are_applied_is_rebuilt_in_the_process() {
    let (mut history, folder, _) = in_tables();
    let table = table(folder.path());
    let mut bytes = std::fs::read(&table).unwrap();
    // After the keys that a start reads.
    let at = bytes.len() / 2;
    bytes[at..at + 8_192].iter_mut().for_each(|byte| *byte ^= 0x55);
    std::fs::write(&table, bytes).unwrap();

    let index = open(folder.path(), &history);
    let before = index.checkpoint();
    let mut applier = Applier::new(Arc::clone(&index)).unwrap();
    let values: Vec<String> = (0..1_000).map(|number| format!("n{number}.example")).collect();
    let items: Vec<_> = values.iter().map(|value| (value.as_str(), Verdict::Suspicious)).collect();
    history.batch("birdsite", "t", 1, &items);
    if before > 0 {
        let fault = applier.apply(&history.entries[before.try_into().unwrap()..]).unwrap_err();
        assert!(applier.has_failed(), "{fault}");
        let refused = index.read().unwrap_err();
        assert_eq!((refused.kind(), refused.label()), (Kind::Unavailable, "index_reopening"));
        assert!(matches!(*index.watch_state().borrow(), IndexState::Reopening { .. }));
        applier.reopen_database().unwrap();
        assert_eq!(applier.next_sequence(), 1, "it is rebuilt");
        assert!(index.read().is_err(), "nobody reads before all is there that could be read");
        assert_eq!(index.checkpoint(), before, "what was visible stays so");
    }
    let next = usize::try_from(applier.next_sequence()).unwrap() - 1;
    applier.apply(&history.entries[next..]).unwrap();
    assert_eq!(*index.watch_state().borrow(), IndexState::Ready);
    let (_folder, whole) = applied(&history);
    assert_eq!(index.read().unwrap().digest().unwrap(), whole.read().unwrap().digest().unwrap());
    for entry in &history.entries {
        let closed = [&index, &whole]
            .map(|index| index.read().unwrap().recent_closed_items(entry.sequence).unwrap());
        assert_eq!(closed[0], closed[1]);
    }
}

#[test]
fn a_batch_that_is_missing_before_others_is_found_at_a_start() {
    let (history, folder, _) = in_tables();
    let disk = database::Disk::open(folder.path(), 1 << 20).unwrap();
    disk.write([(keys::outcome(6).as_slice().into(), None)].into_iter()).unwrap();
    drop(disk);
    assert_eq!(open(folder.path(), &history).checkpoint(), 0, "it is rebuilt");
}

#[test]
fn what_the_system_refuses_deletes_no_index() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (history, folder, digest) = in_tables();
    let ends = JournalEnds { head: history.entries.len() as u64, entry: &|_| None };
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let mut refused = 0;
    for more in 0..12 {
        let open_files = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        setrlimit(Resource::RLIMIT_NOFILE, open_files + more, hard).unwrap();
        let opened = Index::open(folder.path(), 1 << 20, ends);
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        match opened {
            Err(error) => {
                assert_eq!(error.label(), "index_open");
                assert!(error.to_string().contains("limit of open files"), "{error}");
                refused += 1;
            }
            Ok(index) => assert_ne!(index.checkpoint(), 0, "it was deleted"),
        }
    }
    assert!(refused > 2, "{refused}");
    let opened = database::Disk::open(folder.path(), 1 << 20);
    assert!(!matches!(opened, Err(OpenError::Damaged(_))));
    drop(opened);
    let index = open(folder.path(), &history);
    assert_eq!(index.read().unwrap().digest().unwrap(), digest);
}
