//! Journal entries for liaisons: releases, access records and legal holds.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{RequestId, Target};
use crate::domain::audience::AudienceDigest;
use crate::domain::campaign::CampaignId;
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::Position;
use crate::domain::invalid::Invalid;
use crate::domain::partner::PartnerId;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::time::Timestamp;

/// Maximum number of liaisons that one object can be released to.
pub const MAX_LIAISONS: usize = 20;

/// An object that can be released to a liaison. It always names a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Releasable {
    /// One partner's assessment of one indicator for one audience.
    Assessment(Target),
    /// One partner's contribution to one campaign for one audience.
    Contribution {
        /// The campaign.
        campaign: CampaignId,
        /// The audience.
        audience: AudienceDigest,
        /// The version.
        version: Position,
    },
    /// One enforcement, own or reported, for one audience.
    Enforcement {
        /// The author's id for it.
        id: EnforcementId,
        /// The audience.
        audience: AudienceDigest,
        /// The version.
        version: Position,
    },
}

/// Releases a partner's objects to liaisons, or retracts such releases. The outcome has one item
/// for each pair of object and liaison: ordered by object, then by liaison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseEntry {
    /// The idempotency key of the request. A large request is split into several entries, and the
    /// last of them is stored under the key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Set in the last entry of a request: the other entries and the results for the whole request.
    pub last: Option<LastPart>,
    /// The objects, all of them the author's.
    pub objects: Vec<Releasable>,
    /// The liaisons: at least one, without duplicates.
    pub liaisons: Vec<PartnerId>,
    /// Release or retract.
    pub action: ReleaseAction,
}

/// What the last entry of a request records about the whole request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastPart {
    /// The sequences of the request's earlier entries.
    pub earlier: Vec<u64>,
    /// Items of the request that cannot be processed.
    pub rejected: Vec<super::Rejection>,
    /// How many objects were skipped, of those that the request did not name one by one.
    pub left_out: u64,
}

/// What a [`ReleaseEntry`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseAction {
    /// Releases the objects.
    Release {
        /// The legal basis, in the author's words.
        basis: String,
        /// When the release expires; `None` for never.
        until: Option<Timestamp>,
    },
    /// Retracts the releases.
    Retract,
}

/// Ends releases that have expired. The outcome is as for a [`ReleaseEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseEnd {
    /// The owner of the objects.
    pub partner: PartnerId,
    /// When the releases expire.
    pub ends: Timestamp,
    /// The entry that released them.
    pub sequence: u64,
    /// The released objects.
    pub objects: Vec<Releasable>,
    /// The liaisons.
    pub liaisons: Vec<PartnerId>,
}

/// Objects sent to a liaison in one message or on one page. Written before they are sent. The
/// entry's author is the liaison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessed {
    /// The call that delivers them.
    pub way: AccessWay,
    /// The liaison's purpose.
    pub purpose: Purpose,
    /// The versions, grouped by author.
    pub accessed: Vec<AccessedVersions>,
}

/// One author's versions that a liaison received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessedVersions {
    /// The author.
    pub author: PartnerId,
    /// Whether the author's own release to the liaison names the reference of the purpose. If so,
    /// the author may see the reference.
    pub names_reference: bool,
    /// The versions, sorted.
    pub versions: Vec<Position>,
}

/// Deletes access records whose retention period is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessSweep {
    /// The records to delete: the entry of the access, the author of the objects, and the part of
    /// the record.
    pub records: Vec<(u64, PartnerId, u32)>,
}

/// A legal hold's id. Derived from the partner and the request id, so a retried request addresses
/// the same hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId([u8; 16]);

impl HoldId {
    /// The id of the hold that a request places.
    pub fn of(author: &PartnerId, request: &RequestId) -> Self {
        let (author, request) = (author.as_str().as_bytes(), request.as_str().as_bytes());
        Self(*super::AppendId::derive(&[b"hold", author, request]).as_bytes())
    }

    /// Parses an id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::parse_str(text)
            .map(|id| Self(*id.as_bytes()))
            .map_err(|_| Invalid::new("hold_id", "is not the id of a hold"))
    }

    /// An id from its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).fmt(f)
    }
}

/// Places a legal hold: the exchange keeps copies of a partner's objects, even if the objects are
/// changed or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldPlaced {
    /// The hold. The entries of one request all add to it.
    pub hold: HoldId,
    /// The idempotency key of the request; the last of its entries is stored under it.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Set in the last entry of a request, as in [`ReleaseEntry`].
    pub last: Option<LastPart>,
    /// The author's reason.
    pub reason: Box<str>,
    /// The objects to copy, at their current versions.
    pub objects: Vec<Releasable>,
}

/// Renews or lifts a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldChange {
    /// The hold, which belongs to the entry's author.
    pub hold: HoldId,
    /// The change.
    pub action: HoldAction,
}

/// A change of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAction {
    /// Restarts the hold's full duration.
    Renewed,
    /// Ends the hold.
    Lifted,
}

/// Deletes copies of a hold that has ended, and with the last of them the hold itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldSweep {
    /// The owner of the hold.
    pub partner: PartnerId,
    /// The hold.
    pub hold: HoldId,
    /// When it ended. If it has been renewed since, nothing is deleted.
    pub ended: Timestamp,
    /// The copies to delete.
    pub versions: Vec<Position>,
    /// Whether these are the last copies.
    pub is_last: bool,
}
