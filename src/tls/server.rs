//! The server's TLS configuration. It is built from the identity folder and replaced as a whole.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::UnixTime;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{ServerConfig, version};
use tracing::{error, info, warn};

use super::folder::{FolderError, IdentityFolder, Side, content};
use super::provider;
use crate::clock::Clock;

/// The TLS configuration for new connections.
#[derive(Debug)]
pub struct ServerTls {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Current>,
    reload_failed: AtomicBool,
    /// Marker file: it exists once a `crl.pem` has been enforced.
    enforced_before: PathBuf,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    not_after_ms: Option<i64>,
    /// Whether a `crl.pem` is enforced.
    checks_revocation: bool,
}

impl ServerTls {
    /// Reads an identity folder. A missing `crl.pem` is an error if `crl_required` is set or the
    /// marker file `enforced_before` exists.
    pub fn open(
        folder: &Path,
        crl_required: bool,
        enforced_before: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FolderError> {
        let current = build(folder, &clock)?;
        let missing = |reason: &str| Err(content(&folder.join("crl.pem"), reason));
        if crl_required && !current.checks_revocation {
            return missing(
                "is missing, but server.crl_required is set: put the revocation list there",
            );
        }
        if enforced_before.exists() && !current.checks_revocation {
            return missing(&format!(
                "is missing, but was enforced before: put it back. If nothing is revoked any more, delete {}",
                enforced_before.display()
            ));
        }
        let current = ArcSwap::from_pointee(current);
        let reload_failed = AtomicBool::new(false);
        let tls = Self { folder: folder.into(), clock, current, reload_failed, enforced_before };
        tls.remember_revocation();
        Ok(tls)
    }

    fn remember_revocation(&self) {
        if !self.current.load().checks_revocation || self.enforced_before.exists() {
            return;
        }
        if let Err(error) = File::create(&self.enforced_before).and_then(|file| file.sync_all()) {
            warn!(
                file = %self.enforced_before.display(), %error,
                "could not create the marker file for crl.pem: set server.crl_required, so that a start without \
                 crl.pem is refused"
            );
        }
    }

    /// The configuration for the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// When the server's certificate expires, in milliseconds since the epoch.
    pub fn not_after_ms(&self) -> Option<i64> {
        self.current.load().not_after_ms
    }

    /// Whether the last reload failed: certificates and revocation lists may be outdated.
    pub fn reload_failed(&self) -> bool {
        self.reload_failed.load(Ordering::Relaxed)
    }

    /// Reads the folder again. If that fails, the previous certificates and revocation lists stay
    /// in use and the error is logged.
    pub fn reload(&self) {
        let folder = self.folder.display();
        match self.build_again() {
            Ok(fresh) => {
                let old = self.current.swap(Arc::new(fresh));
                let current = self.current.load();
                if current.not_after_ms != old.not_after_ms {
                    info!(%folder, "replaced the server's certificate");
                }
                if current.checks_revocation && !old.checks_revocation {
                    info!(%folder, "found crl.pem: revocation is checked from now on");
                    self.remember_revocation();
                }
                if self.reload_failed.swap(false, Ordering::Relaxed) {
                    info!(%folder, "reloaded the identity folder after earlier failures");
                }
            }
            Err(reason) => {
                self.reload_failed.store(true, Ordering::Relaxed);
                error!(
                    %folder, %reason,
                    "the identity folder could not be reloaded: the previous certificates and revocation lists stay \
                     in use and newer revocations have no effect; repair the file"
                );
            }
        }
    }

    /// Builds the configuration again. Revocation checks cannot be turned off while the process
    /// runs.
    fn build_again(&self) -> Result<Current, FolderError> {
        let fresh = build(&self.folder, &self.clock)?;
        if self.current.load().checks_revocation && !fresh.checks_revocation {
            return Err(content(
                &self.folder.join("crl.pem"),
                "is missing, but was there before: put it back",
            ));
        }
        Ok(fresh)
    }
}

fn build(folder: &Path, clock: &Arc<dyn Clock>) -> Result<Current, FolderError> {
    let provider = provider();
    let identity = IdentityFolder::read(folder, &provider)?;
    let refuse = |file: &str, reason: String| content(&folder.join(file), reason);
    let checks_revocation = identity.crls.is_some();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(identity.shared_roots(), Arc::clone(&provider))
            .with_crls(identity.crls.clone().unwrap_or_default())
            // By default an expired list would be accepted as if it were fresh.
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| {
                let of_crl = matches!(error, VerifierBuilderError::InvalidCrl(_));
                refuse(if of_crl { "crl.pem" } else { "ca.pem" }, error.to_string())
            })?;
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
    // A resumed session would reuse the old client chain without checking revocation or expiry.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Current { config: Arc::new(config), not_after_ms, checks_revocation })
}

/// Adapts the exchange's clock for rustls.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.now().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}
