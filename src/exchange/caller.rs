//! Who is calling: a partner that a verified certificate named and that the registry knows.

use std::collections::BTreeSet;

use super::Exchange;
use crate::domain::PartnerId;
use crate::domain::partner::Role;
use crate::error::{Error, Kind, Result};

/// A partner whose certificate was verified and whom the registry knows. Made by
/// [`Exchange::admit`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    partner: PartnerId,
    role: Role,
}

impl Caller {
    /// Who.
    pub fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// What it is on the exchange.
    pub fn role(&self) -> Role {
        self.role
    }
}

impl Exchange {
    /// Admits the partner that a verified certificate names, if the registry knows it and it is not
    /// suspended.
    pub fn admit(&self, named: &PartnerId) -> Result<Caller> {
        let registry = self.index.registry();
        let Some(partner) = registry.partner(named) else {
            return Err(Error::new(
                Kind::Denied,
                "partner_unknown",
                format!("`{named}` is not a partner of this exchange"),
            ));
        };
        self.check_suspended(named)?;
        Ok(Caller { partner: partner.id.clone(), role: partner.role })
    }

    /// An error where the partner is suspended.
    pub fn check_suspended(&self, partner: &PartnerId) -> Result<()> {
        if self.suspended.borrow().contains(partner) {
            return Err(Error::new(
                Kind::Denied,
                "partner_suspended",
                format!("`{partner}` is suspended: speak to the operator of the exchange"),
            ));
        }
        Ok(())
    }

    /// Done once the partner is suspended.
    pub async fn until_suspended(&self, partner: &PartnerId) {
        let mut suspended = self.suspended.subscribe();
        // The exchange outlives whoever waits on it.
        let _ = suspended.wait_for(|suspended| suspended.contains(partner)).await;
    }

    /// Suspends these partners and no others, at once: their open streams end too.
    pub fn set_suspended(&self, partners: BTreeSet<PartnerId>) {
        self.suspended.send_if_modified(|suspended| {
            let changed = *suspended != partners;
            *suspended = partners;
            changed
        });
    }
}
