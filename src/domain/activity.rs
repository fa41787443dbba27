//! How much partners submit and withdraw, by the hour.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// The hours before the current one of which counts are kept: 7 days.
pub const HISTORY_HOURS: u64 = 7 * 24;

/// The fewest objects of an hour that can be unusual.
const MIN_UNUSUAL_COUNT: u64 = 1_000;

/// How many times the mean an unusual hour has.
const UNUSUAL_FACTOR: u64 = 10;

/// The shortest time over which a mean is taken, in hours: a partner's first day is compared with a whole day.
const MIN_MEAN_HOURS: u64 = 24;

/// An hour, counted from 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Hour(pub u64);

impl Hour {
    /// The hour of a time. Times before 1970 count as 1970.
    pub fn of(time: Timestamp) -> Self {
        Self(u64::try_from(time.as_millis() / HOUR_MS).unwrap_or(0))
    }

    /// When the next hour begins.
    pub fn end(self) -> Timestamp {
        let hours = i64::try_from(self.0).unwrap_or(i64::MAX);
        Timestamp::from_millis(hours.saturating_add(1).saturating_mul(HOUR_MS))
    }
}

/// Numbers of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Accepted items of submissions.
    pub submitted: u64,
    /// Assessments that the partner withdrew, by request or by the close of a list.
    pub withdrawn: u64,
}

impl Activity {
    /// Adds other numbers.
    pub fn add(&mut self, other: Self) {
        self.submitted = self.submitted.saturating_add(other.submitted);
        self.withdrawn = self.withdrawn.saturating_add(other.withdrawn);
    }
}

/// The numbers of one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourlyActivity {
    /// The hour.
    pub hour: Hour,
    /// Its numbers.
    pub activity: Activity,
}

/// A partner's current hour and the days before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentActivity {
    /// The current hour.
    pub current: Activity,
    /// The sum of the earlier hours that are kept.
    pub earlier: Activity,
    /// The number of hours since the first of the earlier ones with an object.
    pub earlier_hours: u64,
}

impl RecentActivity {
    /// Adds up the hours of a partner, in any order. Later hours than `now` do not count.
    pub fn of(hours: impl IntoIterator<Item = HourlyActivity>, now: Hour) -> Self {
        let mut recent = Self::default();
        for one in hours {
            let age = now.0.checked_sub(one.hour.0);
            match age.filter(|age| *age <= HISTORY_HOURS) {
                None => {}
                Some(0) => recent.current.add(one.activity),
                Some(age) => {
                    recent.earlier.add(one.activity);
                    recent.earlier_hours = recent.earlier_hours.max(age);
                }
            }
        }
        recent
    }

    /// The mean of the earlier hours, rounded down.
    pub fn mean(&self) -> Activity {
        let hours = self.earlier_hours.max(MIN_MEAN_HOURS);
        let Activity { submitted, withdrawn } = self.earlier;
        Activity { submitted: submitted / hours, withdrawn: withdrawn / hours }
    }

    /// Whether the partner submitted far more in the current hour than before: at least 1,000 objects and ten times the
    /// mean.
    pub fn submits_unusually_many(&self) -> bool {
        self.is_unusual(self.current.submitted, self.earlier.submitted)
    }

    /// The same for what it withdrew.
    pub fn withdraws_unusually_many(&self) -> bool {
        self.is_unusual(self.current.withdrawn, self.earlier.withdrawn)
    }

    fn is_unusual(&self, current: u64, earlier: u64) -> bool {
        let hours = self.earlier_hours.max(MIN_MEAN_HOURS);
        current >= MIN_UNUSUAL_COUNT
            && current.saturating_mul(hours) >= earlier.saturating_mul(UNUSUAL_FACTOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(numbers: &[(u64, u64)]) -> RecentActivity {
        let hour = |(hour, withdrawn): &(u64, u64)| HourlyActivity {
            hour: Hour(*hour),
            activity: Activity { submitted: 0, withdrawn: *withdrawn },
        };
        RecentActivity::of(numbers.iter().map(hour), Hour(1_000))
    }

    #[test]
    fn an_hour_ends_when_the_next_begins() {
        let time = Timestamp::from_millis(2 * HOUR_MS + 1);
        assert_eq!(Hour::of(time), Hour(2));
        assert_eq!(Hour::of(time).end(), Timestamp::from_millis(3 * HOUR_MS));
        assert_eq!(Hour::of(Timestamp::from_millis(-1)), Hour(0));
    }

    #[test]
    fn a_thousand_and_ten_times_the_mean_is_unusual() {
        assert!(!hours(&[(1_000, 999)]).withdraws_unusually_many(), "too few to matter");
        assert!(hours(&[(1_000, 1_000)]).withdraws_unusually_many(), "it never did before");
        assert!(!hours(&[(1_000, 1_000)]).submits_unusually_many());
        // 200 an hour on the day before.
        let day: Vec<_> = (976..1_000).map(|hour| (hour, 200)).collect();
        assert!(!hours(&[&day[..], &[(1_000, 1_999)]].concat()).withdraws_unusually_many());
        let unusual = hours(&[&day[..], &[(1_000, 2_000)]].concat());
        assert!(unusual.withdraws_unusually_many());
        assert_eq!(unusual.mean().withdrawn, 200);
        // An hour before the days that are kept, and one to come, do not count.
        assert!(
            hours(&[(831, 1_000_000), (1_001, 5_000), (1_000, 1_000)]).withdraws_unusually_many()
        );
        assert!(!hours(&[(832, 1_000_000), (1_000, 1_000)]).withdraws_unusually_many());
    }
}
