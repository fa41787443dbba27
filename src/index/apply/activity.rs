//! Counts what partners submit and withdraw.

use super::Applier;
use crate::domain::activity::{Activity, Hour, HourlyActivity};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::index::keys::activity;

impl Applier {
    /// Adds to the numbers of a partner.
    pub(super) fn count_activity(
        &mut self,
        partner: &PartnerId,
        at: Timestamp,
        more: Activity,
    ) -> Result<()> {
        if more == Activity::default() {
            return Ok(());
        }
        let key = activity::totals(partner);
        let stored = self.read(&key)?;
        let mut totals =
            stored.map_or(Ok(Activity::default()), |bytes| Activity::decode(&bytes))?;
        totals.add(more);
        self.put(key, totals.encode());
        let hour = Hour::of(at);
        let key = activity::hour(partner, hour);
        let stored = self.read(&key)?.map(|bytes| HourlyActivity::decode(&bytes)).transpose()?;
        let mut numbers = stored
            .filter(|stored| stored.hour == hour)
            .unwrap_or(HourlyActivity { hour, activity: Activity::default() });
        numbers.activity.add(more);
        self.put(key, numbers.encode());
        Ok(())
    }
}
