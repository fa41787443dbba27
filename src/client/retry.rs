//! Retries of transient errors, with exponential backoff and jitter.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;
use tonic::Status;
use tonic_types::StatusExt;
use tracing::{debug, warn};

use super::ClientError;

/// The longest delay requested by the exchange that a policy with limited retries waits for. With a longer one, such as
/// until the next hour, the caller gets the error instead.
const MAX_REQUESTED_DELAY: Duration = Duration::from_secs(60);

/// After this time without success, a call says in the log what it waits for.
const QUIET: Duration = Duration::from_secs(1);

/// How often and for how long transient errors are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Delay before the first retry. Each further one is twice as long, with jitter. A longer delay
    /// requested by the exchange takes precedence.
    pub first_delay: Duration,
    /// Maximum delay that the client chooses itself.
    pub max_delay: Duration,
    /// Maximum number of retries. `None`: unlimited.
    pub max_retries: Option<usize>,
    /// How long a call may take with all its retries, and how long an open stream may stay silent where it owes an answer.
    /// `None`: unlimited. Feeds have no such limit: the exchange sends on them when there is something to send.
    pub timeout: Option<Duration>,
}

impl Default for RetryPolicy {
    /// Five retries, which take about five seconds, within 30 seconds.
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(5),
            max_retries: Some(5),
            timeout: Some(Duration::from_secs(30)),
        }
    }
}

impl RetryPolicy {
    /// Retries without limit, for processes that run permanently beside an exchange.
    pub fn unlimited() -> Self {
        Self { max_retries: None, timeout: None, ..Self::default() }
    }

    /// The retry budget of one call.
    pub(super) fn retries(&self) -> Retries {
        let delays = ExponentialBuilder::default()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.max_delay)
            .with_jitter();
        let delays = match self.max_retries {
            Some(tries) => delays.with_max_times(tries),
            None => delays.without_max_times(),
        };
        Retries {
            delays: delays.build(),
            is_limited: self.max_retries.is_some(),
            timeout: self.timeout,
            started: None,
            is_reported: false,
        }
    }

    /// Calls `attempt` until it succeeds, fails permanently, or no retry is left.
    pub(super) async fn retry<T, F: Future<Output = Result<T, CallFailure>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, ClientError> {
        let mut retries = self.retries();
        loop {
            match retries.limit(attempt()).await {
                Ok(value) => return Ok(value),
                Err(failure) => retries.wait_after(failure).await?,
            }
        }
    }
}

/// The remaining retries of one call, and their delays.
#[derive(Debug)]
pub(super) struct Retries {
    delays: ExponentialBackoff,
    /// Whether the policy gives up at some time.
    is_limited: bool,
    timeout: Option<Duration>,
    /// When the call that is not answered yet began.
    started: Option<Instant>,
    /// Whether the log says that this call is retried. Once is enough.
    is_reported: bool,
}

impl Retries {
    /// Waits for an attempt for as long as the call may still take.
    pub async fn limit<T>(
        &mut self,
        attempt: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<T, CallFailure> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let answer = match self.timeout {
            Some(timeout) => tokio::time::timeout_at(started + timeout, attempt)
                .await
                .unwrap_or_else(|_| Err(unanswered(timeout).into())),
            None => attempt.await,
        };
        if answer.is_ok() {
            self.started = None;
        }
        answer
    }

    /// Waits until the call may be retried. Returns the error if it is permanent or no retry is
    /// left.
    pub async fn wait_after(&mut self, failure: CallFailure) -> Result<(), ClientError> {
        let Some(delay) = self.delay_after(&failure) else { return Err(failure.error) };
        let error = &failure.error;
        let elapsed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        if !self.is_reported && elapsed + delay >= QUIET {
            self.is_reported = true;
            warn!("trying again: {error}");
        } else {
            debug!(?delay, "trying again: {error}");
        }
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// The delay before the next retry. `None` if there is none.
    pub fn delay_after(&mut self, failure: &CallFailure) -> Option<Duration> {
        if !failure.error.is_transient() {
            return None;
        }
        let requested = failure.retry_delay.unwrap_or_default();
        if self.is_limited && requested > MAX_REQUESTED_DELAY {
            return None;
        }
        let delay = self.delays.next()?.max(requested);
        let started = *self.started.get_or_insert_with(Instant::now);
        let is_in_time = self.timeout.is_none_or(|timeout| started.elapsed() + delay < timeout);
        is_in_time.then_some(delay)
    }
}

fn unanswered(timeout: Duration) -> ClientError {
    ClientError::Unreachable(format!("no answer within {} s", timeout.as_secs_f64()))
}

/// Why a call failed, and the delay that the exchange requested before a retry.
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
