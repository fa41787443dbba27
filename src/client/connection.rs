//! The connection to an exchange. It is replaced when the identity on disk changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Identity};
use tracing::warn;

use super::ClientError;
use crate::tls::{IdentityFolder, ServerVerifier};

/// Timeout of a TCP connection, and of the TLS handshake after it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A channel and the identity folder that it was made from.
#[derive(Debug)]
pub struct Connection {
    server: String,
    identity: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    channel: Channel,
    /// Modification time of the certificate that the channel uses.
    modified: Option<SystemTime>,
}

impl Connection {
    /// Reads and checks the folder. Connects on first use.
    pub fn new(server: &str, identity: &Path) -> Result<Self, ClientError> {
        let modified = certificate_modified(identity);
        let channel = endpoint(server, identity)?.connect_lazy();
        Ok(Self {
            server: server.to_owned(),
            identity: identity.to_owned(),
            current: Mutex::new(Current { channel, modified }),
        })
    }

    /// Returns the channel. Makes a new one if the certificate file changed since the last call.
    ///
    /// If the folder cannot be read, for example because it is being written, the old channel stays
    /// and the next call tries again.
    pub fn channel(&self) -> Channel {
        let modified = certificate_modified(&self.identity);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if modified.is_some() && modified != current.modified {
            match endpoint(&self.server, &self.identity) {
                Ok(endpoint) => *current = Current { channel: endpoint.connect_lazy(), modified },
                Err(error) => {
                    warn!("cannot load the renewed identity, keeping the old one: {error}");
                }
            }
        }
        current.channel.clone()
    }
}

fn certificate_modified(identity: &Path) -> Option<SystemTime> {
    fs::metadata(identity.join("cert.pem")).and_then(|file| file.modified()).ok()
}

fn endpoint(server: &str, identity: &Path) -> Result<Endpoint, ClientError> {
    let bad_url = |reason: String| ClientError::Address { url: server.to_owned(), reason };
    if !server.starts_with("https://") {
        return Err(bad_url("does not begin with https://".into()));
    }
    // Check the whole folder first: these errors name the file.
    let checked = IdentityFolder::read_client(identity)?;
    let verifier = ServerVerifier::of(&checked).map_err(bad_url)?;
    let read = |name: &str| IdentityFolder::read_file(&identity.join(name));
    let tls = ClientTlsConfig::new()
        .identity(Identity::from_pem(read("cert.pem")?, read("key.pem")?))
        .timeout(CONNECT_TIMEOUT);
    let endpoint = Endpoint::from_shared(server.to_owned())
        .and_then(|endpoint| endpoint.tls_config_with_verifier(tls, Arc::new(verifier)))
        .map_err(|error| bad_url(error.to_string()))?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true))
}
