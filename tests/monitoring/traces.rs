//! Traces: a collector gets one span for each call and no content, and nobody waits for it.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message;
use tipoff::wire::pb;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::support::clock::stopwatch;
use crate::support::process::Process;
use crate::support::{World, batch, domain, no_retries, soon};

/// A collector that keeps what it gets.
struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

type Received = mpsc::UnboundedReceiver<ExportTraceServiceRequest>;

fn collect(listener: TcpListener) -> (JoinHandle<()>, Received) {
    let (sender, received) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Collector(sender)))
        .serve_with_incoming(TcpIncoming::from(listener));
    let task = tokio::spawn(async move {
        server.await.unwrap();
    });
    (task, received)
}

/// An exchange that sends its spans to an address, ten times a second.
fn traced(world: &World, endpoint: std::net::SocketAddr, ratio: f64) -> Process {
    let mut exchange = Process::prepare(world);
    exchange.add_config(&format!(
        "[telemetry]\notlp_endpoint = \"http://{endpoint}\"\nsampled_ratio = {ratio:?}\n"
    ));
    exchange.set_env("OTEL_BSP_SCHEDULE_DELAY", "100");
    exchange.start();
    exchange.wait_ready();
    exchange
}

/// Waits for a number of spans.
async fn spans(received: &mut Received, count: usize, raw: &mut Vec<u8>) -> Vec<Span> {
    let mut spans = Vec::new();
    while spans.len() < count {
        let request = soon(received.recv()).await.unwrap();
        raw.extend(request.encode_to_vec());
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    spans
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        other => panic!("{key} is {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_one_span_for_each_call_and_no_content() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap();
    let (collector, mut received) = collect(listener);
    let mut exchange = traced(&world, endpoint, 1.0);
    let client = exchange.client(&world, "birdsite").with_retry_policy(no_retries());
    let mut item = domain("secret-value.example");
    item.assessment =
        Some(pb::Assessment { note: "secret-note".into(), ..pb::Assessment::default() });
    client.submit(batch("secret-submission", 1, None, vec![item])).await.unwrap();
    client.submit(batch("secret submission", 1, None, Vec::new())).await.unwrap_err();
    let watcher = exchange.client(&world, "watcher").with_retry_policy(no_retries());
    watcher.submit(batch("secret-submission", 1, None, Vec::new())).await.unwrap_err();

    let mut raw = Vec::new();
    let spans = spans(&mut received, 3, &mut raw).await;
    let mut seen: Vec<_> = spans
        .iter()
        .map(|span| {
            assert_eq!(span.name, "/tipoff.v1.IndicatorService/SubmitIndicators");
            assert_eq!(attribute(span, "rpc.method").as_ref(), Some(&span.name));
            assert!(span.parent_span_id.is_empty() && span.events.is_empty(), "{span:?}");
            assert!(span.end_time_unix_nano > span.start_time_unix_nano);
            assert_eq!(span.attributes.len(), 4, "{span:?}");
            let code = attribute(span, "rpc.response.status_code").unwrap();
            (attribute(span, "tipoff.partner").unwrap(), code)
        })
        .collect();
    seen.sort();
    let expected =
        [("birdsite", "INVALID_ARGUMENT"), ("birdsite", "OK"), ("watcher", "PERMISSION_DENIED")];
    assert_eq!(seen, expected.map(|(partner, code)| (partner.to_owned(), code.to_owned())));
    // What is wrong with a request is not the fault of the exchange.
    let is_error =
        |span: &&Span| span.status.as_ref().is_some_and(|it| it.code() == StatusCode::Error);
    assert_eq!(spans.iter().filter(is_error).count(), 0);
    let text = String::from_utf8_lossy(&raw);
    assert!(text.contains("service.name") && text.contains("tipoff"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    exchange.terminate();
    collector.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ratio_of_zero_sends_nothing() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap();
    let (collector, mut received) = collect(listener);
    let mut exchange = traced(&world, endpoint, 0.0);
    let client = exchange.client(&world, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    // It delivers what it has before it ends.
    assert!(exchange.terminate().success());
    assert!(received.try_recv().is_err());
    collector.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_slows_no_call_and_is_logged_once_and_once_when_it_is_back() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap();
    drop(listener);
    let mut exchange = traced(&world, endpoint, 1.0);
    let client = exchange.client(&world, "birdsite").with_retry_policy(no_retries());
    client.who_am_i().await.unwrap();
    let clock = stopwatch();
    // More than its queue holds.
    for _ in 0..3_000 {
        client.who_am_i().await.unwrap();
    }
    assert!(clock.elapsed() < Duration::from_secs(20), "{:?} for 3,000 calls", clock.elapsed());
    let lost = "traces are lost";
    let logged = async |text: &str| {
        soon(async {
            while !exchange.log().contains(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    };
    logged(lost).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let log = exchange.log();
    assert_eq!(log.matches(lost).count(), 1, "{log}");

    let (collector, mut received) = collect(TcpListener::bind(endpoint).await.unwrap());
    soon(async {
        while received.try_recv().is_err() {
            client.who_am_i().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    logged("takes traces again").await;
    let log = exchange.log();
    assert_eq!((log.matches(lost).count(), log.matches("traces again").count()), (1, 1), "{log}");
    assert!(!log.contains("opentelemetry"), "{log}");
    exchange.terminate();
    collector.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_slows_no_call_and_no_end() {
    let world = World::new();
    // It accepts connections, and answers nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut exchange = traced(&world, listener.local_addr().unwrap(), 1.0);
    let client = exchange.client(&world, "birdsite").with_retry_policy(no_retries());
    client.who_am_i().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let clock = stopwatch();
    for _ in 0..200 {
        client.who_am_i().await.unwrap();
    }
    assert!(clock.elapsed() < Duration::from_secs(4), "{:?} for 200 calls", clock.elapsed());
    drop(client);
    let clock = stopwatch();
    assert!(exchange.terminate().success());
    assert!(clock.elapsed() < Duration::from_secs(6), "{:?} to stop", clock.elapsed());
}

#[test]
fn a_wrong_endpoint_or_ratio_is_refused_at_the_start() {
    let world = World::new();
    for (line, key) in [
        ("otlp_endpoint = \"https://collector:4317\"", "telemetry.otlp_endpoint"),
        ("sampled_ratio = 1.5", "telemetry.sampled_ratio"),
        ("sampled_ratio = nan", "telemetry.sampled_ratio"),
    ] {
        let exchange = Process::prepare(&world);
        exchange.add_config(&format!("[telemetry]\n{line}\n"));
        let (status, log) = exchange.run_to_end();
        assert_eq!(status.code(), Some(2), "{line}: {log}");
        assert!(log.contains(key), "{line}: {log}");
    }
}
