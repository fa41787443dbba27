//! Changes of the registry: partners, groups, suspensions, and the terms of the restricted group.
//!
//! All requests are idempotent: a request that changes nothing appends no entry.

use crate::domain::entry::{Body, Confirmation, RegistryRule, VoidReason};
use crate::domain::partner::{Group, GroupDefinition, Partner, Terms};
use crate::domain::{GroupId, Invalid, PartnerId, Timestamp};
use crate::error::{Error, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commands::withdraw::WithdrawalReceipt;
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;

/// The result of a request to create or change a partner or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutReceipt<T> {
    /// The current state.
    pub item: T,
    /// The sequence of the change, or the checkpoint if nothing changed.
    pub sequence: u64,
    /// Whether nothing changed.
    pub unchanged: bool,
}

impl Commands {
    /// Enrols or changes a partner.
    pub async fn put_partner(
        &self,
        operator: &Caller,
        partner: Partner,
    ) -> Result<PutReceipt<Partner>> {
        let registry = self.core.registry();
        if let Some(group) = &partner.default_group
            && registry.group(group).is_none_or(|group| group.current(&partner.id).is_none())
        {
            let reason = format!(
                "there is no group `{group}`, or the partner is not in it: add it to the group first"
            );
            return Err(Invalid::new("default_group", reason).into());
        }
        if let Some(rule) = registry.refuses_partner(&partner) {
            return Err(refused(&VoidReason::Registry(rule)));
        }
        let sequence = self.core.index.checkpoint();
        if registry.partner(&partner.id) == Some(&partner) {
            return Ok(PutReceipt { item: partner, sequence, unchanged: true });
        }
        let sequence = self.change_registry(operator, Body::PartnerPut(partner.clone())).await?;
        Ok(PutReceipt { item: partner, sequence, unchanged: false })
    }

    /// Creates or changes a group.
    pub async fn put_group(
        &self,
        operator: &Caller,
        definition: GroupDefinition,
    ) -> Result<PutReceipt<Group>> {
        let registry = self.core.registry();
        for member in &definition.members {
            if registry.partner(member).is_none() {
                let reason = format!("there is no partner `{member}`");
                return Err(Invalid::new("group.members", reason).into());
            }
        }
        if let Some(rule) = registry.refuses_group(&definition) {
            return Err(refused(&VoidReason::Registry(rule)));
        }
        let id = definition.id.clone();
        if let Some(group) = registry.group(&id)
            && group.is_as_defined(&definition)
        {
            let sequence = self.core.index.checkpoint();
            return Ok(PutReceipt { item: group.clone(), sequence, unchanged: true });
        }
        let sequence = self.change_registry(operator, Body::GroupPut(definition)).await?;
        let item = self.core.registry().group(&id).cloned();
        let item = item.ok_or_else(|| {
            Error::internal("put_group", "the group is missing after it was stored")
        })?;
        Ok(PutReceipt { item, sequence, unchanged: false })
    }

    /// Suspends a partner. Its streams end when the entry is applied. If its keys are compromised since some time, also
    /// withdraws the assessments that were submitted with them since then.
    pub async fn suspend_partner(
        &self,
        operator: &Caller,
        partner: &PartnerId,
        compromised_since: Option<Timestamp>,
    ) -> Result<WithdrawalReceipt> {
        let registry = self.core.registry();
        if let Some(rule) = registry.refuses_suspension(partner) {
            return Err(refused(&VoidReason::Registry(rule)));
        }
        if !registry.suspended().contains(partner) {
            self.change_registry(operator, Body::PartnerSuspended(partner.clone())).await?;
        }
        match compromised_since {
            Some(since) => self.withdraw_since(operator, partner, since).await,
            None => Ok(WithdrawalReceipt::default()),
        }
    }

    /// Ends a suspension.
    pub async fn resume_partner(&self, operator: &Caller, partner: &PartnerId) -> Result<()> {
        let registry = self.core.registry();
        if let Some(rule) = registry.refuses_suspension(partner) {
            return Err(refused(&VoidReason::Registry(rule)));
        }
        if registry.suspended().contains(partner) {
            self.change_registry(operator, Body::PartnerResumed(partner.clone())).await?;
        }
        Ok(())
    }

    /// Records that a member confirmed the terms of the restricted group. `terms` has to match them exactly.
    pub async fn confirm_terms(&self, caller: &Caller, group: &GroupId, terms: &str) -> Result<()> {
        let registry = self.core.registry();
        let confirmation = Confirmation { partner: caller.partner().clone(), group: group.clone() };
        let own_group =
            registry.group(group).filter(|group| group.current(caller.partner()).is_some());
        let own_terms = own_group.and_then(|group| group.restricted.as_ref()).map(Terms::as_str);
        if own_terms != Some(terms.trim()) || registry.refuses_confirmation(&confirmation).is_some()
        {
            // The error is the same for a group that does not exist and a group that the caller is not in.
            let rule = RegistryRule::TermsUnknown;
            return Err(refused(&VoidReason::Registry(rule)));
        }
        if !registry.has_confirmed(caller.partner()) {
            self.change_registry(caller, Body::TermsConfirmed(confirmation)).await?;
        }
        Ok(())
    }

    /// Commits a change of the registry, and returns the sequence of its entry.
    async fn change_registry(&self, caller: &Caller, body: Body) -> Result<u64> {
        let committed = self.core.commit_change(Some(caller.partner()), body).await?;
        committed.items()?;
        Ok(committed.sequence)
    }
}
