//! A channel to one address: TCP, then TLS with the identity folder.

use std::path::Path;
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint};
use tower::{BoxError, ServiceExt, service_fn};

use super::ClientError;
use crate::tls::{ClientTls, IdentityFolder};

/// Timeout of a TCP connection, of the TLS handshake after it, and of the first bytes of the exchange.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How a channel notices that the other side is gone without a word.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    /// Time between two pings.
    interval: Duration,
    /// How long the answer to a ping may take.
    timeout: Duration,
}

impl Upkeep {
    /// For an exchange with so many addresses. With several it is worth noticing soon: another one may answer.
    pub fn of(servers: usize) -> Self {
        let (interval_s, timeout_s) = if servers > 1 { (5, 5) } else { (30, 10) };
        let [interval, timeout] = [interval_s, timeout_s].map(Duration::from_secs);
        Self { interval, timeout }
    }
}

/// Reads and checks the folder and the address. Connects on first use.
pub fn channel(server: &str, identity: &Path, upkeep: Upkeep) -> Result<Channel, ClientError> {
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
        .http2_keep_alive_interval(upkeep.interval)
        .keep_alive_timeout(upkeep.timeout)
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
