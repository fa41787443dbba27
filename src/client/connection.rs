//! The connection to an exchange: one channel per address. A channel is replaced when the identity on disk changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rand::Rng;
use tonic::transport::Channel;
use tracing::warn;

use super::ClientError;
use super::channel::{Upkeep, channel};

/// The addresses of an exchange. All calls go to one of them, until it fails.
#[derive(Debug)]
pub struct Connection {
    identity: PathBuf,
    /// At least one, each once.
    servers: Vec<String>,
    state: Mutex<State>,
    /// The newest entry of the receipts that were received; 0 if there is none.
    newest_receipt: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// The address in use.
    current: usize,
    /// One for each address.
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    channel: Channel,
    /// Modification time of the certificate that the channel uses.
    modified: Option<SystemTime>,
}

/// The channel for one attempt, and the address that it leads to.
#[derive(Clone, Debug)]
pub struct Route {
    pub channel: Channel,
    /// The index of the address.
    pub server: usize,
}

impl Connection {
    /// Reads and checks the folder and the addresses. Connects on first use, to a random address.
    pub fn new(servers: Vec<String>, identity: &Path) -> Result<Self, ClientError> {
        let servers = distinct(servers);
        if servers.is_empty() {
            let reason = "there is none".to_owned();
            return Err(ClientError::Address { url: String::new(), reason });
        }
        let upkeep = Upkeep::of(servers.len());
        let modified = certificate_modified(identity);
        let node =
            |server: &String| Ok(Node { channel: channel(server, identity, upkeep)?, modified });
        let nodes = servers.iter().map(node).collect::<Result<Vec<_>, ClientError>>()?;
        let current = rand::rng().random_range(0..servers.len());
        Ok(Self {
            identity: identity.to_owned(),
            servers,
            state: Mutex::new(State { current, nodes }),
            newest_receipt: AtomicU64::new(0),
        })
    }

    /// The channel to the address in use. Makes a new one if the certificate file changed since the last call.
    ///
    /// If the folder cannot be read, for example because it is being written, the old channel stays
    /// and the next call tries again.
    pub fn route(&self) -> Route {
        let modified = certificate_modified(&self.identity);
        let mut state = self.lock();
        let server = state.current;
        let node = &mut state.nodes[server];
        if modified.is_some() && modified != node.modified {
            match channel(&self.servers[server], &self.identity, Upkeep::of(self.servers.len())) {
                Ok(channel) => *node = Node { channel, modified },
                Err(error) => {
                    warn!("cannot load the renewed identity, keeping the old one: {error}");
                }
            }
        }
        Route { channel: node.channel.clone(), server }
    }

    /// Moves from an address to the next one, unless another call has moved already.
    pub fn leave(&self, server: usize) {
        let mut state = self.lock();
        if state.current == server {
            state.current = (server + 1) % self.servers.len();
        }
    }

    /// Moves to an address. Does nothing if it is not one of the exchange.
    pub fn move_to(&self, address: &str) {
        let address = trimmed(address);
        if let Some(server) = self.servers.iter().position(|server| server == address) {
            self.lock().current = server;
        }
    }

    /// All addresses.
    pub fn servers(&self) -> &[String] {
        &self.servers
    }

    /// The address in use.
    pub fn current(&self) -> &str {
        let current = self.lock().current;
        &self.servers[current]
    }

    /// Records the entry of a receipt.
    pub fn record_receipt(&self, sequence: u64) {
        self.newest_receipt.fetch_max(sequence, Ordering::Relaxed);
    }

    /// The newest entry of a receipt, if another node may be asked next.
    pub fn read_after(&self) -> Option<u64> {
        let newest = self.newest_receipt.load(Ordering::Relaxed);
        (self.servers.len() > 1 && newest > 0).then_some(newest)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses without repetitions, in their order.
fn distinct(servers: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(servers.len());
    for server in servers {
        let server = trimmed(&server).to_owned();
        if !kept.contains(&server) {
            kept.push(server);
        }
    }
    kept
}

fn trimmed(address: &str) -> &str {
    address.trim().trim_end_matches('/')
}

fn certificate_modified(identity: &Path) -> Option<SystemTime> {
    fs::metadata(identity.join("cert.pem")).and_then(|file| file.modified()).ok()
}
