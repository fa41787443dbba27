//! The accept loop: handshakes beside one another, each with a deadline, all within bounds.

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
use super::connection::{Counted, Share};
use super::limits::{Counts, Guard};
use super::server::ServerTls;
use super::{PeerIdentity, PeerInfo};
use crate::clock::Clock;
use crate::domain::PartnerId;

/// The bounds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The most connections: one descriptor each.
    pub total: usize,
    /// The most connections of one partner.
    pub per_identity: usize,
    /// The most connections of one address that have not shown who they are.
    pub per_address: usize,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// The most handshakes at once.
    pub handshakes_in_flight: usize,
    /// How long a connection may wait with its first bytes.
    pub first_request_timeout: Duration,
    /// The most calls of one connection that are worked on at once.
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

/// How long the loop pauses when nothing can be accepted, such as without a free descriptor: it would spin
/// otherwise.
const PAUSE: Duration = Duration::from_millis(100);
/// How often that is logged at most.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Accepts connections and finds out who is there.
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
    /// An acceptor that tells `refused` the label of each connection it does not take.
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

    /// The connections of a listener, as they are accepted, until it is told to stop.
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
                        tokio::time::sleep(PAUSE).await;
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
        let Some(unknown) = self.addresses.take(address.ip()) else {
            let reason = "too many connections of this address that have not shown who they are";
            return self.refuse("connections_address", address, reason);
        };
        let Ok(handshake) = Arc::clone(&self.handshakes).try_acquire_owned() else {
            return self.refuse("handshakes_in_flight", address, "too many handshakes at once");
        };
        let acceptor = Arc::clone(self);
        tokio::spawn(async move {
            let shaken = acceptor.handshake(stream, address, total, unknown).await;
            drop(handshake);
            if let Some(connection) = shaken {
                // The server has stopped when nobody takes it.
                let _ = accepted.send(Ok(connection)).await;
            }
        });
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        total: OwnedSemaphorePermit,
        unknown: Guard<IpAddr>,
    ) -> Option<Connection> {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%address, "a connection is gone: {error}");
            return None;
        }
        let shaking = TlsAcceptor::from(self.tls.config()).accept(stream);
        let stream = match tokio::time::timeout(self.limits.handshake_timeout, shaking).await {
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
        let (share, lives) = match &identity {
            Ok(identity) => {
                let Some(share) = self.partners.take(identity.partner.clone()) else {
                    let reason = format!("too many connections of `{}`", identity.partner);
                    self.refuse("connections_partner", address, &reason);
                    return None;
                };
                let left = identity.not_after_ms.saturating_sub(self.clock.now().as_millis());
                let lives = Duration::from_millis(u64::try_from(left).unwrap_or(0));
                (Share::Partner(share), lives)
            }
            // It may ask, and is told what is wrong with its certificate.
            Err(_) => (Share::Address(unknown), Duration::from_secs(60)),
        };
        let peer = PeerInfo {
            address,
            accepted: self.clock.instant(),
            identity: Arc::new(identity),
            calls: Arc::new(Semaphore::new(self.limits.calls.min(Semaphore::MAX_PERMITS))),
        };
        let silence = self.limits.first_request_timeout;
        Some(Connection::new(stream, peer, lives, silence, Counted { total, share }))
    }

    fn refuse(&self, label: &'static str, address: SocketAddr, reason: &str) {
        (self.refused)(label);
        info!(%address, label, "refused a connection: {reason}");
    }
}

/// Failures to accept, logged once a minute at most.
#[derive(Default)]
struct Failures {
    logged: Option<Instant>,
    suppressed: u64,
}

impl Failures {
    fn log(&mut self, error: &io::Error, now: Instant) {
        if self.logged.is_some_and(|logged| now.duration_since(logged) < LOG_EVERY) {
            self.suppressed += 1;
            return;
        }
        let suppressed = std::mem::take(&mut self.suppressed);
        self.logged = Some(now);
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

/// The connection went away before it was accepted; the next one may be there already.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
