//! Who is on the exchange and in which groups, as of the last entry that was applied.

use std::collections::BTreeMap;

use crate::domain::partner::{Group, GroupDefinition, Partner, Role};
use crate::domain::sharing::{Community, Reader};
use crate::domain::{GroupId, PartnerId, Platform, Tlp};

/// Partners and groups. Small, and copied whole when an entry changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    partners: BTreeMap<PartnerId, Known>,
    groups: BTreeMap<GroupId, Group>,
}

/// A partner, and the entry since which it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    partner: Partner,
    since: u64,
}

impl Registry {
    /// A partner by id.
    pub fn partner(&self, id: &PartnerId) -> Option<&Partner> {
        self.partners.get(id).map(|known| &known.partner)
    }

    /// Every partner, by id.
    pub fn partners(&self) -> impl Iterator<Item = &Partner> {
        self.partners.values().map(|known| &known.partner)
    }

    /// A group by id.
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.get(id)
    }

    /// Every group, by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The groups that a partner is in, by id.
    pub fn groups_of<'a>(&'a self, id: &'a PartnerId) -> impl Iterator<Item = &'a Group> {
        self.groups.values().filter(move |group| group.current(id).is_some())
    }

    /// A partner as the rule of sight knows it; `None` when there is no such partner.
    pub fn reader(&self, id: &PartnerId) -> Option<Reader> {
        let Known { partner, since } = self.partners.get(id)?;
        let sight = |group: &Group| {
            let from = group.current(id)?.from;
            Some((group.id.clone(), if group.history_all { 0 } else { from }))
        };
        let groups = self.groups.values().filter_map(sight).collect();
        Some(Reader { id: id.clone(), role: partner.role, since: *since, groups })
    }

    /// The partner that owns a platform.
    pub fn owner(&self, platform: &Platform) -> Option<&PartnerId> {
        let owns = |partner: &&Partner| partner.platforms.contains(platform);
        self.partners().find(owns).map(|partner| &partner.id)
    }

    /// Takes a partner as it was put by an entry, and gives back since which one it is a partner.
    pub(super) fn put_partner(&mut self, partner: Partner, sequence: u64) -> u64 {
        let since = self.partners.get(&partner.id).map_or(sequence, |known| known.since);
        self.partners.insert(partner.id.clone(), Known { partner, since });
        since
    }

    /// Takes a group as it was stored.
    pub(super) fn put_group(&mut self, group: Group) {
        self.groups.insert(group.id.clone(), group);
    }

    /// Defines a group from an entry on, and gives back what it is then.
    pub(super) fn define_group(&mut self, definition: &GroupDefinition, sequence: u64) -> &Group {
        let group = Group::redefined(self.groups.remove(&definition.id), definition, sequence);
        self.groups.entry(definition.id.clone()).or_insert(group)
    }
}

impl Community for Registry {
    fn role(&self, partner: &PartnerId) -> Option<Role> {
        self.partner(partner).map(|partner| partner.role)
    }

    fn is_member(&self, group: &GroupId, partner: &PartnerId) -> bool {
        self.groups.get(group).is_some_and(|group| group.current(partner).is_some())
    }

    fn default_group(&self, partner: &PartnerId) -> Option<GroupId> {
        self.partner(partner)?.default_group.clone()
    }

    fn default_tlp(&self, partner: &PartnerId) -> Tlp {
        self.partner(partner).map_or(Tlp::Amber, |partner| partner.default_tlp)
    }
}
