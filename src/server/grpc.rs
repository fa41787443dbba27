//! The gRPC side of a node: its listener, its services and the limits of its transport.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tower::layer::util::Stack;

use super::ServeError;
use super::settings::CheckedConfig;
use crate::config::{Config, Connections};
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::rpc::{Services, Snapshots};
use crate::rpc::{
    authz::AuthoriseLayer, in_flight::InFlightLayer, observe::ObserveLayer,
    transport_errors::TransportErrorsLayer,
};
use crate::sampled_log::SampledLog;
use crate::telemetry::Traces;
use crate::tls::{Acceptor, ServerTls};
use crate::wire::{DESCRIPTORS, servers};
use servers::audit_service_server::AuditServiceServer;
use servers::campaign_service_server::CampaignServiceServer;
use servers::feed_service_server::FeedServiceServer;
use servers::indicator_service_server::IndicatorServiceServer;
use servers::partner_service_server::PartnerServiceServer;
use servers::tip_service_server::TipServiceServer;

/// Maximum size of a response, in bytes. A lookup of 1,000 known values with the largest
/// assessments fits.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
/// Maximum size of a response whose pages are limited by size, in bytes.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Length of the listen backlog. The default of tokio's listeners.
const BACKLOG: u32 = 1_024;

/// Binds an address without listening. Until the node has caught up, clients get "connection
/// refused" instead of waiting.
pub fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Starts to listen on a bound address.
pub fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

/// What the gRPC side is built from.
pub struct Grpc<'a> {
    pub config: &'a Config,
    pub checked: &'a CheckedConfig,
    pub exchange: &'a Arc<Exchange>,
    pub tls: &'a Arc<ServerTls>,
    pub metrics: &'a Arc<Metrics>,
    /// Decides which refused connections and calls are logged.
    pub log: &'a Arc<SampledLog>,
    /// Traces the calls, if the operator wants it.
    pub traces: Option<Traces>,
    /// Cancelled when the node stops: no new calls are accepted, and open streams end.
    pub stop: CancellationToken,
}

impl Grpc<'_> {
    /// Serves until `stop` is cancelled and the last call has been answered.
    pub async fn serve(self, listener: TcpListener) -> Result<(), ServeError> {
        let incoming = self.acceptor().incoming(listener, self.stop.clone());
        let router = self.router().await?;
        router.serve_with_incoming_shutdown(incoming, self.stop.cancelled_owned()).await?;
        Ok(())
    }

    fn acceptor(&self) -> Acceptor {
        let metrics = Arc::clone(self.metrics);
        Acceptor::new(
            Arc::clone(self.tls),
            self.checked.trust_domain.clone(),
            Arc::clone(self.exchange.clock()),
            self.checked.connections,
            Arc::clone(self.log),
            move |label| metrics.refused_connection(label),
        )
    }

    async fn router(&self) -> Result<Router<Layers>, ServeError> {
        // Jitter of ±10 %: connections that were opened together do not all end together.
        let jitter = 0.9 + 0.2 * rand::random::<f64>();
        let limits = &self.config.connections;
        let age = Duration::from_secs(limits.max_age_s).mul_f64(jitter);
        let grace = Duration::from_secs(limits.max_age_grace_s);
        let services = self.services(age + grace / 2);
        let max_request_bytes = self.config.requests.max_message_kb * 1024;
        let (health_reporter, health) = tonic_health::server::health_reporter();
        health_reporter.set_serving::<IndicatorServiceServer<Services>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|error| io::Error::other(error.to_string()))?;
        macro_rules! limited {
            ($server:ident, $max_response_bytes:expr) => {
                $server::new(services.clone())
                    .max_decoding_message_size(max_request_bytes)
                    .max_encoding_message_size($max_response_bytes)
            };
        }
        let mut server = transport(limits)
            .max_connection_age(age)
            .max_connection_age_grace(grace)
            .layer(ObserveLayer {
                metrics: Arc::clone(self.metrics),
                clock: Arc::clone(self.exchange.clock()),
                traces: self.traces.clone(),
            })
            .layer(TransportErrorsLayer {
                timeout: Duration::from_secs(self.config.requests.unary_timeout_s),
            })
            .layer(InFlightLayer)
            .layer(self.authorisation());
        Ok(server
            .add_service(limited!(IndicatorServiceServer, MAX_RESPONSE_BYTES))
            .add_service(limited!(FeedServiceServer, MAX_PAGE_BYTES))
            .add_service(limited!(PartnerServiceServer, MAX_PAGE_BYTES))
            .add_service(limited!(CampaignServiceServer, MAX_RESPONSE_BYTES))
            .add_service(limited!(TipServiceServer, MAX_RESPONSE_BYTES))
            .add_service(limited!(AuditServiceServer, MAX_PAGE_BYTES))
            .add_service(health)
            .add_service(reflection))
    }

    fn services(&self, connection_age: Duration) -> Services {
        Services {
            exchange: Arc::clone(self.exchange),
            labels: Arc::new(self.checked.labels.clone()),
            metrics: Arc::clone(self.metrics),
            log: Arc::clone(self.log),
            limits: self.checked.requests,
            snapshots: Snapshots::default(),
            stop: self.stop.clone(),
            connection_age,
        }
    }

    fn authorisation(&self) -> AuthoriseLayer {
        let (exchange, metrics) = (Arc::clone(self.exchange), Arc::clone(self.metrics));
        AuthoriseLayer::new(exchange, metrics, Arc::clone(self.log), self.stop.clone())
    }
}

/// The layers around every service; the outermost is last.
type Layers = Stack<
    AuthoriseLayer,
    Stack<
        InFlightLayer,
        Stack<TransportErrorsLayer, Stack<ObserveLayer, tower::layer::util::Identity>>,
    >,
>;

fn transport(limits: &Connections) -> Server {
    Server::builder()
        .max_concurrent_streams(limits.concurrent_streams)
        .http2_max_local_error_reset_streams(Some(limits.reset_streams))
        .http2_max_pending_accept_reset_streams(Some(limits.pending_resets))
        .http2_max_header_list_size(limits.header_kb * 1024)
        .max_frame_size(16 * 1024)
        .initial_stream_window_size(limits.stream_window_kb * 1024)
        .initial_connection_window_size(limits.connection_window_kb * 1024)
        .http2_keepalive_interval(Some(Duration::from_secs(limits.keepalive_s)))
        .http2_keepalive_timeout(Some(Duration::from_secs(limits.keepalive_timeout_s)))
}
