//! The configuration file of `tipoff serve`: one TOML file, unknown keys refused. Every key with
//! its default stands in `docs/configuration.md`, and a test holds the two together.

pub mod ranges;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {message}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and on which line.
        message: String,
    },
    /// A number is outside its range.
    #[error("{key} = {value}: must be {range}")]
    Range {
        /// Which key.
        key: &'static str,
        /// Its value.
        value: u64,
        /// The range and the unit.
        range: String,
    },
    /// A value is not one that can be used.
    #[error("{key}: {reason}")]
    Value {
        /// Which key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Everything that an operator can set. [`ranges`] bounds its numbers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the node listens, and who it is.
    pub server: Server,
    /// Where it keeps its data.
    pub storage: Storage,
    /// The bounds of requests and streams.
    pub requests: Requests,
    /// The bounds of connections.
    pub connections: Connections,
    /// Who is kept out.
    pub access: Access,
    /// Harm labels beside those that every exchange knows.
    pub labels: Vec<String>,
    /// The first partners.
    pub partners: Vec<PartnerSeed>,
    /// The first groups.
    pub groups: Vec<GroupSeed>,
}

/// Where a node listens, and who it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address of the gRPC listener. Port 0 picks a free one.
    pub grpc: SocketAddr,
    /// The address of the ops listener: metrics, liveness, readiness. Loopback only.
    pub ops: SocketAddr,
    /// The SPIFFE trust domain of this exchange.
    pub trust_domain: String,
    /// The folder of the server's `ca.pem`, `cert.pem`, `key.pem`, and `crl.pem` where there is
    /// one.
    pub identity: PathBuf,
    /// Whether the node refuses to start without a `crl.pem`.
    pub crl_required: bool,
    /// How long the node waits for open calls when it stops.
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

/// Where a node keeps its data.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The folder of the journal and the index.
    pub data: PathBuf,
    /// Below this much free space, nothing is taken.
    pub min_free_mb: u64,
    /// The backend of the journal.
    pub journal: JournalBackend,
    /// The page cache of a journal in sled. The memory that sled uses can be several times this.
    pub journal_cache_mb: u64,
    /// The cache of the index's database. What is to be written gathers beside it.
    pub index_cache_mb: u64,
    /// The recent entries that feeds read from memory.
    pub tail_mb: u64,
    /// How many appends may wait for the writer.
    pub append_queue: usize,
    /// How many days accesses of liaisons are kept.
    pub accesses_kept_days: u64,
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
        }
    }
}

/// The backend of the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalBackend {
    /// A database of sled.
    #[default]
    Sled,
    /// Files of its own.
    Files,
}

/// The bounds of requests and streams.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// How long a unary call may take.
    pub unary_timeout_s: u64,
    /// The most bytes of a message that comes in.
    pub max_message_kb: usize,
    /// The most items of a batch.
    pub batch_items: usize,
    /// The most values of a lookup.
    pub lookup_values: usize,
    /// The most batches of one `StreamIndicators` that wait for their receipt.
    pub batches_in_flight: usize,
    /// After how long without an item a feed sends a sign of life, or up to 2 % later.
    pub heartbeat_s: u64,
    /// How long a reader may leave a feed's message untaken.
    pub blocked_s: u64,
    /// How long a read waits for the version it names in `read_after`.
    pub read_after_timeout_s: u64,
    /// After how long without a batch the exchange closes a submission.
    pub idle_close_s: u64,
    /// The most durable subscriptions of one partner.
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

/// The bounds of connections.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// The most connections.
    pub total: usize,
    /// The most connections of one partner.
    pub per_identity: usize,
    /// The most connections of one address that have not shown who they are.
    pub per_address: usize,
    /// How long a TLS handshake may take.
    pub handshake_timeout_s: u64,
    /// The most handshakes at once.
    pub handshakes_in_flight: usize,
    /// How long a connection may wait with its first request.
    pub first_request_timeout_s: u64,
    /// The most calls of one connection at once, as HTTP/2 announces it.
    pub concurrent_streams: u32,
    /// The most calls of one connection that are worked on at once; further ones are refused. As many as
    /// HTTP/2 announces: a client that keeps to that waits, and is refused nothing.
    pub in_flight: usize,
    /// The most locally reset streams of a connection.
    pub reset_streams: usize,
    /// The most streams that a peer resets before they are taken up.
    pub pending_resets: usize,
    /// The most bytes of a request's headers.
    pub header_kb: u32,
    /// The HTTP/2 window of a stream.
    pub stream_window_kb: u32,
    /// The HTTP/2 window of a connection: at least [`SMALL_FRAMES`] windows of a stream.
    pub connection_window_kb: u32,
    /// How often a silent connection is asked whether it lives.
    pub keepalive_s: u64,
    /// How long it may take to answer.
    pub keepalive_timeout_s: u64,
    /// After how long, give or take a tenth, a connection is asked to go.
    pub max_age_s: u64,
    /// How long it may take to go.
    pub max_age_grace_s: u64,
}

/// How many windows of a stream the window of a connection has to hold.
///
/// h2 ends a connection whose unread DATA frames are shorter than 256 bytes by more, in all, than
/// half its window (`too_many_data_frames`). With 16 a stream that sends messages of 28 bytes or
/// more, whatever it waits for, is held back by its own window before that.
pub const SMALL_FRAMES: u32 = 16;

impl Default for Connections {
    fn default() -> Self {
        Self {
            total: 10_000,
            per_identity: 64,
            per_address: 256,
            handshake_timeout_s: 5,
            handshakes_in_flight: 256,
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

/// Who is kept out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// The ids of suspended partners. Read again on SIGHUP.
    pub suspended: Vec<String>,
}

/// A partner as the configuration gives it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSeed {
    /// Its id.
    pub id: String,
    /// Its name for people; the id when left out.
    pub name: Option<String>,
    /// `member`, `liaison`, `observer` or `operator`.
    pub role: String,
    /// The platforms that it owns.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// Where its law applies, as an ISO 3166 code.
    pub jurisdiction: Option<String>,
    /// Of a liaison, what it may read for: `warrant`, `subpoena`, `emergency`, `voluntary`, `public`.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// The group that its AMBER objects go to when it names no audience.
    pub default_group: Option<String>,
    /// The TLP of its objects when it gives none; `AMBER` when left out.
    pub default_tlp: Option<String>,
}

/// A group as the configuration gives it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSeed {
    /// Its id.
    pub id: String,
    /// Its name for people; the id when left out.
    pub name: Option<String>,
    /// The ids of its members.
    pub members: Vec<String>,
    /// `joined`: a new member sees what is shared from then on. `all`: what was shared before too.
    #[serde(default)]
    pub history: History,
    /// Makes it the one closed group that may hold objects with restricted labels: the terms of their
    /// source, which each member confirms.
    pub terms: Option<String>,
}

/// What a new member of a group sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// What is shared from then on.
    #[default]
    Joined,
    /// What was shared before too.
    All,
}

impl Config {
    /// Reads a file, and checks its numbers against their ranges.
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

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

#[cfg(test)]
mod tests;
