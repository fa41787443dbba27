//! Which indicators of a campaign belong together: a graph of indicators and what binds them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Indicator, IndicatorId, PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::exchange::queries::campaign::Member;
use crate::exchange::queries::campaign::tips::{CampaignTip, indicators_of};
use crate::exchange::visibility::ReaderView;

/// The most indicators of a graph, and the most bonds: together 2,000 nodes.
const MOST: (usize, usize) = (1_500, 500);

/// The most indicators of tips that are looked at.
const MAX_TIP_INDICATORS: usize = 10_000;

/// A graph of two sorts of nodes: indicators, and what binds them.
#[derive(Clone, Debug, Default)]
pub struct ClusterGraph {
    /// The indicators, by id.
    pub indicators: Vec<(IndicatorId, Indicator)>,
    /// What binds them, the oldest first.
    pub bonds: Vec<Edge>,
    /// Whether there is more.
    pub cut: bool,
}

/// Something that binds indicators: at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What.
    pub kind: EdgeKind,
    /// Whose.
    pub author: PartnerId,
    /// When it was first there.
    pub at: Timestamp,
    /// The indicators, by their place in the graph.
    pub indicators: BTreeSet<usize>,
}

/// What binds indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// They came with one submission.
    Submission,
    /// They were reported as seen together.
    Sightings,
    /// They came in one tip of the reader's, or with an answer to it that the reader may see.
    Tip,
}

/// What tells bonds apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EdgeKey {
    Submission([u8; 8]),
    Sightings(u64),
    Tip(u64),
}

/// The graph of a campaign's indicators, by what a reader may see.
pub(in crate::exchange) fn clusters(
    seen: ReaderView<'_>,
    members: &[Member],
    tips: &[CampaignTip],
    mut cut: bool,
) -> Result<ClusterGraph> {
    let mut nodes = Nodes::default();
    let mut bonds: BTreeMap<EdgeKey, (Position, Edge)> = BTreeMap::new();
    let mut bind = |key, position, kind, author: &PartnerId, at, place| {
        let bond = || Edge { kind, author: author.clone(), at, indicators: BTreeSet::new() };
        let (first, bond) = bonds.entry(key).or_insert_with(|| (position, bond()));
        *first = position.min(*first);
        bond.at = bond.at.min(at);
        bond.indicators.insert(place);
    };
    for Member { sight, submission } in members {
        let current = &sight.record;
        let Some(place) = nodes.place(current.id, sight.indicator()) else {
            cut = true;
            continue;
        };
        let key = EdgeKey::Submission(*submission);
        let (version, at) = (current.version, current.accepted);
        bind(key, version, EdgeKind::Submission, &sight.author, at, place);
    }
    let mut left = MAX_TIP_INDICATORS;
    for part in tips {
        // One more than there may be tells that there are more.
        let mut found = indicators_of(seen, part, left + 1)?;
        cut |= found.len() > left;
        found.truncate(left);
        left -= found.len();
        let tip = &part.tip;
        let (key, first) = (EdgeKey::Tip(tip.sequence), Position::new(tip.sequence, 0));
        for (id, indicator) in &found {
            match nodes.place(*id, indicator) {
                Some(place) => {
                    bind(key, first, EdgeKind::Tip, &tip.sender, tip.accepted, place);
                }
                None => cut = true,
            }
        }
    }
    for (id, place) in &nodes.places {
        for sighting in seen.sightings(*id)? {
            let (key, kept) = (EdgeKey::Sightings(sighting.position.sequence), &sighting.record);
            let kind = EdgeKind::Sightings;
            bind(key, sighting.position, kind, &kept.author, kept.accepted, *place);
        }
    }
    let mut bonds: Vec<_> =
        bonds.into_values().filter(|(_, bond)| bond.indicators.len() > 1).collect();
    bonds.sort_by_key(|(first, bond)| (*first, bond.kind));
    cut |= bonds.len() > MOST.1;
    let bonds = bonds.into_iter().map(|(_, bond)| bond).take(MOST.1).collect();
    Ok(ClusterGraph { indicators: nodes.indicators, bonds, cut })
}

/// The indicators of a graph, each once.
#[derive(Default)]
struct Nodes {
    places: BTreeMap<IndicatorId, usize>,
    indicators: Vec<(IndicatorId, Indicator)>,
}

impl Nodes {
    /// The place of an indicator; `None` where there is no room for another.
    fn place(&mut self, id: IndicatorId, indicator: &Indicator) -> Option<usize> {
        match self.places.entry(id) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(_) if self.indicators.len() == MOST.0 => None,
            Entry::Vacant(new) => {
                self.indicators.push((id, indicator.clone()));
                Some(*new.insert(self.indicators.len() - 1))
            }
        }
    }
}
