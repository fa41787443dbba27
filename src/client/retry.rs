//! How long a client waits for an exchange that is not there.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::ClientError;

/// How often, and how long, what may be tried again is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The first pause; each further one is twice as long, give or take a random part.
    pub first: Duration,
    /// The longest pause.
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

    /// The pauses, one after the other.
    pub fn pauses(&self) -> ExponentialBackoff {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_jitter();
        match self.tries {
            Some(tries) => pauses.with_max_times(tries),
            None => pauses.without_max_times(),
        }
        .build()
    }

    /// Does it again while it fails for a reason that may pass.
    pub(super) async fn retry<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        mut call: impl FnMut() -> F,
    ) -> Result<T, ClientError> {
        let mut pauses = self.pauses();
        loop {
            match call().await {
                Err(error) if error.is_transient() => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
                done => return done,
            }
        }
    }
}
