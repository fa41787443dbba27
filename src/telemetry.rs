//! Traces: one span for each call, sent over OTLP to a collector that the operator names.
//!
//! A span has the method, the partner and the result of a call, and no content. The exchange starts each trace itself: a
//! trace context that a partner sends is ignored, so that nobody outside decides what is sampled.
//!
//! Calls never wait for the collector. Spans go through a bounded queue to a thread of its own; what does not fit is
//! dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter as OtlpExporter, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter,
};
use tokio::runtime::Handle;
use tonic::transport::Endpoint;
use tracing::{info, warn};

/// How long a connection attempt to the collector, and the delivery of a batch of spans, may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stopping node waits for its last spans to be delivered.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends spans to a collector.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// The span of a call that has not ended.
#[derive(Debug)]
pub struct CallSpan(Span);

impl Traces {
    /// Checks the address of a collector: `http://`, and a host with a port.
    pub fn check_endpoint(endpoint: &str) -> Result<(), String> {
        let uri = endpoint.parse::<http::Uri>().map_err(|error| error.to_string())?;
        if uri.scheme_str() != Some("http") || uri.port().is_none() || uri.path() != "/" {
            return Err("is not of the form http://HOST:PORT".into());
        }
        Ok(())
    }

    /// Starts to send a part of the spans, from 0 to 1, to an address that [`Traces::check_endpoint`] accepts. Connects
    /// when there are spans. Needs a tokio runtime, and uses it until [`Traces::shut_down`].
    pub fn start(endpoint: &str, sampled_ratio: f64) -> Result<Self, String> {
        let channel = Endpoint::from_shared(endpoint.to_owned()).map_err(|e| e.to_string())?;
        let channel = channel.connect_timeout(TIMEOUT).timeout(TIMEOUT).connect_lazy();
        let exporter = OtlpExporter::builder()
            .with_tonic()
            .with_channel(channel)
            // A retry would hold the queue up. The next batch tries again.
            .with_retry_policy(RetryPolicy::default().with_max_retries(0))
            .build()
            .map_err(|error| error.to_string())?;
        let exporter = LoggedExporter {
            exporter: Arc::new(exporter),
            runtime: Handle::current(),
            endpoint: endpoint.to_owned(),
            has_failed: AtomicBool::new(false),
        };
        let resource = Resource::builder()
            .with_service_name("tipoff")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::TraceIdRatioBased(sampled_ratio))
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("tipoff");
        Ok(Self { provider, tracer })
    }

    /// Begins the span of a call. `method` is from the method table, or `unknown`.
    pub fn begin(&self, method: &'static str, partner: Option<&str>) -> CallSpan {
        let mut attributes =
            vec![KeyValue::new("rpc.system", "grpc"), KeyValue::new("rpc.method", method)];
        attributes.extend(partner.map(|id| KeyValue::new("tipoff.partner", id.to_owned())));
        let span = self.tracer.span_builder(method).with_kind(SpanKind::Server);
        let span = span.with_attributes(attributes);
        CallSpan(span.start_with_context(&self.tracer, &Context::new()))
    }

    /// Delivers the last spans, for a short time, and ends.
    pub async fn shut_down(self) {
        let shutting_down = tokio::task::spawn_blocking(move || {
            self.provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT)
        });
        // What fails is logged by the exporter, and spans may be lost.
        let _ = shutting_down.await;
    }
}

impl CallSpan {
    /// Ends the span with the name of a gRPC code. `is_fault` marks one that is the fault of the exchange.
    pub fn end(mut self, code: &'static str, is_fault: bool) {
        self.0.set_attribute(KeyValue::new("rpc.response.status_code", code));
        if is_fault {
            self.0.set_status(Status::error(code));
        }
        self.0.end();
    }
}

/// Passes spans to the exporter. Logs once that the collector cannot be reached, and once that it can again.
#[derive(Debug)]
struct LoggedExporter {
    exporter: Arc<OtlpExporter>,
    /// Runs the exporter. The thread of the queue has no runtime.
    runtime: Handle,
    endpoint: String,
    has_failed: AtomicBool,
}

impl SpanExporter for LoggedExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let exporting = self.runtime.spawn(async move { exporter.export(batch).await });
        let result = exporting
            .await
            .unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())));
        let endpoint = &self.endpoint;
        match &result {
            Err(error) if !self.has_failed.swap(true, Ordering::Relaxed) => {
                warn!(
                    endpoint,
                    "traces are lost, because the collector does not take them: {error}"
                );
            }
            Ok(()) if self.has_failed.swap(false, Ordering::Relaxed) => {
                info!(endpoint, "the collector takes traces again");
            }
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Set before the first export, so nobody else holds it.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_without_tls_or_path() {
        for good in ["http://127.0.0.1:4317", "http://[::1]:4317/", "http://collector:4317"] {
            assert_eq!(Traces::check_endpoint(good), Ok(()), "{good}");
        }
        for bad in
            ["127.0.0.1:4317", "https://c:4317", "http://c", "http://c:4317/v1/traces", "x y"]
        {
            assert!(Traces::check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
