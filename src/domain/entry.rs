//! Journal entries: the requests as the journal stores them, and their outcomes.

mod campaigns;
mod liaisons;
mod outcome;
mod requests;
mod tips;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::campaigns::{CampaignPut, EnforcementTarget, EnforcementWithdrawal, Enforcements};
pub use self::liaisons::{
    AccessSweep, Accessed, AccessedVersions, HoldAction, HoldChange, HoldId, HoldPlaced, HoldSweep,
    LastPart, MAX_LIAISONS, Releasable, ReleaseAction, ReleaseEnd, ReleaseEntry,
};
pub use self::outcome::{ItemOutcome, Outcome, RegistryRule, VoidReason};
pub use self::requests::{
    Batch, Close, ClosedSubmission, Confirmation, Expiry, Feedback, Item, Rejection, RequestId,
    Sighting, Sightings, SubmissionId, Target, Withdrawal, WithdrawalSweep,
};
pub use self::tips::{
    Referral, Referred, TipIndicator, TipResponse, TipSent, TipThread, TipsReopened,
};
use super::cursor::EpochId;
use super::partner::{GroupDefinition, Partner, PartnerId};
use super::revocation::Revocation;
use super::time::Timestamp;
use super::tip::TipId;

/// A position in the journal: an entry's sequence and an index within that entry. The version of an
/// assessment is its position.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Position {
    /// The entry's sequence: 1, 2, 3 …
    pub sequence: u64,
    /// The index of the item in the entry's request, from 0.
    pub index: u32,
}

impl Position {
    /// The position of an item.
    pub const fn new(sequence: u64, index: u32) -> Self {
        Self { sequence, index }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequence, self.index)
    }
}

/// The idempotency key of an append: the journal stores an id once within its deduplication window.
/// The server derives it from what identifies the request (partner, its key, a digest of the content) and from
/// state by which the same request may be decided again, such as the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppendId(Uuid);

impl AppendId {
    /// The namespace of append ids.
    const NAMESPACE: Uuid = Uuid::from_u128(0x7469_706f_6666_5000_8000_6170_7065_6e64);

    /// Derives the id from the parts of a key. Each part is prefixed with its length, so `["ab",
    /// "c"]` and `["a", "bc"]` give different ids.
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

/// One entry of the journal. Immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its sequence: 1, 2, 3 … without gaps.
    pub sequence: u64,
    /// When the writer accepted it. Never earlier than the previous entry's time.
    pub time: Timestamp,
    /// The id under which it was appended.
    pub id: AppendId,
    /// The partner that made the request; `None` for the exchange itself.
    pub author: Option<PartnerId>,
    /// The request.
    pub body: Body,
}

/// The content of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Creates or updates a partner.
    PartnerPut(Partner),
    /// Creates or updates a group.
    GroupPut(GroupDefinition),
    /// Adds a batch to a submission.
    SubmissionBatch(Batch),
    /// Closes a submission.
    SubmissionClosed(Close),
    /// Suspends a partner.
    PartnerSuspended(PartnerId),
    /// Ends a partner's suspension.
    PartnerResumed(PartnerId),
    /// Revokes certificates.
    CertificatesRevoked(Revocation),
    /// A member of the restricted group confirms its terms.
    TermsConfirmed(Confirmation),
    /// Withdraws some of a partner's assessments.
    Withdrawal(Withdrawal),
    /// Deletes records of withdrawals whose retention period is over.
    WithdrawalSweep(WithdrawalSweep),
    /// Some of a partner's assessments expire.
    Expiry(Expiry),
    /// Reports sightings of indicators.
    Sightings(Sightings),
    /// Gives feedback on another partner's assessment.
    Feedback(Feedback),
    /// Reports enforcements, own or others'.
    Enforcements(Enforcements),
    /// Withdraws some of a partner's enforcements.
    EnforcementWithdrawal(EnforcementWithdrawal),
    /// Founds a campaign, or adds or updates a contribution to one.
    CampaignPut(CampaignPut),
    /// Releases a partner's objects to liaisons, or retracts releases.
    Release(ReleaseEntry),
    /// Some releases expire.
    ReleaseEnd(ReleaseEnd),
    /// Records objects that a liaison is about to receive.
    Accessed(Accessed),
    /// Deletes access records whose retention period is over.
    AccessSweep(AccessSweep),
    /// Places a legal hold on a partner's objects.
    HoldPlaced(HoldPlaced),
    /// Renews or lifts a hold.
    HoldChange(HoldChange),
    /// Deletes copies of a hold that has ended.
    HoldSweep(HoldSweep),
    /// Sends a tip.
    TipSent(TipSent),
    /// A sender or a recipient adds to a tip.
    TipResponded(TipResponse),
    /// A sender withdraws a tip.
    TipWithdrawn(TipId),
    /// Reopens tips that were waiting for news in their campaign.
    TipsReopened(TipsReopened),
    /// Refers a closed submission's assets to the owners of their platforms.
    Referred(Referral),
    /// A node starts to append: the start of an epoch.
    Epoch(EpochId),
}
