//! Sums of enforcements. Each (author, id) counts once, by its newest version. Own and reported
//! enforcements are never added together.

use std::collections::{BTreeMap, BTreeSet};

use super::{AssetKind, Enforcement, EnforcementId, EnforcementMethod, EnforcementSource};
use crate::domain::{CampaignId, Day, PartnerId, Platform, Position, Timestamp};

/// An enforcement as its reader received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedEnforcement {
    /// Its author.
    pub author: PartnerId,
    /// Its version.
    pub position: Position,
    /// When the exchange accepted it.
    pub accepted: Timestamp,
    /// The enforcement.
    pub enforcement: Enforcement,
}

/// The dimensions of a total.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The campaign that it was directed against.
    pub campaign: Option<CampaignId>,
    /// The author.
    pub author: PartnerId,
    /// The platform.
    pub platform: Option<Platform>,
    /// The kind of asset.
    pub asset: AssetKind,
    /// What led to it.
    pub method: Option<EnforcementMethod>,
    /// The month of its first day, as `2019-08`.
    pub month: String,
}

/// A sum of counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The number of assets.
    pub count: u64,
    /// How many of them were already disabled.
    pub already_disabled: u64,
    /// Whether any of the numbers is an estimate.
    pub approximate: bool,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.count = self.count.saturating_add(other.count);
        self.already_disabled = self.already_disabled.saturating_add(other.already_disabled);
        self.approximate |= other.approximate;
    }
}

/// The totals of one source: own or reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTotals {
    /// The number of enforcements.
    pub enforcements: usize,
    /// The sums, by all dimensions.
    pub rows: BTreeMap<Key, Sum>,
}

/// The totals of a set of enforcements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Enforcements by partners themselves.
    pub own: SourceTotals,
    /// Enforcements by others, as partners report them.
    pub reported: SourceTotals,
    /// The first and last day of any of them.
    pub days: Option<(Day, Day)>,
}

impl SourceTotals {
    /// The sum over all rows.
    pub fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        self.rows.values().for_each(|row| sum.add(*row));
        sum
    }

    /// The sums grouped by one dimension.
    pub fn by<T: Ord>(&self, dimension: impl Fn(&Key) -> T) -> BTreeMap<T, Sum> {
        let mut sums: BTreeMap<T, Sum> = BTreeMap::new();
        for (key, sum) in &self.rows {
            sums.entry(dimension(key)).or_default().add(*sum);
        }
        sums
    }
}

/// Sums enforcements. The order does not matter, and neither do duplicates.
pub fn totals(enforcements: &[CountedEnforcement]) -> Totals {
    let mut newest: BTreeMap<(&PartnerId, &EnforcementId), &CountedEnforcement> = BTreeMap::new();
    for one in enforcements {
        let current = newest.entry((&one.author, &one.enforcement.id)).or_insert(one);
        if current.position < one.position {
            *current = one;
        }
    }
    let mut totals = Totals::default();
    let mut days = BTreeSet::new();
    for one in newest.values() {
        let (first, last) = one.enforcement.days(one.accepted);
        days.extend([first, last]);
        let part = match one.enforcement.source {
            EnforcementSource::Own => &mut totals.own,
            EnforcementSource::Reported => &mut totals.reported,
        };
        part.enforcements += 1;
        for count in &one.enforcement.counts {
            let key = Key {
                campaign: one.enforcement.campaign,
                author: one.author.clone(),
                platform: count.platform.clone(),
                asset: count.asset,
                method: one.enforcement.method,
                month: first.month(),
            };
            let (already_disabled, approximate) = (count.already_disabled, count.approximate);
            let sum = Sum { count: count.count, already_disabled, approximate };
            part.rows.entry(key).or_default().add(sum);
        }
    }
    totals.days = days.first().copied().zip(days.last().copied());
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::enforcement::EnforcementCount;

    fn given(
        author: &str,
        id: &str,
        sequence: u64,
        counts: &[(AssetKind, u64)],
    ) -> CountedEnforcement {
        let count = |(asset, count): &(AssetKind, u64)| {
            EnforcementCount::new(*asset, Some(Platform::from_stored("facebook")), *count)
        };
        CountedEnforcement {
            author: PartnerId::from_stored(author),
            position: Position::new(sequence, 0),
            accepted: Timestamp::from_millis(0),
            enforcement: Enforcement {
                id: EnforcementId::from_stored(id),
                counts: counts.iter().map(count).collect(),
                method: None,
                from: Some("2019-08-19".parse().unwrap()),
                until: Some("2019-09-02".parse().unwrap()),
                campaign: None,
                tip: None,
                note: None,
                source: EnforcementSource::Own,
            },
        }
    }

    fn sum(count: u64) -> Sum {
        Sum { count, ..Sum::default() }
    }

    #[test]
    fn each_deed_counts_once_by_its_newest_version() {
        use AssetKind::{Account, Group, Page};
        let story = [(Page, 7), (Group, 3), (Account, 5)];
        let all = [
            given("facegraph", "1", 9, &story),
            given("facegraph", "1", 4, &[(Page, 100)]),
            given("facegraph", "1", 9, &story),
            given("facegraph", "2", 5, &[(Page, 1)]),
            given("birdsite", "1", 6, &[(Page, 2)]),
        ];
        let totals = totals(&all);
        assert_eq!((totals.own.enforcements, totals.own.sum()), (3, sum(18)));
        let pages: u64 = totals.own.by(|key| key.asset)[&Page].count;
        assert_eq!(pages, 7 + 1 + 2);
        let by_partner = totals.own.by(|key| key.author.to_string());
        assert_eq!(by_partner["facegraph"], sum(16));
        assert_eq!(
            totals.own.by(|key| key.month.clone()).into_keys().collect::<Vec<_>>(),
            ["2019-08"]
        );
        let (first, last) = totals.days.unwrap();
        assert_eq!(
            (first.to_string(), last.to_string()),
            ("2019-08-19".into(), "2019-09-02".into())
        );
    }

    #[test]
    fn what_others_did_is_never_added_to_what_partners_did() {
        let own = given("facegraph", "1", 4, &[(AssetKind::Page, 7)]);
        let mut reported = given("birdsite", "1", 5, &[(AssetKind::Page, 7)]);
        reported.enforcement.source = EnforcementSource::Reported;
        reported.enforcement.counts[0].approximate = true;
        let totals = totals(&[own, reported]);
        assert_eq!(totals.own.sum(), sum(7));
        assert_eq!(totals.reported.sum(), Sum { approximate: true, ..sum(7) });
        assert_eq!((totals.own.enforcements, totals.reported.enforcements), (1, 1));
        assert_eq!(super::totals(&[]), Totals::default());
    }
}
