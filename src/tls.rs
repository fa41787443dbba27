//! Mutual TLS: the certificate authority, identities, the accept loop, and the client's side.
//!
//! TLS 1.3 only. A certificate says who is there; the registry of partners says what they may do.

pub mod acceptor;
pub mod authority;
mod connection;
mod folder;
pub mod identity;
mod limits;
mod pem;
mod revocation;
pub mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::crypto::CryptoProvider;
use tokio::sync::Semaphore;

pub use self::acceptor::{Acceptor, ConnectionLimits};
pub use self::authority::Authority;
pub use self::folder::{FolderError, IdentityFolder};
pub use self::identity::{IdentityError, PeerIdentity};
pub use self::server::ServerTls;

/// Who is at the other end of a connection. Worked out once, when the handshake is done.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// The other end's address.
    pub address: SocketAddr,
    /// When it was accepted.
    pub accepted: Instant,
    /// Whom its certificate names, or why it names nobody.
    pub identity: Arc<Result<PeerIdentity, IdentityError>>,
    /// Permits of the connection, one for each call that is worked on.
    pub calls: Arc<Semaphore>,
}

/// The one cryptography that both sides use.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
