//! Releases as they stand on a version, and those that end at a time.

use bytes::{Buf, BufMut};

use super::{corrupt, put_block, put_position, take_block, take_position, take_text};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::{MOST_LIAISONS, Releasable, Target};
use crate::domain::sharing::Release;
use crate::domain::{CampaignId, IndicatorId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// The most bytes of a record with the releases of its version: what was sent fits, and a release that
/// would make it larger is refused.
const MOST_BYTES: usize = 8_000;

/// A release that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// To whom, on what ground, until when.
    pub release: Release,
    /// The entry that it began with.
    pub since: u64,
}

/// The bytes of the releases of a version, without their length in front.
pub fn releases(all: &[InForce]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for InForce { release, since } in all {
        put_block(&mut bytes, release.liaison.as_str().as_bytes());
        bytes.put_u64(*since);
        bytes.put_u8(u8::from(release.until.is_some()));
        bytes.put_i64(release.until.map_or(0, Timestamp::as_millis));
        put_block(&mut bytes, release.basis.as_bytes());
    }
    bytes
}

/// Whether these releases may stand on a version whose record takes so many bytes without any.
pub fn releases_fit(all: &[InForce], record_bytes: usize) -> bool {
    all.len() <= MOST_LIAISONS && record_bytes + releases(all).len() <= MOST_BYTES
}

/// Reads the releases of a version.
pub fn read_releases(mut bytes: &[u8]) -> Result<Vec<InForce>> {
    const WHAT: &str = "the releases of an assessment";
    let fault = || corrupt(WHAT);
    let mut all = Vec::new();
    while bytes.has_remaining() {
        let liaison = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let since = bytes.try_get_u64().map_err(|_| fault())?;
        let ends = bytes.try_get_u8().map_err(|_| fault())? != 0;
        let until = Timestamp::from_millis(bytes.try_get_i64().map_err(|_| fault())?);
        let basis = take_text(&mut bytes, WHAT)?;
        let release = Release { liaison, basis, until: ends.then_some(until) };
        all.push(InForce { release, since });
    }
    Ok(all)
}

/// Releases of one part of an entry that end at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whose objects.
    pub author: PartnerId,
    /// To whom they are released until then.
    pub liaisons: Vec<PartnerId>,
    /// What is released.
    pub objects: Vec<Releasable>,
}

impl Ending {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.objects.len() * 37);
        put_block(&mut bytes, self.author.as_str().as_bytes());
        bytes.put_u8(u8::try_from(self.liaisons.len()).unwrap_or(u8::MAX));
        for liaison in &self.liaisons {
            put_block(&mut bytes, liaison.as_str().as_bytes());
        }
        for object in &self.objects {
            put_object(&mut bytes, object);
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "the end of releases";
        let fault = || corrupt(WHAT);
        let author = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let count = bytes.try_get_u8().map_err(|_| fault())?;
        let mut liaisons = Vec::new();
        for _ in 0..count {
            liaisons.push(PartnerId::from_stored(&take_text(&mut bytes, WHAT)?));
        }
        let mut objects = Vec::new();
        while bytes.has_remaining() {
            objects.push(take_object(&mut bytes)?);
        }
        Ok(Self { author, liaisons, objects })
    }
}

/// What tells the kinds of objects apart in a record.
const ASSESSMENT: u8 = 1;
const CONTRIBUTION: u8 = 2;
const ENFORCEMENT: u8 = 3;

fn put_object(bytes: &mut Vec<u8>, object: &Releasable) {
    let (audience, version) = match object {
        Releasable::Assessment(target) => {
            bytes.put_u8(ASSESSMENT);
            bytes.put_slice(target.id.as_bytes());
            (target.audience, target.version.unwrap_or_default())
        }
        Releasable::Contribution { campaign, audience, version } => {
            bytes.put_u8(CONTRIBUTION);
            bytes.put_slice(campaign.as_bytes());
            (*audience, *version)
        }
        Releasable::Enforcement { id, audience, version } => {
            bytes.put_u8(ENFORCEMENT);
            put_block(bytes, id.as_str().as_bytes());
            (*audience, *version)
        }
    };
    bytes.put_slice(&audience.0);
    put_position(bytes, version);
}

fn take_object(bytes: &mut &[u8]) -> Result<Releasable> {
    const WHAT: &str = "the end of releases";
    let fault = || corrupt(WHAT);
    let kind = bytes.try_get_u8().map_err(|_| fault())?;
    let mut id = [0; 16];
    let mut name = String::new();
    match kind {
        ENFORCEMENT => name = take_text(bytes, WHAT)?,
        _ => bytes.try_copy_to_slice(&mut id).map_err(|_| fault())?,
    }
    let mut audience = [0; 8];
    bytes.try_copy_to_slice(&mut audience).map_err(|_| fault())?;
    let (audience, version) = (AudienceDigest(audience), take_position(bytes, WHAT)?);
    match kind {
        ASSESSMENT => {
            let (id, version) = (IndicatorId::from_bytes(id), Some(version));
            Ok(Releasable::Assessment(Target { id, audience, version }))
        }
        CONTRIBUTION => {
            let campaign = CampaignId::from_bytes(id);
            Ok(Releasable::Contribution { campaign, audience, version })
        }
        ENFORCEMENT => {
            let id = EnforcementId::from_stored(&name);
            Ok(Releasable::Enforcement { id, audience, version })
        }
        _ => Err(fault()),
    }
}

/// What the liaisons' lane keeps beside a sharing whose releases are the ones in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// The releases as they were sent.
    pub sent: Vec<Release>,
    /// The entry that each release in force began with.
    pub since: Vec<u64>,
}

impl Lane {
    /// Of something that comes with an entry: what is sent with it is in force from there on.
    pub fn begun(sharing: &Sharing, sequence: u64) -> Self {
        let since = sharing.releases.iter().map(|_| sequence).collect();
        Self { sent: sharing.releases.clone(), since }
    }

    /// The releases in force of a sharing.
    pub fn in_force(&self, sharing: &Sharing) -> Vec<InForce> {
        let all = sharing.releases.iter().cloned().zip(self.since.iter().copied());
        all.map(|(release, since)| InForce { release, since }).collect()
    }

    /// Puts other releases in force.
    pub fn put(&mut self, sharing: &mut Sharing, all: Vec<InForce>) {
        (sharing.releases, self.since) =
            all.into_iter().map(|one| (one.release, one.since)).unzip();
    }

    /// The sharing as it was sent.
    pub fn sent(&self, sharing: &Sharing) -> Sharing {
        Sharing { releases: self.sent.clone(), ..sharing.clone() }
    }

    /// A liaison's release that is in force, and the entry that it began with.
    pub fn release_to<'a>(
        &self,
        sharing: &'a Sharing,
        liaison: &PartnerId,
    ) -> Option<(&'a Release, u64)> {
        let mut all = sharing.releases.iter().zip(self.since.iter().copied());
        all.find(|(release, _)| release.liaison == *liaison)
    }

    /// Appends a sharing with both kinds of releases.
    pub(super) fn encode(&self, sharing: &Sharing, bytes: &mut Vec<u8>) {
        put_block(bytes, &stored::sharing(&self.sent(sharing)));
        put_block(bytes, &releases(&self.in_force(sharing)));
    }

    /// Takes a sharing with both kinds of releases.
    pub(super) fn decode(bytes: &mut &[u8], what: &'static str) -> Result<(Sharing, Self)> {
        let mut sharing = stored::read_sharing(take_block(bytes, what)?)?;
        let mut lane = Self { sent: sharing.releases.clone(), since: Vec::new() };
        lane.put(&mut sharing, read_releases(take_block(bytes, what)?)?);
        Ok((sharing, lane))
    }
}

/// A version whose place another took, and the liaisons that it was released to when that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The version.
    pub version: Position,
    /// Who may read it no longer.
    pub liaisons: Vec<PartnerId>,
}

impl Lost {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        put_position(&mut bytes, self.version);
        for liaison in &self.liaisons {
            put_block(&mut bytes, liaison.as_str().as_bytes());
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "releases that ended with their version";
        let version = take_position(&mut bytes, WHAT)?;
        let mut liaisons = Vec::new();
        while bytes.has_remaining() {
            liaisons.push(PartnerId::from_stored(&take_text(&mut bytes, WHAT)?));
        }
        Ok(Self { version, liaisons })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_at_a_time_comes_back_as_it_was_put() {
        let audience = AudienceDigest([7; 8]);
        let version = Position::new(9, 1);
        let id = IndicatorId::from_bytes([1; 16]);
        let objects = vec![
            Releasable::Assessment(Target { id, audience, version: Some(version) }),
            Releasable::Contribution {
                campaign: CampaignId::from_bytes([2; 16]),
                audience,
                version,
            },
            Releasable::Enforcement { id: EnforcementId::from_stored("t:1"), audience, version },
        ];
        let author = PartnerId::from_stored("birdsite");
        let liaisons = vec![PartnerId::from_stored("cyber-unit")];
        let ending = Ending { author, liaisons: liaisons.clone(), objects };
        let bytes = ending.encode();
        assert_eq!(Ending::decode(&bytes).unwrap(), ending);
        for end in 0..bytes.len() {
            let cut = Ending::decode(&bytes[..end]);
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.objects.len() < 3), "{end}");
        }
        let lost = Lost { version, liaisons };
        assert_eq!(Lost::decode(&lost.encode()).unwrap(), lost);
    }
}
