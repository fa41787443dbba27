//! An independent model of visibility, computed from the steps. It does not use the code under
//! test.

use std::collections::{BTreeMap, BTreeSet};

use tipoff::domain::sharing::Audience;
use tipoff::domain::{PartnerId, Position, Sharing};

use crate::cast::{bits, definition, group, id};
use crate::history::{GROUPS, RESTRICTED};

/// Since when each partner has been in each group, and who confirmed the terms.
#[derive(Clone, Debug, Default)]
pub struct Model {
    joined: [BTreeMap<PartnerId, u64>; 3],
    confirmed: BTreeSet<PartnerId>,
}

impl Model {
    /// Sets the members of a group since an entry.
    pub fn put_group(&mut self, which: u8, members: u8, sequence: u64) {
        let members: BTreeSet<_> = definition(which, members).members.into_iter().collect();
        let joined = &mut self.joined[usize::from(which)];
        joined.retain(|partner, _| members.contains(partner));
        for member in members {
            joined.entry(member).or_insert(sequence);
        }
    }

    pub fn confirm(&mut self, partner: u8) {
        self.confirmed.insert(id(partner));
    }

    /// Whether a partner may see an object that was accepted at this position with this sharing.
    pub fn sees(&self, reader: u8, author: &PartnerId, at: Position, sharing: &Sharing) -> bool {
        let reader = id(reader);
        match &sharing.audience {
            _ if reader == *author => true,
            // Every partner exists from the beginning.
            Audience::Everyone | Audience::Public => true,
            Audience::Named { groups, partners } => {
                partners.contains(&reader)
                    || bits(u8::MAX, GROUPS.len()).any(|which| {
                        let since = self.joined[usize::from(which)].get(&reader);
                        groups.contains(&group(which))
                            && since.is_some_and(|since| which == 1 || *since <= at.sequence)
                            && (which != RESTRICTED || self.confirmed.contains(&reader))
                    })
            }
        }
    }
}
