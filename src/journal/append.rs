//! Append requests and their outcomes.

use bytes::Bytes;
use thiserror::Error;

use super::{JournalError, codec, damaged};
use crate::domain::entry::{AppendId, Body, Entry};
use crate::domain::{PartnerId, Timestamp};

/// Maximum size of an encoded entry, in bytes. A request of 1 MB, the default limit, becomes at most 3
/// MB.
pub const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;

/// A request to append. The caller encodes it, so that the writer thread only adds framing and checksum.
#[derive(Clone, Debug)]
pub struct Append {
    id: AppendId,
    author: Option<PartnerId>,
    body: Body,
    encoded: Bytes,
}

impl Append {
    /// A request of `author`; `None` for the exchange.
    pub fn new(id: AppendId, author: Option<PartnerId>, body: Body) -> Self {
        let encoded = codec::encode_entry(id, author.as_ref(), &body).into();
        Self { id, author, body, encoded }
    }

    /// Decodes an encoded request, and replaces its id.
    pub fn with_id(id: AppendId, encoded: &[u8]) -> Result<Self, JournalError> {
        let entry = codec::decode_entry(0, Timestamp::default(), encoded)
            .map_err(|error| JournalError::Storage(error.to_string()))?;
        Ok(Self::new(id, entry.author, entry.body))
    }

    /// The idempotency key.
    pub fn id(&self) -> AppendId {
        self.id
    }

    /// The encoded entry, without sequence and time.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// The stored entry.
    pub(super) fn into_entry(self, stamp: Stamp) -> Entry {
        Entry {
            sequence: stamp.sequence,
            time: stamp.time,
            id: self.id,
            author: self.author,
            body: self.body,
        }
    }
}

/// Sequence and time of a stored entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its sequence.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
    /// Whether the id had been stored before.
    pub repeated: bool,
}

impl Stamp {
    /// The stamp of an entry that is stored for the first time.
    pub(super) fn new(sequence: u64, time: Timestamp) -> Self {
        Self { sequence, time, repeated: false }
    }

    /// Decodes the entry stored under this stamp. Bytes that do not decode are damage, unless another version wrote
    /// them.
    pub(super) fn decode(self, encoded: &[u8]) -> Result<Entry, JournalError> {
        let (sequence, entry) =
            (self.sequence, codec::decode_entry(self.sequence, self.time, encoded));
        entry.map_err(|error| match error {
            codec::DecodeError::Rules(_) => {
                JournalError::OtherRules { sequence, reason: error.to_string() }
            }
            error => damaged(sequence, error.to_string()),
        })
    }
}

/// The result of an append: stored, rejected or unknown.
pub type AppendOutcome = Result<Stamp, AppendError>;

/// Why an append has no stamp.
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// Not stored: the disk has less free space than the configured minimum.
    #[error("only {free_mb} MB of disk space are free, and the minimum is {floor_mb} MB")]
    Full {
        /// The free space, in MB.
        free_mb: u64,
        /// The minimum, in MB.
        floor_mb: u64,
    },
    /// Not stored: the entry is larger than [`MAX_ENTRY_BYTES`].
    #[error("the entry has {bytes} bytes, and the maximum is {MAX_ENTRY_BYTES}")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// Not stored.
    #[error("not stored: {0}")]
    Rejected(String),
    /// Stored or not. Retry with the same id; it is not stored twice.
    #[error("the entry may be stored or not: {0}")]
    Unknown(String),
}
