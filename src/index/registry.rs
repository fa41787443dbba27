//! Who is on the exchange and in which groups, as of the last entry that was applied.

use std::collections::{BTreeMap, BTreeSet};

use super::record::PartnerRecord;
use crate::domain::entry::{Confirmation, RegistryRule};
use crate::domain::partner::{Group, GroupDefinition, Partner, Role};
use crate::domain::sharing::{Community, Reader};
use crate::domain::{GroupId, PartnerId, Platform, Tlp};

/// Partners and groups. Small, and copied whole when an entry changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    partners: BTreeMap<PartnerId, PartnerRecord>,
    groups: BTreeMap<GroupId, Group>,
    /// The entries that changed what anybody may see, in order.
    sight_changes: Vec<u64>,
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

    /// A partner as the rule of sight knows it now; `None` when there is no such partner.
    pub fn reader(&self, id: &PartnerId) -> Option<Reader> {
        self.reader_at(id, u64::MAX)
    }

    /// A partner as the rule of sight knew it once an entry was applied; `None` when it was none
    /// then.
    pub fn reader_at(&self, id: &PartnerId, sequence: u64) -> Option<Reader> {
        let known = self.partners.get(id).filter(|known| known.since <= sequence)?;
        let sight = |group: &Group| {
            let from = group.at(id, sequence)?.from;
            if group.restricted.is_some() && known.confirmed.is_none_or(|at| at > sequence) {
                return None;
            }
            Some((group.id.clone(), if group.history_all { 0 } else { from }))
        };
        let groups = self.groups.values().filter_map(sight).collect();
        Some(Reader { id: id.clone(), role: known.partner.role, since: known.since, groups })
    }

    /// The last entry up to one that changed what anybody may see: from it on, and up to the next that
    /// did, everybody sees as then. 0 before the first.
    pub fn sight_changed(&self, up_to: u64) -> u64 {
        let before = self.sight_changes.partition_point(|change| *change <= up_to);
        before.checked_sub(1).map_or(0, |last| self.sight_changes[last])
    }

    /// The group that may hold objects with restricted labels.
    pub fn restricted_group(&self) -> Option<&Group> {
        self.groups.values().find(|group| group.restricted.is_some())
    }

    /// Whether a partner has confirmed the terms of the restricted group.
    pub fn has_confirmed(&self, id: &PartnerId) -> bool {
        self.partners.get(id).is_some_and(|known| known.confirmed.is_some())
    }

    /// Whether a partner is kept out.
    pub fn is_suspended(&self, id: &PartnerId) -> bool {
        self.partners.get(id).is_some_and(|known| known.suspended)
    }

    /// Who is kept out.
    pub fn suspended(&self) -> BTreeSet<PartnerId> {
        let kept_out = self.partners.values().filter(|known| known.suspended);
        kept_out.map(|known| known.partner.id.clone()).collect()
    }

    /// The partner that owns a platform.
    pub fn owner(&self, platform: &Platform) -> Option<&PartnerId> {
        let owns = |partner: &&Partner| partner.platforms.contains(platform);
        self.partners().find(owns).map(|partner| &partner.id)
    }

    /// The rule that a partner as it is put would break.
    pub fn refuses_partner(&self, partner: &Partner) -> Option<RegistryRule> {
        let owned_by_another =
            |platform: &Platform| self.owner(platform).is_some_and(|owner| *owner != partner.id);
        if self.role(&partner.id).is_some_and(|role| role != partner.role) {
            Some(RegistryRule::RoleFixed)
        } else if partner.role != Role::Member && !partner.platforms.is_empty() {
            Some(RegistryRule::OwnsNothing)
        } else if partner.role != Role::Liaison && !partner.purposes.is_empty() {
            Some(RegistryRule::PurposesUnfit)
        } else if partner.platforms.iter().any(owned_by_another) {
            Some(RegistryRule::PlatformOwned)
        } else {
            None
        }
    }

    /// The rule that keeping a partner out, or letting it in, would break.
    pub fn refuses_suspension(&self, partner: &PartnerId) -> Option<RegistryRule> {
        match self.role(partner) {
            None => Some(RegistryRule::PartnerUnknown),
            Some(Role::Operator) => Some(RegistryRule::OperatorStays),
            Some(Role::Member | Role::Liaison | Role::Observer) => None,
        }
    }

    /// The rule that a group as it is put would break.
    pub fn refuses_group(&self, group: &GroupDefinition) -> Option<RegistryRule> {
        let unfit = |member: &PartnerId| match self.role(member) {
            Some(Role::Member) => false,
            Some(Role::Observer) => group.restricted.is_some(),
            Some(Role::Liaison | Role::Operator) | None => true,
        };
        if group.members.iter().any(unfit) {
            return Some(RegistryRule::MemberUnfit);
        }
        match self.groups.get(&group.id) {
            Some(known) => (known.history_all != group.history_all
                || known.restricted != group.restricted)
                .then_some(RegistryRule::GroupFixed),
            None => (group.restricted.is_some() && self.restricted_group().is_some())
                .then_some(RegistryRule::RestrictedTwice),
        }
    }

    /// The rule that confirming the terms of a group would break.
    pub fn refuses_confirmation(&self, confirmation: &Confirmation) -> Option<RegistryRule> {
        let group = self.groups.get(&confirmation.group);
        let may = group.is_some_and(|group| {
            group.restricted.is_some() && group.current(&confirmation.partner).is_some()
        });
        (!may).then_some(RegistryRule::TermsUnknown)
    }

    /// Takes a partner as it was stored.
    pub(super) fn put_known(&mut self, known: PartnerRecord) {
        self.partners.insert(known.partner.id.clone(), known);
    }

    /// Takes a partner as it was put by an entry, and gives back what is known of it then.
    pub(super) fn put_partner(&mut self, partner: Partner, sequence: u64) -> PartnerRecord {
        let known = if let Some(known) = self.partners.get(&partner.id) {
            PartnerRecord { partner, ..known.clone() }
        } else {
            self.sight_changes.push(sequence);
            PartnerRecord { partner, since: sequence, suspended: false, confirmed: None }
        };
        self.put_known(known.clone());
        known
    }

    /// Keeps a partner out, or lets it in, and gives back what is known of it then.
    pub(super) fn suspend(
        &mut self,
        partner: &PartnerId,
        suspended: bool,
    ) -> Option<&PartnerRecord> {
        let known = self.partners.get_mut(partner)?;
        known.suspended = suspended;
        Some(known)
    }

    /// Takes note that a partner confirmed the terms, and gives back what is known of it then. The
    /// first time counts.
    pub(super) fn confirm(&mut self, partner: &PartnerId, sequence: u64) -> Option<&PartnerRecord> {
        let known = self.partners.get_mut(partner)?;
        if known.confirmed.is_none() {
            known.confirmed = Some(sequence);
            self.sight_changes.push(sequence);
        }
        Some(known)
    }

    /// Takes a group as it was stored.
    pub(super) fn put_group(&mut self, group: Group) {
        self.groups.insert(group.id.clone(), group);
    }

    /// Takes what was stored for complete, and works out of it when what anybody may see changed.
    pub(super) fn loaded(&mut self) {
        let partners = self.partners.values();
        let enrolled =
            partners.flat_map(|known| std::iter::once(known.since).chain(known.confirmed));
        let memberships = self.groups.values().flat_map(|group| &group.memberships);
        let moved = memberships.flat_map(|m| std::iter::once(m.from).chain(m.until));
        let changes: BTreeSet<u64> = enrolled.chain(moved).collect();
        self.sight_changes = changes.into_iter().collect();
    }

    /// Defines a group from an entry on, and gives back what it is then.
    pub(super) fn define_group(&mut self, definition: &GroupDefinition, sequence: u64) -> &Group {
        self.sight_changes.push(sequence);
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
