//! Revokes certificates of partners.

use crate::domain::entry::{Body, RegistryRule, VoidReason};
use crate::domain::revocation::{Certificates, Revocation, Serial};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;

/// The result of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationReceipt {
    /// The sequence of its entry, or the checkpoint if nothing changed.
    pub sequence: u64,
    /// Whether nothing changed.
    pub unchanged: bool,
}

impl Commands {
    /// Revokes certificates. Their connections are closed when the entry is applied. `in_use` is the serial number of the
    /// operator's own certificate, which stays: it would be locked out.
    pub async fn revoke(
        &self,
        operator: &Caller,
        in_use: Option<&Serial>,
        revocation: Revocation,
    ) -> Result<RevocationReceipt> {
        let registry = self.core.registry();
        let is_own = match &revocation.certificates {
            Certificates::Serial(serial) => Some(serial) == in_use,
            Certificates::OfPartner(partner) => partner == operator.partner(),
        };
        let own = is_own.then_some(RegistryRule::OwnCertificate);
        if let Some(rule) = own.or_else(|| registry.refuses_revocation(&revocation.certificates)) {
            return Err(refused(&VoidReason::Registry(rule)));
        }
        if let Certificates::Serial(serial) = &revocation.certificates
            && registry.revocations().of_serial(serial).is_some()
        {
            return Ok(RevocationReceipt {
                sequence: self.core.index.checkpoint(),
                unchanged: true,
            });
        }
        let body = Body::CertificatesRevoked(revocation);
        let committed = self.core.commit_change(Some(operator.partner()), body).await?;
        committed.items()?;
        Ok(RevocationReceipt { sequence: committed.sequence, unchanged: false })
    }
}
