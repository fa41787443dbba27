//! What the ops listener exposes of a node.

use std::sync::{Arc, OnceLock};

use super::readiness::Readiness;
use crate::domain::Timestamp;
use crate::domain::activity::Activity;
use crate::exchange::Exchange;
use crate::https::ops::Ops;
use crate::metrics::{IdentityMetrics, Lag, Metrics};
use crate::tls::ServerTls;

/// Builds the ops endpoints. `exchange` is set once the node has caught up; until then its metrics
/// keep their initial values.
pub fn ops_view(
    metrics: &Arc<Metrics>,
    readiness: &Arc<Readiness>,
    tls: &Arc<ServerTls>,
    exchange: &Arc<OnceLock<Arc<Exchange>>>,
) -> Ops {
    metrics.observe_build(env!("CARGO_PKG_VERSION"), crate::COMMIT);
    let (tls, exchange, checked) = (Arc::clone(tls), Arc::clone(exchange), Arc::clone(readiness));
    let readiness = Arc::clone(readiness);
    Ops {
        metrics: Arc::clone(metrics),
        observe: Arc::new(move |metrics| {
            metrics.observe_ready(checked.check().is_ok());
            observe_identity(&tls, &metrics.identity);
            if let Some(exchange) = exchange.get() {
                observe(exchange, metrics);
            }
        }),
        ready: Arc::new(move || readiness.check()),
    }
}

fn observe_identity(tls: &ServerTls, metrics: &IdentityMetrics) {
    if let Some(not_after) = tls.not_after() {
        metrics.observe_certificate(not_after.as_millis());
    }
    let lists = tls.revocation_lists();
    let in_lists: usize = lists.iter().map(|list| list.revoked).sum();
    metrics.observe_revocations(in_lists as u64, tls.revocations() as u64);
    let ends =
        lists.into_iter().map(|list| (list.issuer, list.next_update.map(Timestamp::as_millis)));
    metrics.observe_revocation_lists(&ends.collect::<Vec<_>>());
    metrics.observe_reload(tls.reload_failed());
}

fn observe(exchange: &Exchange, metrics: &Metrics) {
    metrics.observe_positions(exchange.head(), exchange.index().checkpoint());
    let sizes = [("journal", exchange.journal_bytes()), ("index", exchange.index().size_on_disk())];
    for (store, bytes) in sizes {
        if let Some(bytes) = bytes {
            metrics.observe_disk(store, bytes);
        }
    }
    if let Some(bytes) = exchange.free_bytes() {
        metrics.observe_free_disk(bytes);
    }
    let confirmed_ago = exchange.head_confirmed_ago().unwrap_or_default();
    metrics.observe_shared_journal(confirmed_ago.as_secs_f64(), exchange.accepted_risks());
    let lags = exchange.feeds.lags().into_iter().map(|lag| Lag {
        partner: lag.partner.to_string(),
        subscription: lag.name.to_string(),
        entries: lag.entries,
        seconds: lag.age.map(|age| age.as_secs_f64()),
    });
    metrics.observe_lags(&lags.collect::<Vec<_>>());
    if let Ok(totals) = exchange.queries.activity_totals() {
        for (partner, Activity { submitted, withdrawn }) in totals {
            metrics.observe_partner(partner.as_str(), submitted, withdrawn);
        }
    }
    if let Ok(threads) = exchange.queries.overdue_tips() {
        metrics.observe_overdue(threads);
    }
}
