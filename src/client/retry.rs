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
    /// Maximum number of retries. `None`: unlimited. With several addresses, how often each of them is tried again.
    pub max_retries: Option<usize>,
    /// How long a call may take with all its retries, and how long an open stream may stay silent where it owes an answer.
    /// `None`: unlimited. Feeds have no such limit: the exchange sends on them when there is something to send.
    /// With several addresses, one of them has an equal part of this time to answer.
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

    /// The retry budget of one call, with so many addresses to try.
    pub(super) fn retries(&self, servers: usize) -> Retries {
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
            servers: servers.max(1),
            failed: 0,
            requested_delay: Duration::ZERO,
            started: None,
            unreported: None,
            is_reported: false,
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
    /// The number of addresses. Each is tried once before the next delay.
    servers: usize,
    /// Failed attempts. An answer resets them not: a stream may open at each address, and break.
    failed: usize,
    /// The longest delay that a node requested since the last delay.
    requested_delay: Duration,
    /// When the call that is not answered yet began.
    started: Option<Instant>,
    /// What the log says if the running attempt takes long.
    unreported: Option<String>,
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
        let deadline = self.timeout.map(|timeout| {
            let end = started + timeout;
            let share = timeout / u32::try_from(self.servers).unwrap_or(u32::MAX);
            // A node that is silent leaves time for the others.
            if self.servers > 1 { (end.min(Instant::now() + share), share) } else { (end, timeout) }
        });
        // Boxed: a request and its answer are large.
        let mut attempt = Box::pin(async {
            match deadline {
                Some((end, limit)) => tokio::time::timeout_at(end, attempt)
                    .await
                    .unwrap_or_else(|_| Err(unanswered(limit).into())),
                None => attempt.await,
            }
        });
        let answer = tokio::select! {
            answer = &mut attempt => answer,
            () = tokio::time::sleep_until(started + QUIET), if self.unreported.is_some() => {
                self.report();
                attempt.await
            }
        };
        if answer.is_ok() {
            self.answered();
        }
        answer
    }

    /// Records an answer. The next attempt belongs to another call.
    pub fn answered(&mut self) {
        self.started = None;
        self.unreported = None;
        self.requested_delay = Duration::ZERO;
    }

    /// Waits until the call may be retried, at the address `next`. Returns the error if it is permanent or no
    /// retry is left.
    pub async fn wait_after(
        &mut self,
        failure: CallFailure,
        next: &str,
    ) -> Result<(), ClientError> {
        let Some(delay) = self.delay_after(&failure) else { return Err(failure.error) };
        debug!(?delay, next, "trying again: {}", failure.error);
        if !self.is_reported {
            self.unreported = Some(format!("trying again at {next}: {}", failure.error));
        }
        let elapsed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        if elapsed + delay >= QUIET {
            self.report();
        }
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// Whether the log says that this call is retried.
    pub fn is_reported(&self) -> bool {
        self.is_reported
    }

    fn report(&mut self) {
        if let Some(report) = self.unreported.take() {
            self.is_reported = true;
            warn!("{report}");
        }
    }

    /// The delay before the next retry. `None` if there is none.
    ///
    /// Each address is tried once without a delay: what one node requests does not bind another.
    pub fn delay_after(&mut self, failure: &CallFailure) -> Option<Duration> {
        if !failure.error.is_transient() {
            return None;
        }
        let requested = failure.retry_delay.unwrap_or_default();
        if self.is_limited && requested > MAX_REQUESTED_DELAY {
            return None;
        }
        self.failed += 1;
        self.requested_delay = self.requested_delay.max(requested);
        let delay = if self.failed.is_multiple_of(self.servers) {
            self.delays.next()?.max(std::mem::take(&mut self.requested_delay))
        } else {
            Duration::ZERO
        };
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

impl CallFailure {
    /// Names the address in the message, where there are several.
    pub fn at(self, address: &str) -> Self {
        let at = |reason: String| format!("{address}: {reason}");
        let error = match self.error {
            ClientError::Unreachable(reason) => ClientError::Unreachable(at(reason)),
            ClientError::Denied(reason) => ClientError::Denied(at(reason)),
            error => error,
        };
        Self { error, ..self }
    }
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
