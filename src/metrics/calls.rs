//! Metrics of calls: how many, with which result, and how long they took.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Metrics of calls. A stream is counted when it ends, and its duration is kept apart: it lasts for as long as its reader
/// wants, and would hide the latency of the other calls.
#[derive(Debug)]
pub struct CallMetrics {
    ended: Family<MethodAndCode, Counter>,
    request_seconds: Family<Method, Histogram, fn() -> Histogram>,
    stream_seconds: Family<Method, Histogram, fn() -> Histogram>,
}

/// What is known of a call when it has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndedCall {
    /// Its method, from the method table, or `unknown`: callers cannot create metric labels.
    pub method: &'static str,
    /// The name of its gRPC code, such as `OK`.
    pub code: &'static str,
    /// Whether the request or the response is a stream of messages.
    pub is_stream: bool,
    /// The time from the head of the request to the end of the response.
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodAndCode {
    method: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

impl Default for CallMetrics {
    fn default() -> Self {
        Self {
            ended: Family::default(),
            // 1 ms to 8 s. The default deadline of a request is 10 s.
            request_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.001, 2.0, 14))
            }),
            // 1 s to 68 min. The default age of a connection is 30 min.
            stream_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(1.0, 4.0, 7))
            }),
        }
    }
}

impl CallMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Ended requests and streams, by method and gRPC code",
            self.ended.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time from the arrival of a request to the end of its response, by method; without streams",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register_with_unit(
            "stream_duration",
            "Time for which an ended stream was open, by method",
            Unit::Seconds,
            self.stream_seconds.clone(),
        );
    }

    /// Counts a call that has ended.
    pub fn ended(&self, call: EndedCall) {
        let EndedCall { method, code, is_stream, seconds } = call;
        self.ended.get_or_create(&MethodAndCode { method, code }).inc();
        let seconds_of = if is_stream { &self.stream_seconds } else { &self.request_seconds };
        seconds_of.get_or_create(&Method { method }).observe(seconds);
    }
}
