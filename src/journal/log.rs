//! The journal as the service uses it: one writer that gathers what waits into one durable write,
//! and readers that share the recent entries.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tracing::error;

use super::tail::{Logged, Tail};
use super::{Append, AppendError, Journal, JournalError, Stamp};

/// The most appends in one durable write.
const GATHERED_APPENDS: usize = 256;
/// The most bytes in one durable write, but for its last append.
const GATHERED_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes of appends that wait for the writer or are being written.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// The bounds of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    /// How many appends may wait for the writer. Further ones wait for their place.
    pub queue: usize,
    /// The recent entries that are kept in memory, in bytes as they lie on disk.
    pub tail_bytes: usize,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { queue: 1_024, tail_bytes: 16 * 1024 * 1024 }
    }
}

/// A journal, its writer and its tail.
#[derive(Debug)]
pub struct Log {
    journal: Arc<dyn Journal>,
    tail: Arc<Tail>,
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    head: watch::Receiver<u64>,
    broken: watch::Sender<Option<String>>,
    writer: Option<JoinHandle<()>>,
}

/// Ends the writer: whoever opens the journal next does not find it in use.
impl Drop for Log {
    fn drop(&mut self) {
        // With the last sender the writer has nothing more to wait for.
        self.queue = mpsc::channel(1).0;
        if let Some(writer) = self.writer.take() {
            // What it panicked with has been told.
            let _ = writer.join();
        }
    }
}

#[derive(Debug)]
struct Waiting {
    append: Append,
    /// What the append takes of the bytes that may wait.
    room: OwnedSemaphorePermit,
    answer: oneshot::Sender<Result<Stamp, AppendError>>,
}

impl Log {
    /// Starts the writer of a journal, which ends with the last handle of the log.
    pub fn start(journal: Arc<dyn Journal>, settings: LogSettings) -> std::io::Result<Log> {
        let (queue, waiting) = mpsc::channel(settings.queue.max(1));
        let tail = Arc::new(Tail::new(settings.tail_bytes));
        let (head, watched) = watch::channel(journal.head());
        let broken = watch::Sender::new(None);
        let writer = Writer {
            journal: Arc::clone(&journal),
            tail: Arc::clone(&tail),
            head,
            broken: broken.clone(),
        };
        let thread = thread::Builder::new().name("journal-writer".into());
        let writer = Some(thread.spawn(move || writer.run(waiting))?);
        let room = Arc::new(Semaphore::new(WAITING_BYTES));
        Ok(Log { journal, tail, queue, room, head: watched, broken, writer })
    }

    /// Appends, and tells where once it is durable.
    ///
    /// The same id within the journal's window is stored once and answered with the same stamp.
    /// Whoever stops waiting leaves the append as it is: it may be stored.
    pub async fn append(&self, append: Append) -> Result<Stamp, AppendError> {
        let bytes = append.encoded().len().min(WAITING_BYTES);
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(bytes).unwrap_or(0));
        let (answer, answered) = oneshot::channel();
        let gone = || AppendError::Unknown("the writer of the journal has stopped".into());
        let room = room.await.map_err(|_| gone())?;
        self.queue.send(Waiting { append, room, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Up to `most` entries from `from` on, in order and without a gap: the recent ones from
    /// memory, older ones from disk.
    pub fn read(&self, from: u64, most: usize) -> Result<Vec<Arc<Logged>>, JournalError> {
        if let Some(recent) = self.tail.read(from, most) {
            return Ok(recent);
        }
        let entries = self.journal.read(from, most).inspect_err(|error| {
            if let JournalError::Damaged { .. } = error {
                breaks(&self.broken, error.to_string());
            }
        })?;
        Ok(entries.into_iter().map(|entry| Arc::new(Logged::new(entry, 0))).collect())
    }

    /// What [`Log::read`] gives, where memory holds it: never waits for the disk.
    pub fn recent(&self, from: u64, most: usize) -> Option<Vec<Arc<Logged>>> {
        self.tail.read(from, most)
    }

    /// Done, with the reason, once the journal cannot go on: its disk failed, its writer ended, or
    /// an entry of it is damaged. The node is to stop on it.
    pub async fn broken(&self) -> String {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the journal was closed".into(),
        }
    }

    /// The sequence of the newest durable entry.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Follows the head.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// The journal's size on disk, in bytes, where it has one.
    pub fn size_on_disk(&self) -> Option<u64> {
        self.journal.size_on_disk()
    }

    /// The sequence of the oldest entry.
    pub fn oldest(&self) -> u64 {
        self.journal.oldest()
    }
}

struct Writer {
    journal: Arc<dyn Journal>,
    tail: Arc<Tail>,
    head: watch::Sender<u64>,
    broken: watch::Sender<Option<String>>,
}

fn breaks(broken: &watch::Sender<Option<String>>, reason: String) {
    broken.send_if_modified(|first| {
        let new = first.is_none();
        first.get_or_insert(reason);
        new
    });
}

/// Whatever ends the writer, a panic of the database under it too, is told.
impl Drop for Writer {
    fn drop(&mut self) {
        breaks(&self.broken, "the writer of the journal has ended".into());
    }
}

impl Writer {
    fn run(self, mut waiting: mpsc::Receiver<Waiting>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut bytes = first.append.encoded().len();
            let mut gathered = vec![first];
            while gathered.len() < GATHERED_APPENDS && bytes < GATHERED_BYTES {
                let Ok(next) = waiting.try_recv() else { break };
                bytes += next.append.encoded().len();
                gathered.push(next);
            }
            self.write(gathered);
            if self.journal.has_failed() {
                let reason = "the disk failed: what the journal holds is checked at the next start";
                return breaks(&self.broken, reason.into());
            }
        }
    }

    fn write(&self, gathered: Vec<Waiting>) {
        let (mut appends, mut answers) = (Vec::new(), Vec::new());
        // Room is there again once the write is done.
        let mut rooms = Vec::new();
        for waiting in gathered {
            appends.push(waiting.append);
            answers.push(waiting.answer);
            rooms.push(waiting.room);
        }
        // Who asked may have stopped waiting, so no answer is missed for want of a receiver.
        match self.journal.append(&appends) {
            Ok(stamps) => {
                let head = stamps.iter().map(|stamp| stamp.sequence).max().unwrap_or(0);
                let stored = appends.into_iter().zip(&stamps).filter(|(_, stamp)| !stamp.repeated);
                let stored = stored.map(|(append, stamp)| {
                    let size = append.encoded().len();
                    Arc::new(Logged::new(append.into_entry(*stamp), size))
                });
                self.tail.push(stored);
                self.head.send_if_modified(|old| {
                    let moved = head > *old;
                    *old = head.max(*old);
                    moved
                });
                for (answer, stamp) in answers.into_iter().zip(stamps) {
                    let _ = answer.send(Ok(stamp));
                }
            }
            Err(fault) => {
                error!(appends = appends.len(), "the journal took nothing: {fault}");
                for answer in answers {
                    let _ = answer.send(Err(fault.clone()));
                }
            }
        }
    }
}
