//! What stands under the keys of the index.
//!
//! The index can always be computed again from the journal, so its layout has one version for all
//! ([`LAYOUT`]): an index of another version is deleted and rebuilt.

mod access;
mod assessment;
mod brought;
mod campaign;
mod codec;
mod enforcement;
mod outcome;
mod reaction;
mod registry;
mod release;
mod tip;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::access::{AccessRecord, HoldRecord};
pub use self::assessment::{
    AssessmentRecord, ClosedVersion, EndReason, RawAssessment, closed, current, read_closed, said,
    sent,
};
pub use self::brought::EntryVersions;
pub use self::campaign::{
    CampaignVersions, ContributionRecord, campaign_sight, read_campaign_sight,
};
use self::codec::record;
pub use self::codec::{decode, encode};
pub use self::enforcement::EnforcementRecord;
pub use self::outcome::{outcome, read_outcome, read_versions};
pub use self::reaction::{FeedbackRecord, SightingRecord};
pub use self::registry::{PartnerRecord, group, partner, read_group, read_partner};
pub use self::release::{
    ActiveRelease, ExpiringReleases, ReleaseState, ReplacedVersion, read_releases, releases,
    releases_fit,
};
pub use self::tip::{
    INDICATORS_A_KEY, ReferralProgress, ThreadRecord, TipAction, TipEntryRecord, TipMove,
    TipRecord, encode_indicators, read_indicators,
};
use super::corrupt;
use crate::domain::Timestamp;
use crate::domain::cursor::JournalTag;

/// The version of everything in this file and in [`super::keys`].
pub const LAYOUT: u8 = 9;

/// How far the index has come, written in the same batch as what it has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The last entry that is applied.
    pub sequence: u64,
    /// The tag of the last entry: a journal that was restored and went on differs there.
    pub last: [u8; 4],
    /// The journal that the index is of; all zero before its first entry.
    pub journal: JournalTag,
}

impl Head {
    /// The bytes of the record.
    pub fn encode(self) -> Vec<u8> {
        encode(&self)
    }

    /// Reads the record; `None` for an index of another layout.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes, "the checkpoint").ok()
    }
}

/// The epoch that begins with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its id.
    pub id: [u8; 8],
}

record!(EpochRecord, "an epoch");

/// The batch, or the request, that was taken under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBatch {
    /// SHA-256 of it as it was sent.
    pub digest: [u8; 32],
    /// Its entry.
    pub sequence: u64,
    /// When it was taken.
    pub time: Timestamp,
}

record!(TakenBatch, "a batch key");

/// A submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionState {
    /// How many batches were taken.
    pub batches: u32,
    /// The highest number among them.
    pub highest: u32,
    /// When the last of them was taken.
    pub last: Timestamp,
    /// Whether it brought assets that live on platforms.
    pub assets: bool,
    /// How it was closed.
    pub closed: Option<Closing>,
}

/// How long after its close a submission still answers for its batches.
pub const RECEIPTS_KEPT: Duration = Duration::from_secs(7 * 86_400);

impl SubmissionState {
    /// Whether it was closed so long ago that its receipts are no longer kept: an old file that is
    /// run again must not bring back what was withdrawn since.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.closed.is_some_and(|closing| now.since(closing.at) > RECEIPTS_KEPT)
    }
}

/// How a submission was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// The number of batches that its author named; `None` when the exchange closed it.
    pub batches: Option<u32>,
}

record!(SubmissionState, "a submission");

#[cfg(test)]
mod tests;
