//! The connection to an exchange. It is replaced when the identity on disk changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint};
use tower::{BoxError, ServiceExt, service_fn};
use tracing::warn;

use super::ClientError;
use crate::tls::{ClientTls, IdentityFolder};

/// Timeout of a TCP connection, of the TLS handshake after it, and of the first bytes of the exchange.
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
        let channel = channel(server, identity)?;
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
            match channel(&self.server, &self.identity) {
                Ok(channel) => *current = Current { channel, modified },
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

fn channel(server: &str, identity: &Path) -> Result<Channel, ClientError> {
    let bad_url = |reason: String| ClientError::Address { url: server.to_owned(), reason };
    let Some(address) = server.strip_prefix("https://") else {
        return Err(bad_url("does not begin with https://".into()));
    };
    let origin: Uri = server.parse().map_err(|error| bad_url(format!("{error}")))?;
    let host = origin.host().ok_or_else(|| bad_url("has no host".into()))?;
    // A literal IPv6 address stands in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let tls = ClientTls::new(IdentityFolder::read_client(identity)?, host).map_err(bad_url)?;
    let port = if origin.port().is_some() { "" } else { ":443" };
    let address = address.trim_end_matches('/');
    // The connector does TLS. With https, tonic would do it once more.
    let endpoint = Endpoint::from_shared(format!("http://{address}{port}"))
        .map_err(|error| bad_url(error.to_string()))?;
    Ok(endpoint
        .origin(origin)
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .connect_with_connector_lazy(service_fn(move |address| connect(tls.clone(), address))))
}

/// Makes a connection: TCP, then TLS.
async fn connect(
    tls: ClientTls,
    address: Uri,
) -> Result<TokioIo<impl AsyncRead + AsyncWrite + Unpin>, BoxError> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let stream = tcp.oneshot(address).await?.into_inner();
    Ok(TokioIo::new(tls.connect(stream, CONNECT_TIMEOUT).await?))
}
