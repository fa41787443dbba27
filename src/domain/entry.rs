//! The vocabulary of the journal: what was asked, and what it came to.

mod deeds;
mod liaisons;
mod outcome;
mod requests;
mod tips;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::deeds::{CampaignPut, Enforcements};
pub use self::liaisons::{
    AccessSweep, Accessed, AccessedVersions, HoldAct, HoldChange, HoldId, HoldPlaced, HoldSweep,
    LastPart, MOST_LIAISONS, Releasable, ReleaseAct, ReleaseEnd, ReleaseEntry,
};
pub use self::outcome::{ItemOutcome, Outcome, RegistryRule, VoidReason};
pub use self::requests::{
    Batch, Close, Confirmation, Expiry, Feedback, Item, Rejection, RequestId, Sighting, Sightings,
    SubmissionId, Target, Withdrawal,
};
pub use self::tips::{
    Referral, Referred, TipIndicator, TipResponse, TipSent, TipThread, TipsReopened,
};
use super::cursor::EpochId;
use super::partner::{GroupDefinition, Partner, PartnerId};
use super::time::Timestamp;
use super::tip::TipId;

/// A place in the journal: an entry's sequence, and an index in that entry. An assessment's
/// version is its position.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// A partner is kept out from here on.
    PartnerSuspended(PartnerId),
    /// A partner is let in again.
    PartnerResumed(PartnerId),
    /// A member of the restricted group confirms its terms.
    TermsConfirmed(Confirmation),
    /// Some of a partner's assessments are taken back.
    Withdrawal(Withdrawal),
    /// Some of a partner's assessments have had their time.
    Expiry(Expiry),
    /// A partner saw indicators.
    Sightings(Sightings),
    /// A partner speaks of another's assessment.
    Feedback(Feedback),
    /// A partner acted, or reports that another did.
    Enforcements(Enforcements),
    /// A partner founds a campaign, or says what it holds one to be.
    CampaignPut(CampaignPut),
    /// A partner's objects are released to liaisons, or no longer.
    Release(ReleaseEntry),
    /// Some releases have had their time.
    ReleaseEnd(ReleaseEnd),
    /// What a liaison is about to be given.
    Accessed(Accessed),
    /// Accesses that are no longer kept.
    AccessSweep(AccessSweep),
    /// A partner has its objects kept for a court.
    HoldPlaced(HoldPlaced),
    /// A hold goes on, or ends.
    HoldChange(HoldChange),
    /// What a hold kept that has ended.
    HoldSweep(HoldSweep),
    /// A partner sends a tip.
    TipSent(TipSent),
    /// A sender or a recipient adds to a tip.
    TipResponded(TipResponse),
    /// A sender takes a tip back.
    TipWithdrawn(TipId),
    /// Tips that waited are taken up again.
    TipsReopened(TipsReopened),
    /// What was submitted goes to the owners of platforms.
    Referred(Referral),
    /// A node begins to append: an epoch of the journal.
    Epoch(EpochId),
}
