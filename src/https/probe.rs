//! Asks an ops listener whether its node is ready, or alive.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::{StatusCode, Uri};
use thiserror::Error;

use super::client::get;

/// The longest reason that is read. Another program may listen on the address.
const MAX_REASON_BYTES: usize = 64 * 1024;

/// Why a node is not known to be ready, or alive.
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

/// Asks for `/ready`. An error gives the reason of the node, or why it did not answer in time.
pub async fn ready(address: SocketAddr, timeout: Duration) -> Result<(), ProbeError> {
    match ask(address, "/ready", timeout).await? {
        (StatusCode::OK, text) if text == "ready\n" => Ok(()),
        (StatusCode::SERVICE_UNAVAILABLE, text) => {
            Err(ProbeError::NotReady(text.trim_end().to_owned()))
        }
        (status, _) => Err(ProbeError::Foreign { address, status }),
    }
}

/// Asks for `/live`, which a node answers that is not ready, too.
pub async fn live(address: SocketAddr, timeout: Duration) -> Result<(), ProbeError> {
    match ask(address, "/live", timeout).await? {
        (StatusCode::OK, text) if text == "live\n" => Ok(()),
        (status, _) => Err(ProbeError::Foreign { address, status }),
    }
}

async fn ask(
    address: SocketAddr,
    path: &str,
    timeout: Duration,
) -> Result<(StatusCode, String), ProbeError> {
    let unreachable = |source| ProbeError::Unreachable { address, source };
    let uri = Uri::try_from(format!("http://{address}{path}"))
        .map_err(|error| unreachable(io::Error::other(error)))?;
    get(&uri, MAX_REASON_BYTES, timeout).await.map_err(unreachable)
}
