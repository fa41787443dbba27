//! The life of a node: start, serve, drain, stop.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::grpc::{self, Grpc};
use super::ops_view::ops_view;
use super::readiness::Readiness;
use super::reload::{Reloads, check_suspended};
use super::settings::CheckedConfig;
use super::stores::{self, Stores};
use super::{Bound, ServeError, descriptors, private, service_manager};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Telemetry};
use crate::domain::cursor::EpochId;
use crate::domain::revocation::Revocations;
use crate::error::Error;
use crate::exchange::{Exchange, Follower};
use crate::https::ops;
use crate::metrics::Metrics;
use crate::sampled_log::{self, SampledLog, SuppressedLines};
use crate::telemetry::Traces;
use crate::tls::{ServerIdentity, ServerTls};

/// Interval at which the free space of the disk is checked, beside the check before each write.
const DISK_INTERVAL: Duration = Duration::from_secs(5);

/// Receives the result of the follower's thread.
type FollowerResult = oneshot::Receiver<Result<(), Error>>;

/// A node that has caught up and listens, but does not serve calls yet.
pub struct Node {
    bound: Bound,
    config: Config,
    checked: CheckedConfig,
    exchange: Arc<Exchange>,
    tls: Arc<ServerTls>,
    metrics: Arc<Metrics>,
    /// Decides which refused connections and calls are logged.
    log: Arc<SampledLog>,
    traces: Option<Traces>,
    readiness: Arc<Readiness>,
    grpc_listener: TcpListener,
    ops_task: JoinHandle<std::io::Result<()>>,
    /// Cancelled when the node stops: no new calls are accepted, and open streams end.
    stop: CancellationToken,
    /// Cancelled when all calls are answered: the follower may end.
    drained: CancellationToken,
    follower_result: FollowerResult,
}

impl Node {
    /// Starts a node: binds the addresses, serves the ops listener, opens the stores, catches up, seeds the
    /// registry, and finally listens for clients.
    ///
    /// Cancel-safe: dropping the future stops everything that was started, within a few entries of the
    /// replay.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        let mut checked = CheckedConfig::of(&config)?;
        let bind_error = |key, address| move |source| ServeError::Bind { key, address, source };
        let (grpc_address, ops_address) = (config.server.grpc, config.server.ops);
        let grpc_socket =
            grpc::reserve(grpc_address).map_err(bind_error("server.grpc", grpc_address))?;
        let ops_listener =
            TcpListener::bind(ops_address).await.map_err(bind_error("server.ops", ops_address))?;
        let bound = Bound { grpc: grpc_socket.local_addr()?, ops: ops_listener.local_addr()? };
        private::secure(&config.storage.data)?;
        let identity = server_identity(&config, &checked);
        let tls = Arc::new(ServerTls::open(identity, Arc::clone(&clock))?);

        let drained = CancellationToken::new();
        let cancel_on_drop = drained.clone().drop_guard();
        let metrics = Arc::new(Metrics::new());
        let readiness = Arc::new(Readiness::starting());
        let started = Arc::new(OnceLock::new());
        let ops = ops_view(&metrics, &readiness, &tls, &started);
        let ops_task = tokio::spawn(ops::serve(ops_listener, ops, drained.clone()));

        let stores = Stores::open_blocking(&config, &clock, &readiness, &drained).await?;
        let Stores { log, index, cursors, follower } = stores;
        readiness.require(stores::index_ready(&index));
        let identity = Arc::clone(&tls);
        readiness.require(move || identity.check_expiry().map_err(|error| error.to_string()));
        // After the stores are open: connections get the remaining file descriptors. Nothing has been
        // appended yet if the start fails here.
        descriptors::limit(&mut checked.connections).ok_or(ServeError::Descriptors)?;
        let exchange =
            Arc::new(Exchange::new(log, index, cursors, clock, checked.exchange.clone()));
        exchange.set_suspended(checked.suspended.clone());
        let follower_result = spawn_follower(follower, drained.clone())?;
        exchange.begin_epoch(EpochId(rand::random())).await?;
        exchange.commands.seed(checked.seed.clone()).await?;
        check_suspended(&exchange, &checked)?;
        // Before clients may connect.
        let revocations = Arc::clone(&exchange.watch_revocations().borrow());
        tls.set_revocations(revocations);
        let traces = start_traces(&config.telemetry)?;
        let grpc_listener =
            grpc::listen(grpc_socket).map_err(bind_error("server.grpc", bound.grpc))?;
        let writable = Arc::clone(&exchange);
        readiness.require(move || {
            writable.check_writable().map_err(|it| format!("requests that write are refused: {it}"))
        });
        // Set only here, so it cannot fail.
        let _ = started.set(Arc::clone(&exchange));
        readiness.ready();
        cancel_on_drop.disarm();
        let stop = CancellationToken::new();
        Ok(Self {
            bound,
            config,
            checked,
            exchange,
            tls,
            metrics,
            log: Arc::default(),
            traces,
            readiness,
            grpc_listener,
            ops_task,
            stop,
            drained,
            follower_result,
        })
    }

    /// The addresses that it listens on.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// The exchange, for use within the process.
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// Serves until `shutdown` completes, then drains: no new calls are accepted, open feeds end with their
    /// cursor, pending appends are answered. Calls that are still open at the drain deadline are cut off.
    ///
    /// Returns an error if the node stopped because of a fault. On return no task of the node uses the data
    /// folder any more.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send,
        reload: mpsc::Receiver<Config>,
    ) -> Result<(), ServeError> {
        // Runs until the end of the drain: cursors acknowledged meanwhile are stored too.
        let cursors = self.exchange.feeds.clone().keep_cursors(self.drained.clone());
        let cursors = tokio::spawn(cursors);
        let traces = self.traces.clone();
        let background = self.background(reload);
        let mut follower_result = self.follower_result;
        let drain_timeout = Duration::from_secs(self.config.server.drain_timeout_s);
        let stop = self.stop.clone();
        let serving = Grpc {
            config: &self.config,
            checked: &self.checked,
            exchange: &self.exchange,
            tls: &self.tls,
            metrics: &self.metrics,
            log: &self.log,
            traces: traces.clone(),
            stop: stop.clone(),
        }
        .serve(self.grpc_listener);
        tokio::pin!(serving);
        service_manager::ready();
        let mut follower_ended = false;
        let fault = tokio::select! {
            () = shutdown => None,
            result = &mut serving => { result?; None },
            result = &mut follower_result => {
                follower_ended = true;
                Some(follower_fault(result))
            }
            fault = self.exchange.broken() => Some(fault),
        };
        info!(drain_timeout_s = drain_timeout.as_secs(), "stopping: draining open calls");
        self.readiness.not_ready("stopping");
        service_manager::stopping();
        stop.cancel();
        if let Ok(result) = tokio::time::timeout(drain_timeout, &mut serving).await {
            result?;
        } else {
            warn!("drain deadline reached: open calls are cut off");
        }
        self.drained.cancel();
        let followed = if follower_ended { Ok(Ok(())) } else { follower_result.await };
        join_tasks(background, cursors, self.ops_task).await;
        if let Some(traces) = traces {
            traces.shut_down().await;
        }
        match (fault, followed) {
            (Some(fault), _) => Err(fault.into()),
            (None, Ok(Ok(()))) => Ok(()),
            (None, result) => Err(follower_fault(result).into()),
        }
    }

    fn reloads(&self) -> Reloads {
        Reloads::new(
            self.config.clone(),
            self.checked.suspended.clone(),
            Arc::clone(&self.tls),
            Arc::clone(&self.exchange),
        )
    }

    /// Spawns the tasks that run beside the calls until the node stops.
    fn background(&self, reload: mpsc::Receiver<Config>) -> [JoinHandle<()>; 11] {
        let sweeps = || self.exchange.sweeps.clone();
        let stop = || self.stop.clone();
        [
            tokio::spawn(sweeps().close_idle_submissions(stop())),
            tokio::spawn(sweeps().withdraw_from_lists(stop())),
            tokio::spawn(sweeps().enforce_retention(stop())),
            tokio::spawn(sweeps().expire_assessments(stop())),
            tokio::spawn(sweeps().end_releases(stop())),
            tokio::spawn(sweeps().follow_up_tips(stop())),
            tokio::spawn(sweeps().watch_activity(stop())),
            tokio::spawn(watch_disk(Arc::clone(&self.exchange), stop())),
            tokio::spawn(log_suppressed(
                Arc::clone(&self.log),
                Arc::clone(self.exchange.clock()),
                stop(),
            )),
            tokio::spawn(follow_revocations(
                Arc::clone(&self.tls),
                self.exchange.watch_revocations(),
                stop(),
            )),
            tokio::spawn(self.reloads().run(reload, stop())),
        ]
    }
}

/// Ends and joins the node's tasks. Afterwards none of them holds the data folder open.
async fn join_tasks(
    background: [JoinHandle<()>; 11],
    cursors: JoinHandle<()>,
    ops_task: JoinHandle<std::io::Result<()>>,
) {
    for task in &background {
        task.abort();
    }
    // It logs its own errors, and a cursor that is not stored loses nothing.
    let _ = cursors.await;
    ops_task.abort();
    let _ = ops_task.await;
    for task in background {
        let _ = task.await;
    }
}

fn start_traces(telemetry: &Telemetry) -> Result<Option<Traces>, ConfigError> {
    let Telemetry { otlp_endpoint, sampled_ratio } = telemetry;
    if otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let traces = Traces::start(otlp_endpoint, *sampled_ratio);
    let traces = traces
        .map_err(|reason| ConfigError::Value { key: "telemetry.otlp_endpoint".into(), reason })?;
    info!(endpoint = otlp_endpoint, sampled_ratio, "calls are traced");
    Ok(Some(traces))
}

/// The identity that a configuration names.
pub fn server_identity(config: &Config, checked: &CheckedConfig) -> ServerIdentity {
    ServerIdentity {
        folder: config.server.identity.clone(),
        trust_domain: checked.trust_domain.clone(),
        crl_required: config.server.crl_required,
        enforced: config.storage.data.join("revocation-enforced"),
    }
}

/// Runs the follower on its own thread until `stop` is cancelled. If it ends earlier, the node stops with a
/// fault.
fn spawn_follower(
    follower: Follower,
    stop: CancellationToken,
) -> Result<FollowerResult, ServeError> {
    let (sender, receiver) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    thread::Builder::new().name("follower".into()).spawn(move || {
        let result = follower.run(&runtime, &stop);
        if let Err(fault) = &result {
            let source = fault.source_text();
            error!(label = fault.label(), source, "the follower stopped: {fault}");
        }
        // Fails only if the node has already stopped.
        let _ = sender.send(result);
    })?;
    Ok(receiver)
}

/// The fault of a follower that ended before it was stopped.
fn follower_fault(result: Result<Result<(), Error>, oneshot::error::RecvError>) -> Error {
    match result {
        Ok(Ok(())) => Error::internal("follower", "the follower ended before it was stopped"),
        Ok(Err(error)) => error,
        Err(_) => Error::internal("follower", "the follower's thread panicked"),
    }
}

/// Checks the disk from time to time: when it runs full and when it has room again is logged also if nobody writes.
async fn watch_disk(exchange: Arc<Exchange>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(DISK_INTERVAL)).await.is_some() {
        let exchange = Arc::clone(&exchange);
        // It logs what it finds.
        let _ = tokio::task::spawn_blocking(move || exchange.check_writable()).await;
    }
}

/// Logs once a minute how many lines were suppressed.
async fn log_suppressed(log: Arc<SampledLog>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(sampled_log::INTERVAL)).await.is_some() {
        for SuppressedLines { label, source, count } in log.take_suppressed(clock.instant()) {
            info!(label, source, count, "suppressed log lines of the same kind");
        }
    }
}

/// Enforces what operators revoke, on every node that applies it.
async fn follow_revocations(
    tls: Arc<ServerTls>,
    mut revocations: watch::Receiver<Arc<Revocations>>,
    stop: CancellationToken,
) {
    loop {
        tls.set_revocations(Arc::clone(&revocations.borrow_and_update()));
        // Fails only if the index is gone.
        let Some(Ok(())) = stop.run_until_cancelled(revocations.changed()).await else { return };
    }
}
