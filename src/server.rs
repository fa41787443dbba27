//! The composition root: builds a node from its configuration, serves, and shuts down.

mod check;
mod descriptors;
mod grpc;
mod node;
mod ops_view;
mod private;
mod readiness;
mod reload;
mod service_manager;
mod settings;
mod shared_journal;
mod stores;

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

pub use self::check::CheckReport;
pub use self::descriptors::raise_limit;
pub use self::node::Node;
pub use self::readiness::Readiness;
pub use self::shared_journal::{
    check as check_shared_journal, settings as shared_journal_settings,
};
pub use self::stores::journal_settings;
use crate::config::ConfigError;
use crate::error;
use crate::journal::{CursorError, OpenError};
use crate::tls::FolderError;

/// The addresses that a node listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bound {
    /// The gRPC listener.
    pub grpc: SocketAddr,
    /// The ops listener.
    pub ops: SocketAddr,
}

/// Why a node cannot start, or has stopped because of a fault.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server's identity folder cannot be used.
    #[error("the server's identity: {0}")]
    Identity(#[from] FolderError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The subscriptions cannot be opened.
    #[error(transparent)]
    Cursors(#[from] CursorError),
    /// The exchange has failed.
    #[error("{error}{}", with_cause(error))]
    Exchange {
        /// The error.
        #[from]
        error: error::Error,
    },
    /// An address cannot be bound.
    #[error("cannot listen on {address} ({key}): {source}")]
    Bind {
        /// The key that names it.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// The data folder cannot be created or made private.
    #[error(
        "cannot make {path} private to this user: {source}. Run the exchange as the user who owns it, or change the \
         owner (chown)"
    )]
    Data {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The data folder, or the one in which it would be created, does not let this user in.
    #[error("storage.data: {path} cannot be read and written by this user: {source}")]
    DataAccess {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The data folder has an index or subscriptions, but no journal.
    #[error(
        "{data}/journal is missing or empty, but {data} holds the index or the subscriptions of a journal: restore the \
         journal from a backup. To start an empty exchange, move {data}/index and {data}/cursors away first",
        data = .data.display()
    )]
    JournalMissing {
        /// The data folder.
        data: PathBuf,
    },
    /// The limit on open files leaves no file descriptor for connections.
    #[error(
        "the limit of open files is too low for a single connection: raise it (LimitNOFILE=, or \
         ulimit -n) to 1024 or more"
    )]
    Descriptors,
    /// The gRPC transport has failed.
    #[error("the gRPC server has failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// An operating system call has failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn with_cause(error: &error::Error) -> String {
    error.source_text().map(|cause| format!(": {cause}")).unwrap_or_default()
}
