//! The vocabulary of the journal: what was asked, and what it came to.

use std::fmt;

use uuid::Uuid;

use super::assessment::Assessment;
use super::indicator::IndicatorId;
use super::invalid::Invalid;
use super::partner::{GroupDefinition, Partner, PartnerId};
use super::sharing::Sharing;
use super::time::Timestamp;

/// A place in the journal: an entry's sequence, and an index in that entry. An assessment's
/// version is its position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The entry: 1, 2, 3 …
    pub sequence: u64,
    /// The item of the entry's request, from 0.
    pub index: u32,
}

impl Position {
    /// An item of an entry.
    pub const fn new(sequence: u64, index: u32) -> Self {
        Self { sequence, index }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequence, self.index)
    }
}

/// The id under which an append is stored once, within the journal's window. Derived by the server
/// from (partner, key, content digest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppendId(Uuid);

impl AppendId {
    /// The namespace of append ids.
    const NAMESPACE: Uuid = Uuid::from_u128(0x7469_706f_6666_5000_8000_6170_7065_6e64);

    /// Derives the id from the parts of a key. Parts are told apart, so `["ab", "c"]` and
    /// `["a", "bc"]` are different keys.
    pub fn derive(parts: &[&[u8]]) -> Self {
        let mut name = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            name.extend_from_slice(&(part.len() as u64).to_be_bytes());
            name.extend_from_slice(part);
        }
        Self(Uuid::new_v5(&Self::NAMESPACE, &name))
    }

    /// The 16 bytes of the id.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

/// One request as the journal holds it. Immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal: 1, 2, 3 … without a gap.
    pub sequence: u64,
    /// When the writer took it; never before the entry in front of it.
    pub time: Timestamp,
    /// The id under which it was appended.
    pub id: AppendId,
    /// Whose request it was; `None` for the exchange itself.
    pub author: Option<PartnerId>,
    /// What was asked.
    pub body: Body,
}

/// What an entry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A partner is what this says, from here on.
    PartnerPut(Partner),
    /// A group is what this says, from here on.
    GroupPut(GroupDefinition),
    /// A batch of a submission.
    SubmissionBatch(Batch),
    /// The end of a submission.
    SubmissionClosed(Close),
}

/// One numbered batch of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The submission, by its author's id.
    pub submission: SubmissionId,
    /// The batch's number in the submission, from 1.
    pub number: u32,
    /// SHA-256 of the batch as it was sent, before defaults: the same key with another digest is
    /// a conflict.
    pub digest: [u8; 32],
    /// The author's default for the audience having been worked out, who receives the items.
    pub sharing: Sharing,
    /// The items that could be read.
    pub items: Vec<Item>,
    /// The items that could not.
    pub rejected: Vec<Rejection>,
}

/// An item of a batch that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its index in the request, and in the entry.
    pub index: u32,
    /// The indicator's id. Stored, so that a replay never derives it again.
    pub id: IndicatorId,
    /// What it says.
    pub assessment: Assessment,
}

/// An item of a batch that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its index in the request.
    pub index: u32,
    /// The field and the reason.
    pub invalid: Invalid,
}

/// The end of a submission: no batch above `batches` will come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Whose submission it is: the exchange may write the close for its author.
    pub partner: PartnerId,
    /// Which submission.
    pub submission: SubmissionId,
    /// How many batches it has; `None` when the exchange closes it, with what has come.
    pub batches: Option<u32>,
}

/// A submission's id, chosen by its author and scoped to it: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubmissionId(Box<str>);

impl SubmissionId {
    /// Takes an author's id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("submission_id", "is not 1 to 128 of A-Z, a-z, 0-9 and ._:-"))
        }
    }

    /// Takes an id from the journal or the index as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubmissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What an entry came to when it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken; for a batch, with what became of each of its items, in their order.
    Taken(Vec<ItemOutcome>),
    /// It has no effect, and is never delivered.
    Void(VoidReason),
}

/// What an item came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// The author's first word on this indicator to this audience.
    Created,
    /// It took the place of the author's earlier one, of this version.
    Replaced(Position),
    /// It says what the current one of this version says, and gets no version of its own.
    Unchanged(Position),
}

/// Why an entry has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoidReason {
    /// The same was taken at this sequence: the answer is the same too.
    Repeats(u64),
    /// The same key was taken with other content at this sequence.
    Conflicts(u64),
    /// The submission was closed before.
    SubmissionClosed,
    /// The submission lacks this batch, so it cannot be closed.
    BatchMissing(u32),
    /// The submission has a batch of this number, above what the close names.
    BatchesBeyond(u32),
    /// There is no such submission.
    SubmissionUnknown,
    /// The author was no longer in a group it named, or a partner it named had gone.
    AudienceGone,
}
