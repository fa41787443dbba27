//! What has gathered becomes tables, and tables are merged, in threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    mpsc::{self, Receiver, Sender, SyncSender},
};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use lsm_tree::compaction::Leveled;
use lsm_tree::{AbstractTree, AnyTree, Memtable, SeqNo, SequenceNumberCounter};
use tracing::error;

use super::damage::Damage;
use super::pace::{Backlog, Pace};
use super::{DiskError, Result, TABLES};

/// How much may be full and wait while a table is written: then whoever writes waits.
const WAITING: usize = 1;

/// How many tables are merged at once. Each time what was merged lately is read and written again.
pub const MERGED: u8 = 8;

/// How many tables may wait to be merged before no other is written, and how long until they are counted again.
const UNMERGED: usize = 24;
const PAUSE: Duration = Duration::from_millis(2);

/// How large a merged table becomes. The database completes the last of a merge while nobody reads.
const TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// The levels in which the database sorts its tables.
const LEVELS: usize = 7;

/// What readers see: every write that is whole.
#[derive(Debug)]
pub struct Shown {
    /// What numbers are below is seen.
    number: AtomicU64,
    /// What numbers writes, and whatever else changes the tree.
    numbers: Mutex<SequenceNumberCounter>,
    reading: RwLock<()>,
}

/// A reader, for whom nothing that he may see is removed.
pub struct Reading<'a> {
    /// What numbers are below is seen.
    pub number: SeqNo,
    _reading: RwLockReadGuard<'a, ()>,
}

/// A write that nobody sees before it is whole. There is one at a time.
pub struct Writing<'a> {
    /// Its number.
    pub number: SeqNo,
    shown: &'a AtomicU64,
    _numbers: MutexGuard<'a, SequenceNumberCounter>,
}

impl Writing<'_> {
    /// Shows it.
    pub fn show(self) {
        self.shown.store(self.number + 1, Ordering::Release);
    }
}

impl Shown {
    /// Shows what is there, and numbers what comes.
    pub fn new(numbers: SequenceNumberCounter) -> Self {
        let (number, numbers) = (numbers.get().into(), numbers.into());
        Self { number, numbers, reading: RwLock::default() }
    }

    /// Begins to read. Once a read or a range has begun it keeps what it needs, and this may go.
    pub fn read(&self) -> Reading<'_> {
        let reading = self.reading.read().unwrap_or_else(PoisonError::into_inner);
        Reading { number: self.number.load(Ordering::Acquire), _reading: reading }
    }

    /// Begins to write.
    pub fn write(&self) -> Writing<'_> {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        Writing { number: numbers.next(), shown: &self.number, _numbers: numbers }
    }

    /// Nobody begins to read behind this what is not seen below it.
    fn oldest(&self) -> SeqNo {
        let _nobody = self.reading.write().unwrap_or_else(PoisonError::into_inner);
        self.number.load(Ordering::Acquire)
    }
}

/// The threads that write and merge tables.
pub struct Tables {
    work: Arc<Work>,
    sealed: Option<SyncSender<Arc<Memtable>>>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads share.
struct Work {
    tree: AnyTree,
    shown: Arc<Shown>,
    damage: Arc<Damage>,
    backlog: Arc<Backlog>,
    folder: PathBuf,
    /// Why nothing is taken any more.
    failed: OnceLock<String>,
}

impl Tables {
    /// Begins.
    pub fn start(
        tree: AnyTree,
        (shown, damage): (Arc<Shown>, Arc<Damage>),
        backlog: Arc<Backlog>,
        folder: &Path,
    ) -> io::Result<Self> {
        let (folder, failed) = (folder.to_owned(), OnceLock::new());
        let work = Arc::new(Work { tree, shown, damage, backlog, folder, failed });
        work.count_unmerged();
        let (sealed, to_write) = mpsc::sync_channel(WAITING);
        let (written, to_merge) = mpsc::channel();
        // There may be something to merge from before.
        let _ = written.send(());
        let writing =
            work.spawn("index-tables", move |work| work.write_tables(&to_write, &written));
        let merging = work.spawn("index-merges", move |work| work.merge_tables(&to_merge));
        Ok(Self { sealed: Some(sealed), threads: vec![writing?, merging?], work })
    }

    /// Has everything written that has gathered. Waits while too much of that waits.
    pub fn write_gathered(&self) -> Result<()> {
        self.work.check()?;
        let Some(gathered) = self.work.tree.rotate_memtable() else { return Ok(()) };
        self.work.backlog.sealed.fetch_add(1, Ordering::Relaxed);
        match self.sealed.as_ref().map(|sealed| sealed.send(gathered)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.work.check().err().unwrap_or_else(|| failed("its thread is gone"))),
        }
    }

    /// Waits until nothing waits to be written.
    #[cfg(test)]
    pub fn wait_until_written(&self) {
        while self.work.backlog.sealed.load(Ordering::Relaxed) > 0 && self.work.check().is_ok() {
            thread::sleep(PAUSE);
        }
    }
}

/// Writes what has gathered: a start has nothing to compute again.
impl Drop for Tables {
    fn drop(&mut self) {
        self.work.backlog.closing.store(true, Ordering::Relaxed);
        // What fails has been said; the journal has it all.
        let _ = self.write_gathered();
        self.sealed = None;
        for thread in self.threads.drain(..) {
            // It does not panic: see `spawn`.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("backlog", &self.work.backlog).finish_non_exhaustive()
    }
}

impl Work {
    fn spawn(
        self: &Arc<Self>,
        name: &str,
        body: impl FnOnce(&Self) -> lsm_tree::Result<()> + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let work = Arc::clone(self);
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            // The database panics where its files are not what it wrote.
            match catch_unwind(AssertUnwindSafe(|| body(&work))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => work.fail(work.damage.noted(error).to_string()),
                Err(_) => {
                    let reason = "the database panics on its files";
                    work.damage.found(reason);
                    work.fail(reason.to_owned());
                }
            }
        })
    }

    fn check(&self) -> Result<()> {
        self.failed.get().map_or(Ok(()), |reason| Err(failed(reason)))
    }

    fn fail(&self, reason: String) {
        let folder = self.folder.display();
        error!(%folder, "the index takes nothing more, see to the disk and restart the node: {reason}");
        let _ = self.failed.set(reason);
    }

    /// Writes what has gathered, one table after the other.
    fn write_tables(
        &self,
        sealed: &Receiver<Arc<Memtable>>,
        written: &Sender<()>,
    ) -> lsm_tree::Result<()> {
        for gathered in sealed {
            self.write_table(&gathered)?;
            self.backlog.sealed.fetch_sub(1, Ordering::Relaxed);
            self.count_unmerged();
            // Where the other thread has failed nothing is taken any more.
            let _ = written.send(());
            self.forget(gathered)?;
            while self.backlog.unmerged.load(Ordering::Relaxed) >= UNMERGED
                && !self.backlog.closing.load(Ordering::Relaxed)
                && self.failed.get().is_none()
            {
                thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    fn write_table(&self, gathered: &Memtable) -> lsm_tree::Result<()> {
        let tables = self.folder.join(TABLES);
        let mut pace = Pace::of_writing(Arc::clone(&self.backlog), &tables);
        let mut newest = None;
        // Of what was written under a key, the newest comes first. Who began to read before it has all of this at hand.
        let items = gathered.iter().filter(|item| {
            let key = Some(&item.key.user_key);
            let is_newest = newest.as_ref() != key;
            newest = key.cloned();
            is_newest
        });
        let items = items.inspect(|item| pace.done(item.key.user_key.len() + item.value.len()));
        if let Some((tables, blobs)) = self.tree.flush_to_tables(items.map(Ok))? {
            let (written, oldest) = ([gathered.id()], self.shown.oldest());
            self.tree.register_tables(&tables, blobs.as_deref(), None, &written, oldest)?;
        }
        Ok(())
    }

    /// Has the tree let go of all that only who began to read before would need. What nobody else holds it frees
    /// at once, and nobody reads or writes meanwhile: so whoever calls holds what is large.
    fn let_go_of_past(&self) -> lsm_tree::Result<()> {
        // Behind this nobody begins to read from what there was before.
        self.shown.write().show();
        let oldest = self.shown.oldest();
        self.tree.get_version_history_lock().maintenance(&self.folder, oldest)
    }

    /// Frees what is in a table now, a little at a time.
    fn forget(&self, gathered: Arc<Memtable>) -> lsm_tree::Result<()> {
        self.let_go_of_past()?;
        // Who still reads frees it when he is done.
        if let Ok(gathered) = Arc::try_unwrap(gathered) {
            let mut pace = Pace::of_freeing(Arc::clone(&self.backlog));
            for (key, value) in gathered.items {
                pace.done(key.user_key.len() + value.len());
            }
        }
        Ok(())
    }

    /// Merges tables, whenever there are others.
    fn merge_tables(&self, written: &Receiver<()>) -> lsm_tree::Result<()> {
        let strategy = Arc::new(
            Leveled::default().with_l0_threshold(MERGED).with_table_target_size(TABLE_BYTES),
        );
        let levels = || {
            let tables: [_; LEVELS] =
                std::array::from_fn(|level| self.tree.level_table_count(level));
            (tables, self.tree.disk_space())
        };
        for () in written {
            let mut before = None;
            while before != Some(levels()) && !self.backlog.closing.load(Ordering::Relaxed) {
                before = Some(levels());
                let tables: Vec<_> = self.tree.current_version().iter_tables().cloned().collect();
                self.tree.compact(strategy.clone(), self.shown.oldest())?;
                self.count_unmerged();
                self.let_go_of_past()?;
                // Their files are removed here, unless somebody reads them still: that takes the disk a while for each.
                drop(tables);
            }
        }
        Ok(())
    }

    fn count_unmerged(&self) {
        self.backlog.unmerged.store(self.tree.l0_run_count(), Ordering::Relaxed);
    }
}

fn failed(reason: &str) -> DiskError {
    DiskError::Failed(reason.to_owned())
}
