//! What is to be appended, and what becomes of it.

use bytes::Bytes;
use thiserror::Error;

use super::{JournalError, codec};
use crate::domain::entry::{AppendId, Body, Entry};
use crate::domain::{PartnerId, Timestamp};

/// A request on its way into the journal, encoded by whoever asks, so that the one writer only
/// frames and checksums.
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

    /// Its bytes.
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

/// Where and when an append was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its sequence.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
    /// Whether it had been stored before under the same id.
    pub repeated: bool,
}

/// Why an append has no sequence to show.
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// Not stored: there is less room than the floor that the operator set.
    #[error("only {free_mb} MB are free where {floor_mb} MB are to stay free")]
    Full {
        /// The room there is.
        free_mb: u64,
        /// The room that is to stay.
        floor_mb: u64,
    },
    /// Not stored.
    #[error("not stored: {0}")]
    Rejected(String),
    /// Stored or not: the same append may be tried again, and is not stored twice.
    #[error("stored or not, nobody can say: {0}")]
    Unknown(String),
}
