//! Requests to an ops listener.

use std::error::Error;
use std::io;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long an answer may take by default.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// The status and the body of an answer of at most `max_bytes`. An error says what failed, without the address.
pub async fn get(
    uri: &Uri,
    max_bytes: usize,
    timeout: Duration,
) -> io::Result<(StatusCode, String)> {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let answering = async {
        let response = client.get(uri.clone()).await.map_err(|error| innermost(&error))?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), max_bytes).await;
        let body = body.map_err(|error| innermost(&error))?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    tokio::time::timeout(timeout, answering).await.unwrap_or_else(|_| {
        let reason = format!("did not answer within {} s", timeout.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, reason))
    })
}

/// The cause at the end of the chain: that of the operating system, if the connection failed.
fn innermost(error: &(dyn Error + 'static)) -> io::Error {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    io::Error::other(cause.to_string())
}
