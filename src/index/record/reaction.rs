//! Sightings and feedback, as the index keeps them.

use bytes::{Buf, BufMut};

use super::{corrupt, put_block, put_position, take_block, take_position, take_text};
use crate::domain::entry::Sighting;
use crate::domain::feedback::Opinion;
use crate::domain::{IndicatorId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// A sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSighting {
    /// Where it was accepted.
    pub position: Position,
    /// Who saw it.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who is told.
    pub sharing: Sharing,
    /// What was seen, how often and when.
    pub sighting: Sighting,
}

impl KeptSighting {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        put_position(&mut bytes, self.position);
        put_block(&mut bytes, self.author.as_str().as_bytes());
        bytes.put_i64(self.accepted.as_millis());
        put_block(&mut bytes, &stored::sharing(&self.sharing));
        stored::put_sighting(&self.sighting, &mut bytes);
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "a sighting";
        let position = take_position(&mut bytes, WHAT)?;
        let author = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let accepted = bytes.try_get_i64().map_err(|_| corrupt(WHAT))?;
        let sharing = stored::read_sharing(take_block(&mut bytes, WHAT)?)?;
        let sighting = stored::read_sighting(bytes)?;
        let accepted = Timestamp::from_millis(accepted);
        Ok(Self { position, author, accepted, sharing, sighting })
    }
}

/// Feedback of one partner on a version: its newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFeedback {
    /// Where it was accepted.
    pub position: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whose assessment it is about.
    pub of: PartnerId,
    /// The indicator of that assessment.
    pub id: IndicatorId,
    /// How far its author agrees.
    pub opinion: Opinion,
    /// Why.
    pub note: Option<Box<str>>,
    /// Who is told.
    pub sharing: Sharing,
}

impl KeptFeedback {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let note = self.note.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(128 + note.len());
        put_position(&mut bytes, self.position);
        bytes.put_i64(self.accepted.as_millis());
        put_block(&mut bytes, self.of.as_str().as_bytes());
        bytes.put_slice(self.id.as_bytes());
        let opinion = Opinion::ALL.iter().position(|one| *one == self.opinion);
        bytes.put_u8(opinion.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
        put_block(&mut bytes, note.as_bytes());
        put_block(&mut bytes, &stored::sharing(&self.sharing));
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "feedback";
        let position = take_position(&mut bytes, WHAT)?;
        let accepted = bytes.try_get_i64().map_err(|_| corrupt(WHAT))?;
        let of = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let mut id = [0; 16];
        bytes.try_copy_to_slice(&mut id).map_err(|_| corrupt(WHAT))?;
        let opinion = usize::from(bytes.try_get_u8().map_err(|_| corrupt(WHAT))?);
        let opinion = *Opinion::ALL.get(opinion).ok_or_else(|| corrupt(WHAT))?;
        let note = take_text(&mut bytes, WHAT)?;
        Ok(Self {
            position,
            accepted: Timestamp::from_millis(accepted),
            of,
            id: IndicatorId::from_bytes(id),
            opinion,
            note: (!note.is_empty()).then(|| note.into()),
            sharing: stored::read_sharing(take_block(&mut bytes, WHAT)?)?,
        })
    }
}
