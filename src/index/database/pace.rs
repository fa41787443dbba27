//! How fast tables are written and merged: a little at a time while nothing waits for them, and as fast as the
//! machine goes where much has gathered.
//!
//! A table takes a core for a while, and the disk at its end. Where both cores have something to do, all of that at
//! once is what everybody waits for who submits or reads meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, io, thread};

use lsm_tree::compaction::filter::Context;
use lsm_tree::compaction::{CompactionFilter, Factory, ItemAccessor, Verdict};
use tracing::warn;

/// Behind how many bytes of keys and values there is a rest, and how long it is: some two times as long as
/// they take.
const STEP_BYTES: usize = 32 * 1024;
const REST: Duration = Duration::from_millis(2);

/// Behind how many steps what was written is put to the disk, and behind how many where there is no rest. The database
/// does that too, but at the end of a table, and the journal's next write would wait behind all of it.
const SYNCED_STEPS: usize = 8;
const SYNCED_STEPS_LATE: usize = 64;

/// How many tables that are not merged are many, more than are merged at once: then merging them takes no rest.
const MANY_TABLES: usize = 12;

/// What waits to be written or merged.
#[derive(Debug, Default)]
pub struct Backlog {
    /// What has gathered and is full, the one that is being written among them.
    pub sealed: AtomicUsize,
    /// How many tables are not merged.
    pub unmerged: AtomicUsize,
    /// Whether the database is being closed.
    pub closing: AtomicBool,
}

impl Backlog {
    fn is_writing_late(&self) -> bool {
        self.sealed.load(Ordering::Relaxed) > 1 || self.closing.load(Ordering::Relaxed)
    }

    fn is_merging_late(&self) -> bool {
        self.unmerged.load(Ordering::Relaxed) >= MANY_TABLES || self.closing.load(Ordering::Relaxed)
    }
}

/// The pace of a piece of work.
#[derive(Debug)]
pub struct Pace {
    backlog: Arc<Backlog>,
    is_late: fn(&Backlog) -> bool,
    written: Option<Written>,
    bytes: usize,
    steps: usize,
}

/// What is written to: tables that were not in the folder before.
#[derive(Debug)]
struct Written {
    tables: PathBuf,
    /// The highest number that was there before.
    before: Option<u64>,
}

impl Pace {
    /// That of writing what has gathered.
    pub fn of_writing(backlog: Arc<Backlog>, tables: &Path) -> Self {
        let written = Some(Written::new(tables));
        Self { written, ..Self::of_freeing(backlog) }
    }

    /// That of freeing what was written.
    pub fn of_freeing(backlog: Arc<Backlog>) -> Self {
        Self { backlog, is_late: Backlog::is_writing_late, written: None, bytes: 0, steps: 0 }
    }

    /// That of merging.
    fn of_merging(backlog: Arc<Backlog>, tables: &Path) -> Self {
        Self { is_late: Backlog::is_merging_late, ..Self::of_writing(backlog, tables) }
    }

    /// Says that so many bytes are done, and rests where it is time to.
    pub fn done(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes < STEP_BYTES {
            return;
        }
        self.bytes = 0;
        self.steps += 1;
        let is_late = (self.is_late)(&self.backlog);
        if self.steps.is_multiple_of(if is_late { SYNCED_STEPS_LATE } else { SYNCED_STEPS })
            && let Some(Err(error)) = self.written.as_ref().map(Written::sync)
        {
            warn!("a table of the index is not written ahead, see to the disk: {error}");
            self.written = None;
        }
        if !is_late {
            thread::sleep(REST);
        }
    }
}

impl Written {
    fn new(tables: &Path) -> Self {
        let before = newest(tables).unwrap_or_default();
        Self { tables: tables.to_owned(), before }
    }

    /// Puts to the disk what was written. A table that was removed meanwhile is no longer needed.
    fn sync(&self) -> io::Result<()> {
        for path in self.begun()? {
            match fs::File::open(path).and_then(|file| file.sync_data()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The tables that were begun since.
    fn begun(&self) -> io::Result<impl Iterator<Item = PathBuf>> {
        let begun = |(number, _): &(u64, _)| Some(*number) > self.before;
        Ok(numbered(&self.tables)?.into_iter().filter(begun).map(|(_, path)| path))
    }
}

/// The pace of merges, of which the database tells each key on its way.
pub struct PacedMerges {
    backlog: Arc<Backlog>,
    tables: PathBuf,
}

impl PacedMerges {
    /// For the tables in a folder.
    pub fn new(backlog: Arc<Backlog>, tables: PathBuf) -> Self {
        Self { backlog, tables }
    }
}

impl Factory for PacedMerges {
    fn name(&self) -> &'static str {
        "pace"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        let backlog = Arc::clone(&self.backlog);
        Box::new(PacedMerge(Pace::of_merging(backlog, &self.tables)))
    }
}

/// Keeps everything.
struct PacedMerge(Pace);

impl CompactionFilter for PacedMerge {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> lsm_tree::Result<Verdict> {
        self.0.done(item.key().len() + item.value()?.len());
        Ok(Verdict::Keep)
    }
}

/// The highest number of a table in a folder.
pub fn newest(tables: &Path) -> io::Result<Option<u64>> {
    Ok(numbered(tables)?.into_iter().map(|(number, _)| number).max())
}

fn numbered(tables: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(tables)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_begun_is_put_to_the_disk_and_what_was_there_before_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let table = |name: &str| {
            fs::write(folder.path().join(name), name).unwrap();
            folder.path().join(name)
        };
        let begun = |written: &Written| written.begun().unwrap().collect::<BTreeSet<_>>();
        let first = Written::new(folder.path());
        assert!(begun(&first).is_empty());
        table(".hidden");
        let mut tables = BTreeSet::from([table("0")]);
        assert_eq!(begun(&first), tables, "the first of all has the number zero");
        tables.insert(table("9"));
        let next = Written::new(folder.path());
        let behind = BTreeSet::from([table("10"), table("11")]);
        assert_eq!(begun(&next), behind);
        tables.extend(behind);
        assert_eq!(begun(&first), tables);
        next.sync().unwrap();
    }

    #[test]
    fn there_is_no_rest_where_much_waits_or_the_database_is_closed() {
        let backlog = |sealed: usize, unmerged: usize, closing: bool| Backlog {
            sealed: sealed.into(),
            unmerged: unmerged.into(),
            closing: closing.into(),
        };
        assert!(!backlog(1, MANY_TABLES, false).is_writing_late());
        assert!(backlog(2, 0, false).is_writing_late());
        assert!(!backlog(2, MANY_TABLES - 1, false).is_merging_late());
        assert!(backlog(0, MANY_TABLES, false).is_merging_late());
        let closed = backlog(0, 0, true);
        assert!(closed.is_writing_late() && closed.is_merging_late());
    }
}
