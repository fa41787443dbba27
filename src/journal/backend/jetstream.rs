//! The journal in a NATS JetStream stream, with a local copy on each node.
//!
//! One entry is one message, and its sequence is the message's. An append is published, acknowledged by the
//! quorum, and known when the follower has stored it in the local copy, since the copy decides its time:
//! see [`frame`]. Reads are answered by the copy. A thread of its own runs the connection, so that callers may
//! block.

mod follower;
pub(super) mod frame;
mod ingest;
mod publish;
mod refusal;
mod servers;
mod settings;
mod stream;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::Context;
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::frame::{Frame, Kind};
use self::publish::Outgoing;
pub use self::refusal::Refusal;
pub use self::settings::JetStreamSettings;
use super::local::{LocalCopy, LocalJournal, OpenError, Ownership};
use super::window::DedupWindow;
use super::{Backend, files, sled};
use crate::domain::Entry;
use crate::journal::{
    Append, AppendError, AppendOutcome, ClusterState, ClusterStatus, Journal, JournalError,
};

/// How long an append waits while the node checks the servers again, before it is refused.
const GRACE: Duration = Duration::from_secs(1);
/// How often a start logs how far the local copy is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// Messages and bytes in flight while entries are restored.
const RESTORE_MESSAGES: usize = 256;
const RESTORE_BYTES: usize = 16 * 1024 * 1024;

/// A journal in a stream. Dropping it closes the connection and the local copy.
pub struct JetStreamJournal {
    shared: Arc<Shared>,
    /// The runtime of the connection.
    runtime: Handle,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// What the follower and appends share.
struct Shared {
    settings: JetStreamSettings,
    copy: Arc<dyn LocalCopy>,
    client: Client,
    context: Context,
    /// Incremented by each connection.
    connections: watch::Receiver<u64>,
    status: watch::Sender<ClusterStatus>,
    /// The stamps of recent ids. Unlike those of the copy, they can be found during a write.
    recent: Mutex<DedupWindow>,
    /// Held while messages are stored.
    ingest: Mutex<()>,
    /// Set if the stream was seen to end before the local copy.
    lost_tail: AtomicBool,
}

impl JetStreamJournal {
    /// Opens the local copy, connects, checks the servers and the stream, and fetches what the copy lacks.
    ///
    /// Creates the stream if there is none. Blocks until the copy has reached the head that the stream had at
    /// the time of the check.
    pub fn open(settings: JetStreamSettings) -> Result<Self, OpenError> {
        let ownership = Ownership::CopyOf(&settings.stream);
        let copy: Arc<dyn LocalCopy> = match settings.copy {
            Backend::Sled => Arc::new(LocalJournal::<sled::SledStore>::open_as(
                ownership,
                settings.local.clone(),
            )?),
            Backend::Files => Arc::new(LocalJournal::<files::FileStore>::open_as(
                ownership,
                settings.local.clone(),
            )?),
        };
        let folder = settings.local.folder.clone();
        let stop = CancellationToken::new();
        let (started, start) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("journal-jetstream".into());
        let stopped = stop.clone();
        let thread = thread.spawn(move || run(settings, copy, &stopped, &started));
        let thread = thread.map_err(|source| OpenError::of_io(&folder, source))?;
        let (shared, runtime) = match start.recv() {
            Ok(started) => started?,
            Err(_) => return Err(Refusal::Unreachable { reason: "its thread ended".into() }.into()),
        };
        let journal = Self { shared, runtime, stop, thread: Some(thread) };
        journal.wait_until_followed()?;
        Ok(journal)
    }

    fn wait_until_followed(&self) -> Result<(), OpenError> {
        let shared = Arc::clone(&self.shared);
        let followed = self.block_on(async move { shared.caught_up().await });
        let unreachable = || Refusal::Unreachable { reason: "its thread ended".into() };
        Ok(followed.ok_or_else(unreachable)??)
    }

    /// Runs a future on the connection's runtime, and blocks until it is done. `None` if the runtime ended.
    ///
    /// The caller may be inside another runtime, so this does not use [`Handle::block_on`].
    fn block_on<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime.spawn(async move { sender.send(future.await) });
        receiver.recv().ok()
    }

    /// Publishes entries that have their sequences.
    fn restore(&self, messages: Vec<Outgoing>) -> Result<(), JournalError> {
        let closed = || JournalError::Storage("the journal was closed".into());
        let shared = Arc::clone(&self.shared);
        let sequences: Vec<_> = messages.iter().filter_map(|message| message.sequence).collect();
        let publish = async move { publish::publish_all(&shared, &messages).await };
        let outcomes = self.block_on(publish).ok_or_else(closed)?;
        for (sequence, outcome) in sequences.into_iter().zip(outcomes) {
            let stamp = outcome.map_err(|error| JournalError::Storage(error.to_string()))?;
            if stamp.sequence != sequence {
                return Err(JournalError::OutOfOrder { expected: stamp.sequence, got: sequence });
            }
        }
        Ok(())
    }

    /// Removes the messages before `first`. An empty stream then continues with `first`.
    fn purge(&self, first: u64) -> Result<(), JournalError> {
        let shared = Arc::clone(&self.shared);
        let purged = self.block_on(async move { stream::purge(&shared, first).await });
        let purged = purged.unwrap_or_else(|| Err("the journal was closed".into()));
        purged.map_err(|error| {
            JournalError::Storage(format!("the stream cannot be trimmed: {error}"))
        })
    }
}

/// The thread of the connection: connects, reports, and follows the stream until `stop`.
fn run(
    settings: JetStreamSettings,
    copy: Arc<dyn LocalCopy>,
    stop: &CancellationToken,
    started: &mpsc::SyncSender<Result<(Arc<Shared>, Handle), OpenError>>,
) {
    let folder = settings.local.folder.clone();
    let runtime =
        Builder::new_multi_thread().worker_threads(2).thread_name("jetstream").enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(source) => {
            // The receiver waits for it.
            let _ = started.send(Err(OpenError::of_io(&folder, source)));
            return;
        }
    };
    let handle = runtime.handle().clone();
    runtime.block_on(async move {
        match settings.connect().await {
            Ok((client, context, connections)) => {
                let shared = Arc::new(Shared {
                    settings,
                    copy,
                    client,
                    context,
                    connections,
                    status: watch::Sender::default(),
                    recent: Mutex::default(),
                    ingest: Mutex::default(),
                    lost_tail: AtomicBool::default(),
                });
                let _ = started.send(Ok((Arc::clone(&shared), handle)));
                follower::run(shared, stop.clone()).await;
            }
            Err(refusal) => {
                let _ = started.send(Err(refusal.into()));
            }
        }
    });
}

impl Shared {
    /// Waits until the node follows the stream, and the copy has reached the head that was confirmed then.
    async fn caught_up(&self) -> Result<(), Refusal> {
        let limit = self.settings.connect_timeout;
        let mut status = self.status.subscribe();
        let is_decided = |status: &ClusterStatus| {
            matches!(status.state, ClusterState::Following | ClusterState::Refused(_))
        };
        let Ok(Ok(decided)) =
            timeout(limit, status.wait_for(is_decided)).await.map(|it| it.map(|it| it.clone()))
        else {
            let reason = self.status.borrow().refusal().unwrap_or_default();
            return Err(Refusal::Unreachable { reason });
        };
        if let ClusterState::Refused(refusal) = decided.state {
            return Err(refusal);
        }
        let target = decided.confirmed.map_or(0, |confirmed| confirmed.head);
        let mut head = self.copy.watch();
        loop {
            tokio::select! {
                reached = head.wait_for(|head| *head >= target) => {
                    let closed = |_| Refusal::Unreachable { reason: "it was closed".into() };
                    return reached.map(drop).map_err(closed);
                }
                () = tokio::time::sleep(PROGRESS_EVERY) => {
                    info!(at = *self.copy.watch().borrow(), target, "fetching the journal's stream");
                    if let ClusterState::Refused(refusal) = &self.status.borrow().state {
                        return Err(refusal.clone());
                    }
                }
            }
        }
    }

    /// Waits a moment until the node follows the stream. An error is the reason why it does not.
    async fn ready(&self) -> Result<(), AppendError> {
        let mut status = self.status.subscribe();
        let follows = status.wait_for(|status| status.state == ClusterState::Following);
        let _ = timeout(GRACE, follows).await;
        self.refusal()
    }

    fn refusal(&self) -> Result<(), AppendError> {
        self.status.borrow().refusal().map_or(Ok(()), |reason| Err(AppendError::Rejected(reason)))
    }
}

impl Drop for JetStreamJournal {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was logged. The copy is durable without it.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for JetStreamJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamJournal")
            .field("stream", &self.shared.settings.stream)
            .field("copy", &self.shared.copy)
            .finish_non_exhaustive()
    }
}

impl Journal for JetStreamJournal {
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let copy = &self.shared.copy;
        if let Err(refused) = copy.check_writable() {
            return batch.iter().map(|_| Err(refused.clone())).collect();
        }
        // Ids that the copy remembers are not published: JetStream forgets them earlier.
        let known: Vec<_> = batch.iter().map(|append| copy.find(append.id())).collect();
        let new = batch.iter().zip(&known).filter(|(_, known)| known.is_none());
        let new: Vec<_> = new.map(|(append, _)| append.clone()).collect();
        let unknown = || Err(AppendError::Unknown("the journal was closed".into()));
        let count = new.len();
        let shared = Arc::clone(&self.shared);
        let published = self.block_on(async move {
            match shared.ready().await {
                Ok(()) => publish::append_all(&shared, &new).await,
                Err(refused) => new.iter().map(|_| Err(refused.clone())).collect(),
            }
        });
        let published = published.unwrap_or_else(|| (0..count).map(|_| unknown()).collect());
        let mut published = published.into_iter();
        let outcome = |known| match known {
            Some(stamp) => Ok(stamp),
            None => published.next().unwrap_or_else(unknown),
        };
        known.into_iter().map(outcome).collect()
    }

    fn put(&self, entries: &[Entry]) -> Result<(), JournalError> {
        let encoded = self.shared.copy.encode(entries)?;
        let Some(first) = entries.first() else { return Ok(()) };
        if self.shared.copy.end().sequence == 0 && first.sequence > 1 {
            self.purge(first.sequence)?;
        }
        let (mut messages, mut bytes) = (Vec::new(), 0);
        for (entry, encoded) in entries.iter().zip(encoded) {
            let frame = Frame { kind: Kind::Restored, time: entry.time, entry: encoded.into() };
            bytes += frame.entry.len();
            messages.push(Outgoing {
                id: entry.id,
                message_id: frame.kind.message_id(entry.id, entry.sequence),
                payload: frame.encode(),
                sequence: Some(entry.sequence),
            });
            if messages.len() >= RESTORE_MESSAGES || bytes >= RESTORE_BYTES {
                self.restore(std::mem::take(&mut messages))?;
                bytes = 0;
            }
        }
        self.restore(messages)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.shared.copy.read(from, limit)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.shared.copy.watch()
    }

    fn oldest(&self) -> u64 {
        self.shared.copy.oldest()
    }

    /// Trims the stream, then the local copy. What was withdrawn must not stay in the stream. A node that is
    /// further behind than `before` has to fetch the stream again.
    fn trim(&self, before: u64) -> Result<(), JournalError> {
        let before = before.min(self.head());
        if before > 1 {
            self.purge(before)?;
        }
        self.shared.copy.trim(before)
    }

    fn has_failed(&self) -> bool {
        self.shared.copy.has_failed()
    }

    fn check_writable(&self) -> Result<(), AppendError> {
        self.shared.copy.check_writable()?;
        self.shared.refusal()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.shared.copy.free_bytes()
    }

    fn size_on_disk(&self) -> Option<u64> {
        self.shared.copy.size_on_disk()
    }

    fn cluster(&self) -> Option<watch::Receiver<ClusterStatus>> {
        Some(self.shared.status.subscribe())
    }
}
