//! What an author says of an indicator, and what is kept of it once it has ended.

use bytes::{Buf, BufMut};

use super::{InForce, corrupt, put_block, read_releases, take_block, take_position};
use crate::domain::entry::{AppendId, Item};
use crate::domain::sharing::Release;
use crate::domain::{Assessment, IndicatorId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// The current assessment of an indicator by one author to one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
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

impl Current {
    /// A liaison's release that is in force, and the entry that it began with.
    pub fn release_to(&self, liaison: &PartnerId) -> Option<(&Release, u64)> {
        let mut all = self.sharing.releases.iter().zip(self.released.iter().copied());
        all.find(|(release, _)| release.liaison == *liaison)
    }
}

/// A sharing as it was sent, as [`said`] takes it: of its releases, which have a place of their own, a
/// digest.
pub fn sent(sharing: &Sharing) -> Vec<u8> {
    let mut bytes = Vec::new();
    let bare = Sharing { releases: Vec::new(), ..sharing.clone() };
    put_block(&mut bytes, &stored::sharing(&bare));
    let digest = AppendId::derive(&[&stored::sharing(sharing)]);
    let digest: &[u8] = if sharing.releases.is_empty() { &[] } else { digest.as_bytes() };
    put_block(&mut bytes, digest);
    bytes
}

/// The part of [`Current`] that two assessments share when they say the same: the sharing and all that is
/// said, as it was sent, but for the spelling, which is the author's business. What was released or
/// retracted since makes no difference: whether others get a new version must not tell of it.
pub fn said(sent: &[u8], item: &Item) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sent.len() + 160);
    bytes.put_slice(sent);
    stored::put_assessment(&item.assessment, item.id, &mut bytes);
    bytes
}

/// The bytes of a [`Current`] over what [`said`] gave.
pub fn current(
    version: Position,
    accepted: Timestamp,
    raw: Option<&str>,
    releases: &[u8],
    said: &[u8],
) -> Vec<u8> {
    let raw = raw.unwrap_or_default().as_bytes();
    CurrentParts { version, accepted, raw, releases, said }.encode()
}

/// The parts of a stored [`Current`] that need no decoding.
#[derive(Clone, Copy, Debug)]
pub struct CurrentParts<'a> {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// What its author wrote; empty where that is the canonical value.
    pub raw: &'a [u8],
    /// The releases that are in force, as [`super::releases`] writes them.
    pub releases: &'a [u8],
    /// What [`said`] gave.
    pub said: &'a [u8],
}

impl<'a> CurrentParts<'a> {
    /// Takes a record apart.
    pub fn of(mut bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() < 20 {
            return Err(corrupt("an assessment"));
        }
        let version = Position::new(bytes.get_u64(), bytes.get_u32());
        let accepted = Timestamp::from_millis(bytes.get_i64());
        let raw = take_block(&mut bytes, "an assessment")?;
        let releases = take_block(&mut bytes, "an assessment")?;
        Ok(Self { version, accepted, raw, releases, said: bytes })
    }

    /// The bytes of the record with other releases.
    pub fn with_releases(&self, releases: &[u8]) -> Vec<u8> {
        CurrentParts { releases, ..*self }.encode()
    }

    fn encode(&self) -> Vec<u8> {
        let length = 26 + self.raw.len() + self.releases.len() + self.said.len();
        let mut bytes = Vec::with_capacity(length);
        bytes.put_u64(self.version.sequence);
        bytes.put_u32(self.version.index);
        bytes.put_i64(self.accepted.as_millis());
        put_block(&mut bytes, self.raw);
        put_block(&mut bytes, self.releases);
        bytes.put_slice(self.said);
        bytes
    }

    /// Reads the whole of it.
    pub fn decode(&self) -> Result<Current> {
        let mut said = self.said;
        let mut sharing = stored::read_sharing(take_block(&mut said, "an assessment")?)?;
        // The digest of the releases as they were sent.
        take_block(&mut said, "an assessment")?;
        let mut released = Vec::new();
        for InForce { release, since } in read_releases(self.releases)? {
            sharing.releases.push(release);
            released.push(since);
        }
        let (id, mut assessment) = stored::read_assessment(said)?;
        if !self.raw.is_empty() {
            let raw = std::str::from_utf8(self.raw).map_err(|_| corrupt("an assessment"))?;
            assessment.raw = Some(raw.into());
        }
        let (version, accepted) = (self.version, self.accepted);
        Ok(Current { version, accepted, sharing, released, id, assessment })
    }
}

/// Why a version is no longer current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A newer version of the same author, for the same audience or for one that took its place.
    Replaced,
    /// It was taken back.
    Withdrawn,
    /// Its time was over.
    Expired,
}

/// The bytes of a closed version: when and why it ended, and what filters and the rule of sight
/// look at. No content: the value, the note, the references and the spelling are gone.
pub fn closed(by: Position, why: Ended, current: &Current) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.put_u64(by.sequence);
    bytes.put_u32(by.index);
    bytes.put_u8(match why {
        Ended::Replaced => 1,
        Ended::Withdrawn => 2,
        Ended::Expired => 3,
    });
    bytes.put_i64(current.accepted.as_millis());
    put_block(&mut bytes, &stored::sharing(&current.sharing));
    let indicator = &current.assessment.indicator;
    let outline = Assessment {
        verdict: current.assessment.verdict,
        confidence: current.assessment.confidence,
        labels: current.assessment.labels.clone(),
        campaign: current.assessment.campaign,
        ..Assessment::of(crate::domain::Indicator::from_stored(
            indicator.kind(),
            indicator.platform().cloned(),
            "",
        ))
    };
    stored::put_assessment(&outline, current.id, &mut bytes);
    bytes
}

/// What is kept of a version that is no longer current: what filters and the rule of sight look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedVersion {
    /// Where what ended it stands.
    pub by: Position,
    /// Why it ended.
    pub why: Ended,
    /// Who received it.
    pub sharing: Sharing,
    /// What it was about.
    pub id: IndicatorId,
    /// What it said, without its content.
    pub outline: Assessment,
}

/// Reads a closed version.
pub fn read_closed(mut bytes: &[u8]) -> Result<ClosedVersion> {
    const WHAT: &str = "a closed version";
    let by = take_position(&mut bytes, WHAT)?;
    let why = match bytes.try_get_u8() {
        Ok(1) => Ended::Replaced,
        Ok(2) => Ended::Withdrawn,
        Ok(3) => Ended::Expired,
        _ => return Err(corrupt(WHAT)),
    };
    // When it was accepted.
    bytes.try_get_i64().map_err(|_| corrupt(WHAT))?;
    let sharing = stored::read_sharing(take_block(&mut bytes, WHAT)?)?;
    let (id, outline) = stored::read_assessment(bytes)?;
    Ok(ClosedVersion { by, why, sharing, id, outline })
}
