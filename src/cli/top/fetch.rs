//! Asks the ops listener of a node.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::exposition::Exposition;
use crate::cli::failure::Failure;

/// How long a node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of an answer. 10,000 subscriptions fit.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The ops listener of a node.
#[derive(Debug)]
pub struct OpsListener {
    client: Client<HttpConnector, Body>,
    metrics: Uri,
    ready: Option<Uri>,
}

/// What a node says of its readiness: the reason if it is not ready.
pub type Readiness = Result<(), String>;

impl OpsListener {
    /// The listener with this address of `/metrics`. `/ready` is beside it.
    pub fn new(metrics: Uri) -> Result<Self, Failure> {
        if metrics.scheme_str() != Some("http") {
            return Err(Failure::usage(format!(
                "{metrics}: is not the address of metrics, such as http://127.0.0.1:7445/metrics"
            )));
        }
        let text = metrics.to_string();
        let ready =
            text.strip_suffix("/metrics").and_then(|base| format!("{base}/ready").parse().ok());
        Ok(Self { client: Client::builder(TokioExecutor::new()).build_http(), metrics, ready })
    }

    /// The metrics, and whether the node is ready.
    pub async fn scrape(&self) -> Result<(Exposition, Readiness), Failure> {
        let (is_good, text) = self.get(&self.metrics).await?;
        let metrics = Exposition::parse(&text).ok().filter(|_| is_good);
        let metrics = metrics.filter(|metrics| metrics.value("tipoff_head").is_some());
        let Some(metrics) = metrics else {
            return Err(Failure::failed(format!("{}: has no metrics of Tipoff", self.metrics)));
        };
        let readiness = match &self.ready {
            Some(ready) => match self.get(ready).await? {
                (true, _) => Ok(()),
                (false, reason) => Err(reason.trim().to_owned()),
            },
            None if metrics.value("tipoff_ready") == Some(1.0) => Ok(()),
            None => Err("/ready has the reason".to_owned()),
        };
        Ok((metrics, readiness))
    }

    /// Whether the status is 2xx, and the body.
    async fn get(&self, uri: &Uri) -> Result<(bool, String), Failure> {
        let unreachable = |reason: String| {
            Failure::unreachable(format!(
                "{uri}: {reason}. Is the node running, and is this its ops listener?"
            ))
        };
        let answering = async {
            let response = self.client.get(uri.clone()).await.map_err(|e| innermost(&e))?;
            let is_good = response.status().is_success();
            let body = to_bytes(Body::new(response.into_body()), MAX_BYTES).await;
            let body = body.map_err(|error| innermost(&error))?;
            Ok::<_, String>((is_good, String::from_utf8_lossy(&body).into_owned()))
        };
        match tokio::time::timeout(TIMEOUT, answering).await {
            Ok(answer) => answer.map_err(unreachable),
            Err(_) => Err(unreachable(format!("did not answer within {} s", TIMEOUT.as_secs()))),
        }
    }
}

/// The cause at the end of the chain: that of the operating system, if the connection failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
