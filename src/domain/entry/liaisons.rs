//! The lane of the liaisons, as the journal holds it: what is released to them, what they were given,
//! and what is kept for a court.

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

/// The most liaisons that one object is released to.
pub const MOST_LIAISONS: usize = 20;

/// An object that can be released to a liaison: its version is always named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Releasable {
    /// What one partner says of one indicator to one audience.
    Assessment(Target),
    /// What one partner says of one campaign to one audience.
    Contribution {
        /// Of which campaign.
        campaign: CampaignId,
        /// To which audience.
        audience: AudienceDigest,
        /// Where it was accepted.
        version: Position,
    },
    /// What one partner did, or says that another did, as it tells one audience.
    Enforcement {
        /// Its author's id of it.
        id: EnforcementId,
        /// To which audience.
        audience: AudienceDigest,
        /// Where it was accepted.
        version: Position,
    },
}

/// A release of a partner's objects to liaisons, or the end of one that it takes back. What it comes to
/// has one outcome for each pair of an object and a liaison: object by object, and each with all the
/// liaisons in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseEntry {
    /// The key of the request. Of the entries of one request the last counts under it.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The entries of the same request before this one, where this is the last of them.
    pub last: Option<LastPart>,
    /// What is released. Each is its author's.
    pub objects: Vec<Releasable>,
    /// To whom: at least one, each once.
    pub liaisons: Vec<PartnerId>,
    /// What is done with them.
    pub act: ReleaseAct,
}

/// What the last entry of a request says of it as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastPart {
    /// The entries before it.
    pub earlier: Vec<u64>,
    /// What was asked for and cannot be done, by its index in the request.
    pub rejected: Vec<super::Rejection>,
    /// How many objects that the request did not name one by one were left out.
    pub left_out: u64,
}

/// What is done with objects and liaisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseAct {
    /// They are released from here on.
    Release {
        /// On what ground.
        basis: String,
        /// Until when; `None` for no end.
        until: Option<Timestamp>,
    },
    /// They are released no longer.
    Retract,
}

/// The time of releases is over. One outcome for each pair, as for a [`ReleaseEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseEnd {
    /// Whose objects they are.
    pub partner: PartnerId,
    /// When the releases end.
    pub ends: Timestamp,
    /// The entry that they began with.
    pub sequence: u64,
    /// What was released.
    pub objects: Vec<Releasable>,
    /// To whom.
    pub liaisons: Vec<PartnerId>,
}

/// What left for a liaison, in one message or on one page: written before it leaves. Its author is the
/// liaison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessed {
    /// How.
    pub way: AccessWay,
    /// For what.
    pub purpose: Purpose,
    /// Which versions, by author.
    pub given: Vec<AccessedVersions>,
}

/// What a liaison was given of one author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessedVersions {
    /// Whose they are.
    pub author: PartnerId,
    /// Whether the author's own release to the liaison names the paper that the purpose rests on: then
    /// the author may know it.
    pub named: bool,
    /// The versions, in order.
    pub versions: Vec<Position>,
}

/// Accesses that are no longer kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessSweep {
    /// The records that go: the entry of the access, whose objects were given, and which part of them.
    pub records: Vec<(u64, PartnerId, u32)>,
}

/// A legal hold's id: derived from who places it and the request by which it does, so that a request that
/// is sent again is the same hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId([u8; 16]);

impl HoldId {
    /// The id of the hold that a request places.
    pub fn of(author: &PartnerId, request: &RequestId) -> Self {
        let (author, request) = (author.as_str().as_bytes(), request.as_str().as_bytes());
        Self(*super::AppendId::derive(&[b"hold", author, request]).as_bytes())
    }

    /// Takes an id as it was handed out.
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

/// A partner has the exchange keep its objects as they stand, whatever becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldPlaced {
    /// The hold. Several entries of one request add to the same one.
    pub hold: HoldId,
    /// The key of the request. Of its entries the last counts under it.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The entries of the same request before this one, where this is the last of them.
    pub last: Option<LastPart>,
    /// Why.
    pub reason: Box<str>,
    /// What is kept: copies of what is current.
    pub objects: Vec<Releasable>,
}

/// A hold goes on, or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldChange {
    /// The hold, which is its author's.
    pub hold: HoldId,
    /// What becomes of it.
    pub act: HoldAct,
}

/// What becomes of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAct {
    /// It runs its whole time again from here on.
    Renewed,
    /// It ends here.
    Lifted,
}

/// Copies of a hold that has ended go, and with the last of them the hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldSweep {
    /// Whose hold.
    pub partner: PartnerId,
    /// Which.
    pub hold: HoldId,
    /// When it ended: one that was renewed meanwhile stays.
    pub ended: Timestamp,
    /// The copies that go.
    pub versions: Vec<Position>,
    /// Whether these are the last of them.
    pub whole: bool,
}
