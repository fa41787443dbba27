//! Three nats-servers, and nodes on them as child processes.

use std::path::Path;

use tipoff::client::Client;
use tipoff::config::JournalBackend;

use crate::nats::Nats;
use crate::support::World;
use crate::support::process::Process;

pub struct Cluster {
    pub world: World,
    pub nodes: Vec<Process>,
    _nats: Nats,
}

impl Cluster {
    /// Starts the servers, and so many nodes on them.
    pub fn start(nodes: usize) -> Self {
        let nats = Nats::cluster();
        let mut world = World::new();
        world.config.storage.journal = JournalBackend::JetStream;
        let table = table(&nats);
        let start = |at| {
            world.config.storage.data = world.path(format!("data-{at}"));
            let mut node = Process::prepare(&world);
            node.add_config(&table);
            node.start();
            node.wait_ready();
            node
        };
        let nodes = (0..nodes).map(start).collect();
        Self { world, nodes, _nats: nats }
    }

    /// A client with the addresses of all nodes, that starts at one of them.
    pub fn client(&self, partner: &str, at: usize) -> Client {
        let servers = self.nodes.iter().map(Process::url);
        let client = Client::of_nodes(servers, &self.world.identity(partner)).unwrap();
        client.starting_at(&self.nodes[at].url())
    }

    /// A client of one node.
    pub fn client_of(&self, partner: &str, at: usize) -> Client {
        self.nodes[at].client(&self.world, partner)
    }
}

fn table(nats: &Nats) -> String {
    let table = nats.table();
    let shown = |path: &Path| path.display().to_string();
    format!(
        "[jetstream]\nservers = {:?}\ncredentials = {:?}\nsystem_credentials = {:?}\nreplicas = {}\nmax_gb = {}\n",
        table.servers,
        shown(&table.credentials),
        shown(&table.system_credentials),
        table.replicas,
        table.max_gb,
    )
}
