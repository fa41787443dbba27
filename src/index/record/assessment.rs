//! What an author says of an indicator, and what is kept of it once it has ended.

use serde::{Deserialize, Serialize};

use super::codec::{append, as_bytes, decode, decode_part, encode, record, take_part};
use super::{ActiveRelease, read_releases};
use crate::domain::entry::{AppendId, Item};
use crate::domain::sharing::Release;
use crate::domain::{Assessment, Indicator, IndicatorId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;

const WHAT: &str = "an assessment";

/// The current assessment of an indicator by one author to one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentRecord {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who receives it, with the releases that are in force.
    pub sharing: Sharing,
    /// The entries that the releases began with, one for each.
    pub released: Vec<u64>,
    /// The indicator's id, as it was stored.
    pub id: IndicatorId,
    /// What it says.
    pub assessment: Assessment,
}

impl AssessmentRecord {
    /// A liaison's release that is in force, and the entry that it began with.
    pub fn release_to(&self, liaison: &PartnerId) -> Option<(&Release, u64)> {
        let mut all = self.sharing.releases.iter().zip(self.released.iter().copied());
        all.find(|(release, _)| release.liaison == *liaison)
    }
}

/// A sharing as it was sent.
#[derive(Serialize, Deserialize)]
struct Sent {
    /// Without its releases, which have a place of their own.
    sharing: Sharing,
    /// A digest of the releases, where there are any.
    releases: Option<AppendId>,
}

/// A sharing as it was sent, as [`said`] takes it: encoded once for all items of a batch.
pub fn sent(sharing: &Sharing) -> Vec<u8> {
    let digest = || AppendId::derive(&[&append(&sharing.releases, Vec::new())]);
    let releases = (!sharing.releases.is_empty()).then(digest);
    let sharing = Sharing { releases: Vec::new(), ..sharing.clone() };
    append(&Sent { sharing, releases }, Vec::new())
}

/// The part of [`Current`] that two assessments share when they say the same: the sharing and all that is
/// said, as it was sent, but for the spelling, which is the author's business. What was released or
/// retracted since makes no difference: whether others get a new version must not tell of it.
pub fn said(sent: &[u8], item: &Item) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sent.len() + 160);
    bytes.extend_from_slice(sent);
    append(&(item.id, &item.assessment), bytes)
}

/// The bytes of a [`Current`] over what [`said`] gave.
pub fn current(
    version: Position,
    accepted: Timestamp,
    raw: Option<&str>,
    releases: &[u8],
    said: &[u8],
) -> Vec<u8> {
    encode(&RawAssessment { version, accepted, raw, releases, said })
}

/// The record of a [`Current`]. Borrows from its bytes: most readers need no more than some of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawAssessment<'a> {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// What its author wrote, where that is not the canonical value.
    #[serde(borrow)]
    pub raw: Option<&'a str>,
    /// The releases that are in force, as [`super::releases`] writes them.
    #[serde(serialize_with = "as_bytes")]
    pub releases: &'a [u8],
    /// What [`said`] gave.
    #[serde(serialize_with = "as_bytes")]
    pub said: &'a [u8],
}

impl<'a> RawAssessment<'a> {
    /// Reads a record.
    pub fn of(bytes: &'a [u8]) -> Result<Self> {
        decode(bytes, WHAT)
    }

    /// The bytes of the record with other releases.
    pub fn with_releases(&self, releases: &[u8]) -> Vec<u8> {
        encode(&RawAssessment { releases, ..*self })
    }

    /// Reads the whole of it.
    pub fn decode(&self) -> Result<AssessmentRecord> {
        let (Sent { mut sharing, .. }, said) = take_part(self.said, WHAT)?;
        let (id, mut assessment): (IndicatorId, Assessment) = decode_part(said, WHAT)?;
        let mut released = Vec::new();
        for ActiveRelease { release, since } in read_releases(self.releases)? {
            sharing.releases.push(release);
            released.push(since);
        }
        assessment.raw = self.raw.map(Into::into);
        let (version, accepted) = (self.version, self.accepted);
        Ok(AssessmentRecord { version, accepted, sharing, released, id, assessment })
    }
}

/// Why a version is no longer current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// A newer version of the same author, for the same audience or for one that took its place.
    Replaced,
    /// It was taken back.
    Withdrawn,
    /// Its time was over.
    Expired,
}

/// What is kept of a version that is no longer current: what filters and the rule of sight look at. No
/// content: the value, the note, the references and the spelling are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedVersion {
    /// Where what ended it stands.
    pub by: Position,
    /// Why it ended.
    pub why: EndReason,
    /// Who received it.
    pub sharing: Sharing,
    /// What it was about.
    pub id: IndicatorId,
    /// What it said, without its content.
    pub outline: Assessment,
}

record!(ClosedVersion, "a closed version");

/// The bytes of a version that ended.
pub fn closed(by: Position, why: EndReason, current: AssessmentRecord) -> Vec<u8> {
    let AssessmentRecord { sharing, id, assessment, .. } = current;
    let (kind, platform) = (assessment.indicator.kind(), assessment.indicator.platform().cloned());
    let outline = Assessment {
        verdict: assessment.verdict,
        confidence: assessment.confidence,
        labels: assessment.labels,
        campaign: assessment.campaign,
        ..Assessment::of(Indicator::from_stored(kind, platform, ""))
    };
    ClosedVersion { by, why, sharing, id, outline }.encode()
}

/// Reads a closed version.
pub fn read_closed(bytes: &[u8]) -> Result<ClosedVersion> {
    ClosedVersion::decode(bytes)
}
