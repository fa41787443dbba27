//! The server's TLS configuration. It is built from the identity folder and replaced as a whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{ServerConfig, version};
use tracing::{error, info, warn};

use super::folder::{FolderError, IdentityFolder, Side, content};
use super::open::{IssuerAndSerial, OpenConnection, OpenConnections};
use super::provider;
use super::revocation::RevocationLists;
use super::verifiers::ClientVerifier;
use crate::clock::Clock;
use crate::domain::Timestamp;

/// The TLS configuration for new connections.
#[derive(Debug)]
pub struct ServerTls {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Current>,
    reload_failed: AtomicBool,
    connections: OpenConnections,
    /// The file of the highest list numbers. It exists once a `crl.pem` has been enforced.
    enforced: PathBuf,
}

#[derive(Debug)]
struct Current {
    /// The folder that it was read from.
    folder: PathBuf,
    config: Arc<ServerConfig>,
    not_after: Option<Timestamp>,
    /// The lists that are enforced.
    revocation: Option<RevocationLists>,
}

impl ServerTls {
    /// Reads an identity folder. A missing `crl.pem` is an error if `crl_required` is set or the file `enforced` exists.
    pub fn open(
        folder: &Path,
        crl_required: bool,
        enforced: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FolderError> {
        let current = Self::check(folder, crl_required, &enforced, &clock)?;
        let current = ArcSwap::from_pointee(current);
        let tls = Self {
            folder: folder.into(),
            clock,
            current,
            reload_failed: AtomicBool::new(false),
            connections: OpenConnections::default(),
            enforced,
        };
        if let Some(revocation) = &tls.current.load().revocation {
            tls.log_revocation(revocation);
        }
        tls.remember_revocation();
        Ok(tls)
    }

    /// Whether a node could start with an identity folder. Writes nothing.
    pub fn validate(
        folder: &Path,
        crl_required: bool,
        enforced: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<(), FolderError> {
        Self::check(folder, crl_required, enforced, clock).map(drop)
    }

    fn check(
        folder: &Path,
        crl_required: bool,
        enforced: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Current, FolderError> {
        let current = build(folder, enforced, clock)?;
        current.check_expiry(clock.now())?;
        let missing = |reason: &str| Err(content(&folder.join("crl.pem"), reason));
        if crl_required && current.revocation.is_none() {
            return missing(
                "is missing, but server.crl_required is set: put the revocation list there",
            );
        }
        if enforced.exists() && current.revocation.is_none() {
            return missing(&format!(
                "is missing, but was enforced before: put it back. If nothing is revoked any more, delete {}",
                enforced.display()
            ));
        }
        Ok(current)
    }

    /// Stores the numbers of the lists that are enforced. Writes only if they have changed.
    fn remember_revocation(&self) {
        let current = self.current.load();
        let Some(revocation) = &current.revocation else { return };
        if let Err(error) = revocation.remember(&self.enforced) {
            warn!(
                file = %self.enforced.display(), %error,
                "could not store the numbers of the revocation lists: set server.crl_required, so that a start without \
                 crl.pem is refused"
            );
        }
    }

    fn log_revocation(&self, revocation: &RevocationLists) {
        info!(
            folder = %self.folder.display(),
            lists = revocation.lists.len(),
            revoked = revocation.revoked.len(),
            next_update = revocation.next_update.map(|time| time.to_string()),
            "revocation lists are enforced"
        );
    }

    /// The configuration for the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// Registers a connection whose client has this chain of certificates. It is closed once one of them is revoked;
    /// `None` if one is already.
    pub fn register(&self, chain: &[CertificateDer<'_>]) -> Option<OpenConnection> {
        let names = IssuerAndSerial::of_chain(chain);
        let connection = self.connections.add(names.clone());
        // Asked after it was added: a reload in between closes it, or is seen here.
        let current = self.current.load();
        let is_revoked =
            |name| current.revocation.as_ref().is_some_and(|lists| lists.revoked.contains(name));
        (!names.iter().any(is_revoked)).then_some(connection)
    }

    /// When the server's certificate expires.
    pub fn not_after(&self) -> Option<Timestamp> {
        self.current.load().not_after
    }

    /// When the first revocation list expires.
    pub fn next_crl_update(&self) -> Option<Timestamp> {
        self.current.load().revocation.as_ref().and_then(|revocation| revocation.next_update)
    }

    /// Why clients are refused now: a revocation list or the server's certificate has expired.
    pub fn check_expiry(&self) -> Result<(), FolderError> {
        self.current.load().check_expiry(self.clock.now())
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
                if current.not_after != old.not_after {
                    info!(%folder, "replaced the server's certificate");
                }
                if let Some(revocation) = &current.revocation
                    && old.revocation.as_ref() != Some(revocation)
                {
                    self.log_revocation(revocation);
                    let closed =
                        self.connections.close_revoked(|name| revocation.revoked.contains(name));
                    if closed > 0 {
                        info!(closed, "closed the connections of revoked certificates");
                    }
                }
                self.remember_revocation();
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

    /// Builds the configuration again. Revocation checks cannot be turned off while the process runs. What has expired is
    /// refused, unless that in use has expired as well: then the rest may be newer, such as the list of another authority.
    fn build_again(&self) -> Result<Current, FolderError> {
        let fresh = build(&self.folder, &self.enforced, &self.clock)?;
        let (current, now) = (self.current.load(), self.clock.now());
        if current.check_expiry(now).is_ok() {
            fresh.check_expiry(now)?;
        }
        if current.revocation.is_some() && fresh.revocation.is_none() {
            return Err(content(
                &self.folder.join("crl.pem"),
                "is missing, but was there before: put it back",
            ));
        }
        Ok(fresh)
    }
}

impl Current {
    /// An error that names the file if a revocation list or the certificate has expired.
    fn check_expiry(&self, now: Timestamp) -> Result<(), FolderError> {
        if let Some(revocation) = &self.revocation {
            revocation.check_expiry(&self.folder.join("crl.pem"), now)?;
        }
        match self.not_after.filter(|end| *end < now) {
            Some(end) => {
                let reason = format!("has expired at {end}: issue a new one");
                Err(content(&self.folder.join("cert.pem"), reason))
            }
            None => Ok(()),
        }
    }
}

fn build(folder: &Path, enforced: &Path, clock: &Arc<dyn Clock>) -> Result<Current, FolderError> {
    let provider = provider();
    let identity = IdentityFolder::read(folder, &provider)?;
    let refuse = |file: &str, reason: String| content(&folder.join(file), reason);
    if let Some(revocation) = &identity.revocation {
        revocation.check_numbers(&folder.join("crl.pem"), enforced)?;
    }
    let lists = identity.revocation.as_ref().map(|revocation| revocation.lists.clone());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(identity.shared_roots(), Arc::clone(&provider))
            .with_crls(lists.unwrap_or_default())
            // By default an expired list would be accepted as if it were fresh.
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| {
                let of_crl = matches!(error, VerifierBuilderError::InvalidCrl(_));
                refuse(if of_crl { "crl.pem" } else { "ca.pem" }, error.to_string())
            })?;
    identity.check_side(folder, Side::Server)?;
    let not_after = identity.not_after();
    let mut config =
        ServerConfig::builder_with_details(provider, Arc::new(ClockTime(Arc::clone(clock))))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|error| refuse("cert.pem", error.to_string()))?
            .with_client_cert_verifier(Arc::new(ClientVerifier(verifier)))
            .with_single_cert(identity.chain, identity.key)
            .map_err(|error| refuse("cert.pem", error.to_string()))?;
    // A resumed session would reuse the old client chain without checking revocation or expiry.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (folder, config) = (folder.to_owned(), Arc::new(config));
    Ok(Current { folder, config, not_after, revocation: identity.revocation })
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
