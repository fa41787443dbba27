//! The accept loop. Handshakes run concurrently, each with a deadline, and all within limits.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use spiffe::TrustDomain;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use super::connection::Connection;
use super::connection::{ConnectionPermits, Share};
use super::limits::{Counts, Guard};
use super::server::ServerTls;
use super::{PeerIdentity, PeerInfo};
use crate::clock::Clock;
use crate::domain::PartnerId;

/// Limits on connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Maximum number of connections. Each needs one file descriptor.
    pub total: usize,
    /// Maximum number of connections per partner.
    pub per_identity: usize,
    /// Maximum number of unidentified connections per address.
    pub per_address: usize,
    /// Maximum duration of a handshake.
    pub handshake_timeout: Duration,
    /// Maximum number of concurrent handshakes.
    pub handshakes_in_flight: usize,
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
            handshakes_in_flight: 256,
            first_request_timeout: Duration::from_secs(10),
            calls: 100,
        }
    }
}

/// Delay before the next accept after a failure, such as exhausted file descriptors. Without it the
/// loop would spin.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Minimum interval between log lines about accept failures.
const ACCEPT_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Accepts connections, performs handshakes and identifies the peers.
pub struct Acceptor {
    tls: Arc<ServerTls>,
    trust_domain: TrustDomain,
    clock: Arc<dyn Clock>,
    limits: ConnectionLimits,
    total: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    partners: Counts<PartnerId>,
    addresses: Counts<IpAddr>,
    refused: Box<dyn Fn(&'static str) + Send + Sync>,
}

impl Acceptor {
    /// An acceptor that calls `refused` with a label for each connection that it refuses.
    pub fn new(
        tls: Arc<ServerTls>,
        trust_domain: TrustDomain,
        clock: Arc<dyn Clock>,
        limits: ConnectionLimits,
        refused: impl Fn(&'static str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            tls,
            trust_domain,
            clock,
            total: Arc::new(Semaphore::new(limits.total)),
            handshakes: Arc::new(Semaphore::new(limits.handshakes_in_flight)),
            partners: Counts::new(limits.per_identity),
            addresses: Counts::new(limits.per_address),
            limits,
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
            let mut failures = Failures::default();
            while let Some(next) = stop.run_until_cancelled(listener.accept()).await {
                match next {
                    Ok((stream, address)) => acceptor.take(stream, address, accepted.clone()),
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => {
                        failures.log(&error, acceptor.clock.instant());
                        tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    }
                }
            }
        });
        ReceiverStream::new(incoming)
    }

    fn take(
        self: &Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        accepted: mpsc::Sender<io::Result<Connection>>,
    ) {
        let Ok(total) = Arc::clone(&self.total).try_acquire_owned() else {
            return self.refuse("connections_total", address, "too many connections");
        };
        let Some(address_permit) = self.addresses.acquire(address.ip()) else {
            let reason = "too many unidentified connections from this address";
            return self.refuse("connections_address", address, reason);
        };
        let Ok(handshake_permit) = Arc::clone(&self.handshakes).try_acquire_owned() else {
            return self.refuse("handshakes_in_flight", address, "too many concurrent handshakes");
        };
        let acceptor = Arc::clone(self);
        tokio::spawn(async move {
            let connection = acceptor.handshake(stream, address, total, address_permit).await;
            drop(handshake_permit);
            if let Some(connection) = connection {
                // Fails only if the server has stopped.
                let _ = accepted.send(Ok(connection)).await;
            }
        });
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        total: OwnedSemaphorePermit,
        address_permit: Guard<IpAddr>,
    ) -> Option<Connection> {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%address, "connection closed before the handshake: {error}");
            return None;
        }
        let handshake = TlsAcceptor::from(self.tls.config()).accept(stream);
        let stream = match tokio::time::timeout(self.limits.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                self.refuse("handshake_failed", address, &error.to_string());
                return None;
            }
            Err(_) => {
                self.refuse("handshake_timeout", address, "the handshake took too long");
                return None;
            }
        };
        let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let identity = match leaf {
            Some(leaf) => PeerIdentity::of(leaf, &self.trust_domain),
            None => Err(super::IdentityError::Unreadable),
        };
        let (share, lifetime) = match &identity {
            Ok(identity) => {
                let Some(share) = self.partners.acquire(identity.partner.clone()) else {
                    let reason = format!("too many connections from `{}`", identity.partner);
                    self.refuse("connections_partner", address, &reason);
                    return None;
                };
                let remaining_ms =
                    identity.not_after_ms.saturating_sub(self.clock.now().as_millis());
                let lifetime = Duration::from_millis(u64::try_from(remaining_ms).unwrap_or(0));
                (Share::Partner(share), lifetime)
            }
            // The peer may still make calls, which are answered with the reason why its certificate
            // names no partner.
            Err(_) => (Share::Address(address_permit), Duration::from_secs(60)),
        };
        let peer = PeerInfo {
            address,
            accepted: self.clock.instant(),
            identity: Arc::new(identity),
            calls: Arc::new(Semaphore::new(self.limits.calls.min(Semaphore::MAX_PERMITS))),
        };
        let first_request_timeout = self.limits.first_request_timeout;
        let permits = ConnectionPermits { total, share };
        Some(Connection::new(stream, peer, lifetime, first_request_timeout, permits))
    }

    fn refuse(&self, label: &'static str, address: SocketAddr, reason: &str) {
        (self.refused)(label);
        info!(%address, label, "refused a connection: {reason}");
    }
}

/// Rate-limits the log of accept failures to one line per [`ACCEPT_LOG_INTERVAL`].
#[derive(Default)]
struct Failures {
    last_logged: Option<Instant>,
    suppressed: u64,
}

impl Failures {
    fn log(&mut self, error: &io::Error, now: Instant) {
        if self.last_logged.is_some_and(|last| now.duration_since(last) < ACCEPT_LOG_INTERVAL) {
            self.suppressed += 1;
            return;
        }
        let suppressed = std::mem::take(&mut self.suppressed);
        self.last_logged = Some(now);
        if is_out_of_descriptors(error) {
            warn!(%error, suppressed, "no descriptor is left for a connection: raise the limit of open files");
        } else {
            warn!(%error, suppressed, "could not accept a connection");
        }
    }
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
