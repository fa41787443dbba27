//! Mutual TLS: the built-in certificate authority, identity folders, peer identities, and the
//! acceptor.
//!
//! TLS 1.3 only. A certificate establishes who the peer is; the partner registry decides what it
//! may do.

pub mod acceptor;
pub mod authority;
mod client;
mod connection;
mod folder;
mod handshakes;
pub mod identity;
mod limits;
mod open;
mod pem;
mod refusal;
mod revocation;
pub mod server;
mod verifiers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::crypto::CryptoProvider;
use tokio::sync::Semaphore;

pub use self::acceptor::{Acceptor, ConnectionLimits};
pub use self::authority::Authority;
pub use self::client::ClientTls;
pub use self::folder::{FolderError, IdentityFolder};
pub use self::handshakes::Source;
pub use self::identity::{IdentityError, PeerIdentity};
pub use self::revocation::ListSummary;
pub use self::server::{ServerIdentity, ServerTls};

use crate::domain::revocation::Serial;

/// The peer of a connection, determined once after the handshake.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// The peer's address.
    pub address: SocketAddr,
    /// When the connection was accepted.
    pub accepted: Instant,
    /// The identity in its certificate, or why there is none.
    pub identity: Arc<Result<PeerIdentity, IdentityError>>,
    /// Permits for concurrent calls on this connection.
    pub calls: Arc<Semaphore>,
    /// The serial number of the certificate that the server showed it.
    pub server_serial: Option<Arc<Serial>>,
}

/// The cryptography provider of both sides.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
