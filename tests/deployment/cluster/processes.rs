//! Three NATS servers and three nodes, with the files of `deploy/cluster` on free ports of the loopback address.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::SOON;
use crate::source;
use crate::support::clock::stopwatch;
use crate::support::command::{Ran, done, tipoff};
use crate::support::{TRUST_DOMAIN, World};

/// The processes are killed when it is dropped.
pub struct Cluster {
    world: World,
    servers: Vec<Server>,
    nodes: Vec<Node>,
}

struct Server {
    client: u16,
    monitor: u16,
    route: u16,
    process: Option<Killed>,
}

struct Node {
    grpc: u16,
    ops: u16,
    process: Option<Killed>,
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cluster {
    /// Servers and nodes. They are ready.
    pub fn start() -> Self {
        let mut cluster = Self::start_servers();
        for at in 0..3 {
            cluster.nodes.push(Node { grpc: free_port(), ops: free_port(), process: None });
            cluster.configure_node(at);
            cluster.start_node(at);
        }
        cluster
    }

    /// Servers that have found each other, and no nodes.
    pub fn start_servers() -> Self {
        let world = World::new();
        let mut made = Command::new(source("deploy/cluster/identities.sh"));
        done(Ran::of(made.arg(world.path("secrets")).arg("localhost")));
        let server = |_| Server {
            client: free_port(),
            monitor: free_port(),
            route: free_port(),
            process: None,
        };
        let mut cluster = Self { world, servers: (0..3).map(server).collect(), nodes: Vec::new() };
        for at in 0..3 {
            cluster.configure_server(&format!("nats-{at}"), &cluster.servers[at], "nats");
            cluster.servers[at].process = Some(cluster.spawn_server(at));
        }
        for at in 0..3 {
            cluster.wait_for_server(at);
        }
        cluster
    }

    /// Writes the folder `/etc/nats` of a server, with the certificate of `identity`.
    fn configure_server(&self, name: &str, server: &Server, identity: &str) {
        let etc = self.world.path(name);
        fs::create_dir_all(etc.join("config")).unwrap();
        fs::create_dir_all(etc.join("identity")).unwrap();
        for file in ["ca.pem", "cert.pem", "key.pem"] {
            let from = self.world.path("secrets").join(identity).join(file);
            fs::copy(from, etc.join("identity").join(file)).unwrap();
        }
        fs::copy(self.world.path("secrets/nats/logins.conf"), etc.join("identity/logins.conf"))
            .unwrap();
        let mut config = fs::read_to_string(source("deploy/cluster/config/nats.conf")).unwrap();
        let mut replace = |from: &str, to: String| {
            assert!(config.contains(from), "{from} is not in nats.conf");
            config = config.replace(from, &to);
        };
        replace("/etc/nats/", format!("{}/", etc.display()));
        replace("\"/data\"", format!("\"{}/data\"", etc.display()));
        replace("0.0.0.0:4222", format!("127.0.0.1:{}", server.client));
        replace("127.0.0.1:8222", format!("127.0.0.1:{}", server.monitor));
        replace("0.0.0.0:6222", format!("127.0.0.1:{}", server.route));
        for (at, other) in self.servers.iter().enumerate() {
            replace(&format!("nats-{at}.nats:6222"), format!("localhost:{}", other.route));
        }
        fs::write(etc.join("config/nats.conf"), config).unwrap();
    }

    fn spawn_server(&self, at: usize) -> Killed {
        self.spawn_nats(&format!("nats-{at}"))
    }

    fn spawn_nats(&self, name: &str) -> Killed {
        let mut command = Command::new(nats_server());
        command.arg("--config").arg(self.world.path(name).join("config/nats.conf"));
        command.env("SERVER_NAME", name).stdin(Stdio::null()).stdout(Stdio::null());
        Killed(command.stderr(self.log(name)).spawn().unwrap())
    }

    /// Waits until the health check of the compose file succeeds.
    fn wait_for_server(&self, at: usize) {
        let monitor = self.servers[at].monitor;
        let health = format!("http://127.0.0.1:{monitor}/healthz?js-server-only=true");
        let started = stopwatch();
        let healthy = || Ran::of(Command::new("curl").args(["-sf", &health])).code == Some(0);
        while !healthy() {
            let log = fs::read_to_string(self.world.path(format!("nats-{at}.log"))).unwrap();
            assert!(started.elapsed() < SOON, "nats-{at} is not healthy: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Starts a server that is none of the cluster: it has the certificate of a node.
    pub fn run_intruder(&self) {
        let server =
            Server { client: free_port(), monitor: free_port(), route: free_port(), process: None };
        self.configure_server("intruder", &server, "node");
        let intruder = self.spawn_nats("intruder");
        std::thread::sleep(Duration::from_secs(2));
        drop(intruder);
    }

    /// Writes the folder `/etc/tipoff` of a node, and its data folder.
    fn configure_node(&self, at: usize) {
        let node = &self.nodes[at];
        let mut config = fs::read_to_string(source("deploy/cluster/config/tipoff.toml")).unwrap();
        config.truncate(config.find("# You. Add partners").unwrap());
        let mut replace = |from: &str, to: String| {
            assert!(config.contains(from), "{from} is not in tipoff.toml");
            config = config.replace(from, &to);
        };
        replace("0.0.0.0:7443", format!("127.0.0.1:{}", node.grpc));
        replace("127.0.0.1:7445", format!("127.0.0.1:{}", node.ops));
        replace("\"exchange.example\"", format!("\"{TRUST_DOMAIN}\""));
        replace("/etc/tipoff/server", self.world.config.server.identity.display().to_string());
        replace("/etc/tipoff/nats", self.world.path("secrets/node").display().to_string());
        replace("/var/lib/tipoff", self.world.path(format!("tipoff-{at}")).display().to_string());
        replace("min_free_mb = 1024", "min_free_mb = 16".into());
        for (at, server) in self.servers.iter().enumerate() {
            replace(&format!("nats-{at}.nats:4222"), format!("localhost:{}", server.client));
        }
        fs::write(self.node_config(at), config + &self.world.partners).unwrap();
    }

    fn node_config(&self, at: usize) -> PathBuf {
        self.world.path(format!("tipoff-{at}.toml"))
    }

    /// Starts a node, and waits until it is ready.
    pub fn start_node(&mut self, at: usize) {
        let config = self.node_config(at).display().to_string();
        let mut command = tipoff(&["serve", "--config", &config]);
        command.stdout(Stdio::piped()).stderr(self.log(&format!("tipoff-{at}")));
        let mut node = Killed(command.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = fs::read_to_string(self.world.path(format!("tipoff-{at}.log"))).unwrap();
        assert!(line.starts_with('{'), "not ready: {log}");
        self.nodes[at].process = Some(node);
    }

    pub fn kill_node(&mut self, at: usize) {
        assert!(self.nodes[at].process.take().is_some());
    }

    pub fn start_server(&mut self, at: usize) {
        self.servers[at].process = Some(self.spawn_server(at));
        self.wait_for_server(at);
    }

    pub fn kill_server(&mut self, at: usize) {
        assert!(self.servers[at].process.take().is_some());
    }

    /// Runs a command of a member at a node.
    pub fn run(&self, node: usize, arguments: &[&str]) -> Ran {
        let mut command = tipoff(arguments);
        command.env("TIPOFF_SERVER", format!("https://localhost:{}", self.nodes[node].grpc));
        Ran::of(command.env("TIPOFF_IDENTITY", self.world.identity("birdsite")))
    }

    /// What the health check of a node prints.
    pub fn health(&self, node: usize) -> String {
        let config = self.node_config(node).display().to_string();
        Ran::of(&mut tipoff(&["health", "--config", &config])).out
    }

    /// Writes a file, and returns its path.
    pub fn file(&self, name: &str, text: String) -> String {
        let path = self.world.path(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A client with the certificate in a folder of `secrets`, and a login.
    pub async fn client(
        &self,
        identity: &str,
        login: &str,
    ) -> Result<async_nats::Client, async_nats::ConnectError> {
        let identity = self.world.path("secrets").join(identity);
        let (certificate, key) = (identity.join("cert.pem"), identity.join("key.pem"));
        let options = self.options(login).add_client_certificate(certificate, key);
        options.connect(self.address()).await
    }

    pub async fn client_without_certificate(
        &self,
        login: &str,
    ) -> Result<async_nats::Client, async_nats::ConnectError> {
        self.options(login).connect(self.address()).await
    }

    fn options(&self, login: &str) -> async_nats::ConnectOptions {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let login = fs::read_to_string(self.world.path("secrets").join(login)).unwrap();
        let (user, password) = login.trim().split_once(':').unwrap();
        let options = async_nats::ConnectOptions::new();
        let options = options.user_and_password(user.into(), password.into()).require_tls(true);
        options.add_root_certificates(self.world.path("secrets/authority/ca.pem"))
    }

    fn address(&self) -> String {
        format!("tls://localhost:{}", self.servers[0].client)
    }

    /// The lines of the servers' logs that contain a text.
    pub fn server_logs_with(&self, text: &str) -> Vec<String> {
        let log = |at| fs::read_to_string(self.world.path(format!("nats-{at}.log"))).unwrap();
        let logs: String = (0..3).map(log).collect();
        logs.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    fn log(&self, name: &str) -> fs::File {
        let path = self.world.path(format!("{name}.log"));
        fs::File::options().create(true).append(true).open(path).unwrap()
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The program. A test that needs it is never skipped.
fn nats_server() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/nats-server");
    let named = std::env::var_os("TIPOFF_NATS_SERVER").map(PathBuf::from);
    let found = named.into_iter().chain([installed]).find(|path| path.exists());
    found.expect(
        "nats-server is not there: `make tools` installs it; or set TIPOFF_NATS_SERVER to its path",
    )
}
