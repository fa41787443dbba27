use std::collections::BTreeSet;
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::*;

const CACHE: u64 = 1 << 20;

fn open(folder: &Path) -> Disk {
    Disk::open(folder, CACHE).unwrap()
}

fn put(key: u64, value: Vec<u8>) -> (Slice, Option<Slice>) {
    (key.to_be_bytes().into(), Some(Slice::from(value)))
}

fn everything(snapshot: &DiskSnapshot) -> impl Iterator<Item = Result<(Slice, Slice)>> + use<> {
    snapshot.range((Bound::Unbounded, Bound::Unbounded))
}

fn all(disk: &Disk) -> Vec<(Slice, Slice)> {
    everything(&disk.snapshot()).map(Result::unwrap).collect()
}

/// Copies a folder. What is reserved stays a hole.
pub fn copy(from: &Path, to: &Path) {
    let copied =
        Command::new("cp").args(["-r", "--sparse=always"]).arg(from.join(".")).arg(to).status();
    assert!(copied.unwrap().success());
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let tables = fs::read_dir(folder.join("keyspaces/1/tables")).unwrap();
    tables.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn an_open_database_keeps_everybody_else_out() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::InUse)));
    let snapshot = disk.snapshot();
    drop(disk);
    assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::InUse)), "it is still read");
    drop(snapshot);
    open(folder.path());
}

#[test]
fn a_folder_with_other_files_is_not_taken_for_a_database() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("conf"), "").unwrap();
    assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::Foreign)));
    fs::remove_file(folder.path().join("conf")).unwrap();
    drop(open(folder.path()));
    fs::remove_file(folder.path().join("version")).unwrap();
    assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::Foreign)));
}

#[test]
fn memtables_are_bounded_and_everything_is_there() {
    const WRITES: u64 = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let mut disk = open(folder.path());
    for number in 0..WRITES {
        disk.write([put(number, vec![1; 64 * 1024])].into_iter()).unwrap();
        let buffered = disk.db.write_buffer_size();
        assert!(buffered < MAX_WRITE_BUFFER_BYTES + 128 * 1024, "{buffered}");
    }
    assert!(!tables(folder.path()).is_empty(), "some of it was flushed");
    for _ in 0..2 {
        assert_eq!(all(&disk).len() as u64, WRITES);
        drop(disk);
        disk = open(folder.path());
    }
}

#[test]
fn a_crash_loses_the_newest_batches_each_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    for number in 0..200u8 {
        disk.write((0..50).map(|key| put(key, vec![number; 20]))).unwrap();
        if number == 100 {
            disk.flush();
        }
    }
    let crashed = tempfile::tempdir().unwrap();
    copy(folder.path(), crashed.path());
    let after = open(crashed.path());
    let found: BTreeSet<_> = all(&after).into_iter().map(|(_, value)| value[0]).collect();
    assert!(found.len() == 1 && *found.first().unwrap() > 100, "{found:?}");
    after.write([put(1, vec![9])].into_iter()).unwrap();
    drop(after);
    assert_eq!(all(&open(crashed.path()))[1].1[0], 9, "it goes on from there");
}

#[test]
fn a_snapshot_shows_whole_batches_while_others_are_written_flushed_and_merged() {
    const WRITES: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let write = |number: u64| {
        let value = || number.to_be_bytes().to_vec();
        disk.write((0..50).map(|key| put(key, value()))).unwrap();
    };
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
    write(0);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut last, mut seen) = (0, 0);
                    while last < WRITES {
                        let snapshot = disk.snapshot();
                        let one = snapshot.get(&7u64.to_be_bytes()).unwrap().unwrap();
                        let values = everything(&snapshot).map(|pair| number(&pair.unwrap().1));
                        let found: BTreeSet<_> = values.collect();
                        assert_eq!(found, [number(&one)].into(), "half a batch is shown");
                        assert!(number(&one) >= last);
                        seen += u64::from(number(&one) > last);
                        last = number(&one);
                    }
                    seen
                })
            })
            .collect();
        for number in 1..=WRITES {
            write(number);
            // In the background, beside the next batches.
            disk.rotate();
        }
        for reader in readers {
            assert!(reader.join().unwrap() > 5, "it read beside the writes");
        }
    });
}

#[test]
fn a_snapshot_shows_what_was_there_when_it_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut taken = Vec::new();
    for number in 0..12 {
        disk.write((0..100).map(|key| put(key, vec![number]))).unwrap();
        taken.push(disk.snapshot());
        disk.flush();
        taken.push(disk.snapshot());
    }
    disk.write((0..100u64).map(|key| (key.to_be_bytes().into(), None))).unwrap();
    disk.flush();
    assert!(all(&disk).is_empty(), "what was removed is gone");
    for (at, snapshot) in taken.into_iter().enumerate() {
        let found: Vec<_> = everything(&snapshot).map(|pair| pair.unwrap().1[0]).collect();
        assert_eq!(found, [u8::try_from(at / 2).unwrap(); 100]);
    }
}

#[test]
fn damage_that_is_read_is_known_to_the_next_start() {
    let key = |number: u64| number.to_be_bytes();
    let damaged = || {
        let folder = tempfile::tempdir().unwrap();
        let disk = open(folder.path());
        disk.write((0..2_000).map(|number| put(number, vec![1; 64]))).unwrap();
        disk.flush();
        drop(disk);
        let table = tables(folder.path()).pop().unwrap();
        let mut bytes = fs::read(&table).unwrap();
        bytes[20_000] ^= 1;
        fs::write(table, bytes).unwrap();
        folder
    };
    let is_known = |folder: &TempDir| {
        assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::Damaged(_))));
    };
    let folder = damaged();
    let disk = open(folder.path());
    let snapshot = disk.snapshot();
    assert!(snapshot.get(&key(0)).unwrap().is_some(), "what is well is read");
    let failed = |number| matches!(snapshot.get(&key(number)), Err(DiskError::Damaged(_)));
    assert!((0..2_000).any(failed));
    drop((snapshot, disk));
    is_known(&folder);

    let folder = damaged();
    let disk = open(folder.path());
    assert!(everything(&disk.snapshot()).any(|pair| pair.is_err()));
    drop(disk);
    is_known(&folder);
}

#[test]
fn a_compaction_that_fails_lets_no_other_batch_in() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    disk.write((0..2_000).map(|number| put(number, vec![1; 64]))).unwrap();
    disk.flush();
    drop(disk);
    let table = tables(folder.path()).pop().unwrap();
    let mut bytes = fs::read(&table).unwrap();
    bytes[20_000] ^= 1;
    fs::write(table, bytes).unwrap();
    let disk = open(folder.path());
    let failed = (0..200).any(|_| {
        let written = disk.write((0..2_000).map(|number| put(number, vec![2; 64])));
        // A failed database flushes nothing.
        let failed = written.is_err();
        if !failed {
            let _ = disk.items.rotate_memtable();
            thread::sleep(Duration::from_millis(20));
        }
        failed
    });
    assert!(failed, "it was merged");
    let refused = disk.write([put(1, vec![3])].into_iter());
    assert!(matches!(refused, Err(DiskError::Poisoned)));
}

#[test]
fn what_is_reserved_and_not_written_takes_no_room() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(folder.path().join("inner/full"), vec![1; 1 << 20]).unwrap();
    fs::File::create(folder.path().join("empty")).unwrap().set_len(64 << 20).unwrap();
    let bytes = size_on_disk(folder.path()).unwrap();
    assert!(((1 << 20)..(2 << 20)).contains(&bytes), "{bytes}");
}
