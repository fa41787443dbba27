//! The follower: one task that connects, checks the servers and the stream, and stores each new entry in the
//! local copy. After any error it begins again with the checks.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Shared;
use super::ingest::{Received, ingest};
use super::refusal::Refusal;
use super::{servers, stream};
use crate::journal::{ClusterState, Confirmation};

/// Messages per write of the local copy.
const CHUNK: usize = 256;
/// Messages and bytes that the servers send ahead.
const AHEAD_MESSAGES: usize = 1_024;
const AHEAD_BYTES: usize = 32 * 1024 * 1024;
/// The servers send a heartbeat after this time without a message. Two missed ones end the session.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// A pull request ends after this time and is made again.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// The servers delete the consumer of a node that is gone after this time.
const INACTIVE: Duration = Duration::from_secs(30);
/// Pause between confirmations of the head.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);
/// Failed confirmations after which the node refuses appends.
const MAX_UNCONFIRMED: usize = 2;
/// Pauses before the next session: after a lost connection, and after a refusal.
const RETRY: Duration = Duration::from_millis(300);
const CHECK_AGAIN: Duration = Duration::from_secs(5);

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// A connection, a quorum or a consumer was lost. It passes by itself.
    Lost(String),
    /// An operator has to do something.
    Refused(Refusal),
    /// The local copy cannot be read or written.
    Copy(String),
}

impl SessionEnd {
    /// Something was lost.
    pub fn lost(what: &str, error: impl Display) -> Self {
        Self::Lost(format!("{what}: {error}"))
    }
}

impl From<Refusal> for SessionEnd {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Follows the stream until `stop`.
pub async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let end = tokio::select! {
            () = stop.cancelled() => return,
            end = session(&shared) => end,
        };
        let (state, pause) = match end {
            SessionEnd::Lost(reason) => (ClusterState::Connecting(reason), RETRY),
            SessionEnd::Refused(refusal) => (ClusterState::Refused(refusal), CHECK_AGAIN),
            SessionEnd::Copy(reason) => {
                (ClusterState::Connecting(format!("the local copy failed: {reason}")), CHECK_AGAIN)
            }
        };
        set_state(&shared, state);
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

/// Sets the state, and logs it if it is another one.
fn set_state(shared: &Shared, state: ClusterState) {
    let stream = &shared.settings.stream;
    shared.status.send_if_modified(|status| {
        if status.state == state {
            return false;
        }
        match &state {
            ClusterState::Following => info!(stream, "the journal follows its stream"),
            ClusterState::Connecting(reason) => warn!(stream, reason, "lost the journal's stream"),
            ClusterState::Refused(refusal) => {
                error!(stream, "the journal takes no entries: {refusal}");
            }
        }
        status.state = state;
        true
    });
}

async fn session(shared: &Arc<Shared>) -> SessionEnd {
    let Err(end) = follow(shared).await;
    end
}

async fn follow(shared: &Arc<Shared>) -> Result<Infallible, SessionEnd> {
    let mut connections = shared.connections.clone();
    // Before the state is looked at: a connection that is made in between is a change.
    connections.borrow_and_update();
    if shared.client.connection_state() != async_nats::connection::State::Connected {
        let connected = timeout(shared.settings.ack_timeout, connections.changed()).await;
        connected.map_err(|_| SessionEnd::Lost("no server answers".into()))?.ok();
    }
    connections.borrow_and_update();
    let risks = servers::risks(&shared.settings, &shared.client).await.map_err(SessionEnd::Lost)?;
    if !risks.is_empty() && !shared.settings.accept_unsafe {
        return Err(Refusal::UnsafeServers(risks).into());
    }
    let (stream, differences) = stream::open(shared).await?;
    if !differences.is_empty() && !shared.settings.accept_unsafe {
        let stream = shared.settings.stream.clone();
        return Err(Refusal::ChangedStream { stream, differences }.into());
    }
    stream::check_continuity(shared, &stream).await?;
    confirm(shared, &stream).await?;
    let accepted = [risks, differences].concat();
    shared.status.send_if_modified(|status| {
        let is_new = status.accepted_risks != accepted;
        if is_new {
            for risk in &accepted {
                warn!(risk, "jetstream.accept_unsafe is set: acknowledged entries may be lost");
            }
            status.accepted_risks.clone_from(&accepted);
        }
        is_new
    });
    set_state(shared, ClusterState::Following);
    tokio::select! {
        end = consume(shared, &stream) => end,
        end = confirm_regularly(shared, &stream) => end,
        _ = connections.changed() => Err(SessionEnd::Lost("the connection was made again".into())),
    }
}

/// Stores new messages in the local copy.
async fn consume(shared: &Arc<Shared>, stream: &Stream) -> Result<Infallible, SessionEnd> {
    let head = shared.copy.end().sequence;
    let deliver_policy = match head {
        0 => DeliverPolicy::All,
        head => DeliverPolicy::ByStartSequence { start_sequence: head + 1 },
    };
    let consumer = stream.create_consumer(Config {
        deliver_policy,
        ack_policy: AckPolicy::None,
        inactive_threshold: INACTIVE,
        // Its state is the head of the local copy.
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    });
    let consumer =
        consumer.await.map_err(|error| SessionEnd::lost("cannot follow the stream", error))?;
    let messages = consumer
        .stream()
        .max_messages_per_batch(AHEAD_MESSAGES)
        .max_bytes_per_batch(AHEAD_BYTES)
        .heartbeat(HEARTBEAT)
        .expires(PULL_EXPIRES)
        .messages()
        .await;
    let messages = messages.map_err(|error| SessionEnd::lost("cannot follow the stream", error))?;
    let mut chunks = messages.ready_chunks(CHUNK);
    while let Some(chunk) = chunks.next().await {
        let mut received = Vec::with_capacity(chunk.len());
        let mut failure = None;
        for message in chunk {
            match message.map_err(|error| error.to_string()).and_then(Received::new) {
                Ok(message) => received.push(message),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let shared = Arc::clone(shared);
        let stored = tokio::task::spawn_blocking(move || ingest(&shared, received)).await;
        stored.map_err(|panic| SessionEnd::Copy(panic.to_string()))??;
        if let Some(failure) = failure {
            return Err(SessionEnd::lost("the stream's consumer failed", failure));
        }
    }
    Err(SessionEnd::Lost("the stream's consumer ended".into()))
}

/// Confirms the head every second. Ends the session if the stream ends before the local copy.
async fn confirm_regularly(shared: &Shared, stream: &Stream) -> Result<Infallible, SessionEnd> {
    let mut failed = 0;
    loop {
        sleep(CONFIRM_EVERY).await;
        match confirm(shared, stream).await {
            Ok(()) => {
                failed = 0;
                set_state(shared, ClusterState::Following);
            }
            Err(SessionEnd::Lost(reason)) => {
                failed += 1;
                if failed >= MAX_UNCONFIRMED {
                    set_state(shared, ClusterState::Connecting(reason));
                }
            }
            Err(end) => return Err(end),
        }
        // The stream may have been deleted and made again. The checks of the next session say what is wrong.
        if shared.lost_tail.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return Err(SessionEnd::Lost("the stream ends before the local copy".into()));
        }
    }
}

/// Asks for the head of the stream, and records it.
async fn confirm(shared: &Shared, stream: &Stream) -> Result<(), SessionEnd> {
    let at = shared.settings.clock.instant();
    let known = shared.copy.end().sequence;
    let head = stream::info(stream).await?.state.last_sequence;
    if head < known {
        shared.lost_tail.store(true, std::sync::atomic::Ordering::Relaxed);
        return Err(SessionEnd::Lost(format!(
            "the stream ends at {head}, the local copy at {known}"
        )));
    }
    shared.status.send_modify(|status| status.confirmed = Some(Confirmation { head, at }));
    Ok(())
}
