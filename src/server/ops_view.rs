//! What the ops listener exposes of a node.

use std::sync::{Arc, OnceLock};

use super::readiness::Readiness;
use crate::domain::activity::Activity;
use crate::exchange::Exchange;
use crate::https::ops::Ops;
use crate::metrics::Metrics;
use crate::tls::ServerTls;

/// Builds the ops endpoints. `exchange` is set once the node has caught up; until then its metrics
/// keep their initial values.
pub fn ops_view(
    metrics: &Arc<Metrics>,
    readiness: &Arc<Readiness>,
    tls: &Arc<ServerTls>,
    exchange: &Arc<OnceLock<Arc<Exchange>>>,
) -> Ops {
    let (tls, exchange, readiness) = (Arc::clone(tls), Arc::clone(exchange), Arc::clone(readiness));
    Ops {
        metrics: Arc::clone(metrics),
        observe: Arc::new(move |metrics| {
            if let Some(not_after) = tls.not_after() {
                metrics.observe_certificate(not_after.as_millis());
            }
            if let Some(end) = tls.next_crl_update() {
                metrics.observe_revocation_list(end.as_millis());
            }
            metrics.observe_identity_reload(tls.reload_failed());
            if let Some(exchange) = exchange.get() {
                observe(exchange, metrics);
            }
        }),
        ready: Arc::new(move || readiness.check()),
    }
}

fn observe(exchange: &Exchange, metrics: &Metrics) {
    metrics.observe_positions(exchange.head(), exchange.index().checkpoint());
    let sizes = [("journal", exchange.journal_bytes()), ("index", exchange.index().size_on_disk())];
    for (store, bytes) in sizes {
        if let Some(bytes) = bytes {
            metrics.observe_disk(store, bytes);
        }
    }
    metrics.observe_lags(exchange.feeds.every_subscription().map(|subscription| {
        let lag = exchange.feeds.lag_entries(subscription.cursor);
        (subscription.partner.to_string(), subscription.name.to_string(), lag)
    }));
    if let Ok(totals) = exchange.queries.activity_totals() {
        for (partner, Activity { submitted, withdrawn }) in totals {
            metrics.observe_partner(partner.as_str(), submitted, withdrawn);
        }
    }
    if let Ok(threads) = exchange.queries.overdue_tips() {
        metrics.observe_overdue(threads);
    }
}
