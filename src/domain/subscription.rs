//! Durable subscriptions: named cursors, each with a fixed filter.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use super::filter::Filter;
use super::invalid::Invalid;
use super::name::NameRule;
use super::{Cursor, PartnerId, Timestamp};

/// A subscription with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its owner.
    pub partner: PartnerId,
    /// Its name, unique per partner.
    pub name: SubscriptionName,
    /// Its filter. Never changes.
    pub filter: Filter,
    /// The acknowledged position.
    pub cursor: Cursor,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last acknowledged; `None` if never.
    pub acknowledged: Option<Timestamp>,
}

const RULE: NameRule = NameRule { field: "name", max_length: 64, punctuation: "._-" };

/// A subscription's name, chosen by its partner and scoped to it: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionName(Box<str>);

impl SubscriptionName {
    /// Validates a name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        RULE.parse(text).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SubscriptionName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Borrow<str> for SubscriptionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Sorts and deduplicates every list of a filter, so that equivalent filters compare equal.
#[must_use]
pub fn normalized(filter: Filter) -> Filter {
    fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
        list.sort_unstable();
        list.dedup();
        list
    }
    let Filter {
        kinds,
        platforms,
        labels,
        groups,
        authors,
        min_confidence,
        campaigns,
        verdicts,
        involvements,
    } = filter;
    Filter {
        kinds: sorted(kinds),
        platforms: sorted(platforms),
        labels: sorted(labels),
        groups: sorted(groups),
        authors: sorted(authors),
        min_confidence,
        campaigns: sorted(campaigns),
        verdicts: sorted(verdicts),
        involvements: sorted(involvements),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, PartnerId};

    #[test]
    fn a_name_is_one_to_sixty_four_letters_digits_dots_underscores_and_hyphens() {
        for good in ["a", "Main.feed_2-x", "-", &"a".repeat(64)] {
            assert_eq!(SubscriptionName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "a:b", "é", "a\0", &"a".repeat(65)] {
            assert_eq!(SubscriptionName::parse(bad).unwrap_err().field, "name", "{bad}");
        }
    }

    #[test]
    fn filters_that_ask_for_the_same_values_are_equal_in_order() {
        let authors = |ids: &[&str]| ids.iter().map(|id| PartnerId::from_stored(id)).collect();
        let one = Filter {
            kinds: vec![Kind::Url, Kind::Domain, Kind::Url],
            authors: authors(&["facegraph", "birdsite"]),
            ..Filter::default()
        };
        let other = Filter {
            kinds: vec![Kind::Domain, Kind::Url],
            authors: authors(&["birdsite", "facegraph", "birdsite"]),
            ..Filter::default()
        };
        assert_ne!(one, other);
        assert_eq!(normalized(one.clone()), normalized(other));
        assert_ne!(normalized(one), normalized(Filter::default()));
    }
}
