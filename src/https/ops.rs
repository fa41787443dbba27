//! The ops listener: metrics, liveness and readiness, for the machine the node runs on.

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

/// What the listener shows.
#[derive(Clone)]
pub struct Ops {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Brings what is only looked at when asked for up to date.
    pub observe: Arc<dyn Fn(&Metrics) + Send + Sync>,
    /// Whether the node can take requests; if not, why not.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Serves until it is told to stop.
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
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn ready(State(ops): State<Ops>) -> Response {
    match (ops.ready)() {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
