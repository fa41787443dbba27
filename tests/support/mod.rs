//! Shared by the tests: an authority, a node in this process, and clients over real mutual TLS.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod clock;
pub mod command;
pub mod data;
pub mod disk;
pub mod feed;
pub mod follower;
pub mod forge;
pub mod harbour;
pub mod keyed;
pub mod liaison;
pub mod memory;
pub mod process;
pub mod promtool;
pub mod python;
pub mod raw;
pub mod terminal;
pub mod tips;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tipoff::client::{Client, ClientError, RetryPolicy};
use tipoff::clock::{Clock, SystemClock};
use tipoff::config::Config;
use tipoff::domain::PartnerId;
use tipoff::server::Node;
use tipoff::tls::Authority;
use tipoff::tls::authority::Usage;
use tipoff::wire::pb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub const TRUST_DOMAIN: &str = "tipoff.test";

/// A folder with an authority, a server identity, and the node's data.
pub struct World {
    pub folder: TempDir,
    pub authority: Authority,
    pub config: Config,
    /// The partners and groups, as in the configuration file.
    pub partners: String,
}

/// A running node. Stopped on drop; [`Running::stop`] waits for it.
pub struct Running {
    pub url: String,
    pub ops: std::net::SocketAddr,
    shutdown: Option<oneshot::Sender<()>>,
    reloads: mpsc::Sender<Config>,
    task: JoinHandle<Result<(), tipoff::server::ServeError>>,
    pub exchange: Arc<tipoff::exchange::Exchange>,
}

/// Three members (birdsite and facegraph in `core`), an observer, a liaison and an operator.
pub const PARTNERS: &str = r#"
[[partners]]
id = "birdsite"
role = "member"
platforms = ["x"]
default_group = "core"

[[partners]]
id = "facegraph"
role = "member"
platforms = ["facebook", "instagram"]
default_group = "core"

[[partners]]
id = "tubeworks"
role = "member"
platforms = ["youtube"]

[[partners]]
id = "watcher"
role = "observer"

[[partners]]
id = "cyber-unit"
role = "liaison"
jurisdiction = "GB"
purposes = ["warrant", "voluntary", "public"]

[[partners]]
id = "exchange-ops"
role = "operator"

[[groups]]
id = "core"
members = ["birdsite", "facegraph", "watcher"]
"#;

impl World {
    pub fn new() -> Self {
        Self::with(PARTNERS)
    }

    pub fn with(partners: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let authority = Authority::init(&folder.path().join("ca"), TRUST_DOMAIN, now).unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let server = folder.path().join("server");
        authority.issue(&Usage::Server { names }, 30, now, &server).unwrap();
        let mut config = Config::parse(partners).unwrap();
        config.server.grpc = ([127, 0, 0, 1], 0).into();
        config.server.ops = ([127, 0, 0, 1], 0).into();
        config.server.trust_domain = TRUST_DOMAIN.into();
        config.server.identity = server;
        config.server.drain_timeout_s = 5;
        config.storage.data = folder.path().join("data");
        config.storage.min_free_mb = 16;
        Self { folder, authority, config, partners: partners.to_owned() }
    }

    /// The identity folder of a partner, created at the first call.
    pub fn identity(&self, partner: &str) -> PathBuf {
        let out = self.folder.path().join("identities").join(partner);
        if !out.exists() {
            let id = PartnerId::parse(partner).unwrap();
            let usage = Usage::Partner { id, workload: None };
            self.authority.issue(&usage, 30, SystemClock.now(), &out).unwrap();
        }
        out
    }

    /// Issues a new server identity with another name.
    pub fn issue_server(&self, name: &str) {
        let usage = Usage::Server { names: vec![name.to_owned()] };
        let out = &self.config.server.identity;
        self.authority.issue(&usage, 30, SystemClock.now(), out).unwrap();
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn start(&self) -> Running {
        self.start_with(Arc::new(SystemClock)).await
    }

    pub async fn start_with(&self, clock: Arc<dyn Clock>) -> Running {
        let node = Node::start(self.config.clone(), clock).await.unwrap();
        let bound = node.bound();
        let exchange = Arc::clone(node.exchange());
        let (shutdown, requested) = oneshot::channel::<()>();
        let (reloads, reload) = mpsc::channel(1);
        let until = async move {
            let _ = requested.await;
        };
        let task = tokio::spawn(node.serve(until, reload));
        Running {
            url: format!("https://localhost:{}", bound.grpc.port()),
            ops: bound.ops,
            shutdown: Some(shutdown),
            reloads,
            task,
            exchange,
        }
    }

    pub fn client(&self, running: &Running, partner: &str) -> Client {
        Client::new(&running.url, &self.identity(partner)).unwrap()
    }

    /// A client that does not retry.
    pub fn impatient(&self, running: &Running, partner: &str) -> Client {
        self.client(running, partner).with_retry_policy(no_retries())
    }
}

impl Running {
    /// The ops listener's response to `GET` of a path, with its head.
    pub async fn ops_get(&self, path: &str) -> String {
        ops_get(self.ops, path).await.unwrap()
    }

    /// Reloads the identity folder and a configuration, as SIGHUP does, and waits until it is done.
    pub async fn reload(&self, config: &Config) {
        // The channel has a capacity of one: when it accepts the third, the first was processed.
        for _ in 0..3 {
            self.reloads.send(config.clone()).await.unwrap();
        }
    }

    /// How often connections were refused with a label.
    pub async fn refused_connections(&self, label: &str) -> u64 {
        let metrics = self.ops_get("/metrics").await;
        let series = format!("tipoff_refused_connections_total{{label=\"{label}\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until connections were refused with a label more often than `before`.
    pub async fn refused_more_often(&self, label: &str, before: u64) {
        soon(async {
            while self.refused_connections(label).await <= before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Stops the node, as SIGTERM does, and waits until it has stopped.
    pub async fn stop(mut self) {
        self.begin_stop();
        self.stopped().await;
    }

    /// Stops the node, and does not wait.
    pub fn begin_stop(&mut self) {
        let _ = self.shutdown.take().unwrap().send(());
    }

    pub async fn stopped(self) {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.task).await;
        ended.expect("the node stops within its deadline").unwrap().unwrap();
    }
}

/// The partner that the exchange takes the holder of an identity for, over a new connection.
pub async fn who(node: &Running, identity: &Path) -> Result<String, ClientError> {
    let client = Client::new(&node.url, identity)?.with_retry_policy(no_retries());
    Ok(client.who_am_i().await?.partner.unwrap().id)
}

pub fn no_retries() -> RetryPolicy {
    RetryPolicy { max_retries: Some(0), ..RetryPolicy::default() }
}

/// A domain for a submission.
pub fn domain(value: &str) -> pb::SubmittedIndicator {
    item(pb::Kind::Domain, "", value)
}

pub fn item(kind: pb::Kind, platform: &str, value: &str) -> pb::SubmittedIndicator {
    pb::SubmittedIndicator {
        kind: kind.into(),
        platform: platform.into(),
        value: value.into(),
        assessment: None,
    }
}

pub fn sharing(tlp: pb::Tlp, audience: Option<pb::sharing::Audience>) -> pb::Sharing {
    pb::Sharing { tlp: tlp.into(), audience, releases: Vec::new() }
}

#[allow(clippy::unnecessary_wraps)] // As the field of the message.
pub fn named(groups: &[&str], partners: &[&str]) -> Option<pb::sharing::Audience> {
    Some(pb::sharing::Audience::Named(pb::NamedAudience {
        groups: groups.iter().map(ToString::to_string).collect(),
        partners: partners.iter().map(ToString::to_string).collect(),
    }))
}

pub fn batch(
    submission: &str,
    number: u32,
    sharing: Option<pb::Sharing>,
    items: Vec<pb::SubmittedIndicator>,
) -> pb::SubmitIndicatorsRequest {
    pb::SubmitIndicatorsRequest {
        submission_id: submission.into(),
        batch: Some(pb::SubmissionBatch { number, sharing, items, ..Default::default() }),
        close: None,
    }
}

/// Converts a unary request to a message of a stream.
pub fn streamed(request: pb::SubmitIndicatorsRequest) -> pb::StreamIndicatorsRequest {
    let pb::SubmitIndicatorsRequest { submission_id, batch, close } = request;
    pb::StreamIndicatorsRequest { submission_id, batch, close }
}

/// Subscribes from the oldest entry.
pub fn from_start() -> pb::SubscribeRequest {
    let start = Some(pb::subscribe_request::Start::FromStart(pb::FromStart {}));
    pb::SubscribeRequest { start, ..pb::SubscribeRequest::default() }
}

pub fn close(submission: &str, batches: u32) -> pb::SubmitIndicatorsRequest {
    pb::SubmitIndicatorsRequest {
        submission_id: submission.into(),
        batch: None,
        close: Some(pb::SubmissionClose { batches, ..Default::default() }),
    }
}

pub fn statuses(receipt: &pb::Receipt) -> Vec<pb::ItemStatus> {
    receipt.items.iter().map(pb::ItemReceipt::status).collect()
}

/// The timeout for events that have to come by themselves.
pub const SOON: Duration = Duration::from_secs(10);

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, what).await.expect("within ten seconds")
}

/// An ops listener's response, head and body.
pub async fn ops_get(ops: std::net::SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = tokio::net::TcpStream::connect(ops).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
