//! The journal as the service uses it: a writer thread that groups waiting appends into one durable
//! write, and a cache of recent entries shared by all readers.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tracing::error;

use super::space::SpaceLog;
use super::tail::{LoggedEntry, Tail};
use super::{Append, AppendError, AppendOutcome, ClusterStatus, Journal, JournalError, Stamp};

/// Maximum bytes per durable write, not counting its last append.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// Maximum bytes of appends that are queued or being written.
const PENDING_BYTES: usize = 64 * 1024 * 1024;

/// The limits of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    /// Appends that may wait for the writer. Further callers wait for a free place.
    pub queue: usize,
    /// Maximum appends per durable write.
    pub group: usize,
    /// Size of the cache of recent entries, in encoded bytes.
    pub tail_bytes: usize,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { queue: 1_024, group: 256, tail_bytes: 16 * 1024 * 1024 }
    }
}

/// A journal with its writer thread and its cache of recent entries.
#[derive(Debug)]
pub struct Log {
    journal: Arc<dyn Journal>,
    tail: Arc<Tail>,
    queue: mpsc::Sender<Pending>,
    /// One permit per byte of [`PENDING_BYTES`].
    budget: Arc<Semaphore>,
    head: watch::Receiver<u64>,
    broken: watch::Sender<Option<String>>,
    space: Arc<SpaceLog>,
    writer: Option<JoinHandle<()>>,
}

/// Waits for the writer, so that the journal can be reopened afterwards.
impl Drop for Log {
    fn drop(&mut self) {
        // The writer ends when the last sender is gone.
        self.queue = mpsc::channel(1).0;
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was reported through `broken`.
            let _ = writer.join();
        }
    }
}

/// A queued append.
#[derive(Debug)]
struct Pending {
    append: Append,
    /// Its share of the byte budget. Released after the write.
    permit: OwnedSemaphorePermit,
    outcome: oneshot::Sender<AppendOutcome>,
}

impl Log {
    /// Starts the writer thread. It ends when the log is dropped.
    pub fn start(journal: Arc<dyn Journal>, settings: LogSettings) -> std::io::Result<Log> {
        let (queue, pending) = mpsc::channel(settings.queue.max(1));
        let tail = Arc::new(Tail::new(settings.tail_bytes));
        let appended = journal.watch();
        let (head, watched) = watch::channel(*appended.borrow());
        let broken = watch::Sender::new(None);
        let space = Arc::<SpaceLog>::default();
        let writer = Writer {
            appended,
            journal: Arc::clone(&journal),
            tail: Arc::clone(&tail),
            head,
            broken: broken.clone(),
            space: Arc::clone(&space),
            group: settings.group,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let thread = thread::Builder::new().name("journal-writer".into());
        let writer = Some(thread.spawn(move || writer.run(&runtime, pending))?);
        let budget = Arc::new(Semaphore::new(PENDING_BYTES));
        Ok(Log { journal, tail, queue, budget, head: watched, broken, space, writer })
    }

    /// Appends an entry. Returns its stamp once the entry is durable.
    ///
    /// Idempotent within the journal's window of recent ids: a repeated id gets the same stamp. Dropping
    /// the future does not cancel the append; it may still be stored.
    pub async fn append(&self, append: Append) -> AppendOutcome {
        let bytes = append.encoded().len().min(PENDING_BYTES);
        let permit = Arc::clone(&self.budget).acquire_many_owned(u32::try_from(bytes).unwrap_or(0));
        let (sender, outcome) = oneshot::channel();
        let stopped = || AppendError::Unknown("the writer of the journal has stopped".into());
        let permit = permit.await.map_err(|_| stopped())?;
        let pending = Pending { append, permit, outcome: sender };
        self.queue.send(pending).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }

    /// Reads up to `limit` entries starting at sequence `from`, in order, without gaps. Recent entries
    /// come from memory, older ones from disk on a blocking thread. Empty only if `from` is past the
    /// head.
    pub async fn read(
        &self,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Arc<LoggedEntry>>, JournalError> {
        if let Some(recent) = self.recent(from, limit) {
            return Ok(recent);
        }
        let journal = Arc::clone(&self.journal);
        let read = tokio::task::spawn_blocking(move || journal.read(from, limit));
        let entries = match read.await {
            Ok(read) => read,
            Err(panic) => Err(JournalError::Storage(panic.to_string())),
        };
        self.logged(entries)
    }

    /// Like [`Self::read`], for a thread that may block.
    pub fn read_blocking(
        &self,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Arc<LoggedEntry>>, JournalError> {
        match self.recent(from, limit) {
            Some(recent) => Ok(recent),
            None => self.logged(self.journal.read(from, limit)),
        }
    }

    /// Like [`Self::read`], from memory only. `None` if entry `from` is not cached.
    pub fn recent(&self, from: u64, limit: usize) -> Option<Vec<Arc<LoggedEntry>>> {
        self.tail.read(from, limit)
    }

    fn logged(
        &self,
        entries: Result<Vec<crate::domain::Entry>, JournalError>,
    ) -> Result<Vec<Arc<LoggedEntry>>, JournalError> {
        let entries = entries.inspect_err(|error| {
            if let JournalError::Damaged { .. } | JournalError::OtherRules { .. } = error {
                report_broken(&self.broken, error.to_string());
            }
        })?;
        Ok(entries.into_iter().map(|entry| Arc::new(LoggedEntry::new(entry, 0))).collect())
    }

    /// Waits until the journal cannot continue, and returns the reason: its disk failed, its writer
    /// ended, or an entry is corrupt. The node must stop then.
    pub async fn broken(&self) -> String {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the journal was closed".into(),
        }
    }

    /// Whether an append would be refused now, and why: a write failed, the writer ended, or the disk has too little room.
    /// Asks the disk. Logs when it runs full, and when it has room again.
    pub fn check_writable(&self) -> Result<(), AppendError> {
        if let Some(reason) = &*self.broken.borrow() {
            return Err(AppendError::Rejected(reason.clone()));
        }
        let writable = self.journal.check_writable();
        match &writable {
            Ok(()) => self.space.has_room(),
            Err(refusal @ AppendError::Full { .. }) => self.space.full(refusal),
            Err(_) => {}
        }
        writable
    }

    /// The free space of the journal's disk, in bytes, if it has one.
    pub fn free_bytes(&self) -> Option<u64> {
        self.journal.free_bytes()
    }

    /// The sequence of the newest durable entry.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Subscribes to the head. It moves after the entry is in the cache.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// The journal's size on disk, in bytes, if it has one.
    pub fn size_on_disk(&self) -> Option<u64> {
        self.journal.size_on_disk()
    }

    /// What the node knows of the other nodes' part, if the journal is shared with any.
    pub fn cluster(&self) -> Option<watch::Receiver<ClusterStatus>> {
        self.journal.cluster()
    }

    /// The sequence of the oldest entry.
    pub fn oldest(&self) -> u64 {
        self.journal.oldest()
    }
}

/// The writer thread. It publishes the head after its own appends are cached, and when other nodes
/// append.
struct Writer {
    journal: Arc<dyn Journal>,
    /// The journal's own head. Other nodes may move it.
    appended: watch::Receiver<u64>,
    tail: Arc<Tail>,
    head: watch::Sender<u64>,
    broken: watch::Sender<Option<String>>,
    space: Arc<SpaceLog>,
    /// Maximum appends per durable write.
    group: usize,
}

fn report_broken(broken: &watch::Sender<Option<String>>, reason: String) {
    broken.send_if_modified(|first| {
        let new = first.is_none();
        first.get_or_insert(reason);
        new
    });
}

/// Reports any end of the writer, including a panic of the backend.
impl Drop for Writer {
    fn drop(&mut self) {
        report_broken(&self.broken, "the writer of the journal has ended".into());
    }
}

impl Writer {
    fn run(mut self, runtime: &tokio::runtime::Runtime, mut pending: mpsc::Receiver<Pending>) {
        while let Some(first) = runtime.block_on(self.next(&mut pending)) {
            let mut bytes = first.append.encoded().len();
            let mut group = vec![first];
            while group.len() < self.group && bytes < GROUP_BYTES {
                let Ok(next) = pending.try_recv() else { break };
                bytes += next.append.encoded().len();
                group.push(next);
            }
            self.write(group);
            if self.journal.has_failed() {
                let reason = "the disk failed: the journal is checked at the next start";
                return report_broken(&self.broken, reason.into());
            }
        }
    }

    /// Waits for the next append. Publishes appends of other nodes meanwhile.
    async fn next(&mut self, pending: &mut mpsc::Receiver<Pending>) -> Option<Pending> {
        loop {
            tokio::select! {
                biased;
                next = pending.recv() => return next,
                Ok(()) = self.appended.changed() => self.publish(),
            }
        }
    }

    fn publish(&mut self) {
        let appended = *self.appended.borrow_and_update();
        self.head.send_if_modified(|head| {
            let moved = appended > *head;
            *head = appended.max(*head);
            moved
        });
    }

    fn write(&mut self, group: Vec<Pending>) {
        let (mut appends, mut senders) = (Vec::new(), Vec::new());
        // Released after the write.
        let mut permits = Vec::new();
        for pending in group {
            appends.push(pending.append);
            senders.push(pending.outcome);
            permits.push(pending.permit);
        }
        let outcomes = self.journal.append(&appends);
        match outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
            None => {}
            // It refuses the whole group, and every group until there is room.
            Some(refusal @ AppendError::Full { .. }) => self.space.full(refusal),
            Some(fault) => {
                let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
                error!(failed, of = appends.len(), "appends failed: {fault}");
            }
        }
        let stored = appends.into_iter().zip(&outcomes).filter_map(|(append, outcome)| {
            let stamp: Stamp = *outcome.as_ref().ok().filter(|stamp| !stamp.repeated)?;
            let size = append.encoded().len();
            Some(Arc::new(LoggedEntry::new(append.into_entry(stamp), size)))
        });
        self.tail.push(stored);
        self.publish();
        for (sender, outcome) in senders.into_iter().zip(outcomes) {
            // The caller may have stopped waiting.
            let _ = sender.send(outcome);
        }
    }
}
