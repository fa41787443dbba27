//! A request to append, and its outcome.

use bytes::Bytes;
use thiserror::Error;

use super::{JournalError, codec, damaged};
use crate::domain::entry::{AppendId, Body, Entry};
use crate::domain::{PartnerId, Timestamp};

/// The largest entry, in bytes as it is encoded. A request of 1 MB, the default limit, becomes at most 3 MB.
pub const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;

/// A request to append, encoded by its caller, so that the writer thread only frames and checksums it.
#[derive(Clone, Debug)]
pub struct Append {
    id: AppendId,
    author: Option<PartnerId>,
    body: Body,
    encoded: Bytes,
}

impl Append {
    /// A request of `author`, or of the exchange itself.
    pub fn new(id: AppendId, author: Option<PartnerId>, body: Body) -> Self {
        let encoded = codec::encode_entry(id, author.as_ref(), &body).into();
        Self { id, author, body, encoded }
    }

    /// The same request under another id, from its bytes.
    pub fn again(id: AppendId, encoded: &[u8]) -> Result<Self, JournalError> {
        let entry = codec::decode_entry(0, Timestamp::default(), encoded)
            .map_err(|error| JournalError::Storage(error.to_string()))?;
        Ok(Self::new(id, entry.author, entry.body))
    }

    /// The id under which it is stored once.
    pub fn id(&self) -> AppendId {
        self.id
    }

    /// The encoded entry, without what the journal adds.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// The entry that it became.
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

/// The sequence and time of a stored entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its sequence.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
    /// Whether it was stored before, under the same id.
    pub repeated: bool,
}

impl Stamp {
    /// The stamp of an entry that is stored for the first time.
    pub(super) fn new(sequence: u64, time: Timestamp) -> Self {
        Self { sequence, time, repeated: false }
    }

    /// Decodes the entry stored under this stamp. Bytes that do not decode are damage.
    pub(super) fn decode(self, encoded: &[u8]) -> Result<Entry, JournalError> {
        let entry = codec::decode_entry(self.sequence, self.time, encoded);
        entry.map_err(|error| damaged(self.sequence, error.to_string()))
    }
}

/// What became of an append: stored, rejected or unknown.
pub type AppendOutcome = Result<Stamp, AppendError>;

/// Why an append has no stamp.
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// Not stored: less disk space is free than the operator's limit.
    #[error("only {free_mb} MB are free where {floor_mb} MB are to stay free")]
    Full {
        /// The free space.
        free_mb: u64,
        /// The limit.
        floor_mb: u64,
    },
    /// Not stored: the entry is larger than [`MAX_ENTRY_BYTES`].
    #[error("the entry has {bytes} bytes where {MAX_ENTRY_BYTES} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not stored.
    #[error("not stored: {0}")]
    Rejected(String),
    /// Stored or not: the same append may be tried again, and is not stored twice.
    #[error("stored or not, nobody can say: {0}")]
    Unknown(String),
}
