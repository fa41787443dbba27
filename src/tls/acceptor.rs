//! The accept loop. Handshakes run concurrently, each with a deadline, and all within limits.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use spiffe::TrustDomain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use super::connection::Connection;
use super::connection::{ConnectionPermits, Share};
use super::handshakes::{Handshake, Handshakes};
use super::limits::Counts;
use super::server::ServerTls;
use super::{IdentityError, PeerIdentity, PeerInfo, Source, refusal};
use crate::clock::Clock;
use crate::domain::PartnerId;
use crate::sampled_log::SampledLog;

/// Limits on connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Maximum number of connections. Each needs one file descriptor.
    pub total: usize,
    /// Maximum number of connections per partner.
    pub per_identity: usize,
    /// Maximum number of unidentified connections per source.
    pub per_address: usize,
    /// Maximum duration of a handshake.
    pub handshake_timeout: Duration,
    /// Maximum number of concurrent handshakes. Each needs one file descriptor.
    pub handshakes_in_flight: usize,
    /// Maximum number of concurrent handshakes per source.
    pub handshakes_per_address: usize,
    /// How long a connection may stay silent after its handshake.
    pub first_request_timeout: Duration,
    /// Maximum number of concurrent calls per connection.
    pub calls: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 10_000,
            per_identity: 64,
            per_address: 256,
            handshake_timeout: Duration::from_secs(5),
            handshakes_in_flight: 2_048,
            handshakes_per_address: 128,
            first_request_timeout: Duration::from_secs(10),
            calls: 100,
        }
    }
}

/// How long a connection without a partner's certificate may live.
const UNIDENTIFIED_LIFETIME: Duration = Duration::from_secs(60);
/// How long a refused client may take to read the reason, and how many bytes are read from it meanwhile.
const LINGER: Duration = Duration::from_secs(1);
const MAX_LINGER_BYTES: usize = 64 * 1024;
/// Delay before the next accept after a failure, such as exhausted file descriptors. Without it the
/// loop would spin.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Accepts connections, performs handshakes and identifies the peers.
pub struct Acceptor {
    tls: Arc<ServerTls>,
    trust_domain: TrustDomain,
    clock: Arc<dyn Clock>,
    limits: ConnectionLimits,
    total: Arc<Semaphore>,
    handshakes: Handshakes,
    /// One permit for the socket of each handshake. A handshake that is replaced holds its own until it has closed it.
    handshake_sockets: Arc<Semaphore>,
    partners: Counts<PartnerId>,
    unidentified: Counts<Source>,
    log: Arc<SampledLog>,
    refused: Box<dyn Fn(&'static str) + Send + Sync>,
}

impl Acceptor {
    /// An acceptor that calls `refused` with a label for each connection that it refuses, and writes to the log as often
    /// as `log` says.
    pub fn new(
        tls: Arc<ServerTls>,
        trust_domain: TrustDomain,
        clock: Arc<dyn Clock>,
        limits: ConnectionLimits,
        log: Arc<SampledLog>,
        refused: impl Fn(&'static str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            tls,
            trust_domain,
            clock,
            total: Arc::new(Semaphore::new(limits.total)),
            handshakes: Handshakes::new(limits.handshakes_in_flight, limits.handshakes_per_address),
            handshake_sockets: Arc::new(Semaphore::new(limits.handshakes_in_flight)),
            partners: Counts::new(limits.per_identity),
            unidentified: Counts::new(limits.per_address),
            limits,
            log,
            refused: Box::new(refused),
        }
    }

    /// The accepted connections of a listener, until `stop` is cancelled.
    pub fn incoming(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> ReceiverStream<io::Result<Connection>> {
        let (accepted, incoming) = mpsc::channel(64);
        tokio::spawn(async move {
            let acceptor = Arc::new(self);
            while let Some(next) = stop.run_until_cancelled(listener.accept()).await {
                match next {
                    Ok((stream, address)) => acceptor.take(stream, address, &accepted).await,
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => {
                        acceptor.log_failure(&error);
                        tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    }
                }
            }
        });
        ReceiverStream::new(incoming)
    }

    async fn take(
        self: &Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        accepted: &mpsc::Sender<io::Result<Connection>>,
    ) {
        let handshake = self.handshakes.begin(Source::of(address.ip()));
        // Waits only for a handshake that has just been replaced.
        let socket = Arc::clone(&self.handshake_sockets).acquire_owned().await;
        let (acceptor, accepted) = (Arc::clone(self), accepted.clone());
        tokio::spawn(async move {
            let result = tokio::select! {
                () = handshake.replaced.cancelled() => {
                    Err(Refusal::new("handshake_replaced", "other connections need its place"))
                }
                result = acceptor.accept(stream, address, &handshake) => result,
            };
            drop((handshake, socket));
            match result {
                // Fails only if the server has stopped.
                Ok(connection) => drop(accepted.send(Ok(connection)).await),
                Err(refusal) => acceptor.refuse(&refusal, address),
            }
        });
    }

    /// Performs the handshake and identifies the peer.
    async fn accept(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        handshake: &Handshake,
    ) -> Result<Connection, Refusal> {
        let handshake_result = tokio::time::timeout(self.limits.handshake_timeout, async {
            let opened = stream.set_nodelay(true);
            opened.and(stream.readable().await).map_err(|error| Refusal::of_tls(&error))?;
            handshake.mark_active();
            let accepting = TlsAcceptor::from(self.tls.config()).accept(stream);
            match accepting.into_fallible().await {
                Ok(stream) => Ok(stream),
                Err((error, stream)) => {
                    close_after_alert(stream).await;
                    Err(Refusal::of_tls(&error))
                }
            }
        });
        let stream = handshake_result
            .await
            .map_err(|_| Refusal::new("handshake_timeout", "the handshake took too long"))??;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let open = self
            .tls
            .register(chain)
            .ok_or_else(|| Refusal::new("certificate_revoked", "its certificate is revoked"))?;
        let identity = match chain.first() {
            Some(leaf) => PeerIdentity::of(leaf, &self.trust_domain),
            None => Err(IdentityError::Unreadable),
        };
        let (share, lifetime) = self.share(&identity, address)?;
        let permits = ConnectionPermits { total: self.total_permit().await?, share, open };
        let peer = PeerInfo {
            address,
            accepted: self.clock.instant(),
            identity: Arc::new(identity),
            calls: Arc::new(Semaphore::new(self.limits.calls.min(Semaphore::MAX_PERMITS))),
            server_serial: self.tls.serial(),
        };
        let first_request_timeout = self.limits.first_request_timeout;
        Ok(Connection::new(stream, peer, lifetime, first_request_timeout, permits))
    }

    /// Counts a connection towards its partner or source, and returns how long it may live at most.
    fn share(
        &self,
        identity: &Result<PeerIdentity, IdentityError>,
        address: SocketAddr,
    ) -> Result<(Share, Duration), Refusal> {
        let Ok(identity) = identity else {
            // The peer may still make calls, which are answered with the reason why its certificate
            // names no partner.
            let share = self.unidentified.acquire(Source::of(address.ip())).ok_or_else(|| {
                let reason = "too many unidentified connections from this address";
                Refusal::new("connections_address", reason)
            })?;
            return Ok((Share::Source(share), UNIDENTIFIED_LIFETIME));
        };
        let share = self.partners.acquire(identity.partner.clone()).ok_or_else(|| {
            let reason = format!("too many connections from `{}`", identity.partner);
            Refusal::new("connections_partner", reason)
        })?;
        let remaining_ms = identity.not_after_ms.saturating_sub(self.clock.now().as_millis());
        let lifetime = Duration::from_millis(u64::try_from(remaining_ms).unwrap_or(0));
        Ok((Share::Partner(share), lifetime))
    }

    /// A permit for one more connection. Waits for it as long as for a handshake.
    async fn total_permit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let waiting = Arc::clone(&self.total).acquire_owned();
        match tokio::time::timeout(self.limits.handshake_timeout, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Refusal::new("connections_total", "too many connections")),
        }
    }

    fn log_failure(&self, error: &io::Error) {
        if !self.log.is_due(self.clock.instant(), "accept_failed", "") {
            return;
        }
        if is_out_of_descriptors(error) {
            warn!(%error, "no descriptor is left for a connection: raise the limit of open files");
        } else {
            warn!(%error, "could not accept a connection");
        }
    }

    fn refuse(&self, refusal: &Refusal, address: SocketAddr) {
        let Refusal { label, reason } = refusal;
        (self.refused)(label);
        let source = Source::of(address.ip()).to_string();
        if self.log.is_due(self.clock.instant(), label, &source) {
            info!(%address, label, "refused a connection: {reason}");
        }
    }
}

/// Why a connection is refused.
struct Refusal {
    /// The stable label for logs and metrics.
    label: &'static str,
    reason: Cow<'static, str>,
}

impl Refusal {
    fn new(label: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { label, reason: reason.into() }
    }

    /// The handshake failed.
    fn of_tls(error: &io::Error) -> Self {
        Self::new(refusal::label(error), refusal::reason(error))
    }
}

/// Closes the connection of a failed handshake. A client sends its first request before it knows that it is refused. If
/// that were left unread, the kernel would reset the connection, and the client could lose the alert with the reason.
async fn close_after_alert(mut stream: TcpStream) {
    let (mut buffer, mut left) = ([0; 1024], MAX_LINGER_BYTES);
    let drain = async {
        stream.shutdown().await?;
        while left > 0 {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        io::Result::Ok(())
    };
    // The peer may be gone, which is as good.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw);
    matches!(number, Some(Errno::EMFILE | Errno::ENFILE))
}

/// Whether the failure is about a single connection that went away before it was accepted. The next
/// accept may succeed at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
