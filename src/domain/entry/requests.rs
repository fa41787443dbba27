//! What partners ask for, as the journal holds it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::assessment::Assessment;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::Position;
use crate::domain::feedback::Opinion;
use crate::domain::indicator::{Indicator, IndicatorId};
use crate::domain::invalid::Invalid;
use crate::domain::partner::{GroupId, PartnerId};
use crate::domain::sharing::Sharing;
use crate::domain::time::Timestamp;

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
    /// What the author said of the same indicators to this audience ends.
    pub replaces: Option<AudienceDigest>,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

/// A partner's id for one request, chosen by it and scoped to it, under which the request counts
/// once. Written as a submission's id is.
pub type RequestId = SubmissionId;

/// What a partner takes back, or what is taken back for it when its keys were in other hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Whose assessments.
    pub partner: PartnerId,
    /// Which of them.
    pub targets: Vec<Target>,
}

/// What one partner says of one indicator to one audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The indicator.
    pub id: IndicatorId,
    /// The audience.
    pub audience: AudienceDigest,
    /// Only while this is the current version; `None` for whichever is.
    pub version: Option<Position>,
}

/// The time of some versions of one entry is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Whose they are.
    pub partner: PartnerId,
    /// For whom they are.
    pub audience: AudienceDigest,
    /// When they end.
    pub ends: Timestamp,
    /// The entry that brought them.
    pub sequence: u64,
    /// The items of the entry, and what they are about.
    pub versions: Vec<(u32, IndicatorId)>,
}

/// A partner confirms the terms of the restricted group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Who.
    pub partner: PartnerId,
    /// Of which group.
    pub group: GroupId,
}

/// What a partner saw, under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sightings {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who is told.
    pub sharing: Sharing,
    /// What was seen.
    pub items: Vec<Sighting>,
    /// What could not be read.
    pub rejected: Vec<Rejection>,
}

/// "We saw it n times between a and b."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Its index in the request, and in the entry.
    pub index: u32,
    /// The indicator's id, as it was stored.
    pub id: IndicatorId,
    /// What was seen.
    pub indicator: Indicator,
    /// How often.
    pub count: u64,
    /// From when on.
    pub first_seen: Option<Timestamp>,
    /// Up to when.
    pub last_seen: Option<Timestamp>,
}

/// What a partner thinks of another's assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Whose assessment it is.
    pub of: PartnerId,
    /// The assessment, by its version too.
    pub target: Target,
    /// How far the author agrees.
    pub opinion: Opinion,
    /// Why.
    pub note: Option<Box<str>>,
    /// Who is told besides the assessment's author: nobody in an audience that names that author
    /// alone.
    pub sharing: Sharing,
}
