//! Observes every call: its method, result and duration, for the metrics and the traces.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::authz::{UNKNOWN, rule_of};
use crate::clock::Clock;
use crate::metrics::{EndedCall, Metrics};
use crate::telemetry::{CallSpan, Traces};
use crate::tls::PeerInfo;

/// The methods whose request or response is a stream.
const STREAMS: &[&str] = &[
    "/tipoff.v1.IndicatorService/StreamIndicators",
    "/tipoff.v1.FeedService/Subscribe",
    "/tipoff.v1.FeedService/Snapshot",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
];

/// Puts [`Observed`] around every service. The outermost layer: calls that other layers refuse are counted too.
#[derive(Clone, Debug)]
pub struct ObserveLayer {
    /// Counts the calls.
    pub metrics: Arc<Metrics>,
    /// Measures them.
    pub clock: Arc<dyn Clock>,
    /// Traces them, if the operator wants it.
    pub traces: Option<Traces>,
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, layer: self.clone() }
    }
}

/// A service wrapped by [`ObserveLayer`].
#[derive(Clone, Debug)]
pub struct Observed<S> {
    inner: S,
    layer: ObserveLayer,
}

impl<S> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut call = OpenCall::new(&self.layer, &request);
        let calling = self.inner.call(request);
        Box::pin(async move {
            let response = calling.await?;
            call.see(response.headers());
            Ok(response.map(|body| Body::new(ObservedBody { body, call })))
        })
    }
}

/// A call that has not ended. Counted when it is dropped: after its last byte, or when its client is gone.
struct OpenCall {
    layer: ObserveLayer,
    method: &'static str,
    started: Instant,
    /// The code in the head or the trailers of the response. `Cancelled` if neither was sent.
    code: Code,
    span: Option<CallSpan>,
}

impl OpenCall {
    fn new(layer: &ObserveLayer, request: &Request<Body>) -> Self {
        let method = rule_of(request.uri().path()).map_or(UNKNOWN, |(name, _)| name);
        let span = layer.traces.as_ref().map(|traces| {
            let peer = request.extensions().get::<PeerInfo>();
            let identity = peer.and_then(|peer| peer.identity.as_ref().as_ref().ok());
            traces.begin(method, identity.map(|identity| identity.partner.as_str()))
        });
        let started = layer.clock.instant();
        Self { layer: layer.clone(), method, started, code: Code::Cancelled, span }
    }

    /// Takes the code from headers or trailers that have one.
    fn see(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Code::from_bytes(code.as_bytes());
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let seconds = self.layer.clock.instant().duration_since(self.started).as_secs_f64();
        self.layer.metrics.calls.ended(EndedCall {
            method: self.method,
            code: name(self.code),
            is_stream: STREAMS.contains(&self.method),
            seconds,
        });
        if let Some(span) = self.span.take() {
            span.end(name(self.code), is_fault(self.code));
        }
    }
}

/// The body of a response whose trailers tell the code.
struct ObservedBody {
    body: Body,
    call: OpenCall,
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.see(trailers);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The name of a code in the protocol.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Whether a code is the fault of the exchange, and not of the caller, by the conventions of OpenTelemetry for gRPC.
fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::rpc::authz::METHODS;
    use crate::wire::DESCRIPTORS;

    #[test]
    fn the_streams_are_those_of_the_protocol() {
        let mut files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
        for set in
            [tonic_health::pb::FILE_DESCRIPTOR_SET, tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET]
        {
            files.extend(FileDescriptorSet::decode(set).unwrap().file);
        }
        let mut declared = BTreeSet::new();
        for file in &files {
            for service in &file.service {
                let streams = service
                    .method
                    .iter()
                    .filter(|method| method.client_streaming() || method.server_streaming());
                declared.extend(streams.map(|method| {
                    format!("/{}.{}/{}", file.package(), service.name(), method.name())
                }));
            }
        }
        let served = METHODS.iter().map(|(name, _)| (*name).to_owned());
        let served: BTreeSet<_> = served.filter(|name| declared.contains(name)).collect();
        assert_eq!(served, STREAMS.iter().map(|name| (*name).to_owned()).collect());
    }
}
