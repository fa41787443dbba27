//! The values of the index.
//!
//! The whole index has one layout version, [`LAYOUT`]. An index of another version is deleted and
//! rebuilt from the journal.

mod accepted;
mod activity;
mod assessment;
mod campaign;
mod codec;
mod entry_versions;
mod list;
mod outcome;
mod registry;
mod release;
mod tip;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::assessment::{
    ClosedVersion, EndReason, RawAssessment, encode_assessment, encode_closed, encode_sharing,
    encode_statement, read_closed,
};
pub use self::campaign::{CampaignVersions, encode_campaign_visibility, read_campaign_visibility};
use self::codec::record;
pub use self::codec::{decode, encode};
pub use self::entry_versions::EntryVersions;
pub use self::list::{
    Generation, GenerationKey, GenerationState, ListClosing, ListMemberships, ListRecord,
    PendingGeneration, SubmissionLists, WithdrawalRecord,
};
pub use self::outcome::{outcome, read_outcome, read_versions};
pub use self::registry::{
    PartnerRecord, group, partner, read_group, read_partner, read_revoked, revoked,
};
pub use self::release::{
    ExpiringReleases, ReplacedVersion, WithdrawnEnforcement, read_releases, releases, releases_fit,
};
pub use self::tip::{INDICATORS_PER_KEY, ReferralProgress, encode_indicators, read_indicators};
use super::corrupt;
use crate::domain::Timestamp;
use crate::domain::cursor::JournalTag;

/// The version of all records here and of the keys in [`super::keys`].
pub const LAYOUT: u8 = 15;

/// The checkpoint. Written in the same batch as the changes up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last applied entry.
    pub sequence: u64,
    /// The tag of the last entry. It differs if the journal was restored and continued with other
    /// entries.
    pub last_tag: [u8; 4],
    /// The tag of the indexed journal; zero before its first entry.
    pub journal: JournalTag,
}

impl Checkpoint {
    /// Encodes the record.
    pub fn encode(self) -> Vec<u8> {
        encode(&self)
    }

    /// Decodes the record. `None` for another layout.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes, "the checkpoint").ok()
    }
}

/// An epoch of the journal, stored under its first sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its id.
    pub id: [u8; 8],
}

record!(EpochRecord, "an epoch");

/// The batch or request that was accepted under an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the request as sent.
    pub digest: [u8; 32],
    /// The sequence of its entry.
    pub sequence: u64,
    /// When it was accepted.
    pub time: Timestamp,
}

record!(IdempotencyRecord, "an idempotency record");

/// The state of a submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionState {
    /// The sequence of its first batch. Identifies the submission.
    pub first: u64,
    /// The sequence of the first batch since it was opened, or opened again after it was idle.
    pub opened: u64,
    /// Number of rejected items.
    pub rejected: u64,
    /// Whether a batch named a list.
    pub names_list: bool,
    /// Number of accepted batches.
    pub batches: u32,
    /// The highest batch number accepted.
    pub highest: u32,
    /// When the last batch was accepted.
    pub last: Timestamp,
    /// Whether it contains assets on platforms.
    pub assets: bool,
    /// How it was closed; `None` while it is open.
    pub closed: Option<Closing>,
}

/// How long a closed submission still answers repeated batches: 7 days.
pub const RECEIPT_RETENTION: Duration = Duration::from_secs(7 * 86_400);

impl SubmissionState {
    /// Whether its receipts are gone. Its batches are void then: rerunning an old file must not restore
    /// what was withdrawn since.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.closed.is_some_and(|closing| now.since(closing.at) > RECEIPT_RETENTION)
    }
}

/// How a submission was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When it was closed.
    pub at: Timestamp,
    /// The batch count that its author stated; `None` if the exchange closed it.
    pub batches: Option<u32>,
}

record!(SubmissionState, "a submission");

#[cfg(test)]
mod tests;
