//! Revokes certificates of partners.

use crate::domain::Timestamp;
use crate::domain::entry::{Body, RegistryRule, VoidReason};
use crate::domain::revocation::{Certificates, Revocation, Serial};
use crate::error::{Error, Result};
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
    /// When the certificates were revoked.
    pub revoked_at: Timestamp,
}

impl Commands {
    /// Revokes certificates. Their connections are closed when the entry is applied, on each node. When this returns, the
    /// entry is on disk and applied here. A serial number that is revoked already appends no entry; a partner that is
    /// appends one, because it may have been issued more since.
    ///
    /// `in_use` is the serial number of the operator's own certificate. An error if that is to be revoked, or those of the
    /// operator's own partner, or those of a partner that the registry does not know.
    pub async fn revoke(
        &self,
        operator: &Caller,
        in_use: Option<&Serial>,
        revocation: Revocation,
    ) -> Result<RevocationReceipt> {
        let registry = self.core.registry();
        let certificates = revocation.certificates.clone();
        let is_own = match &certificates {
            Certificates::Serial(serial) => Some(serial) == in_use,
            Certificates::OfPartner(partner) => partner == operator.partner(),
        };
        let own = is_own.then_some(RegistryRule::OwnCertificate);
        if let Some(rule) = own.or_else(|| registry.refuses_revocation(&certificates)) {
            return Err(refused(&VoidReason::Registry(rule)));
        }
        if let Certificates::Serial(_) = certificates
            && let Some(revoked) = registry.revocations().get(&certificates)
        {
            let sequence = self.core.index.checkpoint();
            return Ok(RevocationReceipt { sequence, unchanged: true, revoked_at: revoked.at });
        }
        let body = Body::CertificatesRevoked(revocation);
        let committed = self.core.commit_change(Some(operator.partner()), body).await?;
        committed.items()?;
        let registry = self.core.registry();
        let revoked = registry.revocations().get(&certificates).ok_or_else(|| {
            Error::internal("revoke", "the revocation is missing after it was stored")
        })?;
        let (sequence, revoked_at) = (committed.sequence, revoked.at);
        Ok(RevocationReceipt { sequence, unchanged: false, revoked_at })
    }
}
