//! The limits that operators set for single partners.

use crate::domain::activity::{Activity, Hour};
use crate::domain::partner::HourlyLimits;
use crate::domain::{PartnerId, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::Core;

/// How much more a partner may do in the current hour.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    label: &'static str,
    /// What the partner does, for the error.
    action: &'static str,
    /// The number of objects in this hour.
    count: u64,
    /// `None` without a limit.
    limit: Option<u64>,
    now: Timestamp,
}

impl Allowance {
    /// The number of objects that are left in this hour; `usize::MAX` without a limit.
    pub fn remaining(&self) -> usize {
        let remaining = self.limit.map(|limit| limit.saturating_sub(self.count));
        remaining.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// When the hour ends. The next one has an allowance of its own.
    pub fn hour_end(&self) -> Timestamp {
        Hour::of(self.now).end()
    }

    /// As [`Allowance::remaining`], at least one. Fails if nothing is left.
    pub fn require(&self) -> Result<usize> {
        let remaining = self.remaining();
        if remaining > 0 {
            return Ok(remaining);
        }
        let (action, count, limit) = (self.action, self.count, self.limit.unwrap_or_default());
        let delay = self.hour_end().since(self.now);
        let minutes = delay.as_secs() / 60 + 1;
        let message = format!(
            "you have {action} {count} objects in this hour, and the operator of the exchange allows {limit}: try again \
             in {minutes} minutes"
        );
        Err(Error::new(Kind::Exhausted, self.label, message).with_retry_after(delay))
    }
}

impl Core {
    /// How many items the partner may still submit in this hour.
    pub(in crate::exchange) fn submit_allowance(&self, partner: &PartnerId) -> Result<Allowance> {
        let numbers = |done: Activity, limits: HourlyLimits| (done.submitted, limits.submitted);
        self.allowance(partner, ("submit_limit", "submitted"), numbers)
    }

    /// How many assessments the partner may still withdraw in this hour.
    pub(in crate::exchange) fn withdrawal_allowance(
        &self,
        partner: &PartnerId,
    ) -> Result<Allowance> {
        let numbers = |done: Activity, limits: HourlyLimits| (done.withdrawn, limits.withdrawn);
        self.allowance(partner, ("withdraw_limit", "withdrawn"), numbers)
    }

    /// `numbers` picks what is counted, and its limit.
    fn allowance(
        &self,
        partner: &PartnerId,
        (label, action): (&'static str, &'static str),
        numbers: impl FnOnce(Activity, HourlyLimits) -> (u64, Option<u64>),
    ) -> Result<Allowance> {
        let limits = self.registry().partner(partner).map(|known| known.limits).unwrap_or_default();
        let now = self.clock.now();
        // Most partners have no limit, and need no read.
        let done = if limits == HourlyLimits::default() {
            Activity::default()
        } else {
            self.index.read()?.activity_in(partner, Hour::of(now))?
        };
        let (count, limit) = numbers(done, limits);
        Ok(Allowance { label, action, count, limit, now })
    }
}
