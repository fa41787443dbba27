//! One node, from its configuration to its end.

use std::fs;
use std::future::Future;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::grpc::{self, Grpc};
use super::observed::observed;
use super::readiness::Readiness;
use super::settings::CheckedConfig;
use super::{Bound, ServeError, descriptors, private};
use crate::clock::Clock;
use crate::config::{Config, JournalBackend, Storage};
use crate::domain::cursor::EpochId;
use crate::exchange::{Exchange, Follower};
use crate::https::ops;
use crate::index::{Index, IndexState, JournalEnds};
use crate::journal::{
    self, Backend, CursorError, CursorStore, LocalSettings, Log, LogSettings, SledCursors,
    UnreadableCursors,
};
use crate::metrics::Metrics;
use crate::tls::ServerTls;

const MB: u64 = 1024 * 1024;
/// How often the identity folder is looked at for a new certificate.
const RELOAD_EVERY: Duration = Duration::from_secs(30);

/// A node that has caught up, listens, and is to serve.
pub struct Node {
    bound: Bound,
    config: Config,
    checked: CheckedConfig,
    exchange: Arc<Exchange>,
    tls: Arc<ServerTls>,
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    grpc: TcpListener,
    ops: JoinHandle<std::io::Result<()>>,
    /// Told when the node is to stop: no new calls, and open streams end.
    stop: CancellationToken,
    /// Told when all calls are answered: the follower may end.
    answered: CancellationToken,
    follower: oneshot::Receiver<Result<(), crate::error::Error>>,
}

impl Node {
    /// Reads every value of a configuration without starting anything.
    pub fn check(config: &Config) -> Result<(), ServeError> {
        CheckedConfig::of(config)?;
        Ok(())
    }

    /// Binds the listeners and serves the ops listener, then opens the journal and the index, catches
    /// up and seeds the registry. Clients are listened to at the end.
    ///
    /// Dropped before it is done it ends what it began, within a few entries of the replay.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        let mut checked = CheckedConfig::of(&config)?;
        let server = &config.server;
        let at = |address| move |source| ServeError::Bind { address, source };
        let grpc = grpc::reserve(server.grpc).map_err(at(server.grpc))?;
        let ops = TcpListener::bind(server.ops).await.map_err(at(server.ops))?;
        let bound = Bound { grpc: grpc.local_addr()?, ops: ops.local_addr()? };
        private::secure(&config.storage.data)?;
        let enforced_before = config.storage.data.join("revocation-enforced");
        let tls = ServerTls::open(
            &server.identity,
            server.crl_required,
            enforced_before,
            Arc::clone(&clock),
        )?;
        let tls = Arc::new(tls);

        let answered = CancellationToken::new();
        let given_up = answered.clone().drop_guard();
        let metrics = Arc::new(Metrics::new());
        let readiness = Arc::new(Readiness::starting());
        let started = Arc::new(OnceLock::new());
        let observed = observed(&metrics, &readiness, &tls, &started);
        let ops = tokio::spawn(ops::serve(ops, observed, answered.clone()));

        let stores = {
            let (config, clock) = (config.clone(), Arc::clone(&clock));
            let (readiness, given_up) = (Arc::clone(&readiness), answered.clone());
            move || Stores::open(&config, &clock, &readiness, &given_up)
        };
        let stores = tokio::task::spawn_blocking(stores).await.map_err(std::io::Error::other)??;
        let Stores { log, index, cursors, follower } = stores;
        readiness.require(index_ready(&index));
        // The stores are open by now, and connections take what they leave. A start that is refused appends nothing.
        let wanted = checked.connections.total;
        checked.connections.total =
            descriptors::connections(wanted).ok_or(ServeError::Descriptors)?;
        let exchange = Exchange::new(log, index, cursors, clock, checked.exchange);
        let exchange = Arc::new(exchange);
        exchange.set_suspended(checked.suspended.clone());
        let follower = follow(follower, answered.clone())?;
        exchange.begin_epoch(EpochId(rand::random())).await?;
        exchange.commands.seed(checked.seed.clone()).await?;
        let grpc = grpc::listen(grpc).map_err(at(bound.grpc))?;
        // It is the only one to set it.
        let _ = started.set(Arc::clone(&exchange));
        readiness.ready();
        given_up.disarm();
        Ok(Self {
            bound,
            config,
            checked,
            exchange,
            tls,
            metrics,
            readiness,
            grpc,
            ops,
            stop: CancellationToken::new(),
            answered,
            follower,
        })
    }

    /// Where it listens.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// The exchange, for those in the same process.
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// Serves until `shutdown` is done, then drains: no new calls, open feeds end with their cursor,
    /// appends that wait are answered. Calls that outlast the deadline are cut off.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send,
        reload: mpsc::Receiver<Config>,
    ) -> Result<(), ServeError> {
        // Up to the end: what is acknowledged while the node drains is written too.
        let cursors = self.exchange.feeds.clone().keep_cursors(self.answered.clone());
        let cursors = tokio::spawn(cursors);
        let background = self.background(reload);
        let mut follower = self.follower;
        let deadline = Duration::from_secs(self.config.server.drain_timeout_s);
        let stop = self.stop.clone();
        let serving = Grpc {
            config: &self.config,
            checked: &self.checked,
            exchange: &self.exchange,
            tls: &self.tls,
            metrics: &self.metrics,
            stop: stop.clone(),
        }
        .serve(self.grpc);
        tokio::pin!(serving);
        let mut followed = false;
        let fault = tokio::select! {
            () = shutdown => None,
            ended = &mut serving => { ended?; None },
            ended = &mut follower => {
                followed = true;
                Some(fault_of(ended))
            }
            broken = self.exchange.broken() => Some(broken),
        };
        info!("stopping: open calls have {} s", deadline.as_secs());
        self.readiness.not_ready("stopping");
        stop.cancel();
        if let Ok(ended) = tokio::time::timeout(deadline, &mut serving).await {
            ended?;
        } else {
            warn!("calls were still open at the deadline, and are cut off");
        }
        self.answered.cancel();
        let applied = if followed { Ok(Ok(())) } else { follower.await };
        for task in &background {
            task.abort();
        }
        // It tells of its own faults in the log, and a cursor that is not written loses nothing.
        let _ = cursors.await;
        self.ops.abort();
        // None of them holds the folders any more when this returns.
        let _ = self.ops.await;
        for task in background {
            let _ = task.await;
        }
        match (fault, applied) {
            (Some(fault), _) => Err(fault.into()),
            (None, Ok(Ok(()))) => Ok(()),
            (None, ended) => Err(fault_of(ended).into()),
        }
    }

    /// What runs beside the calls until the node stops.
    fn background(&self, reload: mpsc::Receiver<Config>) -> [JoinHandle<()>; 5] {
        let sweeps = || self.exchange.sweeps.clone();
        let stop = || self.stop.clone();
        [
            tokio::spawn(sweeps().close_idle_submissions(stop())),
            tokio::spawn(sweeps().expire_assessments(stop())),
            tokio::spawn(sweeps().end_releases(stop())),
            tokio::spawn(sweeps().follow_up_tips(stop())),
            tokio::spawn(keep_fresh(
                Arc::clone(&self.tls),
                Arc::clone(&self.exchange),
                reload,
                stop(),
            )),
        ]
    }
}

/// What a node keeps on its disk, opened and caught up.
struct Stores {
    log: Arc<Log>,
    index: Arc<Index>,
    cursors: Arc<dyn CursorStore>,
    follower: Follower,
}

impl Stores {
    /// Blocks until the index has caught up, or until it is given up.
    fn open(
        config: &Config,
        clock: &Arc<dyn Clock>,
        readiness: &Readiness,
        given_up: &CancellationToken,
    ) -> Result<Self, ServeError> {
        let (log, index) = open(config, clock)?;
        let mut follower = Follower::new(Arc::clone(&log), Arc::clone(&index))?;
        catch_up(&mut follower, &log, &index, readiness, given_up)?;
        let cursors = open_cursors(config)?;
        Ok(Self { log, index, cursors, follower })
    }
}
fn open(config: &Config, clock: &Arc<dyn Clock>) -> Result<(Arc<Log>, Arc<Index>), ServeError> {
    let storage = &config.storage;
    let backend = match storage.journal {
        JournalBackend::Sled => Backend::Sled,
        JournalBackend::Files => Backend::Files,
    };
    let settings = journal_settings(storage, clock);
    let others = ["index", "cursors"].map(|store| storage.data.join(store));
    if journal::is_missing(&settings.folder) && others.iter().any(|store| holds_files(store)) {
        return Err(ServeError::JournalMissing { data: storage.data.clone() });
    }
    let journal = journal::open(backend, settings)?;
    let entry = |sequence| journal.read(sequence, 1).ok()?.pop();
    let ends = JournalEnds { head: journal.head(), entry: &entry };
    let index = Index::open(&storage.data.join("index"), storage.index_cache_mb * MB, ends)?;
    let tail_bytes = usize::try_from(storage.tail_mb * MB).unwrap_or(usize::MAX);
    let settings = LogSettings { queue: storage.append_queue, tail_bytes };
    let log = Log::start(journal, settings)?;
    Ok((Arc::new(log), Arc::new(index)))
}

fn holds_files(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}

/// How the journal of a data folder is opened.
pub fn journal_settings(storage: &Storage, clock: &Arc<dyn Clock>) -> LocalSettings {
    let time = Arc::clone(clock);
    LocalSettings {
        min_free_bytes: storage.min_free_mb * MB,
        cache_bytes: storage.journal_cache_mb * MB,
        ..LocalSettings::new(storage.data.join("journal"), Arc::new(move || time.now()))
    }
}

/// Opens the subscriptions. Where they are damaged the node starts all the same, and refuses them.
fn open_cursors(config: &Config) -> Result<Arc<dyn CursorStore>, ServeError> {
    match SledCursors::open(&config.storage.data.join("cursors")) {
        Ok(cursors) => Ok(Arc::new(cursors)),
        Err(CursorError::Unreadable { folder, reason }) => {
            Ok(Arc::new(UnreadableCursors { folder, reason }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the index can be read: its database is opened again where it failed.
fn index_ready(index: &Index) -> impl Fn() -> Result<(), String> + Send + Sync + 'static {
    let state = index.watch_state();
    move || match &*state.borrow() {
        IndexState::Ready => Ok(()),
        IndexState::Reopening { reason } => Err(format!("the index is opened again: {reason}")),
    }
}

fn catch_up(
    follower: &mut Follower,
    log: &Log,
    index: &Index,
    readiness: &Readiness,
    given_up: &CancellationToken,
) -> Result<(), ServeError> {
    let (from, head) = (index.checkpoint(), log.head());
    if from == head {
        return Ok(());
    }
    info!(from, head, "applying what the journal holds");
    let step = ((head - from) / 10).max(1_000);
    let mut told = from;
    let mut progress = |at: u64| {
        readiness.not_ready(format!("catching up: {at} of {head} entries"));
        if at >= told + step {
            told = at;
            info!(at, head, "applying");
        }
        if given_up.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let _ = progress(from);
    follower.keep_up(&tokio::runtime::Handle::current(), given_up, progress)?;
    Ok(())
}

/// Runs the follower on a thread of its own. Its end, but when it was told to, is a fault that the
/// node stops on.
fn follow(
    follower: Follower,
    stop: CancellationToken,
) -> Result<oneshot::Receiver<Result<(), crate::error::Error>>, ServeError> {
    let (ended, watched) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    thread::Builder::new().name("follower".into()).spawn(move || {
        let result = follower.run(&runtime, &stop);
        if let Err(fault) = &result {
            let source = std::error::Error::source(fault).map(ToString::to_string);
            error!(label = fault.label(), source, "the follower stopped: {fault}");
        }
        // Nobody listens when the node has stopped already.
        let _ = ended.send(result);
    })?;
    Ok(watched)
}

/// The end of a follower that was not told to end.
fn fault_of(
    ended: Result<Result<(), crate::error::Error>, oneshot::error::RecvError>,
) -> crate::error::Error {
    let fault = crate::error::Error::internal;
    match ended {
        Ok(Ok(())) => fault("follower", "the follower ended before it was told to"),
        Ok(Err(error)) => error,
        Err(_) => fault("follower", "the follower's thread ended in a panic"),
    }
}

async fn keep_fresh(
    tls: Arc<ServerTls>,
    exchange: Arc<Exchange>,
    mut reload: mpsc::Receiver<Config>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RELOAD_EVERY) => tls.reload(),
            Some(config) = reload.recv() => {
                tls.reload();
                match CheckedConfig::of(&config) {
                    Ok(checked) => {
                        exchange.set_suspended(checked.suspended);
                        info!("the configuration was read again");
                    }
                    Err(error) => warn!("the old configuration stays in use: {error}"),
                }
            }
        }
    }
}
