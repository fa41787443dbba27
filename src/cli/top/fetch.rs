//! Asks the ops listener of a node.

use std::time::Duration;

use http::Uri;

use super::exposition::Exposition;
use crate::cli::failure::Failure;
use crate::https::client::get;

/// Maximum size of an answer. 10,000 subscriptions fit.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Asks the ops listener of a node.
#[derive(Debug)]
pub struct OpsClient {
    metrics: Uri,
    ready: Option<Uri>,
    timeout: Duration,
}

/// What a node says of its readiness: the reason if it is not ready.
pub type Readiness = Result<(), String>;

impl OpsClient {
    /// The listener with this address of `/metrics`. `/ready` is beside it.
    pub fn new(metrics: Uri, timeout: Duration) -> Result<Self, Failure> {
        if metrics.scheme_str() != Some("http") {
            return Err(Failure::usage(format!(
                "{metrics}: is not the address of metrics, such as http://127.0.0.1:7445/metrics"
            )));
        }
        let text = metrics.to_string();
        let ready =
            text.strip_suffix("/metrics").and_then(|base| format!("{base}/ready").parse().ok());
        Ok(Self { metrics, ready, timeout })
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
        let (status, text) = get(uri, MAX_BYTES, self.timeout).await.map_err(|error| {
            Failure::unreachable(format!(
                "{uri}: {error}. Is the node running, and is this its ops listener?"
            ))
        })?;
        Ok((status.is_success(), text))
    }
}
