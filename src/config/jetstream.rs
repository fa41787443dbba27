//! The table `[jetstream]`: the servers and the stream of a journal that several nodes share.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::JournalBackend;

/// The stream of a shared journal. Used if `storage.journal` is `jetstream`. An empty path means none.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct JetStream {
    /// The addresses of the servers.
    pub servers: Vec<String>,
    /// The file with the node's login.
    pub credentials: PathBuf,
    /// The file with a login of the system account, by which the node checks the servers.
    pub system_credentials: PathBuf,
    /// The certificates of the servers' authority. Those of the system if empty.
    pub ca: PathBuf,
    /// The node's client certificate.
    pub certificate: PathBuf,
    /// The key of the client certificate.
    pub key: PathBuf,
    /// The name of the stream.
    pub stream: String,
    /// The number of servers that hold the stream.
    pub replicas: usize,
    /// Maximum size of a new stream.
    pub max_gb: u64,
    /// How long the servers remember the id of an append.
    pub duplicate_window_s: u64,
    /// The backend of the local copy: sled or files.
    pub copy: JournalBackend,
    /// Whether the node uses servers and a stream that may lose acknowledged entries.
    pub accept_unsafe: bool,
    /// How long a start waits for the servers.
    pub connect_timeout_s: u64,
}

impl Default for JetStream {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            credentials: PathBuf::new(),
            system_credentials: PathBuf::new(),
            ca: PathBuf::new(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            stream: "TIPOFF".into(),
            replicas: 3,
            max_gb: 100,
            duplicate_window_s: 120,
            copy: JournalBackend::Sled,
            accept_unsafe: false,
            connect_timeout_s: 30,
        }
    }
}
