//! The composition root: builds a node from its configuration, serves, drains.

mod descriptors;
mod grpc;
mod node;
mod observed;
mod private;
mod readiness;
mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

pub use self::descriptors::raise_limit;
pub use self::node::{Node, journal_settings};
pub use self::readiness::Readiness;
use crate::config::ConfigError;
use crate::error;
use crate::journal::{CursorError, OpenError};
use crate::tls::FolderError;

/// The addresses that a node is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bound {
    /// The gRPC listener.
    pub grpc: SocketAddr,
    /// The ops listener.
    pub ops: SocketAddr,
}

/// Why a node does not start, or has stopped by itself.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server's identity cannot be used.
    #[error("the server's identity: {0}")]
    Identity(#[from] FolderError),
    /// The journal does not open.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The subscriptions do not open.
    #[error(transparent)]
    Cursors(#[from] CursorError),
    /// The exchange has a fault.
    #[error("{error}{}", cause(error))]
    Exchange {
        /// Which.
        #[from]
        error: error::Error,
    },
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The data folder cannot be made or made private.
    #[error(
        "cannot make {path} private to this user: {source}. Run the exchange as the user who owns it, or change the \
         owner (chown)"
    )]
    Data {
        /// Which folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index or the subscriptions of a journal are there, and the journal is not.
    #[error(
        "{data}/journal is missing or empty, but {data} holds the index or the subscriptions of a journal: restore the \
         journal from a backup. To start an empty exchange, move {data}/index and {data}/cursors away first",
        data = .data.display()
    )]
    JournalMissing {
        /// The data folder.
        data: PathBuf,
    },
    /// The limit of open files leaves no descriptor for connections.
    #[error(
        "the limit of open files is too low for a single connection: raise it (LimitNOFILE=, or \
         ulimit -n; 1024 or more)"
    )]
    Descriptors,
    /// The transport has failed.
    #[error("the gRPC server has failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// Something of the operating system has failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn cause(error: &error::Error) -> String {
    std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default()
}
