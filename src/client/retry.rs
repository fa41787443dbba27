//! Which calls are tried again, and when.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tonic::Status;
use tonic_types::StatusExt;

use super::ClientError;

/// How often, and how long, what may be tried again is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The first pause; each further one is twice as long, give or take a random part. Where the
    /// exchange names a longer delay, that one is kept.
    pub first: Duration,
    /// The longest pause of the client's own.
    pub longest: Duration,
    /// How many times it is tried again; `None` for ever.
    pub tries: Option<usize>,
}

impl Default for Patience {
    /// About five seconds.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(5), tries: Some(5) }
    }
}

impl Patience {
    /// Goes on for ever: for what runs beside an exchange day and night.
    pub fn endless() -> Self {
        Self { tries: None, ..Self::default() }
    }

    /// The tries that one call has.
    pub(super) fn retries(&self) -> Retries {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_jitter();
        let pauses = match self.tries {
            Some(tries) => pauses.with_max_times(tries),
            None => pauses.without_max_times(),
        };
        Retries { pauses: pauses.build() }
    }

    /// Does it again while it fails for a reason that may pass.
    pub(super) async fn retry<T, F: Future<Output = Result<T, CallFailure>>>(
        &self,
        mut call: impl FnMut() -> F,
    ) -> Result<T, ClientError> {
        let mut retries = self.retries();
        loop {
            match call().await {
                Ok(done) => return Ok(done),
                Err(failure) => retries.wait_after(failure).await?,
            }
        }
    }
}

/// The tries of a call that are left, and the pauses before them.
#[derive(Debug)]
pub(super) struct Retries {
    pauses: ExponentialBackoff,
}

impl Retries {
    /// Waits until the call may be tried again. The error, where another try does not help or none is
    /// left.
    pub async fn wait_after(&mut self, failure: CallFailure) -> Result<(), ClientError> {
        let Some(pause) = self.pause_after(&failure) else { return Err(failure.error) };
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long to wait before the next try; `None` where there is to be none.
    pub fn pause_after(&mut self, failure: &CallFailure) -> Option<Duration> {
        if !failure.error.is_transient() {
            return None;
        }
        let pause = self.pauses.next()?;
        Some(pause.max(failure.retry_delay.unwrap_or_default()))
    }
}

/// Why a call failed, and how long the exchange asks to wait before the next try.
#[derive(Debug)]
pub(super) struct CallFailure {
    pub error: ClientError,
    pub retry_delay: Option<Duration>,
}

impl From<Status> for CallFailure {
    fn from(status: Status) -> Self {
        let retry_delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
        Self { error: status.into(), retry_delay }
    }
}

impl From<ClientError> for CallFailure {
    fn from(error: ClientError) -> Self {
        Self { error, retry_delay: None }
    }
}
