//! Records of assessments: current ones, and what remains of closed ones.

use serde::{Deserialize, Serialize};

use super::codec::{append, as_bytes, decode, decode_part, encode, record, take_part};
use super::read_releases;
use crate::domain::accepted::{ActiveRelease, AssessmentRecord};
use crate::domain::assessment::Verdict;
use crate::domain::entry::{AppendId, Item};
use crate::domain::{Assessment, Indicator, IndicatorId, Position, Sharing, Timestamp};
use crate::error::Result;

const WHAT: &str = "an assessment";

/// A sharing as it was sent.
#[derive(Serialize, Deserialize)]
struct SentSharing {
    /// Without releases: those in force are stored separately.
    sharing: Sharing,
    /// Digest of the releases, if there are any.
    releases: Option<AppendId>,
}

/// Encodes a sharing as it was sent, for [`encode_statement`]. Encoded once for all items of a batch.
pub fn encode_sharing(sharing: &Sharing) -> Vec<u8> {
    let digest = || AppendId::derive(&[&append(&sharing.releases, Vec::new())]);
    let releases = (!sharing.releases.is_empty()).then(digest);
    let sharing = Sharing { releases: Vec::new(), ..sharing.clone() };
    append(&SentSharing { sharing, releases }, Vec::new())
}

/// Encodes the part of an assessment that decides whether a new version equals the current one: the
/// sharing and the item as sent, without the author's spelling of the value.
///
/// Releases and retractions made later make no difference. If they did, other readers could learn of
/// them from the new version that they get.
pub fn encode_statement(sent: &[u8], item: &Item) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sent.len() + 160);
    bytes.extend_from_slice(sent);
    append(&(item.id, &item.assessment), bytes)
}

/// Encodes a current assessment with its statement from [`encode_statement`].
pub fn encode_assessment(
    version: Position,
    accepted: Timestamp,
    submission: u64,
    raw: Option<&str>,
    releases: &[u8],
    statement: &[u8],
) -> Vec<u8> {
    encode(&RawAssessment { version, accepted, submission, raw, releases, statement })
}

/// The record of a current assessment, partly decoded. It borrows from the bytes, because most readers
/// need only some of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawAssessment<'a> {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The submission that last sent it, whether or not that changed anything: the sequence of its first batch.
    pub submission: u64,
    /// The author's spelling of the value, if it differs from the canonical one.
    #[serde(borrow)]
    pub raw: Option<&'a str>,
    /// The releases in force, encoded by [`super::releases`].
    #[serde(serialize_with = "as_bytes")]
    pub releases: &'a [u8],
    /// The statement, encoded by [`encode_statement`].
    #[serde(serialize_with = "as_bytes")]
    pub statement: &'a [u8],
}

impl<'a> RawAssessment<'a> {
    /// Decodes the outer record.
    pub fn of(bytes: &'a [u8]) -> Result<Self> {
        decode(bytes, WHAT)
    }

    /// Encodes the record with other releases in force.
    pub fn with_releases(&self, releases: &[u8]) -> Vec<u8> {
        encode(&RawAssessment { releases, ..*self })
    }

    /// Encodes the record as sent again by another submission.
    pub fn with_submission(&self, submission: u64) -> Vec<u8> {
        encode(&RawAssessment { submission, ..*self })
    }

    /// The verdict of the assessment.
    pub fn verdict(&self) -> Result<Verdict> {
        Ok(self.decode()?.assessment.verdict())
    }

    /// Decodes the whole record.
    pub fn decode(&self) -> Result<AssessmentRecord> {
        let (SentSharing { mut sharing, .. }, statement) = take_part(self.statement, WHAT)?;
        let (id, mut assessment): (IndicatorId, Assessment) = decode_part(statement, WHAT)?;
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
    /// A newer version of the same author took its place: for the same audience, or moved to another
    /// one.
    Replaced,
    /// Its author withdrew it.
    Withdrawn,
    /// It expired.
    Expired,
}

/// What remains of a closed version: the fields that filters and access rules need. Its content (value,
/// note, references, spelling) is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedVersion {
    /// The position that ended it.
    pub ended_by: Position,
    /// Why it ended.
    pub reason: EndReason,
    /// Who received it.
    pub sharing: Sharing,
    /// The id of its indicator.
    pub id: IndicatorId,
    /// The assessment without its content.
    pub metadata: Assessment,
}

record!(ClosedVersion, "a closed version");

/// Encodes a closed version. Drops its content.
pub fn encode_closed(by: Position, why: EndReason, current: AssessmentRecord) -> Vec<u8> {
    let AssessmentRecord { sharing, id, assessment, .. } = current;
    let (kind, platform) = (assessment.indicator.kind(), assessment.indicator.platform().cloned());
    let outline = Assessment {
        verdict: assessment.verdict,
        confidence: assessment.confidence,
        labels: assessment.labels,
        campaign: assessment.campaign,
        ..Assessment::of(Indicator::from_stored(kind, platform, ""))
    };
    ClosedVersion { ended_by: by, reason: why, sharing, id, metadata: outline }.encode()
}

/// Decodes a closed version.
pub fn read_closed(bytes: &[u8]) -> Result<ClosedVersion> {
    ClosedVersion::decode(bytes)
}
