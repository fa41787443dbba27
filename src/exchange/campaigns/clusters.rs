//! Which indicators of a campaign belong together: a graph of indicators and what binds them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::known::Member;
use crate::domain::sharing::Reader;
use crate::domain::{Indicator, IndicatorId, PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::exchange::Exchange;

/// The most indicators of a graph, and the most bonds: together 2,000 nodes.
const MOST: (usize, usize) = (1_500, 500);

/// A graph of two sorts of nodes: indicators, and what binds them.
#[derive(Clone, Debug, Default)]
pub struct Clusters {
    /// The indicators, by id.
    pub indicators: Vec<(IndicatorId, Indicator)>,
    /// What binds them, the oldest first.
    pub bonds: Vec<Bond>,
    /// Whether there is more.
    pub cut: bool,
}

/// Something that binds indicators: at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bond {
    /// What.
    pub kind: BondKind,
    /// Whose.
    pub author: PartnerId,
    /// When it was first there.
    pub at: Timestamp,
    /// The indicators, by their place in the graph.
    pub indicators: BTreeSet<usize>,
}

/// What binds indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BondKind {
    /// They came with one submission.
    Submission,
    /// They were reported as seen together.
    Sightings,
}

/// What tells bonds apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Submission([u8; 8]),
    Sightings(u64),
}

impl Exchange {
    /// The graph of a campaign's indicators, by what a reader may see.
    pub(super) fn clusters(
        &self,
        reader: &Reader,
        members: &[Member],
        mut cut: bool,
    ) -> Result<Clusters> {
        let mut places: BTreeMap<IndicatorId, usize> = BTreeMap::new();
        let mut indicators = Vec::new();
        let mut bonds: BTreeMap<Key, (Position, Bond)> = BTreeMap::new();
        let mut bind = |key, position, kind, author: &PartnerId, at, place| {
            let bond = || Bond { kind, author: author.clone(), at, indicators: BTreeSet::new() };
            let (first, bond) = bonds.entry(key).or_insert_with(|| (position, bond()));
            *first = position.min(*first);
            bond.at = bond.at.min(at);
            bond.indicators.insert(place);
        };
        for Member { sight, submission } in members {
            let current = &sight.current;
            let place = match places.entry(current.id) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(_) if indicators.len() == MOST.0 => {
                    cut = true;
                    continue;
                }
                Entry::Vacant(new) => {
                    indicators.push((current.id, sight.indicator().clone()));
                    *new.insert(indicators.len() - 1)
                }
            };
            let key = Key::Submission(*submission);
            let (version, at) = (current.version, current.accepted);
            bind(key, version, BondKind::Submission, &sight.author, at, place);
        }
        for (id, place) in &places {
            for seen in self.seen_of(reader, *id)? {
                let (key, kept) = (Key::Sightings(seen.position.sequence), &seen.kept);
                let kind = BondKind::Sightings;
                bind(key, seen.position, kind, &kept.author, kept.accepted, *place);
            }
        }
        let mut bonds: Vec<_> =
            bonds.into_values().filter(|(_, bond)| bond.indicators.len() > 1).collect();
        bonds.sort_by_key(|(first, bond)| (*first, bond.kind));
        cut |= bonds.len() > MOST.1;
        let bonds = bonds.into_iter().map(|(_, bond)| bond).take(MOST.1).collect();
        Ok(Clusters { indicators, bonds, cut })
    }
}
