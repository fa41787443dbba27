//! Opens a node's stores and catches up the index.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::info;

use super::readiness::Readiness;
use super::{ServeError, shared_journal};
use crate::clock::Clock;
use crate::config::{Config, JournalBackend, Storage};
use crate::exchange::Follower;
use crate::index::{Index, IndexState, JournalEnds};
use crate::journal::{
    self, Backend, CursorError, CursorStore, JetStreamJournal, Journal, LocalSettings, Log,
    LogSettings, OpenError, SledCursors, UnreadableCursors,
};

const MB: u64 = 1024 * 1024;

/// The stores of a node, open and caught up.
pub struct Stores {
    pub log: Arc<Log>,
    pub index: Arc<Index>,
    pub cursors: Arc<dyn CursorStore>,
    pub follower: Follower,
}

impl Stores {
    /// Runs [`Stores::open`] on a thread for blocking work.
    pub async fn open_blocking(
        config: &Config,
        clock: &Arc<dyn Clock>,
        readiness: &Arc<Readiness>,
        cancelled: &CancellationToken,
    ) -> Result<Self, ServeError> {
        let (config, clock) = (config.clone(), Arc::clone(clock));
        let (readiness, cancelled) = (Arc::clone(readiness), cancelled.clone());
        let open = move || Self::open(&config, &clock, &readiness, &cancelled);
        tokio::task::spawn_blocking(open).await.map_err(std::io::Error::other)?
    }

    /// Blocks until the index has caught up, or until `cancelled`.
    fn open(
        config: &Config,
        clock: &Arc<dyn Clock>,
        readiness: &Readiness,
        cancelled: &CancellationToken,
    ) -> Result<Self, ServeError> {
        let (log, index) = open_log(config, clock)?;
        let mut follower = Follower::new(Arc::clone(&log), Arc::clone(&index))?;
        catch_up(&mut follower, &log, &index, readiness, cancelled)?;
        let cursors = open_cursors(config)?;
        Ok(Self { log, index, cursors, follower })
    }
}

/// Opens the journal and the index, and starts the log's writer.
fn open_log(config: &Config, clock: &Arc<dyn Clock>) -> Result<(Arc<Log>, Arc<Index>), ServeError> {
    let storage = &config.storage;
    check_journal_exists(storage)?;
    let journal = open_journal(config, clock)?;
    let entry = |sequence| journal.read(sequence, 1).ok()?.pop();
    let ends = JournalEnds { head: journal.head(), entry: &entry };
    let index = Index::open(&storage.data.join("index"), storage.index_cache_mb * MB, ends)?;
    let tail_bytes = usize::try_from(storage.tail_mb * MB).unwrap_or(usize::MAX);
    let settings =
        LogSettings { queue: storage.append_queue, tail_bytes, ..LogSettings::default() };
    let log = Log::start(journal, settings)?;
    Ok((Arc::new(log), Arc::new(index)))
}

/// Opens the configured journal.
fn open_journal(config: &Config, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Journal>, OpenError> {
    let local = |backend| journal::open(backend, journal_settings(&config.storage, clock));
    match config.storage.journal {
        JournalBackend::Sled => local(Backend::Sled),
        JournalBackend::Files => local(Backend::Files),
        JournalBackend::JetStream => {
            Ok(Arc::new(JetStreamJournal::open(shared_journal::settings(config, clock))?))
        }
    }
}

/// Checks that the journal's folder holds what the configured journal would open. Changes nothing.
pub fn check_journal_folder(config: &Config) -> Result<(), OpenError> {
    let folder = config.storage.data.join("journal");
    match config.storage.journal {
        JournalBackend::Sled => journal::check_backend(&folder, Backend::Sled),
        JournalBackend::Files => journal::check_backend(&folder, Backend::Files),
        JournalBackend::JetStream => {
            let table = &config.jetstream;
            journal::check_copy(&folder, shared_journal::copy(table), &table.stream)
        }
    }
}

/// Refuses a data folder that has lost its journal, so that an empty exchange never takes its place. The local copy
/// of a stream may be missing: it is fetched again.
pub fn check_journal_exists(storage: &Storage) -> Result<(), ServeError> {
    if storage.journal == JournalBackend::JetStream {
        return Ok(());
    }
    let others = ["index", "cursors"].map(|store| storage.data.join(store));
    let is_missing = journal::is_missing(&storage.data.join("journal"));
    if is_missing && others.iter().any(|store| holds_files(store)) {
        return Err(ServeError::JournalMissing { data: storage.data.clone() });
    }
    Ok(())
}

fn holds_files(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}

/// The settings of the journal in a data folder.
pub fn journal_settings(storage: &Storage, clock: &Arc<dyn Clock>) -> LocalSettings {
    let clock = Arc::clone(clock);
    LocalSettings {
        min_free_bytes: storage.min_free_mb * MB,
        cache_bytes: storage.journal_cache_mb * MB,
        ..LocalSettings::new(storage.data.join("journal"), Arc::new(move || clock.now()))
    }
}

/// Opens the subscriptions. If they are damaged the node starts anyway, and refuses calls on durable
/// subscriptions.
fn open_cursors(config: &Config) -> Result<Arc<dyn CursorStore>, ServeError> {
    match SledCursors::open(&config.storage.data.join("cursors")) {
        Ok(cursors) => Ok(Arc::new(cursors)),
        Err(CursorError::Unreadable { folder, reason }) => {
            Ok(Arc::new(UnreadableCursors { folder, reason }))
        }
        Err(error) => Err(error.into()),
    }
}

/// A readiness check: whether the index can be read. After a failure its database is reopened.
pub fn index_ready(index: &Index) -> impl Fn() -> Result<(), String> + Send + Sync + 'static {
    let state = index.watch_state();
    move || match &*state.borrow() {
        IndexState::Ready => Ok(()),
        IndexState::Reopening { reason } => Err(format!("the index is being reopened: {reason}")),
    }
}

/// Applies the journal's entries that the index lacks.
fn catch_up(
    follower: &mut Follower,
    log: &Log,
    index: &Index,
    readiness: &Readiness,
    cancelled: &CancellationToken,
) -> Result<(), ServeError> {
    let (from, head) = (index.checkpoint(), log.head());
    if from == head {
        return Ok(());
    }
    info!(from, head, "catching up: applying entries of the journal");
    let step = ((head - from) / 10).max(1_000);
    let mut last_logged = from;
    let mut progress = |at: u64| {
        readiness.not_ready(format!("catching up: {at} of {head} entries"));
        if at >= last_logged + step {
            last_logged = at;
            info!(at, head, "catching up");
        }
        if cancelled.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let _ = progress(from);
    follower.keep_up(&tokio::runtime::Handle::current(), cancelled, progress)?;
    Ok(())
}
