//! The environment of the demo: a folder with a PKI, and the exchange as child processes.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use super::super::failure::Failure;
use super::super::{output, text};
use super::nats::Nats;
use super::node::Node;
use crate::client::{Client, RetryPolicy};
use crate::clock::Clock;
use crate::clock::SystemClock;
use crate::domain::PartnerId;
use crate::tls::Authority;
use crate::tls::authority::{AuthorityError, Usage};
use crate::wire::pb;

const PARTNERS: [&str; 5] = ["birdsite", "facegraph", "tubeworks", "cyber-unit", "exchange-ops"];
/// Nodes of a cluster.
const NODES: usize = 3;

/// The folder, and the exchange that runs in it: one node, or several on nats-servers.
pub struct Stage {
    folder: PathBuf,
    nodes: Vec<Node>,
    nats: Option<Nats>,
    /// The node at which clients start.
    home: usize,
}

impl Stage {
    /// Creates the folder with an authority, all identities and the configurations. With a nats-server, of a cluster.
    pub fn create(nats_server: Option<&Path>) -> Result<Self, Failure> {
        let folder = env::temp_dir().join(format!("tipoff-demo-{}", uuid::Uuid::now_v7()));
        let mut stage = Self { folder, nodes: Vec::new(), nats: None, home: 0 };
        let prepared = stage.issue().map_err(Failure::failed).and_then(|()| match nats_server {
            Some(program) => stage.prepare_cluster(program),
            None => stage.prepare_node("the exchange".into(), &stage.folder.clone(), None),
        });
        if let Err(error) = prepared {
            stage.remove();
            return Err(error);
        }
        Ok(stage)
    }

    /// Starts the nats-servers of a cluster. Returns how long they took.
    pub async fn start_servers(&mut self) -> Result<Option<Duration>, Failure> {
        match &mut self.nats {
            Some(nats) => Ok(Some(nats.start().await?)),
            None => Ok(None),
        }
    }

    /// Starts a node on its data. Returns how long it took to become ready.
    pub async fn start_node(&mut self, at: usize) -> Result<Duration, Failure> {
        self.nodes[at].start().await
    }

    /// Kills the first node with SIGKILL, as a crash would, and the first nats-server if there is one. Clients start
    /// at another node then.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        self.nodes[0].kill().await?;
        if let Some(nats) = &mut self.nats {
            nats.kill(0).await?;
        }
        self.home = 1 % self.nodes.len();
        Ok(())
    }

    /// Starts what [`Stage::kill`] killed. Returns how long the node took to become ready.
    pub async fn restart_lost(&mut self) -> Result<Duration, Failure> {
        if let Some(nats) = &mut self.nats {
            nats.restart(0).await?;
        }
        self.start_node(0).await
    }

    /// Whether there are several nodes.
    pub fn is_cluster(&self) -> bool {
        self.nodes.len() > 1
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The name of the node with this address.
    pub fn name_of(&self, url: &str) -> String {
        let node = self.nodes.iter().find(|node| node.url() == url);
        node.map_or_else(|| url.to_owned(), |node| node.name.clone())
    }

    /// A client of a partner. Its retries outlast a restart of the exchange.
    pub fn client(&self, partner: &str) -> Result<Client, Failure> {
        self.client_at(partner, self.home)
    }

    /// Like [`Stage::client`], but starts at a certain node if there are several.
    pub fn client_at(&self, partner: &str, node: usize) -> Result<Client, Failure> {
        let urls = self.urls();
        let start = &urls[node % urls.len()];
        let client = Client::of_nodes(&urls, &self.folder.join(partner))?.starting_at(start);
        Ok(client.with_retry_policy(retry_policy()))
    }

    /// A client of one node only.
    pub fn client_of(&self, partner: &str, node: &Node) -> Result<Client, Failure> {
        let client = Client::new(&node.url(), &self.folder.join(partner))?;
        Ok(client.with_retry_policy(retry_policy()))
    }

    /// Like [`Stage::client`], but already connected, so that measurements exclude the handshake.
    pub async fn connected(&self, partner: &str) -> Result<Client, Failure> {
        let client = self.client(partner)?;
        client.who_am_i().await?;
        Ok(client)
    }

    /// The addresses of the exchange.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// The folder.
    pub fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// Prints commands to try while the exchange keeps running: with a known value, and with a
    /// withdrawn one and the journal entry of its withdrawal.
    pub fn print_next_steps(
        &self,
        known: &pb::SubmittedIndicator,
        withdrawn: &str,
        sequence: u64,
    ) -> Result<(), Failure> {
        let value = text::value(&known.platform, &known.value);
        let folder = self.folder.display();
        let heading = "The exchange is still running. In another terminal, as facegraph:";
        output::line(&format!("\n{}", output::paint(output::BOLD, heading)))?;
        let url = self.urls().join(",");
        output::line(&format!("  export TIPOFF_SERVER={url} TIPOFF_IDENTITY={folder}/facegraph"))?;
        for command in [
            "whoami",
            &format!("lookup '{value}' '{withdrawn}'"),
            "subscribe --from start --count 5",
            "pull --format csv --kind domain",
            "subscription list",
            &format!("sighting '{value}' --count 3"),
        ] {
            output::line(&format!("  tipoff {command}"))?;
        }
        output::line("As birdsite, the author:")?;
        output::line(&format!("  export TIPOFF_IDENTITY={folder}/birdsite"))?;
        output::line(&format!("  tipoff audit deliveries {sequence}"))?;
        output::line(&format!("  tipoff withdraw '{value}'"))?;
        output::line("As the operator:")?;
        output::line(&format!("  export TIPOFF_IDENTITY={folder}/exchange-ops"))?;
        output::line("  tipoff group list")?;
        output::line("  tipoff partner suspend tubeworks")?;
        output::line(&format!("\nCtrl-C stops the exchange and removes {folder}"))
    }

    /// Stops the exchange and removes the folder.
    pub async fn clear(mut self) {
        for node in &mut self.nodes {
            // An error does not matter: the process ends with the demo.
            let _ = node.kill().await;
        }
        if let Some(nats) = &mut self.nats {
            nats.kill_all().await;
        }
        self.remove();
    }

    fn issue(&self) -> Result<(), AuthorityError> {
        let now = SystemClock.now();
        let authority = Authority::init(&self.folder.join("ca"), "tipoff.example", now)?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        authority.issue(&Usage::Server { names }, 30, now, &self.folder.join("server"))?;
        for partner in PARTNERS {
            let id = PartnerId::from_stored(partner);
            let usage = Usage::Partner { id, workload: None };
            authority.issue(&usage, 30, now, &self.folder.join(partner))?;
        }
        Ok(())
    }

    fn prepare_cluster(&mut self, program: &Path) -> Result<(), Failure> {
        let nats = Nats::prepare(program, &self.folder.join("nats"))?;
        for number in 1..=NODES {
            let folder = self.folder.join(format!("node-{number}"));
            self.prepare_node(format!("node {number}"), &folder, Some(nats.table()))?;
        }
        self.nats = Some(nats);
        Ok(())
    }

    fn prepare_node(
        &mut self,
        name: String,
        folder: &Path,
        jetstream: Option<toml::Table>,
    ) -> Result<(), Failure> {
        self.nodes.push(Node::prepare(name, folder, &self.folder.join("server"), jetstream)?);
        Ok(())
    }

    fn remove(&self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            output::remark(&format!("cannot remove {}: {error}", self.folder.display()));
        }
    }
}

/// Retries that outlast a restart of the exchange.
fn retry_policy() -> RetryPolicy {
    RetryPolicy {
        max_retries: Some(60),
        timeout: None,
        max_delay: Duration::from_secs(1),
        ..RetryPolicy::default()
    }
}
