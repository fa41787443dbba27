//! Who is on the exchange, as a caller may see it.

use crate::domain::PartnerId;
use crate::domain::activity::Activity;
use crate::domain::partner::{Group, Partner, Role};
use crate::domain::revocation::{Certificates, Revoked};
use crate::error::Result;
use crate::exchange::core::{Caller, Page, page, unknown_partner};
use crate::exchange::queries::Queries;

impl Queries {
    /// The caller's own registration, and its groups.
    pub fn registration(&self, caller: &Caller) -> Result<(Partner, Vec<Group>)> {
        let registry = self.core.registry();
        let partner = registry.partner(caller.partner());
        let partner = partner.ok_or_else(|| unknown_partner(caller.partner()))?;
        let groups = registry.groups_of(caller.partner()).cloned().collect();
        Ok((partner.clone(), groups))
    }

    /// What each partner has submitted and withdrawn since it was enrolled.
    pub fn activity_totals(&self) -> Result<Vec<(PartnerId, Activity)>> {
        let view = self.core.index.read()?;
        let partners = view.registry().partners();
        let totals = partners.map(|one| Ok((one.id.clone(), view.total_activity(&one.id)?)));
        totals.collect()
    }

    /// The partners after `after`, ordered by id. Every caller may know who owns which platform.
    pub fn list_partners(&self, after: &str, size: usize) -> Page<Partner> {
        let registry = self.core.registry();
        let all = registry.partners().map(|partner| (partner.id.as_str(), partner));
        page(all, after, size)
    }

    /// The revoked certificates after `after`, at most 1,000: those of partners by id, then those of serial numbers. `after`
    /// is the text of a [`Certificates`].
    pub fn list_revocations(&self, after: &str, size: usize) -> Page<(Certificates, Revoked)> {
        let registry = self.core.registry();
        let all: Vec<_> =
            registry.revocations().iter().map(|(which, how)| (which, how.clone())).collect();
        let keys: Vec<String> = all.iter().map(|(which, _)| which.to_string()).collect();
        page(keys.iter().map(String::as_str).zip(&all), after, size)
    }

    /// The caller's groups after `after`, ordered by id. An operator gets all groups.
    pub fn list_groups(&self, caller: &Caller, after: &str, size: usize) -> Page<Group> {
        let registry = self.core.registry();
        let may_list = |group: &&Group| {
            caller.role() == Role::Operator || group.current(caller.partner()).is_some()
        };
        let all = registry.groups().filter(may_list).map(|group| (group.id.as_str(), group));
        page(all, after, size)
    }
}
