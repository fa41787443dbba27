//! Asks an ops listener whether its node is ready.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;

/// Timeout of the whole request.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest reason that is read. Another program may listen on the address.
const MAX_REASON_BYTES: usize = 64 * 1024;

/// Why a node is not known to be ready.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// The node answers that it is not ready.
    #[error("not ready: {0}")]
    NotReady(String),
    /// Nobody listens, or the connection broke.
    #[error("no answer from {address}: {source}")]
    Unreachable {
        /// The address of the ops listener.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The answer is none of an ops listener.
    #[error("{address} is not the ops listener of a node: it answers {status}")]
    Foreign {
        /// The address.
        address: SocketAddr,
        /// The status of its answer.
        status: StatusCode,
    },
}

/// Asks for `/ready`. An error gives the reason of the node, or why it did not answer within 5 s.
pub async fn ready(address: SocketAddr) -> Result<(), ProbeError> {
    let asked = tokio::time::timeout(TIMEOUT, ask(address)).await;
    let answer = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let (status, text) = answer.map_err(|source| ProbeError::Unreachable { address, source })?;
    match status {
        StatusCode::OK if text == "ready\n" => Ok(()),
        StatusCode::SERVICE_UNAVAILABLE => Err(ProbeError::NotReady(text.trim_end().to_owned())),
        status => Err(ProbeError::Foreign { address, status }),
    }
}

async fn ask(address: SocketAddr) -> io::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Ends with the sender.
    tokio::spawn(connection);
    let request = Request::get("/ready")
        .header(header::HOST, address.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_REASON_BYTES).collect().await;
    let bytes = body.map_err(io::Error::other)?.to_bytes();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}
