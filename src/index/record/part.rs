//! What a part of an entry brought, so that its versions are found again by their entry.

use bytes::{Buf, BufMut};
use serde::{Deserialize, Serialize};

use super::{corrupt, put_block, take_text};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::Target;
use crate::domain::{IndicatorId, PartnerId, Position};
use crate::error::Result;

/// The items of a part that got a version of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Whose they are.
    pub author: PartnerId,
    /// For whom they are.
    pub audience: AudienceDigest,
    /// Each item's index in the entry, and what it is about.
    pub versions: Vec<(u32, IndicatorId)>,
}

impl Part {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let author = self.author.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(2 + author.len() + 8 + self.versions.len() * 20);
        put_block(&mut bytes, author);
        bytes.put_slice(&self.audience.0);
        for (index, id) in &self.versions {
            bytes.put_u32(*index);
            bytes.put_slice(id.as_bytes());
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        let fault = || corrupt("a part of an entry");
        let author = PartnerId::from_stored(&take_text(&mut bytes, "a part of an entry")?);
        let mut audience = [0; 8];
        bytes.try_copy_to_slice(&mut audience).map_err(|_| fault())?;
        let mut versions = Vec::with_capacity(bytes.remaining() / 20);
        while bytes.has_remaining() {
            let index = bytes.try_get_u32().map_err(|_| fault())?;
            let mut id = [0; 16];
            bytes.try_copy_to_slice(&mut id).map_err(|_| fault())?;
            versions.push((index, IndicatorId::from_bytes(id)));
        }
        Ok(Self { author, audience: AudienceDigest(audience), versions })
    }

    /// Each of the part's versions, by the entry that it is a part of.
    pub fn targets(&self, sequence: u64) -> impl Iterator<Item = Target> {
        self.versions.iter().map(move |(index, id)| Target {
            id: *id,
            audience: self.audience,
            version: Some(Position::new(sequence, *index)),
        })
    }
}
