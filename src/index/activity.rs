//! Reads what partners submit and withdraw, and which sizes of networks there are.

use super::keys::{self, activity};
use super::{View, corrupt};
use crate::domain::PartnerId;
use crate::domain::activity::{Activity, Hour, HourlyActivity, RecentActivity};
use crate::domain::network::PrefixLength;
use crate::error::Result;

impl View<'_> {
    /// What a partner has submitted and withdrawn since it was enrolled.
    pub fn total_activity(&self, partner: &PartnerId) -> Result<Activity> {
        let stored = self.snapshot.get(&activity::totals(partner))?;
        stored.map_or(Ok(Activity::default()), |bytes| Activity::decode(&bytes))
    }

    /// What a partner has submitted and withdrawn in one of the last hours.
    pub fn activity_in(&self, partner: &PartnerId, hour: Hour) -> Result<Activity> {
        let stored = self.snapshot.get(&activity::hour(partner, hour))?;
        let stored = stored.map(|bytes| HourlyActivity::decode(&bytes)).transpose()?;
        Ok(stored.filter(|one| one.hour == hour).map(|one| one.activity).unwrap_or_default())
    }

    /// What a partner submitted and withdrew in this hour and in the days before.
    pub fn recent_activity(&self, partner: &PartnerId, now: Hour) -> Result<RecentActivity> {
        let hours = self.snapshot.scan(&activity::hours(partner));
        let hours = hours.map(|pair| HourlyActivity::decode(&pair?.1));
        Ok(RecentActivity::of(hours.collect::<Result<Vec<_>>>()?, now))
    }

    /// The sizes of all networks with a current assessment, the largest network first.
    pub fn network_lengths(&self) -> Result<Vec<PrefixLength>> {
        let found = self.snapshot.scan(keys::NETWORKS).map(|pair| {
            keys::read_networks(&pair?.0).ok_or_else(|| corrupt("a number of networks"))
        });
        found.collect()
    }
}
