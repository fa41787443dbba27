//! The limit of the transport: tonic over mutual TLS with the same messages. It stores nothing, and
//! checks no rights.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, stream};
use tipoff::domain::Timestamp;
use tipoff::domain::label::Labels;
use tipoff::wire::encoded::EncodedFeed;
use tipoff::wire::pb;
use tipoff::wire::servers::feed_service_server::{FeedService, FeedServiceServer};
use tipoff::wire::servers::indicator_service_server::{IndicatorService, IndicatorServiceServer};
use tipoff::wire::submission::{self, ReadContext};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::support::World;

/// The argument that starts this program as the server.
pub const COMMAND: &str = "raw-server";
/// The same, with parsing of the input as in the exchange.
pub const READING: &str = "reading-server";

/// A running server. Killed on drop.
pub struct RawServer {
    child: Child,
    pub url: String,
}

impl RawServer {
    /// Starts a server with a world's identity. `messages` is a folder of streams that it can send.
    pub fn start(world: &World, messages: &Path) -> Self {
        Self::start_as(COMMAND, world, messages)
    }

    /// Starts a server that parses the input and stores nothing.
    pub fn start_reading(world: &World) -> Self {
        Self::start_as(READING, world, &world.config.server.identity)
    }

    fn start_as(command: &str, world: &World, messages: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(command)
            .args([&world.config.server.identity, messages])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { child, url: format!("https://localhost:{}", port.trim()) }
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed.
pub fn serve(command: &str, identity: &Path, messages: &Path) {
    let read = |name: &str| fs::read(identity.join(name)).unwrap();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(read("cert.pem"), read("key.pem")))
        .client_ca_root(Certificate::from_pem(read("ca.pem")));
    let reads = command == READING;
    let streams = if reads { Vec::new() } else { read_streams(messages) };
    let raw = Raw { reads, streams: Arc::new(streams) };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        Server::builder()
            .tls_config(tls)
            .unwrap()
            .tcp_nodelay(true)
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(4 * 1024 * 1024)
            .add_service(IndicatorServiceServer::new(raw.clone()))
            .add_service(FeedServiceServer::new(raw).max_encoding_message_size(4 * 1024 * 1024))
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
            .unwrap();
    });
}

/// Writes a stream into the folder of a server that sends it.
pub fn write_stream(folder: &Path, number: usize, messages: &[Bytes]) {
    let mut file = Vec::new();
    for message in messages {
        file.extend_from_slice(&(message.len() as u64).to_be_bytes());
        file.extend_from_slice(message);
    }
    fs::write(folder.join(format!("{number:04}")), file).unwrap();
}

fn read_streams(folder: &Path) -> Vec<Vec<Bytes>> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| {
        let mut rest = Bytes::from(fs::read(file).unwrap());
        let mut messages = Vec::new();
        while rest.has_remaining() {
            let length = usize::try_from(rest.get_u64()).unwrap();
            messages.push(rest.split_to(length));
        }
        messages
    };
    files.iter().map(read).collect()
}

/// The number of valid items in a batch.
fn read(request: &pb::StreamIndicatorsRequest) -> Result<u64, Status> {
    let labels = Labels::default();
    let now = Timestamp::from_millis(1_795_000_000_000);
    let terms = ReadContext { labels: &labels, max_items: 1_000, now };
    let read = submission::read(&request.submission_id, request.batch.as_ref(), None, &terms)
        .map_err(|invalid| Status::invalid_argument(invalid.to_string()))?;
    Ok(read.batch.map_or(0, |batch| batch.items.len() as u64))
}

#[derive(Clone)]
struct Raw {
    reads: bool,
    streams: Arc<Vec<Vec<Bytes>>>,
}

type Out<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl IndicatorService for Raw {
    async fn submit_indicators(
        &self,
        request: Request<pb::SubmitIndicatorsRequest>,
    ) -> Result<Response<pb::SubmitIndicatorsResponse>, Status> {
        let request = request.into_inner();
        let number = request.batch.map_or(0, |batch| batch.number);
        let created = pb::ItemReceipt {
            status: pb::ItemStatus::Created.into(),
            version: Some(pb::Version { sequence: u64::from(number), index: 0 }),
            ..pb::ItemReceipt::default()
        };
        let receipt = pb::Receipt {
            submission_id: request.submission_id,
            number,
            sequence: u64::from(number),
            accepted_at: Some(prost_types::Timestamp { seconds: 1_795_000_000, nanos: 1_000_000 }),
            items: vec![created],
            ..pb::Receipt::default()
        };
        Ok(Response::new(pb::SubmitIndicatorsResponse { receipt: Some(receipt) }))
    }

    type StreamIndicatorsStream = Out<pb::StreamIndicatorsResponse>;

    /// Returns one receipt per batch. If it parses, each item is canonicalised first, as in the
    /// exchange.
    async fn stream_indicators(
        &self,
        request: Request<Streaming<pb::StreamIndicatorsRequest>>,
    ) -> Result<Response<Self::StreamIndicatorsStream>, Status> {
        let reads = self.reads;
        let receipts = request.into_inner().map(move |request| {
            let request = request?;
            let items = if reads { read(&request)? } else { 1 };
            let receipt = pb::Receipt {
                number: request.batch.map_or(0, |batch| batch.number),
                sequence: items,
                submission_id: request.submission_id,
                ..pb::Receipt::default()
            };
            Ok(pb::StreamIndicatorsResponse { receipt: Some(receipt) })
        });
        Ok(Response::new(Box::pin(receipts)))
    }

    async fn withdraw_indicators(
        &self,
        _: Request<pb::WithdrawIndicatorsRequest>,
    ) -> Result<Response<pb::WithdrawIndicatorsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn report_sightings(
        &self,
        _: Request<pb::ReportSightingsRequest>,
    ) -> Result<Response<pb::ReportSightingsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn release_indicators(
        &self,
        _: Request<pb::ReleaseIndicatorsRequest>,
    ) -> Result<Response<pb::ReleaseIndicatorsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn give_feedback(
        &self,
        _: Request<pb::GiveFeedbackRequest>,
    ) -> Result<Response<pb::GiveFeedbackResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn get_indicator(
        &self,
        _: Request<pb::GetIndicatorRequest>,
    ) -> Result<Response<pb::GetIndicatorResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn lookup_indicators(
        &self,
        _: Request<pb::LookupIndicatorsRequest>,
    ) -> Result<Response<pb::LookupIndicatorsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

#[async_trait]
impl FeedService for Raw {
    type SubscribeStream = Out<EncodedFeed>;

    /// Sends the stream whose number the cursor contains.
    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let Some(pb::subscribe_request::Start::Cursor(named)) = request.into_inner().start else {
            return Err(Status::invalid_argument("no stream is named"));
        };
        let number = usize::from(named.token[0]);
        let streams = Arc::clone(&self.streams);
        let messages = (0..streams[number].len()).map(move |at| {
            let mut message = EncodedFeed::default();
            message.push(streams[number][at].clone());
            Ok(message)
        });
        Ok(Response::new(Box::pin(stream::iter(messages))))
    }

    type SnapshotStream = Out<EncodedFeed>;

    async fn snapshot(
        &self,
        _: Request<pb::SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn pull(&self, _: Request<pb::PullRequest>) -> Result<Response<EncodedFeed>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn acknowledge(
        &self,
        _: Request<pb::AcknowledgeRequest>,
    ) -> Result<Response<pb::AcknowledgeResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list_subscriptions(
        &self,
        _: Request<pb::ListSubscriptionsRequest>,
    ) -> Result<Response<pb::ListSubscriptionsResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn delete_subscription(
        &self,
        _: Request<pb::DeleteSubscriptionRequest>,
    ) -> Result<Response<pb::DeleteSubscriptionResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}
