//! Who is calling: a partner that a verified certificate named and that the registry knows.

use std::collections::BTreeSet;

use crate::domain::PartnerId;
use crate::domain::partner::Role;
use crate::domain::sharing::Reader;
use crate::error::{Error, Kind, Result};
use crate::exchange::core::Core;
use crate::index::Registry;
use tokio::sync::watch;

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

impl Core {
    /// Admits the partner that a verified certificate names, if the registry knows it and it is not
    /// suspended.
    pub fn admit(&self, named: &PartnerId) -> Result<Caller> {
        let registry = self.index.registry();
        let Some(partner) = registry.partner(named) else {
            return Err(unknown_partner(named));
        };
        self.check_suspended(named)?;
        Ok(Caller { partner: partner.id.clone(), role: partner.role })
    }

    /// An error where the partner is suspended.
    pub fn check_suspended(&self, partner: &PartnerId) -> Result<()> {
        let configured = self.suspended.borrow().contains(partner);
        if configured || self.index.is_suspended(partner) {
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
        let (mut configured, mut registered) =
            (self.suspended.subscribe(), self.index.watch_suspended());
        // The exchange outlives whoever waits on it.
        tokio::select! {
            _ = configured.wait_for(|suspended| suspended.contains(partner)) => {}
            _ = registered.wait_for(|suspended| suspended.contains(partner)) => {}
        }
    }

    /// Watches the partners that the configuration suspends.
    pub(in crate::exchange) fn watch_suspended(&self) -> watch::Receiver<BTreeSet<PartnerId>> {
        self.suspended.subscribe()
    }

    /// Suspends these partners beside those that the registry says, at once: their open streams end
    /// too.
    pub fn set_suspended(&self, partners: BTreeSet<PartnerId>) {
        self.suspended.send_if_modified(|suspended| {
            let changed = *suspended != partners;
            *suspended = partners;
            changed
        });
    }
}

/// A partner as the rule of sight knows it now.
pub(in crate::exchange) fn reader(registry: &Registry, partner: &PartnerId) -> Result<Reader> {
    registry.reader(partner).ok_or_else(|| unknown_partner(partner))
}

/// The error for who is no partner.
pub(in crate::exchange) fn unknown_partner(partner: &PartnerId) -> Error {
    let message = format!("`{partner}` is not a partner of this exchange");
    Error::new(Kind::Denied, "partner_unknown", message)
}
