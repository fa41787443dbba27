//! Limits how many calls of one connection run at the same time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::status::status;
use crate::error::{Error, Kind};
use crate::tls::PeerInfo;

/// Refuses a call if its connection has no permit left. A call holds its permit until the head of its response.
///
/// tonic's own limit refuses with a bare `RESOURCE_EXHAUSTED`, which clients cannot distinguish from a quota.
#[derive(Clone, Copy, Debug)]
pub struct InFlightLayer;

impl<S> Layer<S> for InFlightLayer {
    type Service = InFlight<S>;

    fn layer(&self, inner: S) -> InFlight<S> {
        InFlight { inner }
    }
}

/// A service wrapped by [`InFlightLayer`].
#[derive(Clone, Debug)]
pub struct InFlight<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for InFlight<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let calls = request.extensions().get::<PeerInfo>().map(|peer| Arc::clone(&peer.calls));
        let Some(permit) = calls.and_then(|calls| calls.try_acquire_owned().ok()) else {
            let message = "too many calls are open on this connection: wait until one ends";
            let refusal = status(&Error::new(Kind::Exhausted, "calls_in_flight", message));
            return Box::pin(std::future::ready(Ok(refusal.into_http())));
        };
        let calling = self.inner.call(request);
        Box::pin(async move {
            let response = calling.await;
            drop(permit);
            response
        })
    }
}
