//! The gRPC side of a node: its listener, its services, and the bounds of their transport.

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
use crate::rpc::{Services, Snapshots, authz::AuthoriseLayer, in_flight::InFlightLayer};
use crate::tls::{Acceptor, ServerTls};
use crate::wire::{DESCRIPTORS, servers};
use servers::audit_service_server::AuditServiceServer;
use servers::campaign_service_server::CampaignServiceServer;
use servers::feed_service_server::FeedServiceServer;
use servers::indicator_service_server::IndicatorServiceServer;
use servers::partner_service_server::PartnerServiceServer;
use servers::tip_service_server::TipServiceServer;

/// The largest answer, in bytes: to a lookup of 1,000 values, all of them known with the largest
/// assessments that are taken.
const MOST_ANSWERED: usize = 16 * 1024 * 1024;
/// The largest of those whose pages are cut by size.
const MOST_PAGED: usize = 4 * 1024 * 1024;
/// How many connections the system keeps until they are accepted, as tokio's own listeners have it.
const BACKLOG: u32 = 1_024;

/// Takes the address, without listening yet: until a node has caught up, clients are refused the
/// connection instead of being left to wait on it.
pub fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens on an address that was taken.
pub fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

/// What the gRPC side is made of.
pub struct Grpc<'a> {
    pub config: &'a Config,
    pub checked: &'a CheckedConfig,
    pub exchange: &'a Arc<Exchange>,
    pub tls: &'a Arc<ServerTls>,
    pub metrics: &'a Arc<Metrics>,
    /// Told when the node is to stop: no new calls, and open streams end.
    pub stop: CancellationToken,
}

impl Grpc<'_> {
    /// Serves until it is told to stop and the last call is answered.
    pub async fn serve(self, listener: TcpListener) -> Result<(), ServeError> {
        let incoming = self.acceptor().incoming(listener, self.stop.clone());
        let router = self.router().await?;
        router.serve_with_incoming_shutdown(incoming, self.stop.cancelled_owned()).await?;
        Ok(())
    }

    fn acceptor(&self) -> Acceptor {
        let counted = Arc::clone(self.metrics);
        Acceptor::new(
            Arc::clone(self.tls),
            self.checked.trust_domain.clone(),
            Arc::clone(self.exchange.clock()),
            self.checked.connections,
            move |label| counted.refused_connection(label),
        )
    }

    async fn router(&self) -> Result<Router<Layers>, ServeError> {
        // Connections that were opened together do not all end together.
        let spread = 0.9 + 0.2 * rand::random::<f64>();
        let bounds = &self.config.connections;
        let age = Duration::from_secs(bounds.max_age_s).mul_f64(spread);
        let grace = Duration::from_secs(bounds.max_age_grace_s);
        let services = self.services(age + grace / 2);
        let most = self.config.requests.max_message_kb * 1024;
        let (health_reporter, health) = tonic_health::server::health_reporter();
        health_reporter.set_serving::<IndicatorServiceServer<Services>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|error| io::Error::other(error.to_string()))?;
        macro_rules! bounded {
            ($server:ident, $answered:expr) => {
                $server::new(services.clone())
                    .max_decoding_message_size(most)
                    .max_encoding_message_size($answered)
            };
        }
        let mut server = transport(bounds)
            .max_connection_age(age)
            .max_connection_age_grace(grace)
            // Up to the response's head, so it bounds unary calls and not streams.
            .timeout(Duration::from_secs(self.config.requests.unary_timeout_s))
            .layer(InFlightLayer)
            .layer(self.authorisation());
        Ok(server
            .add_service(bounded!(IndicatorServiceServer, MOST_ANSWERED))
            .add_service(bounded!(FeedServiceServer, MOST_PAGED))
            .add_service(bounded!(PartnerServiceServer, MOST_PAGED))
            .add_service(bounded!(CampaignServiceServer, MOST_ANSWERED))
            .add_service(bounded!(TipServiceServer, MOST_ANSWERED))
            .add_service(bounded!(AuditServiceServer, MOST_PAGED))
            .add_service(health)
            .add_service(reflection))
    }

    fn services(&self, connection_age: Duration) -> Services {
        Services {
            exchange: Arc::clone(self.exchange),
            labels: Arc::new(self.checked.labels.clone()),
            metrics: Arc::clone(self.metrics),
            limits: self.checked.requests,
            snapshots: Snapshots::default(),
            stop: self.stop.clone(),
            connection_age,
        }
    }

    fn authorisation(&self) -> AuthoriseLayer {
        let (exchange, metrics) = (Arc::clone(self.exchange), Arc::clone(self.metrics));
        AuthoriseLayer::new(exchange, metrics, self.stop.clone())
    }
}

/// What is around every service, the outermost last.
type Layers = Stack<AuthoriseLayer, Stack<InFlightLayer, tower::layer::util::Identity>>;

fn transport(bounds: &Connections) -> Server {
    Server::builder()
        .max_concurrent_streams(bounds.concurrent_streams)
        .http2_max_local_error_reset_streams(Some(bounds.reset_streams))
        .http2_max_pending_accept_reset_streams(Some(bounds.pending_resets))
        .http2_max_header_list_size(bounds.header_kb * 1024)
        .max_frame_size(16 * 1024)
        .initial_stream_window_size(bounds.stream_window_kb * 1024)
        .initial_connection_window_size(bounds.connection_window_kb * 1024)
        .http2_keepalive_interval(Some(Duration::from_secs(bounds.keepalive_s)))
        .http2_keepalive_timeout(Some(Duration::from_secs(bounds.keepalive_timeout_s)))
}
