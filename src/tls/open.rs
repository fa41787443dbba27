//! The open connections, by the certificates of their clients, so that those of a revoked one are closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::CertificateDer;
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::domain::revocation::ClientCertificate;

/// The issuer and the serial number of a certificate, by which revocation lists name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IssuerAndSerial {
    /// The issuer's name, as it is encoded.
    pub issuer: Vec<u8>,
    /// The serial number, as it is encoded.
    pub serial: Vec<u8>,
}

impl IssuerAndSerial {
    /// Those of the certificates in a chain.
    pub fn of_chain(chain: &[CertificateDer<'_>]) -> Vec<Self> {
        let parsed = chain.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let names = parsed.map(|(_, certificate)| Self {
            issuer: certificate.issuer().as_raw().to_vec(),
            serial: certificate.raw_serial().to_vec(),
        });
        names.collect()
    }
}

/// The open connections.
#[derive(Clone, Debug, Default)]
pub struct OpenConnections(Arc<Mutex<Connections>>);

#[derive(Debug, Default)]
struct Connections {
    open: HashMap<u64, Entry>,
    next: u64,
}

/// What tells whether a connection has to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The certificates of its chain, as revocation lists name them.
    pub chain: Vec<IssuerAndSerial>,
    /// Its own certificate, as operators revoke it. `None` if it cannot be read.
    pub certificate: Option<ClientCertificate>,
}

#[derive(Debug)]
struct Entry {
    peer: Peer,
    closed: CancellationToken,
}

/// A connection in [`OpenConnections`]. Dropping it removes it.
#[derive(Debug)]
pub struct OpenConnection {
    connections: OpenConnections,
    number: u64,
    /// Cancelled when the connection has to close.
    pub closed: CancellationToken,
}

impl OpenConnections {
    /// Adds a connection of a client.
    pub fn add(&self, peer: Peer) -> OpenConnection {
        let mut connections = self.lock();
        let number = connections.next;
        connections.next += 1;
        let closed = CancellationToken::new();
        connections.open.insert(number, Entry { peer, closed: closed.clone() });
        OpenConnection { connections: self.clone(), number, closed }
    }

    /// Closes the connections of clients with a certificate that is revoked. Returns how many.
    pub fn close_revoked(&self, is_revoked: impl Fn(&Peer) -> bool) -> usize {
        let connections = self.lock();
        let revoked = connections.open.values().filter(|entry| is_revoked(&entry.peer));
        revoked.inspect(|entry| entry.closed.cancel()).count()
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_a_revoked_certificate_are_closed_and_no_others() {
        let name = |serial| IssuerAndSerial { issuer: vec![1], serial: vec![serial] };
        let peer = |serial| Peer { chain: vec![name(serial), name(9)], certificate: None };
        let connections = OpenConnections::default();
        let leaf = connections.add(peer(1));
        let other = connections.add(peer(2));
        assert_eq!(connections.close_revoked(|peer| peer.chain.contains(&name(1))), 1);
        assert!(leaf.closed.is_cancelled() && !other.closed.is_cancelled());
        assert_eq!(connections.close_revoked(|peer| peer.chain.contains(&name(9))), 2);
        drop((leaf, other));
        assert!(connections.lock().open.is_empty());
    }
}
