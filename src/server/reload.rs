//! Reloads the identity folder periodically and on SIGHUP, and on SIGHUP `access.suspended` too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::service_manager;
use super::settings::CheckedConfig;
use crate::config::changes::changed_keys;
use crate::config::{Config, ConfigError};
use crate::domain::PartnerId;
use crate::exchange::Exchange;
use crate::tls::ServerTls;

/// Interval at which the identity folder is reloaded. A new certificate or revocation list takes effect
/// within this time.
const INTERVAL: Duration = Duration::from_secs(30);

/// The keys that a reload takes. All others need a restart.
const RELOADED: &[&str] = &["access.suspended"];

/// Reloads the settings of a running node, and logs what it took.
pub struct Reloads {
    /// The configuration that the node was started with.
    started_with: Config,
    suspended: BTreeSet<PartnerId>,
    tls: Arc<ServerTls>,
    exchange: Arc<Exchange>,
}

impl Reloads {
    /// Reloads the settings of a node that was started with a configuration.
    pub fn new(
        started_with: Config,
        suspended: BTreeSet<PartnerId>,
        tls: Arc<ServerTls>,
        exchange: Arc<Exchange>,
    ) -> Self {
        Self { started_with, suspended, tls, exchange }
    }

    /// Reloads the identity folder periodically, and all settings when a configuration arrives, until `stop` is
    /// cancelled.
    pub async fn run(mut self, mut reload: mpsc::Receiver<Config>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => self.tls.reload(),
                Some(config) = reload.recv() => {
                    service_manager::reloading();
                    self.reload(&config);
                    service_manager::ready();
                }
            }
        }
    }

    fn reload(&mut self, config: &Config) {
        self.tls.reload();
        // A failure has been logged, with the file.
        if !self.tls.reload_failed() {
            self.tls.log_identity();
        }
        match checked(&self.exchange, config) {
            Ok(checked) => self.take(config, checked),
            Err(error) => {
                warn!("could not reload the configuration, the old one stays in use: {error}");
            }
        }
    }

    fn take(&mut self, config: &Config, checked: CheckedConfig) {
        let suspended = checked.suspended;
        let added = ids(suspended.difference(&self.suspended));
        let removed = ids(self.suspended.difference(&suspended));
        info!(
            suspended = ids(suspended.iter()),
            added, removed, "reloaded the configuration: access.suspended"
        );
        self.exchange.set_suspended(suspended.clone());
        self.suspended = suspended;
        let mut keys = changed_keys(&self.started_with, config);
        keys.retain(|key| !RELOADED.contains(&key.as_str()));
        if !keys.is_empty() {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            warn!(keys = keys.join(" "), "changed keys have no effect until the next restart");
        }
    }
}

fn checked(exchange: &Exchange, config: &Config) -> Result<CheckedConfig, ConfigError> {
    let checked = CheckedConfig::of(config)?;
    check_suspended(exchange, &checked)?;
    Ok(checked)
}

fn ids<'a>(partners: impl Iterator<Item = &'a PartnerId>) -> String {
    partners.map(PartnerId::as_str).collect::<Vec<_>>().join(" ")
}

/// Refuses a configuration that suspends a partner who is not in the registry: a misspelt id would suspend nobody.
pub fn check_suspended(exchange: &Exchange, checked: &CheckedConfig) -> Result<(), ConfigError> {
    let registry = exchange.registry();
    match checked.suspended.iter().find(|id| registry.partner(id).is_none()) {
        Some(id) => Err(ConfigError::Value {
            key: "access.suspended".into(),
            reason: format!("`{id}` is not a partner of this exchange"),
        }),
        None => Ok(()),
    }
}
