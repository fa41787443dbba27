//! The configuration file of `tipoff serve`: one TOML file; unknown keys are errors.
//! `docs/configuration.md` lists every key with its default; a test keeps the two in sync.

pub mod changes;
mod jetstream;
pub mod ranges;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::jetstream::JetStream;

/// Why a configuration is invalid.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a valid configuration.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The error, with its line.
        message: String,
    },
    /// A number is out of range.
    #[error("{key} = {value}: must be {range}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        value: u64,
        /// The range and the unit.
        range: String,
    },
    /// A value is invalid.
    #[error("{key}: {reason}")]
    Value {
        /// The key.
        key: String,
        /// The reason.
        reason: String,
    },
}

/// All settings. The numbers' ranges are in [`ranges`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The node's listeners and identity.
    pub server: Server,
    /// The node's data.
    pub storage: Storage,
    /// The stream of a shared journal.
    pub jetstream: JetStream,
    /// Limits on requests and streams.
    pub requests: Requests,
    /// Limits on connections.
    pub connections: Connections,
    /// Suspended partners.
    pub access: Access,
    /// Traces.
    pub telemetry: Telemetry,
    /// Additional harm labels.
    pub labels: Vec<String>,
    /// The initial partners.
    pub partners: Vec<PartnerSeed>,
    /// The initial groups.
    pub groups: Vec<GroupSeed>,
}

/// A node's listeners and identity.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address of the gRPC listener. Port 0 selects a free port.
    pub grpc: SocketAddr,
    /// The address of the ops listener: metrics, liveness, readiness. Loopback only.
    pub ops: SocketAddr,
    /// The SPIFFE trust domain of this exchange.
    pub trust_domain: String,
    /// The folder with the server's `ca.pem`, `cert.pem`, `key.pem` and optional `crl.pem`.
    pub identity: PathBuf,
    /// Whether the node refuses to start without a `crl.pem`.
    pub crl_required: bool,
    /// How long a stopping node waits for open calls.
    pub drain_timeout_s: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            grpc: SocketAddr::from(([127, 0, 0, 1], 7443)),
            ops: SocketAddr::from(([127, 0, 0, 1], 7445)),
            trust_domain: "tipoff.example".into(),
            identity: "certs/dev/server".into(),
            crl_required: false,
            drain_timeout_s: 20,
        }
    }
}

/// A node's data.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The folder of the journal, the index and the subscriptions.
    pub data: PathBuf,
    /// Minimum free disk space. Below it, requests that write are refused.
    pub min_free_mb: u64,
    /// The journal's backend.
    pub journal: JournalBackend,
    /// The page cache of a sled journal. The total memory of sled can be several times this.
    pub journal_cache_mb: u64,
    /// The cache of the index database. Its write buffers come on top.
    pub index_cache_mb: u64,
    /// The size of the newest entries that feeds read from memory.
    pub tail_mb: u64,
    /// Maximum number of appends that wait for the writer.
    pub append_queue: usize,
    /// Retention period of the access records of liaisons.
    pub accesses_kept_days: u64,
    /// Retention period of the records of withdrawals, by which a value that is sent again is named.
    pub withdrawals_kept_days: u64,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data: "data".into(),
            min_free_mb: 256,
            journal: JournalBackend::Sled,
            journal_cache_mb: 16,
            index_cache_mb: 64,
            tail_mb: 16,
            append_queue: 1_024,
            accesses_kept_days: 1_825,
            withdrawals_kept_days: 30,
        }
    }
}

/// The journal's backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalBackend {
    /// A sled database.
    #[default]
    Sled,
    /// Segment files.
    Files,
    /// A stream that several nodes share: see [`JetStream`].
    JetStream,
}

/// Limits on requests and streams.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// Timeout of a unary call.
    pub unary_timeout_s: u64,
    /// Maximum size of a request message.
    pub max_message_kb: usize,
    /// Maximum number of items in a batch.
    pub batch_items: usize,
    /// Maximum number of values in a lookup.
    pub lookup_values: usize,
    /// Maximum number of batches on one `StreamIndicators` call that wait for their receipt.
    pub batches_in_flight: usize,
    /// A feed without items sends a heartbeat after this time, or up to 2 % later.
    pub heartbeat_s: u64,
    /// How long a reader may leave a feed message unread before the feed ends.
    pub blocked_s: u64,
    /// How long a read waits for the version in `read_after`.
    pub read_after_timeout_s: u64,
    /// The exchange closes a submission after this time without a batch.
    pub idle_close_s: u64,
    /// Maximum number of durable subscriptions per partner.
    pub subscriptions_per_partner: usize,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            unary_timeout_s: 10,
            max_message_kb: 1_024,
            batch_items: 1_000,
            lookup_values: 1_000,
            batches_in_flight: 16,
            heartbeat_s: 15,
            blocked_s: 30,
            read_after_timeout_s: 5,
            idle_close_s: 900,
            subscriptions_per_partner: 100,
        }
    }
}

/// Limits on connections.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// Maximum number of connections.
    pub total: usize,
    /// Maximum number of connections per partner.
    pub per_identity: usize,
    /// Maximum number of unidentified connections per address, or per /64 network of IPv6.
    pub per_address: usize,
    /// Timeout of a TLS handshake.
    pub handshake_timeout_s: u64,
    /// Maximum number of concurrent handshakes.
    pub handshakes_in_flight: usize,
    /// Maximum number of concurrent handshakes per address, or per /64 network of IPv6.
    pub handshakes_per_address: usize,
    /// How long a connection may stay silent after its handshake.
    pub first_request_timeout_s: u64,
    /// Maximum number of concurrent calls per connection, as HTTP/2 announces it.
    pub concurrent_streams: u32,
    /// Maximum number of calls per connection that are processed concurrently; more are refused.
    /// The same as HTTP/2 announces by default, so a client that respects that limit waits and is
    /// never refused.
    pub in_flight: usize,
    /// Maximum number of streams per connection that the server has reset.
    pub reset_streams: usize,
    /// Maximum number of streams that a peer resets before the server has accepted them.
    pub pending_resets: usize,
    /// Maximum size of a request's headers.
    pub header_kb: u32,
    /// The HTTP/2 flow-control window of a stream.
    pub stream_window_kb: u32,
    /// The HTTP/2 flow-control window of a connection: at least [`MIN_STREAM_WINDOWS`] stream
    /// windows.
    pub connection_window_kb: u32,
    /// Interval of HTTP/2 keep-alive pings on an idle connection.
    pub keepalive_s: u64,
    /// How long a peer may take to answer a ping.
    pub keepalive_timeout_s: u64,
    /// Maximum age of a connection, ±10 %. The server then asks the client to reconnect.
    pub max_age_s: u64,
    /// How long open calls may continue after that.
    pub max_age_grace_s: u64,
}

/// Minimum size of a connection's window, in stream windows.
///
/// h2 closes a connection when its unread DATA frames that are shorter than 256 bytes exceed half
/// the connection's window in total (`too_many_data_frames`). With 16, a stream of messages of 28
/// bytes or more is stopped by its own window first.
pub const MIN_STREAM_WINDOWS: u32 = 16;

impl Default for Connections {
    fn default() -> Self {
        Self {
            total: 10_000,
            per_identity: 64,
            per_address: 256,
            handshake_timeout_s: 5,
            handshakes_in_flight: 2_048,
            handshakes_per_address: 128,
            first_request_timeout_s: 10,
            concurrent_streams: 100,
            in_flight: 100,
            reset_streams: 256,
            pending_resets: 20,
            header_kb: 16,
            stream_window_kb: 256,
            connection_window_kb: 4_096,
            keepalive_s: 30,
            keepalive_timeout_s: 10,
            max_age_s: 1_800,
            max_age_grace_s: 30,
        }
    }
}

/// Suspended partners.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// The ids of suspended partners. Reloaded on SIGHUP.
    pub suspended: Vec<String>,
}

/// Traces of calls, for a collector.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// The address of a collector that takes OTLP over gRPC. Empty: no traces.
    pub otlp_endpoint: String,
    /// The part of the calls that is traced, from 0 to 1.
    pub sampled_ratio: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), sampled_ratio: 1.0 }
    }
}

/// A partner in the configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSeed {
    /// Its id.
    pub id: String,
    /// Its display name. Defaults to the id.
    pub name: Option<String>,
    /// `member`, `liaison`, `observer` or `operator`.
    pub role: String,
    /// The platforms that it owns.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// Its jurisdiction, as an ISO 3166 code.
    pub jurisdiction: Option<String>,
    /// For a liaison: the kinds of purpose that it may use: `warrant`, `subpoena`, `emergency`,
    /// `voluntary`, `public`.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// The group that receives its AMBER objects if it names no audience.
    pub default_group: Option<String>,
    /// The default marking of its objects. Defaults to `AMBER`.
    pub default_tlp: Option<String>,
    /// How many items it may submit in an hour; 0, the default, is no limit.
    pub max_submitted_per_hour: Option<u64>,
    /// How many assessments it may withdraw in an hour; 0, the default, is no limit.
    pub max_withdrawn_per_hour: Option<u64>,
}

/// A group in the configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSeed {
    /// Its id.
    pub id: String,
    /// Its display name. Defaults to the id.
    pub name: Option<String>,
    /// The ids of its members.
    pub members: Vec<String>,
    /// `joined`: new members see what is shared from then on. `all`: also what was shared before.
    #[serde(default)]
    pub history: History,
    /// Makes this the single restricted group, which may hold objects with restricted labels: the
    /// terms of their source, which each member confirms.
    pub terms: Option<String>,
}

/// What new members of a group see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// What is shared from then on. The commands call it `from-join`.
    #[default]
    #[serde(alias = "from-join")]
    Joined,
    /// Also what was shared before.
    All,
}

impl Config {
    /// Reads a file and checks its numbers against their ranges.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let config = Self::parse(&text).map_err(|error| ConfigError::Parse {
            path: path.into(),
            message: error.to_string(),
        })?;
        ranges::check(&config)?;
        Ok(config)
    }

    /// Parses the text of a file. Does not check ranges.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

#[cfg(test)]
mod tests;
