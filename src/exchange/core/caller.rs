//! Callers: partners with a verified certificate that the registry knows.

use std::collections::BTreeSet;

use tokio::sync::watch;

use crate::domain::PartnerId;
use crate::domain::partner::Role;
use crate::domain::sharing::Reader;
use crate::error::{Error, Kind, Result};
use crate::exchange::core::Core;
use crate::index::Registry;

/// An authenticated partner. Only [`Core::admit`] creates one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    partner: PartnerId,
    role: Role,
}

impl Caller {
    /// The partner.
    pub fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// The partner's role.
    pub fn role(&self) -> Role {
        self.role
    }
}

impl Core {
    /// Admits the partner of a verified certificate. Fails if the registry does not know it, or it is suspended.
    pub fn admit(&self, id: &PartnerId) -> Result<Caller> {
        let registry = self.index.registry();
        let Some(partner) = registry.partner(id) else {
            return Err(unknown_partner(id));
        };
        self.check_suspended(id)?;
        Ok(Caller { partner: partner.id.clone(), role: partner.role })
    }

    /// Fails if the partner is suspended.
    pub fn check_suspended(&self, partner: &PartnerId) -> Result<()> {
        let is_configured = self.suspended.borrow().contains(partner);
        if is_configured || self.index.is_suspended(partner) {
            return Err(Error::new(
                Kind::Denied,
                "partner_suspended",
                format!("`{partner}` is suspended: contact the operator of the exchange"),
            ));
        }
        Ok(())
    }

    /// Whether the configuration of this node suspends a partner.
    pub fn is_suspended_by_configuration(&self, partner: &str) -> bool {
        self.suspended.borrow().iter().any(|id| id.as_str() == partner)
    }

    /// Waits until the partner is suspended.
    pub async fn until_suspended(&self, partner: &PartnerId) {
        let (mut configured, mut registered) =
            (self.suspended.subscribe(), self.index.watch_suspended());
        // Both senders live as long as `self`, so neither wait fails.
        tokio::select! {
            _ = configured.wait_for(|suspended| suspended.contains(partner)) => {}
            _ = registered.wait_for(|suspended| suspended.contains(partner)) => {}
        }
    }

    /// Subscribes to the partners that the configuration suspends.
    pub(in crate::exchange) fn watch_suspended(&self) -> watch::Receiver<BTreeSet<PartnerId>> {
        self.suspended.subscribe()
    }

    /// Sets the partners that the configuration suspends. The registry may suspend others. Ends their open streams.
    pub fn set_suspended(&self, partners: BTreeSet<PartnerId>) {
        self.suspended.send_if_modified(|suspended| {
            let changed = *suspended != partners;
            *suspended = partners;
            changed
        });
    }
}

/// The rights of a partner in a registry.
pub(in crate::exchange) fn rights_of(registry: &Registry, partner: &PartnerId) -> Result<Reader> {
    registry.reader(partner).ok_or_else(|| unknown_partner(partner))
}

/// The error for a partner that the registry does not know.
pub(in crate::exchange) fn unknown_partner(partner: &PartnerId) -> Error {
    let message = format!("`{partner}` is not a partner of this exchange");
    Error::new(Kind::Denied, "partner_unknown", message)
}
