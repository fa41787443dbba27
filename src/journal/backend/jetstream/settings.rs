//! The settings of a journal in a stream, and the connection to its servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{Context, stream};
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;

use super::refusal::Refusal;
use crate::clock::Clock;
use crate::journal::{Backend, LocalSettings};

/// Maximum size of a message, in bytes: an entry of 4 MB with its headers, and room for larger entries.
pub const MAX_MESSAGE_BYTES: i32 = 8 * 1024 * 1024;

/// Settings of a journal in a stream.
#[derive(Clone)]
pub struct JetStreamSettings {
    /// The addresses of the servers: `tls://nats-1.example:4222`.
    pub servers: Vec<String>,
    /// The file with the node's login. `None`: its client certificate, or none.
    pub credentials: Option<PathBuf>,
    /// The file with a login of the system account, by which the node checks the servers.
    pub system_credentials: Option<PathBuf>,
    /// The certificates of the servers' authority. `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// The node's client certificate, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name of the stream.
    pub stream: String,
    /// The number of servers that hold the stream.
    pub replicas: usize,
    /// Maximum size of a new stream, in bytes. Appends are rejected above it.
    pub max_bytes: i64,
    /// How long JetStream remembers the ids of messages.
    pub duplicate_window: Duration,
    /// Whether the node uses servers and a stream that may lose acknowledged entries.
    pub accept_unsafe: bool,
    /// The backend of the local copy.
    pub copy: Backend,
    /// The settings of the local copy.
    pub local: LocalSettings,
    /// How long a start waits for the servers.
    pub connect_timeout: Duration,
    /// How long one try of an append waits for its acknowledgement.
    pub ack_timeout: Duration,
    /// After this time the outcome of an append is unknown. Shorter than the window of duplicates.
    pub append_timeout: Duration,
    /// The clock for the age of confirmations.
    pub clock: Arc<dyn Clock>,
}

impl JetStreamSettings {
    /// Default settings for servers, with a local copy in sled.
    pub fn new(servers: Vec<String>, local: LocalSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            servers,
            credentials: None,
            system_credentials: None,
            ca: None,
            identity: None,
            stream: "TIPOFF".into(),
            replicas: 3,
            max_bytes: 100 * 1024 * 1024 * 1024,
            duplicate_window: Duration::from_secs(120),
            accept_unsafe: false,
            copy: Backend::Sled,
            local,
            connect_timeout: Duration::from_secs(30),
            ack_timeout: Duration::from_secs(3),
            append_timeout: Duration::from_secs(10),
            clock,
        }
    }

    /// The subject of the entries. Every entry has the same one, so that there is one order.
    pub fn subject(&self) -> String {
        format!("{}.entry", self.stream)
    }

    /// The settings of the stream that the journal needs.
    pub fn stream_config(&self) -> stream::Config {
        stream::Config {
            name: self.stream.clone(),
            description: Some("The journal of a Tipoff exchange. Do not change it.".into()),
            subjects: vec![self.subject()],
            storage: stream::StorageType::File,
            retention: stream::RetentionPolicy::Limits,
            discard: stream::DiscardPolicy::New,
            num_replicas: self.replicas,
            max_bytes: self.max_bytes,
            max_message_size: MAX_MESSAGE_BYTES,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            duplicate_window: self.duplicate_window,
            // Trimming needs purge, so that stays allowed.
            deny_delete: true,
            // A read that may be answered by a replica does not see all writes.
            allow_direct: false,
            ..stream::Config::default()
        }
    }

    /// Connects with the node's login. Keeps trying for ever, and reconnects. Each connection increments the
    /// returned counter.
    pub async fn connect(&self) -> Result<(Client, Context, watch::Receiver<u64>), Refusal> {
        let connections = watch::Sender::new(0);
        let counted = connections.subscribe();
        let options = self.options("credentials", self.credentials.as_deref()).await?;
        let options = options.retry_on_initial_connect().event_callback(move |event| {
            if event == Event::Connected {
                connections.send_modify(|count| *count += 1);
            }
            std::future::ready(())
        });
        let client = options.connect(self.servers.as_slice()).await;
        let client = client.map_err(|error| settings_error("servers", error))?;
        let context = ContextBuilder::new().timeout(self.ack_timeout).build(client.clone());
        Ok((client, context, counted))
    }

    /// Connects with the login of the system account. One try.
    pub async fn connect_system(&self, credentials: &Path) -> Result<Client, String> {
        let options = self.options("system_credentials", Some(credentials)).await;
        let options = options.map_err(|error| error.to_string())?;
        let client = options.connect(self.servers.as_slice()).await;
        client.map_err(|error| format!("the login of the system account fails: {error}"))
    }

    async fn options(
        &self,
        key: &'static str,
        credentials: Option<&Path>,
    ) -> Result<ConnectOptions, Refusal> {
        // async-nats takes the provider of the process. Another one may be installed already: that is kept.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut options = ConnectOptions::new()
            .name("tipoff")
            .connection_timeout(self.ack_timeout)
            .request_timeout(Some(self.ack_timeout));
        if let Some(ca) = &self.ca {
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        if let Some((certificate, key)) = &self.identity {
            options =
                options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
        }
        match credentials {
            Some(file) => login(options, key, file).await,
            None => Ok(options),
        }
    }
}

/// Adds the login in a file: the file of a user with a JWT, the seed of an nkey, or `user:password`.
async fn login(
    options: ConnectOptions,
    key: &'static str,
    file: &Path,
) -> Result<ConnectOptions, Refusal> {
    let text = tokio::fs::read_to_string(file).await;
    let text = text.map_err(|error| settings_error(key, format!("{}: {error}", file.display())))?;
    if text.contains("-----BEGIN NATS USER JWT-----") {
        let options = options.credentials(&text);
        return options
            .map_err(|error| settings_error(key, format!("{}: {error}", file.display())));
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match line {
        Some(seed) if seed.starts_with("SU") => Ok(options.nkey(seed.to_owned())),
        Some(line) => match line.split_once(':') {
            Some((user, password)) => Ok(options.user_and_password(user.into(), password.into())),
            None => Err(settings_error(key, format!("{} holds no login", file.display()))),
        },
        None => Err(settings_error(key, format!("{} is empty", file.display()))),
    }
}

#[allow(clippy::needless_pass_by_value)]
fn settings_error(key: &'static str, reason: impl ToString) -> Refusal {
    Refusal::Settings { key, reason: reason.to_string() }
}
