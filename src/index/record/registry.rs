//! Partners and groups.

use bytes::{Buf, BufMut};

use super::{corrupt, put_block, take_text};
use crate::domain::partner::{Group, Membership, Partner, Terms};
use crate::domain::{GroupId, PartnerId};
use crate::error::Result;
use crate::journal::stored;

/// A partner as the journal's entries add up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The partner.
    pub partner: Partner,
    /// The entry since which it is one.
    pub since: u64,
    /// Whether it is kept out.
    pub suspended: bool,
    /// The entry with which it confirmed the terms of the restricted group.
    pub confirmed: Option<u64>,
}

/// The bytes of a partner.
pub fn partner(known: &Known) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    bytes.put_u64(known.since);
    bytes.put_u8(u8::from(known.suspended));
    // Nothing is confirmed at sequence 0, where no entry is.
    bytes.put_u64(known.confirmed.unwrap_or(0));
    bytes.put_slice(&stored::partner(&known.partner));
    bytes
}

/// Reads a partner.
pub fn read_partner(mut bytes: &[u8]) -> Result<Known> {
    let fault = || corrupt("a partner");
    let since = bytes.try_get_u64().map_err(|_| fault())?;
    let suspended = bytes.try_get_u8().map_err(|_| fault())? != 0;
    let confirmed = Some(bytes.try_get_u64().map_err(|_| fault())?).filter(|at| *at != 0);
    Ok(Known { partner: stored::read_partner(bytes)?, since, suspended, confirmed })
}

/// The bytes of a group.
pub fn group(group: &Group) -> Vec<u8> {
    let mut bytes = vec![u8::from(group.history_all)];
    let terms = group.restricted.as_ref().map(Terms::as_str).unwrap_or_default();
    put_block(&mut bytes, terms.as_bytes());
    put_block(&mut bytes, group.id.as_str().as_bytes());
    put_block(&mut bytes, group.name.as_bytes());
    for membership in &group.memberships {
        put_block(&mut bytes, membership.partner.as_str().as_bytes());
        bytes.put_u64(membership.from);
        // No membership ends at sequence 0, where no entry is.
        bytes.put_u64(membership.until.unwrap_or(0));
    }
    bytes
}

/// Reads a group.
pub fn read_group(mut bytes: &[u8]) -> Result<Group> {
    let fault = || corrupt("a group");
    let history_all = bytes.try_get_u8().map_err(|_| fault())? != 0;
    let terms = take_text(&mut bytes, "a group")?;
    let restricted = (!terms.is_empty()).then(|| Terms::from_stored(&terms));
    let id = GroupId::from_stored(&take_text(&mut bytes, "a group")?);
    let name = take_text(&mut bytes, "a group")?;
    let mut memberships = Vec::new();
    while bytes.has_remaining() {
        let partner = PartnerId::from_stored(&take_text(&mut bytes, "a group")?);
        let from = bytes.try_get_u64().map_err(|_| fault())?;
        let until = bytes.try_get_u64().map_err(|_| fault())?;
        memberships.push(Membership { partner, from, until: Some(until).filter(|u| *u != 0) });
    }
    Ok(Group { id, name, history_all, restricted, memberships })
}
