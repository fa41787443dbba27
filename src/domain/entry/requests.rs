//! Journal entries for submissions, withdrawals, sightings and feedback.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::assessment::Assessment;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::Position;
use crate::domain::feedback::Opinion;
use crate::domain::indicator::{Indicator, IndicatorId};
use crate::domain::invalid::Invalid;
use crate::domain::list::{ListName, ShrinkPolicy};
use crate::domain::name::NameRule;
use crate::domain::partner::{GroupId, PartnerId};
use crate::domain::sharing::Sharing;
use crate::domain::time::Timestamp;

/// One numbered batch of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The submission.
    pub submission: SubmissionId,
    /// The number of the batch within the submission, from 1.
    pub number: u32,
    /// SHA-256 of the batch as it was sent, before defaults. The same key with another digest is a
    /// conflict.
    pub digest: [u8; 32],
    /// Who receives the items, with the author's defaults applied.
    pub sharing: Sharing,
    /// An audience that this batch replaces: the author's assessments of the same indicators for
    /// that audience end.
    pub replaces: Option<AudienceDigest>,
    /// The list to which the items belong.
    pub list: Option<ListName>,
    /// The items that were parsed.
    pub items: Vec<Item>,
    /// The items that were rejected.
    pub rejected: Vec<Rejection>,
}

/// A parsed item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its index in the request and in the entry.
    pub index: u32,
    /// The indicator's id. Stored, so that a replay does not derive it again.
    pub id: IndicatorId,
    /// The assessment.
    pub assessment: Assessment,
}

/// A rejected item and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its index in the request.
    pub index: u32,
    /// The field and the reason.
    pub invalid: Invalid,
}

/// Closes a submission: no batch with a number above `batches` will follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The owner of the submission. The exchange may close it on the owner's behalf.
    pub partner: PartnerId,
    /// The submission.
    pub submission: SubmissionId,
    /// The number of batches; `None` if the exchange closes it with the batches received.
    pub batches: Option<u32>,
    /// Whether values that its lists lack may be withdrawn.
    pub policy: ShrinkPolicy,
}

const RULE: NameRule = NameRule { field: "submission_id", max_length: 128, punctuation: "._:-" };

/// A submission's id, chosen by its author and scoped to it: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubmissionId(Box<str>);

impl SubmissionId {
    /// Validates an author's id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        RULE.parse(text).map(Self)
    }

    /// Takes an id from the journal or the index, without validation.
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

/// The idempotency key of a request, chosen by the partner and scoped to it. Same format as a
/// submission's id.
pub type RequestId = SubmissionId;

/// Withdraws assessments: on the partner's request, or for it after its keys were compromised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The author of the assessments.
    pub partner: PartnerId,
    /// The assessments.
    pub targets: Vec<Target>,
    /// If the exchange withdraws what the lists of a closed submission lack: that close. The targets are then values
    /// that no other list of the partner holds by the time of this entry.
    pub closed: Option<ClosedSubmission>,
}

/// Deletes records of withdrawals whose retention period is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalSweep {
    /// The targets that withdrew, each by its entry and its index in the entry.
    pub targets: Vec<Position>,
}

/// One close of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedSubmission {
    /// The submission.
    pub submission: SubmissionId,
    /// The sequence of the close.
    pub close: u64,
}

/// One partner's assessment of one indicator for one audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The indicator.
    pub id: IndicatorId,
    /// The audience.
    pub audience: AudienceDigest,
    /// If set, the target counts only while this version is current.
    pub version: Option<Position>,
}

/// Ends versions of one entry that have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The author of the versions.
    pub partner: PartnerId,
    /// The audience of the versions.
    pub audience: AudienceDigest,
    /// When they expire.
    pub ends: Timestamp,
    /// The entry that created them.
    pub sequence: u64,
    /// The items of that entry, each with its indicator.
    pub versions: Vec<(u32, IndicatorId)>,
}

/// A partner confirms the terms of the restricted group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The partner.
    pub partner: PartnerId,
    /// The group.
    pub group: GroupId,
}

/// Sightings reported in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sightings {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who receives them.
    pub sharing: Sharing,
    /// The sightings.
    pub items: Vec<Sighting>,
    /// Items that were rejected.
    pub rejected: Vec<Rejection>,
}

/// An indicator was seen `count` times between two times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Its index in the request and in the entry.
    pub index: u32,
    /// The indicator's id. Stored, so that a replay does not derive it again.
    pub id: IndicatorId,
    /// The indicator.
    pub indicator: Indicator,
    /// How often it was seen.
    pub count: u64,
    /// The first time.
    pub first_seen: Option<Timestamp>,
    /// The last time.
    pub last_seen: Option<Timestamp>,
}

/// A partner's opinion of another's assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The author of the assessment.
    pub assessment_author: PartnerId,
    /// The assessment, including its version.
    pub target: Target,
    /// How much the partner agrees.
    pub opinion: Opinion,
    /// The reason.
    pub note: Option<Box<str>>,
    /// Who receives the feedback, besides the author of the assessment. An audience that names only
    /// that author adds nobody.
    pub sharing: Sharing,
}
