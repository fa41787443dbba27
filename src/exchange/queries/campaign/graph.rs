//! Which indicators of a campaign belong together: a graph of indicators, and of the objects that connect them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Indicator, IndicatorId, PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::exchange::queries::campaign::Member;
use crate::exchange::queries::campaign::tips::{CampaignTip, indicators_of};
use crate::exchange::visibility::ReaderView;

/// The most indicators of a graph. Together with `MAX_EDGES`, at most 2,000 objects to draw.
const MAX_INDICATORS: usize = 1_500;

/// The most edges of a graph.
const MAX_EDGES: usize = 500;

/// The most indicators of tips that one query reads.
const MAX_TIP_INDICATORS: usize = 10_000;

/// A graph of indicators. An edge connects two or more of them.
#[derive(Clone, Debug, Default)]
pub struct ClusterGraph {
    /// The indicators, with their ids.
    pub indicators: Vec<(IndicatorId, Indicator)>,
    /// The edges, oldest first.
    pub edges: Vec<Edge>,
    /// Whether indicators or edges were left out.
    pub cut: bool,
}

/// A submission, a report of sightings or a tip that connects at least two indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The kind of object that connects them.
    pub kind: EdgeKind,
    /// The author of that object.
    pub author: PartnerId,
    /// When the first of its parts was accepted.
    pub at: Timestamp,
    /// The indicators, as indexes into [`ClusterGraph::indicators`].
    pub indicators: BTreeSet<usize>,
}

/// How indicators are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// They are in one submission.
    Submission,
    /// They are in one report of sightings.
    Sightings,
    /// They are in one tip that the reader sent or received, or in responses to it that the reader may see.
    Tip,
}

/// Identifies an edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EdgeKey {
    Submission([u8; 8]),
    Sightings(u64),
    Tip(u64),
}

/// The graph of a campaign's indicators, as a reader may see it. `cut` tells whether the arguments are incomplete.
pub(in crate::exchange) fn clusters(
    reader_view: ReaderView<'_>,
    members: &[Member],
    tips: &[CampaignTip],
    mut cut: bool,
) -> Result<ClusterGraph> {
    let mut nodes = Nodes::default();
    let mut edges: BTreeMap<EdgeKey, (Position, Edge)> = BTreeMap::new();
    let mut connect = |key, position, kind, author: &PartnerId, at, node| {
        let new = || Edge { kind, author: author.clone(), at, indicators: BTreeSet::new() };
        let (first, edge) = edges.entry(key).or_insert_with(|| (position, new()));
        *first = position.min(*first);
        edge.at = edge.at.min(at);
        edge.indicators.insert(node);
    };
    for Member { assessment, submission } in members {
        let current = &assessment.record;
        let Some(node) = nodes.find_or_add(current.id, assessment.indicator()) else {
            cut = true;
            continue;
        };
        let key = EdgeKey::Submission(*submission);
        let (version, at) = (current.version, current.accepted);
        connect(key, version, EdgeKind::Submission, &assessment.author, at, node);
    }
    let mut remaining = MAX_TIP_INDICATORS;
    for campaign_tip in tips {
        // Reads one more than the limit to learn whether there are more.
        let mut indicators = indicators_of(reader_view, campaign_tip, remaining + 1)?;
        cut |= indicators.len() > remaining;
        indicators.truncate(remaining);
        remaining -= indicators.len();
        let tip = &campaign_tip.tip;
        let (key, first) = (EdgeKey::Tip(tip.sequence), Position::new(tip.sequence, 0));
        for (id, indicator) in &indicators {
            match nodes.find_or_add(*id, indicator) {
                Some(node) => {
                    connect(key, first, EdgeKind::Tip, &tip.sender, tip.accepted, node);
                }
                None => cut = true,
            }
        }
    }
    for (id, node) in &nodes.indexes {
        for sighting in reader_view.sightings(*id)? {
            let (position, record) = (sighting.position, &sighting.record);
            let key = EdgeKey::Sightings(position.sequence);
            let kind = EdgeKind::Sightings;
            connect(key, position, kind, &record.author, record.accepted, *node);
        }
    }
    let mut edges: Vec<_> =
        edges.into_values().filter(|(_, edge)| edge.indicators.len() > 1).collect();
    edges.sort_by_key(|(first, edge)| (*first, edge.kind));
    cut |= edges.len() > MAX_EDGES;
    let bonds = edges.into_iter().map(|(_, edge)| edge).take(MAX_EDGES).collect();
    Ok(ClusterGraph { indicators: nodes.indicators, edges: bonds, cut })
}

/// The indicators of a graph, each once.
#[derive(Default)]
struct Nodes {
    /// The index of each indicator in `indicators`.
    indexes: BTreeMap<IndicatorId, usize>,
    indicators: Vec<(IndicatorId, Indicator)>,
}

impl Nodes {
    /// The index of an indicator, which is added if it is new; `None` if the graph is full.
    fn find_or_add(&mut self, id: IndicatorId, indicator: &Indicator) -> Option<usize> {
        match self.indexes.entry(id) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(_) if self.indicators.len() == MAX_INDICATORS => None,
            Entry::Vacant(new) => {
                self.indicators.push((id, indicator.clone()));
                Some(*new.insert(self.indicators.len() - 1))
            }
        }
    }
}
