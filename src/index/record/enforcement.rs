//! Enforcements, as the index keeps them.

use bytes::{Buf, BufMut};

use super::{Lane, corrupt, put_block, put_position, take_position, take_text};
use crate::domain::enforcement::Enforcement;
use crate::domain::{PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// An enforcement: its author's newest word under its id to one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEnforcement {
    /// Where it was accepted.
    pub position: Position,
    /// Who says so.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The version that it took the place of, to the same audience.
    pub replaced: Option<Position>,
    /// Who is told, and to which liaisons it is released now.
    pub sharing: Sharing,
    /// What was sent of releases, and since when each is in force.
    pub lane: Lane,
    /// What was done.
    pub enforcement: Enforcement,
}

impl KeptEnforcement {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        put_position(&mut bytes, self.position);
        put_block(&mut bytes, self.author.as_str().as_bytes());
        bytes.put_i64(self.accepted.as_millis());
        put_position(&mut bytes, self.replaced.unwrap_or_default());
        self.lane.encode(&self.sharing, &mut bytes);
        stored::put_enforcement(&self.enforcement, &mut bytes);
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "an enforcement";
        let position = take_position(&mut bytes, WHAT)?;
        let author = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let accepted = bytes.try_get_i64().map_err(|_| corrupt(WHAT))?;
        let replaced = take_position(&mut bytes, WHAT)?;
        let (sharing, lane) = Lane::decode(&mut bytes, WHAT)?;
        Ok(Self {
            position,
            author,
            accepted: Timestamp::from_millis(accepted),
            replaced: (replaced != Position::default()).then_some(replaced),
            sharing,
            lane,
            enforcement: stored::read_enforcement(bytes)?,
        })
    }

    /// Whether another says the same to the same recipients: as it was sent. What was released or retracted
    /// since makes no difference.
    pub fn says(&self, sharing: &Sharing, enforcement: &Enforcement) -> bool {
        self.lane.sent(&self.sharing) == *sharing && self.enforcement == *enforcement
    }
}
