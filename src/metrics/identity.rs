//! Metrics of the identity folder: certificate and revocation lists.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{Issuer, RevokedBy};
use super::series::CurrentSeries;
use super::{Seconds, signed};

/// Metrics of the identity folder of a server.
#[derive(Debug, Default)]
pub struct IdentityMetrics {
    certificate_expiry_seconds: Seconds,
    list_expiry_seconds: CurrentSeries<Issuer, Seconds>,
    lists: Gauge,
    revocations: Family<RevokedBy, Gauge>,
    reload_failed: Gauge,
}

impl IdentityMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "Expiry of the server's certificate, as time since the epoch",
            Unit::Seconds,
            self.certificate_expiry_seconds.clone(),
        );
        registry.register_with_unit(
            "revocation_list_expiry_timestamp",
            "Expiry of each revocation list, as time since the epoch",
            Unit::Seconds,
            self.list_expiry_seconds.family(),
        );
        registry.register(
            "revocation_lists",
            "Revocation lists that are enforced",
            self.lists.clone(),
        );
        registry.register(
            "revocations",
            "Revocations that are enforced: certificates in lists; serial numbers and partners that operators revoked",
            self.revocations.clone(),
        );
        registry.register(
            "identity_reload_failed",
            "1 if the last reload of the identity folder failed: certificates and revocation lists may be outdated",
            self.reload_failed.clone(),
        );
    }

    /// Sets the expiry of the server's certificate.
    pub fn observe_certificate(&self, not_after_ms: i64) {
        self.certificate_expiry_seconds.set(seconds(not_after_ms));
    }

    /// Sets when each revocation list expires, by its issuer. Of two lists of an issuer the one that expires first counts.
    /// Drops the series of lists that are no longer enforced.
    pub fn observe_revocation_lists(&self, lists: &[(String, Option<i64>)]) {
        self.lists.set(signed(lists.len() as u64));
        let mut ends: Vec<_> =
            lists.iter().filter_map(|(name, end)| Some((name, (*end)?))).collect();
        // The last one counts.
        ends.sort_by_key(|(_, end)| std::cmp::Reverse(*end));
        let series =
            ends.into_iter().map(|(issuer, end)| (Issuer { issuer: issuer.clone() }, seconds(end)));
        self.list_expiry_seconds.replace(series, |gauge, end| {
            gauge.set(end);
        });
    }

    /// Sets the number of revocations in lists, and of those by operators.
    pub fn observe_revocations(&self, in_lists: u64, by_operators: u64) {
        for (source, count) in [("list", in_lists), ("operator", by_operators)] {
            self.revocations.get_or_create(&RevokedBy { source }).set(signed(count));
        }
    }

    /// Sets whether the last reload of the identity folder failed.
    pub fn observe_reload(&self, failed: bool) {
        self.reload_failed.set(i64::from(failed));
    }
}

#[allow(clippy::cast_precision_loss)] // Seconds since the epoch are far below 2^53.
fn seconds(since_epoch_ms: i64) -> f64 {
    since_epoch_ms as f64 / 1000.0
}
