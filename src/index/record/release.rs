//! Releases as they stand on a version, and those that end at a time.

use bytes::{Buf, BufMut};

use super::{corrupt, put_block, take_position, take_text};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{MOST_LIAISONS, Releasable, Target};
use crate::domain::sharing::Release;
use crate::domain::{IndicatorId, PartnerId, Timestamp};
use crate::error::Result;

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
            let Releasable::Assessment(target) = object;
            bytes.put_u8(1);
            bytes.put_slice(target.id.as_bytes());
            bytes.put_slice(&target.audience.0);
            super::put_position(&mut bytes, target.version.unwrap_or_default());
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
            if bytes.get_u8() != 1 {
                return Err(fault());
            }
            let (mut id, mut audience) = ([0; 16], [0; 8]);
            bytes.try_copy_to_slice(&mut id).map_err(|_| fault())?;
            bytes.try_copy_to_slice(&mut audience).map_err(|_| fault())?;
            let version = Some(take_position(&mut bytes, WHAT)?);
            let (id, audience) = (IndicatorId::from_bytes(id), AudienceDigest(audience));
            objects.push(Releasable::Assessment(Target { id, audience, version }));
        }
        Ok(Self { author, liaisons, objects })
    }
}
