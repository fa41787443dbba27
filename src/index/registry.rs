//! Partners and groups as of the last applied entry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::record::PartnerRecord;
use crate::domain::entry::{Confirmation, RegistryRule};
use crate::domain::partner::{Group, GroupDefinition, Partner, Role};
use crate::domain::revocation::{Certificates, Revocations, Revoked};
use crate::domain::sharing::{Directory, Reader};
use crate::domain::{GroupId, PartnerId, Platform, Tlp};

/// Partners and groups. Small, so a change copies the whole registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    partners: BTreeMap<PartnerId, PartnerRecord>,
    groups: BTreeMap<GroupId, Group>,
    /// Revoked certificates.
    revocations: Arc<Revocations>,
    /// Sequences of entries that changed anybody's access rights, in order.
    visibility_changes: Vec<u64>,
}

impl Registry {
    /// Looks up a partner.
    pub fn partner(&self, id: &PartnerId) -> Option<&Partner> {
        self.partners.get(id).map(|known| &known.partner)
    }

    /// All partners, by id.
    pub fn partners(&self) -> impl Iterator<Item = &Partner> {
        self.partners.values().map(|known| &known.partner)
    }

    /// Looks up a group.
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.get(id)
    }

    /// All groups, by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The groups of which a partner is a current member, by id.
    pub fn groups_of<'a>(&'a self, id: &'a PartnerId) -> impl Iterator<Item = &'a Group> {
        self.groups.values().filter(move |group| group.current(id).is_some())
    }

    /// A partner's current access rights. `None` for an unknown partner.
    pub fn reader(&self, id: &PartnerId) -> Option<Reader> {
        self.reader_at(id, u64::MAX)
    }

    /// A partner's access rights immediately after an entry was applied. `None` if it did not exist
    /// then.
    pub fn reader_at(&self, id: &PartnerId, sequence: u64) -> Option<Reader> {
        let known = self.partners.get(id).filter(|known| known.since <= sequence)?;
        let membership = |group: &Group| {
            let from = group.at(id, sequence)?.from;
            if group.restricted.is_some() && known.confirmed.is_none_or(|at| at > sequence) {
                return None;
            }
            Some((group.id.clone(), if group.history_all { 0 } else { from }))
        };
        let groups = self.groups.values().filter_map(membership).collect();
        Some(Reader { id: id.clone(), role: known.partner.role, since: known.since, groups })
    }

    /// The last sequence up to `up_to` at which anybody's access rights changed. 0 if there is none.
    pub fn visibility_changed_at(&self, up_to: u64) -> u64 {
        let before = self.visibility_changes.partition_point(|change| *change <= up_to);
        before.checked_sub(1).map_or(0, |last| self.visibility_changes[last])
    }

    /// The group that may hold objects with restricted labels.
    pub fn restricted_group(&self) -> Option<&Group> {
        self.groups.values().find(|group| group.restricted.is_some())
    }

    /// Whether a partner has confirmed the terms of the restricted group.
    pub fn has_confirmed(&self, id: &PartnerId) -> bool {
        self.partners.get(id).is_some_and(|known| known.confirmed.is_some())
    }

    /// Whether a partner is suspended.
    pub fn is_suspended(&self, id: &PartnerId) -> bool {
        self.partners.get(id).is_some_and(|known| known.suspended)
    }

    /// The suspended partners.
    pub fn suspended(&self) -> BTreeSet<PartnerId> {
        let suspended = self.partners.values().filter(|known| known.suspended);
        suspended.map(|known| known.partner.id.clone()).collect()
    }

    /// The revoked certificates.
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// The partner that owns a platform.
    pub fn owner(&self, platform: &Platform) -> Option<&PartnerId> {
        let owns = |partner: &&Partner| partner.platforms.contains(platform);
        self.partners().find(owns).map(|partner| &partner.id)
    }

    /// The rule that a partner definition violates, if any.
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

    /// The rule that suspending or resuming a partner violates, if any.
    pub fn refuses_suspension(&self, partner: &PartnerId) -> Option<RegistryRule> {
        match self.role(partner) {
            None => Some(RegistryRule::PartnerUnknown),
            Some(Role::Operator) => Some(RegistryRule::OperatorStays),
            Some(Role::Member | Role::Liaison | Role::Observer) => None,
        }
    }

    /// The rule that revoking certificates violates, if any.
    pub fn refuses_revocation(&self, certificates: &Certificates) -> Option<RegistryRule> {
        match certificates {
            Certificates::OfPartner(partner) if self.partner(partner).is_none() => {
                Some(RegistryRule::PartnerUnknown)
            }
            Certificates::OfPartner(_) | Certificates::Serial(_) => None,
        }
    }

    /// The rule that a group definition violates, if any.
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

    /// The rule that confirming a group's terms violates, if any.
    pub fn refuses_confirmation(&self, confirmation: &Confirmation) -> Option<RegistryRule> {
        let group = self.groups.get(&confirmation.group);
        let may = group.is_some_and(|group| {
            group.restricted.is_some() && group.current(&confirmation.partner).is_some()
        });
        (!may).then_some(RegistryRule::TermsUnknown)
    }

    /// Inserts a partner record.
    pub(super) fn insert_partner(&mut self, known: PartnerRecord) {
        self.partners.insert(known.partner.id.clone(), known);
    }

    /// Creates or updates a partner, and returns its record.
    pub(super) fn put_partner(&mut self, partner: Partner, sequence: u64) -> PartnerRecord {
        let known = if let Some(known) = self.partners.get(&partner.id) {
            PartnerRecord { partner, ..known.clone() }
        } else {
            self.visibility_changes.push(sequence);
            PartnerRecord { partner, since: sequence, suspended: false, confirmed: None }
        };
        self.insert_partner(known.clone());
        known
    }

    /// Suspends or resumes a partner, and returns its record.
    pub(super) fn suspend(
        &mut self,
        partner: &PartnerId,
        suspended: bool,
    ) -> Option<&PartnerRecord> {
        let known = self.partners.get_mut(partner)?;
        known.suspended = suspended;
        Some(known)
    }

    /// Revokes certificates, and returns when and why they are revoked.
    pub(super) fn revoke(&mut self, certificates: Certificates, revoked: Revoked) -> &Revoked {
        Arc::make_mut(&mut self.revocations).add(certificates, revoked)
    }

    /// Records that a partner confirmed the terms, and returns its record. The first confirmation
    /// counts.
    pub(super) fn confirm(&mut self, partner: &PartnerId, sequence: u64) -> Option<&PartnerRecord> {
        let known = self.partners.get_mut(partner)?;
        if known.confirmed.is_none() {
            known.confirmed = Some(sequence);
            self.visibility_changes.push(sequence);
        }
        Some(known)
    }

    /// Inserts a group record.
    pub(super) fn insert_group(&mut self, group: Group) {
        self.groups.insert(group.id.clone(), group);
    }

    /// Completes loading: recomputes when access rights changed.
    pub(super) fn finish_loading(&mut self) {
        let partners = self.partners.values();
        let enrolled =
            partners.flat_map(|known| std::iter::once(known.since).chain(known.confirmed));
        let memberships = self.groups.values().flat_map(|group| &group.memberships);
        let moved = memberships.flat_map(|m| std::iter::once(m.from).chain(m.until));
        let changes: BTreeSet<u64> = enrolled.chain(moved).collect();
        self.visibility_changes = changes.into_iter().collect();
    }

    /// Creates or redefines a group as of an entry, and returns it.
    pub(super) fn define_group(&mut self, definition: &GroupDefinition, sequence: u64) -> &Group {
        self.visibility_changes.push(sequence);
        let group = Group::redefined(self.groups.remove(&definition.id), definition, sequence);
        self.groups.entry(definition.id.clone()).or_insert(group)
    }
}

impl Directory for Registry {
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
