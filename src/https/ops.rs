//! The ops listener: metrics, liveness and readiness, for the local machine.

mod bounded;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use self::bounded::Bounded;
use crate::metrics::{Format, Metrics};

/// The state of the ops endpoints.
#[derive(Clone)]
pub struct Ops {
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Updates the gauges that are only computed on request. May read from the disk.
    pub observe: Arc<dyn Fn(&Metrics) + Send + Sync>,
    /// Whether the node is ready to serve; if not, the reason. May ask the disk.
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

async fn metrics(State(ops): State<Ops>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or_default());
    let encode = move || {
        (ops.observe)(&ops.metrics);
        ops.metrics.encode(format)
    };
    match spawn_blocking(encode).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, format.content_type())], text).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn ready(State(ops): State<Ops>) -> Response {
    match spawn_blocking(move || (ops.ready)()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(reason)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
