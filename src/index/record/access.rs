//! What liaisons were given, and what is kept for courts.

use bytes::{Buf, BufMut};

use super::{corrupt, put_block, take_block, take_text};
use crate::domain::entry::Given;
use crate::domain::purpose::{Purpose, Way};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// What a liaison was given of one author at once, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAccess {
    /// Which liaison.
    pub liaison: PartnerId,
    /// When.
    pub at: Timestamp,
    /// How.
    pub way: Way,
    /// For what.
    pub purpose: Purpose,
    /// What.
    pub given: Given,
}

impl KeptAccess {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        put_block(&mut bytes, self.liaison.as_str().as_bytes());
        bytes.put_i64(self.at.as_millis());
        let way = Way::ALL.iter().position(|way| *way == self.way);
        bytes.put_u8(way.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
        put_block(&mut bytes, &stored::purpose(&self.purpose));
        stored::put_given(&self.given, &mut bytes);
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "an access";
        let fault = || corrupt(WHAT);
        let liaison = PartnerId::from_stored(&take_text(&mut bytes, WHAT)?);
        let at = Timestamp::from_millis(bytes.try_get_i64().map_err(|_| fault())?);
        let way = usize::from(bytes.try_get_u8().map_err(|_| fault())?);
        let way = *Way::ALL.get(way).ok_or_else(fault)?;
        let purpose = stored::read_purpose(take_block(&mut bytes, WHAT)?)?;
        Ok(Self { liaison, at, way, purpose, given: stored::read_given(bytes)? })
    }
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHold {
    /// When it was placed.
    pub placed: Timestamp,
    /// When it ends, or ended.
    pub until: Timestamp,
    /// How many objects it keeps.
    pub objects: u64,
    /// Why.
    pub reason: Box<str>,
}

impl KeptHold {
    /// Whether it has ended by a time.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(26 + self.reason.len());
        bytes.put_i64(self.placed.as_millis());
        bytes.put_i64(self.until.as_millis());
        bytes.put_u64(self.objects);
        put_block(&mut bytes, self.reason.as_bytes());
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "a hold";
        let fault = || corrupt(WHAT);
        let placed = Timestamp::from_millis(bytes.try_get_i64().map_err(|_| fault())?);
        let until = Timestamp::from_millis(bytes.try_get_i64().map_err(|_| fault())?);
        let objects = bytes.try_get_u64().map_err(|_| fault())?;
        Ok(Self { placed, until, objects, reason: take_text(&mut bytes, WHAT)?.into() })
    }
}
