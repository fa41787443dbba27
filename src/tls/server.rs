//! The server's TLS settings, built whole from its identity folder and swapped whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::UnixTime;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{ServerConfig, version};
use tracing::{info, warn};

use super::folder::{FolderError, IdentityFolder, Side};
use super::provider;
use crate::clock::Clock;

/// The settings that new connections are accepted with.
#[derive(Debug)]
pub struct ServerTls {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    not_after_ms: Option<i64>,
}

impl ServerTls {
    /// Reads an identity folder.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, FolderError> {
        let current = ArcSwap::from_pointee(build(folder, &clock)?);
        Ok(Self { folder: folder.into(), clock, current })
    }

    /// The settings for the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// When the server's certificate ends, in milliseconds since the epoch.
    pub fn not_after_ms(&self) -> Option<i64> {
        self.current.load().not_after_ms
    }

    /// Reads the folder again. On an error the old settings stay, and the log says why.
    pub fn reload(&self) {
        match build(&self.folder, &self.clock) {
            Ok(fresh) => {
                let changed = fresh.not_after_ms != self.not_after_ms();
                self.current.store(Arc::new(fresh));
                if changed {
                    info!(folder = %self.folder.display(), "the server's certificate is replaced");
                }
            }
            Err(error) => warn!("the old certificate stays in use: {error}"),
        }
    }
}

fn build(folder: &Path, clock: &Arc<dyn Clock>) -> Result<Current, FolderError> {
    let provider = provider();
    let identity = IdentityFolder::read(folder, &provider)?;
    let refuse =
        |file: &str, reason: String| FolderError::Content { path: folder.join(file), reason };
    let verifier =
        WebPkiClientVerifier::builder_with_provider(identity.shared_roots(), Arc::clone(&provider))
            .with_crls(identity.crls.clone())
            // Without this a list that has run out would be taken as if it were fresh.
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| refuse("ca.pem", error.to_string()))?;
    identity.check_side(folder, Side::Server)?;
    let not_after_ms = identity.not_after_ms();
    if not_after_ms.is_some_and(|end| end < clock.now().as_millis()) {
        return Err(refuse("cert.pem", "has expired: issue a new one".to_owned()));
    }
    let mut config =
        ServerConfig::builder_with_details(provider, Arc::new(ClockTime(Arc::clone(clock))))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|error| refuse("cert.pem", error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(identity.chain, identity.key)
            .map_err(|error| refuse("cert.pem", error.to_string()))?;
    // A resumed session copies the old client chain without checking it again: past revocation,
    // and past its end.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Current { config: Arc::new(config), not_after_ms })
}

/// The exchange's clock as rustls asks for it.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.now().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}
