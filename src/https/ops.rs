//! The ops listener: metrics, liveness and readiness, for the local machine.

mod bounded;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::bounded::Bounded;
use crate::metrics::Metrics;

/// The state of the ops endpoints.
#[derive(Clone)]
pub struct Ops {
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Updates the gauges that are only computed on request.
    pub observe: Arc<dyn Fn(&Metrics) + Send + Sync>,
    /// Whether the node is ready to serve; if not, the reason.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Serves until `stop` is cancelled.
pub async fn serve(listener: TcpListener, ops: Ops, stop: CancellationToken) -> io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
        .with_state(ops);
    axum::serve(Bounded::new(listener), router).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn metrics(State(ops): State<Ops>) -> Response {
    (ops.observe)(&ops.metrics);
    match ops.metrics.encode() {
        Ok(text) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn ready(State(ops): State<Ops>) -> Response {
    match (ops.ready)() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}
