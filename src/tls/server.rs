//! The server's TLS configuration. It is built from the identity folder and replaced as a whole.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{ServerConfig, version};
use spiffe::TrustDomain;
use tracing::{error, info, warn};

use super::folder::{FolderError, IdentityFolder, Side, content};
use super::identity::client_certificate;
use super::open::{IssuerAndSerial, OpenConnection, OpenConnections, Peer};
use super::provider;
use super::revocation::{ListSummary, RevocationLists};
use super::verifiers::ClientVerifier;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::domain::revocation::{Revocations, Serial};

/// The identity of a server, and what it asks of its clients.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    /// The identity folder.
    pub folder: PathBuf,
    /// The trust domain of its clients.
    pub trust_domain: TrustDomain,
    /// Whether a missing `crl.pem` is an error.
    pub crl_required: bool,
    /// The file of the highest list numbers. It exists once a `crl.pem` has been enforced; then a missing one is an
    /// error too.
    pub enforced: PathBuf,
}

/// The TLS configuration for new connections.
#[derive(Debug)]
pub struct ServerTls {
    identity: ServerIdentity,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Current>,
    /// What operators have revoked.
    revocations: Arc<ArcSwap<Revocations>>,
    reload_failed: AtomicBool,
    /// Which state of expiry was logged last: 0, [`EXPIRING`] or [`EXPIRED`].
    expiry_logged: AtomicU8,
    connections: OpenConnections,
}

/// Something expires soon.
const EXPIRING: u8 = 1;
/// Something has expired.
const EXPIRED: u8 = 2;

#[derive(Debug)]
struct Current {
    /// The folder that it was read from.
    folder: PathBuf,
    config: Arc<ServerConfig>,
    not_after: Option<Timestamp>,
    /// The serial number of the server's certificate.
    serial: Option<Arc<Serial>>,
    /// The lists that are enforced.
    revocation: Option<RevocationLists>,
}

impl ServerTls {
    /// Reads an identity folder.
    pub fn open(identity: ServerIdentity, clock: Arc<dyn Clock>) -> Result<Self, FolderError> {
        let revocations = Arc::default();
        let current = ArcSwap::from_pointee(identity.read(&revocations, &clock)?);
        let tls = Self {
            identity,
            clock,
            current,
            revocations,
            reload_failed: AtomicBool::new(false),
            expiry_logged: AtomicU8::new(0),
            connections: OpenConnections::default(),
        };
        if let Some(revocation) = &tls.current.load().revocation {
            tls.log_revocation(revocation);
        }
        tls.remember_revocation();
        Ok(tls)
    }

    /// Stores the numbers of the lists that are enforced. Writes only if they have changed.
    fn remember_revocation(&self) {
        let current = self.current.load();
        let Some(revocation) = &current.revocation else { return };
        if let Err(error) = revocation.remember(&self.identity.enforced) {
            warn!(
                file = %self.identity.enforced.display(), %error,
                "could not store the numbers of the revocation lists: set server.crl_required, so that a start without \
                 crl.pem is refused"
            );
        }
    }

    fn log_revocation(&self, revocation: &RevocationLists) {
        info!(
            folder = %self.identity.folder.display(),
            lists = revocation.lists.len(),
            revoked = revocation.revoked.len(),
            next_update = revocation.next_update().map(|time| time.to_string()),
            "revocation lists are enforced"
        );
    }

    /// Logs the certificate and the revocation lists that are in use.
    pub fn log_identity(&self) {
        let current = self.current.load();
        let lists = current.revocation.as_ref();
        info!(
            folder = %self.identity.folder.display(),
            certificate_end = current.not_after.map(|time| time.to_string()),
            lists = lists.map(|lists| lists.lists.len()),
            numbers = lists.map(RevocationLists::numbers_text),
            revoked = lists.map(|lists| lists.revoked.len()),
            "reloaded the identity folder"
        );
    }

    /// The configuration for the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// Registers a connection whose client has this chain of certificates. It is closed once one of them is revoked;
    /// `None` if one is already.
    pub fn register(&self, chain: &[CertificateDer<'_>]) -> Option<OpenConnection> {
        let trust_domain = &self.identity.trust_domain;
        let certificate = chain.first().and_then(|leaf| client_certificate(leaf, trust_domain));
        let peer = Peer { chain: IssuerAndSerial::of_chain(chain), certificate };
        let connection = self.connections.add(peer.clone());
        // Asked after it was added: a revocation in between closes it, or is seen here.
        (!self.is_revoked(&peer)).then_some(connection)
    }

    /// Replaces what operators have revoked, and closes the connections that it concerns.
    pub fn set_revocations(&self, revocations: Arc<Revocations>) {
        if **self.revocations.load() == *revocations {
            return;
        }
        info!(revocations = revocations.len(), "revocations by operators are enforced");
        self.revocations.store(revocations);
        self.close_revoked();
    }

    fn is_revoked(&self, peer: &Peer) -> bool {
        let (current, revocations) = (self.current.load(), self.revocations.load());
        let lists = current.revocation.as_ref();
        peer.chain.iter().any(|name| lists.is_some_and(|lists| lists.revoked.contains(name)))
            || peer.certificate.as_ref().is_some_and(|certificate| revocations.cover(certificate))
    }

    fn close_revoked(&self) {
        let closed = self.connections.close_revoked(|peer| self.is_revoked(peer));
        if closed > 0 {
            info!(closed, "closed the connections of revoked certificates");
        }
    }

    /// When the server's certificate expires.
    pub fn not_after(&self) -> Option<Timestamp> {
        self.current.load().not_after
    }

    /// The serial number of the server's certificate.
    pub fn serial(&self) -> Option<Arc<Serial>> {
        self.current.load().serial.clone()
    }

    /// The revocation lists that are enforced.
    pub fn revocation_lists(&self) -> Vec<ListSummary> {
        let current = self.current.load();
        current.revocation.as_ref().map(|lists| lists.summaries.clone()).unwrap_or_default()
    }

    /// The number of revocations by operators.
    pub fn revocations(&self) -> usize {
        self.revocations.load().len()
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
        let folder = self.identity.folder.display();
        self.log_expiry();
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
                    self.close_revoked();
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

    /// Logs once that a list or the certificate has expired, so that clients are refused, or will expire within two weeks.
    fn log_expiry(&self) {
        const NOTICE: Duration = Duration::from_secs(14 * 86_400);
        let current = self.current.load();
        let state = match (current.check_expiry(self.clock.now()), current.first_expiry()) {
            (Err(reason), _) => {
                if self.expiry_logged.swap(EXPIRED, Ordering::Relaxed) != EXPIRED {
                    error!(%reason, "clients are refused");
                }
                return;
            }
            (Ok(()), Some(end)) if end < self.clock.now().plus(NOTICE) => {
                if self.expiry_logged.load(Ordering::Relaxed) != EXPIRING {
                    warn!(%end, "the server's certificate or a revocation list expires soon: replace it");
                }
                EXPIRING
            }
            _ => 0,
        };
        self.expiry_logged.store(state, Ordering::Relaxed);
    }

    /// Builds the configuration again. Revocation checks cannot be turned off while the process runs. What has expired is
    /// refused, unless that in use has expired as well: then the rest may be newer, such as the list of another authority.
    fn build_again(&self) -> Result<Current, FolderError> {
        let fresh = self.identity.build(&self.revocations, &self.clock)?;
        let (current, now) = (self.current.load(), self.clock.now());
        if current.check_expiry(now).is_ok() {
            fresh.check_expiry(now)?;
        }
        if current.revocation.is_some() && fresh.revocation.is_none() {
            return Err(content(
                &self.identity.folder.join("crl.pem"),
                "is missing, but was there before: put it back",
            ));
        }
        Ok(fresh)
    }
}

impl Current {
    /// When the first of its lists or the certificate expires.
    fn first_expiry(&self) -> Option<Timestamp> {
        let lists = self.revocation.as_ref().and_then(RevocationLists::next_update);
        lists.into_iter().chain(self.not_after).min()
    }

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

impl ServerIdentity {
    /// Whether a node could start with it. Writes nothing.
    pub fn validate(&self, clock: &Arc<dyn Clock>) -> Result<(), FolderError> {
        self.read(&Arc::default(), clock).map(drop)
    }

    /// Reads the folder at a start.
    fn read(
        &self,
        revocations: &Arc<ArcSwap<Revocations>>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Current, FolderError> {
        let current = self.build(revocations, clock)?;
        current.check_expiry(clock.now())?;
        let missing = |reason: &str| Err(content(&self.folder.join("crl.pem"), reason));
        if self.crl_required && current.revocation.is_none() {
            return missing(
                "is missing, but server.crl_required is set: put the revocation list there",
            );
        }
        if self.enforced.exists() && current.revocation.is_none() {
            return missing(&format!(
                "is missing, but was enforced before: put it back. If nothing is revoked any more, delete {}",
                self.enforced.display()
            ));
        }
        Ok(current)
    }

    fn build(
        &self,
        revocations: &Arc<ArcSwap<Revocations>>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Current, FolderError> {
        let Self { folder, trust_domain, enforced, .. } = self;
        let provider = provider();
        let identity = IdentityFolder::read(folder, &provider)?;
        let refuse = |file: &str, reason: String| content(&folder.join(file), reason);
        if let Some(revocation) = &identity.revocation {
            revocation.check_numbers(&folder.join("crl.pem"), enforced)?;
        }
        let lists = identity.revocation.as_ref().map(|revocation| revocation.lists.clone());
        let webpki = WebPkiClientVerifier::builder_with_provider(
            identity.shared_roots(),
            Arc::clone(&provider),
        )
        .with_crls(lists.unwrap_or_default())
        // By default an expired list would be accepted as if it were fresh.
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| {
            let of_crl = matches!(error, VerifierBuilderError::InvalidCrl(_));
            refuse(if of_crl { "crl.pem" } else { "ca.pem" }, error.to_string())
        })?;
        let verifier = ClientVerifier {
            webpki,
            trust_domain: trust_domain.clone(),
            revocations: Arc::clone(revocations),
        };
        identity.check_side(folder, Side::Server)?;
        identity.check_trust_domain(folder, trust_domain)?;
        let (not_after, serial) = (identity.not_after(), identity.serial().map(Arc::new));
        let mut config =
            ServerConfig::builder_with_details(provider, Arc::new(ClockTime(Arc::clone(clock))))
                .with_protocol_versions(&[&version::TLS13])
                .map_err(|error| refuse("cert.pem", error.to_string()))?
                .with_client_cert_verifier(Arc::new(verifier))
                .with_single_cert(identity.chain, identity.key)
                .map_err(|error| refuse("cert.pem", error.to_string()))?;
        // A resumed session would reuse the old client chain without checking revocation or expiry.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (folder, config) = (folder.to_owned(), Arc::new(config));
        Ok(Current { folder, config, not_after, serial, revocation: identity.revocation })
    }
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
