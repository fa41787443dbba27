use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const CACHE: u64 = 1 << 20;

fn open(folder: &Path) -> Disk {
    Disk::open(folder, CACHE).unwrap()
}

fn put(key: u64, value: Vec<u8>) -> (Slice, Option<Slice>) {
    (key.to_be_bytes().into(), Some(Slice::from(value)))
}

fn all(disk: &Disk) -> Vec<(Slice, Slice)> {
    disk.range((Bound::Unbounded, Bound::Unbounded)).map(Result::unwrap).collect()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(path, to.join(name))?;
        }
    }
    Ok(())
}

/// What a crash leaves: all files as they are at one moment, for which no table is written or moved meanwhile.
fn crashed(folder: &Path) -> TempDir {
    let state = || {
        let names = |folder: PathBuf| -> BTreeSet<_> {
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        };
        let current = fs::read(folder.join("current")).unwrap();
        (names(folder.to_owned()), names(folder.join(TABLES)), current)
    };
    loop {
        let (before, copied) = (state(), tempfile::tempdir().unwrap());
        let is_whole = copy(folder, copied.path()).is_ok();
        if is_whole && state() == before {
            return copied;
        }
    }
}

#[test]
fn an_open_database_keeps_everybody_else_out() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::InUse)));
    drop(disk);
    open(folder.path());
}

#[test]
fn what_another_version_left_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["conf", "version"] {
        let mark = folder.path().join(name);
        fs::write(&mark, "").unwrap();
        assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::OtherVersion)));
        fs::remove_file(mark).unwrap();
    }
    let disk = open(folder.path());
    disk.write([put(1, vec![1])].into_iter()).unwrap();
    drop(disk);
    fs::remove_file(folder.path().join("current")).unwrap();
    assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::Damaged)));
}

#[test]
fn what_is_gathered_is_bounded_and_all_of_it_is_there() {
    const WRITES: u64 = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let mut disk = open(folder.path());
    for number in 0..WRITES {
        disk.write([put(number, vec![1; 64 * 1024])].into_iter()).unwrap();
        let gathered = disk.gathering.lock().unwrap().bytes;
        assert!(gathered < GATHERED_BYTES + 128 * 1024, "{gathered}");
        // One is being written, one waits, and one waits for its place.
        assert!(disk.tree.sealed_memtable_count() <= 3);
    }
    for _ in 0..2 {
        assert_eq!(all(&disk).len() as u64, WRITES);
        drop(disk);
        disk = open(folder.path());
        assert_eq!(disk.tree.active_memtable().len(), 0, "closed, all of it is in tables");
    }
}

#[test]
fn a_crash_loses_the_newest_writes_each_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let write = |number: u8| disk.write([put(1, vec![number]), put(2, vec![number])].into_iter());
    let found = |disk: &Disk| all(disk).into_iter().map(|(_, value)| value[0]).collect::<Vec<_>>();
    let mut copies = Vec::new();
    for number in 0..4 {
        write(2 * number).unwrap();
        if number > 0 {
            disk.write_table().unwrap();
        }
        write(2 * number + 1).unwrap();
        copies.push(crashed(folder.path()));
    }
    let left: Vec<_> = copies.iter().map(|crashed| found(&open(crashed.path()))).collect();
    assert_eq!(left, [vec![], vec![2, 2], vec![4, 4], vec![6, 6]]);
    // What is written behind a crash lies over what was there before it.
    let disk = open(copies[3].path());
    disk.write([put(1, vec![9])].into_iter()).unwrap();
    drop(disk);
    assert_eq!(found(&open(copies[3].path())), [9, 6]);
}

#[test]
fn a_write_is_seen_as_a_whole_while_tables_are_written_and_merged() {
    const WRITES: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let write = |number: u64| {
        let value = || number.to_be_bytes().to_vec();
        disk.write((0..50).map(|key| put(key, value()))).unwrap();
    };
    write(0);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut last, mut seen) = (0, 0);
                    while last < WRITES {
                        let found: BTreeSet<_> =
                            all(&disk).into_iter().map(|pair| pair.1).collect();
                        assert_eq!(found.len(), 1, "half a write is seen");
                        let number =
                            u64::from_be_bytes(found.first().unwrap()[..].try_into().unwrap());
                        assert!(number >= last, "{number} is seen behind {last}");
                        let one = disk.get(&7u64.to_be_bytes()).unwrap().unwrap();
                        assert!(u64::from_be_bytes(one[..].try_into().unwrap()) >= number);
                        seen += u64::from(number > last);
                        last = number;
                    }
                    seen
                })
            })
            .collect();
        for number in 1..=WRITES {
            write(number);
            if number % 20 == 0 {
                disk.write_table().unwrap();
            }
        }
        for reader in readers {
            assert!(reader.join().unwrap() > 5, "it read beside the writes");
        }
    });
}

#[test]
fn a_range_shows_what_was_there_when_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let everything = || disk.range((Bound::Unbounded, Bound::Unbounded));
    let mut begun = Vec::new();
    for number in 0..12 {
        disk.write((0..100).map(|key| put(key, vec![number]))).unwrap();
        begun.push(everything());
        disk.write_table().unwrap();
        begun.push(everything());
    }
    disk.write((0..100u64).map(|key| (key.to_be_bytes().into(), None))).unwrap();
    disk.write_table().unwrap();
    assert_eq!(everything().count(), 0, "what was removed is gone");
    for (at, range) in begun.into_iter().enumerate() {
        let found: Vec<_> = range.map(|pair| pair.unwrap().1[0]).collect();
        assert_eq!(found, [u8::try_from(at / 2).unwrap(); 100]);
    }
}

#[test]
fn tables_are_merged_and_what_is_read_no_more_goes() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    for number in 0..40 {
        disk.write((0..100).map(|key| put(key, vec![number]))).unwrap();
        disk.write_table().unwrap();
    }
    // Fewer than are merged at once, and one below them that all others went into.
    let most = usize::from(tables::MERGED);
    let is_merged = || disk.tree.l0_run_count() < most && disk.tree.table_count() <= most;
    for _ in 0..1_000 {
        if is_merged() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(is_merged(), "{} tables", disk.tree.table_count());
    assert!(all(&disk).iter().all(|(_, value)| value[0] == 39));
    assert!(disk.tree.version_free_list_len() < 4, "older states are kept");
    let files = || fs::read_dir(folder.path().join(TABLES)).unwrap().count();
    for _ in 0..1_000 {
        if files() == disk.tree.table_count() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(files(), disk.tree.table_count(), "what was merged lies there still");
}

#[test]
fn a_table_that_is_not_written_is_said_and_nothing_more_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    disk.write([put(1, vec![1])].into_iter()).unwrap();
    fs::remove_dir_all(folder.path().join(TABLES)).unwrap();
    fs::write(folder.path().join(TABLES), "no folder").unwrap();
    disk.write_table().unwrap();
    let reason = disk.write_table().unwrap_err().to_string();
    assert!(
        reason.contains("takes nothing more") && reason.contains("Not a directory"),
        "{reason}"
    );
    assert!(disk.get(&1u64.to_be_bytes()).unwrap().is_some(), "it is read as before");
    drop(disk);
}

#[test]
fn damage_that_is_read_or_merged_is_known_to_the_next_start() {
    let key = |number: u64| number.to_be_bytes();
    let damaged = || {
        let folder = tempfile::tempdir().unwrap();
        let disk = open(folder.path());
        disk.write((0..2_000).map(|number| put(number, vec![1; 64]))).unwrap();
        disk.write_table().unwrap();
        drop(disk);
        let tables: Vec<_> = fs::read_dir(folder.path().join(TABLES)).unwrap().collect();
        let table = tables[0].as_ref().unwrap().path();
        let mut bytes = fs::read(&table).unwrap();
        bytes[20_000] ^= 1;
        fs::write(table, bytes).unwrap();
        folder
    };
    let is_found = |folder: &TempDir| {
        assert!(matches!(Disk::open(folder.path(), CACHE), Err(OpenError::Damaged)));
    };
    let folder = damaged();
    let disk = open(folder.path());
    assert!(disk.get(&key(0)).unwrap().is_some(), "what is well is read");
    assert!((0..2_000).any(|number| disk.get(&key(number)).is_err()));
    drop(disk);
    is_found(&folder);

    let folder = damaged();
    let disk = open(folder.path());
    let mut everything = disk.range((Bound::Unbounded, Bound::Unbounded));
    assert!(everything.any(|pair| pair.is_err()));
    drop(everything);
    drop(disk);
    is_found(&folder);

    let folder = damaged();
    let disk = open(folder.path());
    let failed = (0..1_000).any(|_| {
        let written = disk.write((0..2_000).map(|number| put(number, vec![2; 64])));
        written.and_then(|()| disk.write_table()).is_err()
    });
    assert!(failed, "it was merged");
    drop(disk);
    is_found(&folder);
}

#[test]
fn a_disk_that_fails_is_not_taken_for_damage() {
    let folder = tempfile::tempdir().unwrap();
    let damage = Damage::new(folder.path());
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied] {
        let _ = damage.noted(io::Error::from(kind).into());
    }
    assert!(!Damage::was_found_in(folder.path()).unwrap());
    let _ = damage.noted(lsm_tree::Error::InvalidTrailer);
    assert!(Damage::was_found_in(folder.path()).unwrap());
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
