//! One node, from its configuration to its end.

use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing::{error, info, warn};

use super::settings::Checked;
use super::{Bound, ServeError, descriptors, private};
use crate::clock::Clock;
use crate::config::{Config, Connections, JournalBackend, Storage};
use crate::exchange::{Exchange, Follower};
use crate::https::ops::{self, Ops};
use crate::index::{Index, JournalEnds};
use crate::journal::{
    self, Backend, CursorError, CursorStore, LocalSettings, Log, LogSettings, SledCursors,
    UnreadableCursors,
};
use crate::metrics::Metrics;
use crate::rpc::{Services, Snapshots, authz::AuthoriseLayer, in_flight::InFlightLayer};
use crate::tls::{Acceptor, ServerTls};
use crate::wire::{DESCRIPTORS, servers};

const MB: u64 = 1024 * 1024;
/// The largest answer, in bytes: to a lookup of 1,000 values, all of them known with the largest
/// assessments that are taken.
const MOST_ANSWERED: usize = 16 * 1024 * 1024;
/// How often the identity folder is looked at for a new certificate.
const RELOAD_EVERY: Duration = Duration::from_secs(30);

/// A node that is bound and ready to serve.
pub struct Node {
    bound: Bound,
    config: Config,
    checked: Checked,
    exchange: Arc<Exchange>,
    tls: Arc<ServerTls>,
    metrics: Arc<Metrics>,
    grpc: TcpListener,
    ops: TcpListener,
    /// Told when the node is to stop: no new calls, and open streams end.
    stop: CancellationToken,
    /// Told when all calls are answered: the follower may end.
    answered: CancellationToken,
    follower: oneshot::Receiver<Result<(), crate::error::Error>>,
}

impl Node {
    /// Reads every value of a configuration without starting anything.
    pub fn check(config: &Config) -> Result<(), ServeError> {
        Checked::of(config)?;
        Ok(())
    }

    /// Opens the journal and the index, catches up, seeds the registry and binds the listeners.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        let mut checked = Checked::of(&config)?;
        let server = &config.server;
        let tls = ServerTls::open(&server.identity, server.crl_required, Arc::clone(&clock))?;
        let tls = Arc::new(tls);
        private::secure(&config.storage.data)?;
        let (log, index) = open(&config, &clock)?;
        let mut follower = Follower::new(Arc::clone(&log), Arc::clone(&index))?;
        catch_up(&mut follower, &log, &index)?;

        let answered = CancellationToken::new();
        let cursors = open_cursors(&config)?;
        let exchange = Exchange::new(log, index, cursors, Arc::clone(&clock), checked.exchange);
        let exchange = Arc::new(exchange);
        exchange.set_suspended(checked.suspended.clone());
        let follower = follow(follower, answered.clone())?;
        exchange.seed(checked.seed.clone()).await?;

        let bind = async |address| {
            TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
        };
        let grpc = bind(config.server.grpc).await?;
        let ops = bind(config.server.ops).await?;
        // The stores are open by now, and connections take what they leave.
        let wanted = checked.connections.total;
        checked.connections.total =
            descriptors::connections(wanted).ok_or(ServeError::Descriptors)?;
        let bound = Bound { grpc: grpc.local_addr()?, ops: ops.local_addr()? };
        Ok(Self {
            bound,
            config,
            checked,
            exchange,
            tls,
            metrics: Arc::new(Metrics::new()),
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
        reload: tokio::sync::mpsc::Receiver<Config>,
    ) -> Result<(), ServeError> {
        let observed = self.observed();
        let ops = tokio::spawn(ops::serve(self.ops, observed, self.answered.clone()));
        // Up to the end: what is acknowledged while the node drains is written too.
        let cursors = Arc::clone(&self.exchange).keep_cursors(self.answered.clone());
        let cursors = tokio::spawn(cursors);
        let closing = Arc::clone(&self.exchange).close_idle_submissions(self.stop.clone());
        let expiring = Arc::clone(&self.exchange).expire_assessments(self.stop.clone());
        let releasing = Arc::clone(&self.exchange).end_releases(self.stop.clone());
        let background = [
            tokio::spawn(closing),
            tokio::spawn(expiring),
            tokio::spawn(releasing),
            tokio::spawn(Arc::clone(&self.exchange).follow_up_tips(self.stop.clone())),
            tokio::spawn(keep_fresh(
                Arc::clone(&self.tls),
                Arc::clone(&self.exchange),
                reload,
                self.stop.clone(),
            )),
        ];
        let mut follower = self.follower;
        let deadline = Duration::from_secs(self.config.server.drain_timeout_s);
        let stop = self.stop.clone();
        let serving = serve_grpc(
            &self.config,
            &self.checked,
            &self.exchange,
            &self.tls,
            &self.metrics,
            self.grpc,
            stop.clone(),
        );
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
        ops.abort();
        // None of them holds the folders any more when this returns.
        let _ = ops.await;
        for task in background {
            let _ = task.await;
        }
        match (fault, applied) {
            (Some(fault), _) => Err(fault.into()),
            (None, Ok(Ok(()))) => Ok(()),
            (None, ended) => Err(fault_of(ended).into()),
        }
    }

    fn observed(&self) -> Ops {
        let exchange = Arc::clone(&self.exchange);
        let tls = Arc::clone(&self.tls);
        let stop = self.stop.clone();
        Ops {
            metrics: Arc::clone(&self.metrics),
            observe: Arc::new(move |metrics| {
                metrics.observe_positions(exchange.head(), exchange.index().checkpoint());
                let sizes = [
                    ("journal", exchange.journal_bytes()),
                    ("index", exchange.index().size_on_disk()),
                ];
                for (store, bytes) in sizes {
                    if let Some(bytes) = bytes {
                        metrics.observe_disk(store, bytes);
                    }
                }
                metrics.observe_lags(exchange.every_subscription().map(|one| {
                    let lag = exchange.lag_entries(one.cursor);
                    (one.partner.to_string(), one.name.to_string(), lag)
                }));
                if let Ok(threads) = exchange.overdue_tips() {
                    metrics.observe_overdue(threads);
                }
                if let Some(not_after) = tls.not_after_ms() {
                    metrics.observe_certificate(not_after);
                }
                metrics.observe_identity_reload(tls.reload_failed());
            }),
            ready: Arc::new(move || if stop.is_cancelled() { Err("stopping") } else { Ok(()) }),
        }
    }
}

fn open(config: &Config, clock: &Arc<dyn Clock>) -> Result<(Arc<Log>, Arc<Index>), ServeError> {
    let storage = &config.storage;
    let backend = match storage.journal {
        JournalBackend::Sled => Backend::Sled,
        JournalBackend::Files => Backend::Files,
    };
    let journal = journal::open(backend, journal_settings(storage, clock))?;
    let entry = |sequence| journal.read(sequence, 1).ok()?.pop();
    let ends = JournalEnds { head: journal.head(), entry: &entry };
    let index = Index::open(&storage.data.join("index"), storage.index_cache_mb * MB, ends)?;
    let tail_bytes = usize::try_from(storage.tail_mb * MB).unwrap_or(usize::MAX);
    let settings = LogSettings { queue: storage.append_queue, tail_bytes };
    let log = Log::start(journal, settings)?;
    Ok((Arc::new(log), Arc::new(index)))
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

fn catch_up(follower: &mut Follower, log: &Log, index: &Index) -> Result<(), ServeError> {
    let (from, head) = (index.checkpoint(), log.head());
    if from == head {
        return Ok(());
    }
    info!(from, head, "applying what the journal holds");
    let step = ((head - from) / 10).max(1_000);
    let mut told = from;
    follower.catch_up(|at| {
        if at >= told + step {
            told = at;
            info!(at, head, "applying");
        }
    })?;
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
    mut reload: tokio::sync::mpsc::Receiver<Config>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RELOAD_EVERY) => tls.reload(),
            Some(config) = reload.recv() => {
                tls.reload();
                match Checked::of(&config) {
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

async fn serve_grpc(
    config: &Config,
    checked: &Checked,
    exchange: &Arc<Exchange>,
    tls: &Arc<ServerTls>,
    metrics: &Arc<Metrics>,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let counted = Arc::clone(metrics);
    let acceptor = Acceptor::new(
        Arc::clone(tls),
        checked.trust_domain.clone(),
        Arc::clone(exchange.clock()),
        checked.connections,
        move |label| counted.refused_connection(label),
    );
    // Connections that were opened together do not all end together.
    let spread = 0.9 + 0.2 * rand::random::<f64>();
    let bounds = &config.connections;
    let age = Duration::from_secs(bounds.max_age_s).mul_f64(spread);
    let grace = Duration::from_secs(bounds.max_age_grace_s);
    let services = Services {
        exchange: Arc::clone(exchange),
        labels: Arc::new(checked.labels.clone()),
        metrics: Arc::clone(metrics),
        limits: checked.requests,
        snapshots: Snapshots::default(),
        stop: stop.clone(),
        connection_age: age + grace / 2,
    };
    let most = config.requests.max_message_kb * 1024;
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter
        .set_serving::<servers::indicator_service_server::IndicatorServiceServer<Services>>()
        .await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    let mut server = transport(bounds)
        .max_connection_age(age)
        .max_connection_age_grace(grace)
        // Up to the response's head, so it bounds unary calls and not streams.
        .timeout(Duration::from_secs(config.requests.unary_timeout_s))
        .layer(InFlightLayer)
        .layer(AuthoriseLayer::new(Arc::clone(exchange), Arc::clone(metrics), stop.clone()));
    let router = server
        .add_service(
            servers::indicator_service_server::IndicatorServiceServer::new(services.clone())
                .max_decoding_message_size(most)
                .max_encoding_message_size(MOST_ANSWERED),
        )
        .add_service(
            servers::feed_service_server::FeedServiceServer::new(services.clone())
                .max_decoding_message_size(most)
                .max_encoding_message_size(4 * 1024 * 1024),
        )
        .add_service(
            servers::partner_service_server::PartnerServiceServer::new(services.clone())
                .max_decoding_message_size(most)
                .max_encoding_message_size(4 * 1024 * 1024),
        )
        .add_service(
            servers::campaign_service_server::CampaignServiceServer::new(services.clone())
                .max_decoding_message_size(most)
                .max_encoding_message_size(MOST_ANSWERED),
        )
        .add_service(
            servers::tip_service_server::TipServiceServer::new(services.clone())
                .max_decoding_message_size(most)
                .max_encoding_message_size(MOST_ANSWERED),
        )
        .add_service(
            servers::audit_service_server::AuditServiceServer::new(services)
                .max_decoding_message_size(most)
                .max_encoding_message_size(4 * 1024 * 1024),
        )
        .add_service(health)
        .add_service(reflection);
    let incoming = acceptor.incoming(listener, stop.clone());
    router.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await?;
    Ok(())
}

fn transport(bounds: &Connections) -> Server {
    Server::builder()
        .max_concurrent_streams(bounds.concurrent_streams)
        .http2_max_local_error_reset_streams(Some(bounds.reset_streams))
        .http2_max_pending_accept_reset_streams(Some(bounds.pending_resets))
        .http2_max_header_list_size(bounds.header_kb * 1024)
        .max_frame_size(16 * 1024)
        .initial_stream_window_size(bounds.stream_window_kb * 1024)
        .initial_connection_window_size(bounds.connection_window_kb * 1024)
        .http2_keepalive_interval(Some(Duration::from_secs(bounds.keepalive_s)))
        .http2_keepalive_timeout(Some(Duration::from_secs(bounds.keepalive_timeout_s)))
}
