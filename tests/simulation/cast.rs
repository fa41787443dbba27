//! The partners and groups of a history: numbers and bits, and their names.

use tipoff::domain::partner::{GroupDefinition, Terms};
use tipoff::domain::{GroupId, PartnerId};

use crate::history::{GROUPS, MEMBERS, PARTNERS, RESTRICTED};

pub const TERMS: &str = "the source's terms, version 1";
/// The first members of each group.
pub const FIRST_MEMBERS: [u8; 3] = [0b00_0111, 0b01_0011, 0b00_0011];

pub fn id(partner: u8) -> PartnerId {
    PartnerId::from_stored(PARTNERS[usize::from(partner)])
}

pub fn group(group: u8) -> GroupId {
    GroupId::from_stored(GROUPS[usize::from(group)])
}

/// The members of a group, from bits. The restricted group has no observers.
pub fn definition(which: u8, members: u8) -> GroupDefinition {
    let fits = |partner: &u8| which != RESTRICTED || *partner < MEMBERS;
    let members = bits(members, PARTNERS.len()).filter(fits).map(id).collect();
    GroupDefinition {
        id: group(which),
        name: GROUPS[usize::from(which)].into(),
        history_all: which == 1,
        restricted: (which == RESTRICTED).then(|| Terms::from_stored(TERMS)),
        members,
    }
}

/// The numbers of the set bits.
pub fn bits(set: u8, count: usize) -> impl Iterator<Item = u8> {
    (0..u8::try_from(count).unwrap()).filter(move |bit| set & (1 << bit) != 0)
}
