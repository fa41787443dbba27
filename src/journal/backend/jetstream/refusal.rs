//! Why a node does not use a stream or its servers. Each message tells an operator what to do.

use thiserror::Error;

/// The oldest server that is accepted. Older ones do not fence proposals of a deposed leader by its term.
pub const MIN_SERVER: (u64, u64, u64) = (2, 14, 5);

/// Why the servers or the stream cannot be used. It does not pass by itself.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The settings or the files that they name are wrong.
    #[error("jetstream.{key}: {reason}")]
    Settings {
        /// The key.
        key: &'static str,
        /// The reason.
        reason: String,
    },
    /// No server answered in time.
    #[error(
        "no JetStream server of jetstream.servers can be used ({reason}). Check the addresses and the servers' logs"
    )]
    Unreachable {
        /// The last error.
        reason: String,
    },
    /// The servers cannot promise what the journal needs.
    #[error(
        "the JetStream servers are not safe for the journal: {}. Repair that, or set jetstream.accept_unsafe = true to \
         risk acknowledged entries", .0.join("; ")
    )]
    UnsafeServers(Vec<String>),
    /// The settings of the stream are not those that the journal needs.
    #[error(
        "the settings of the stream {stream} were changed: {}. Change them back with nats stream edit, or set \
         jetstream.accept_unsafe = true to risk acknowledged entries", differences.join("; ")
    )]
    ChangedStream {
        /// The stream.
        stream: String,
        /// The settings that differ.
        differences: Vec<String>,
    },
    /// The stream is gone, and the local copy is not empty.
    #[error(
        "the stream {stream} does not exist, and the local copy holds entries up to {head}: the servers lost the stream, \
         or it was deleted. Stop all nodes, and run tipoff journal migrate --to jetstream --recover on the one whose \
         tipoff journal show prints the newest entry"
    )]
    StreamGone {
        /// The stream.
        stream: String,
        /// The head of the local copy.
        head: u64,
    },
    /// The stream lost its tail and went on otherwise, or it is another stream.
    #[error(
        "the stream {stream} does not continue the local copy: at sequence {sequence} the copy holds {local} and the \
         stream {remote}. The servers lost acknowledged entries, or it is another stream. Stop all nodes, \
         and make the stream again from the most advanced copy: see docs/operations.md, \"A journal on JetStream\""
    )]
    Diverged {
        /// The stream.
        stream: String,
        /// The head of the local copy.
        sequence: u64,
        /// The id of the entry in the local copy.
        local: String,
        /// What the stream holds there: an id, or nothing.
        remote: String,
    },
    /// Entries that the local copy lacks were removed from the stream.
    #[error(
        "the stream {stream} begins with entry {first}, and the local copy ends with entry {head}: entries in between \
         were trimmed. Stop the node and delete the folder {folder}: it fetches the stream again"
    )]
    Trimmed {
        /// The stream.
        stream: String,
        /// Its first sequence.
        first: u64,
        /// The head of the local copy.
        head: u64,
        /// The folder of the copy.
        folder: String,
    },
    /// A message is not an entry that this version reads.
    #[error(
        "message {sequence} of the stream {stream} cannot be applied: {reason}. The node stops here, since nothing may be \
         skipped"
    )]
    Message {
        /// The stream.
        stream: String,
        /// Its sequence.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
}
