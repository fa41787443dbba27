//! Converts the request for one campaign and its response.

use prost::Message;

use super::super::feed::events;
use super::super::tips;
use super::{pages, visible};
use crate::domain::page::page_size;
use crate::domain::{CampaignId, Invalid};
use crate::exchange::{
    CampaignCounts, CampaignQuery, CampaignView, ClusterGraph, EdgeKind, TimelineEvent,
    TimelineEventKind,
};
use crate::wire::{indicator, pb, timestamp};

/// Maximum size of the contributions in one response, in bytes. The oldest are left out.
const MAX_CONTRIBUTIONS_BYTES: usize = 2 * 1024 * 1024;

/// Parses which parts of the campaign a caller requests.
pub fn read_query(request: &pb::GetCampaignRequest) -> Result<CampaignQuery, Invalid> {
    let positions = |page: &pb::CampaignPage| {
        let after = pages::read_position(&page.page_token);
        after.map(|after| (page_size(page.page_size as usize), after))
    };
    let events = |page: &pb::CampaignPage| {
        let after = pages::read_event(&page.page_token);
        after.map(|after| (page_size(page.page_size as usize), after))
    };
    Ok(CampaignQuery {
        indicators: request.indicators.as_ref().map(positions).transpose()?,
        enforcements: request.enforcements.as_ref().map(positions).transpose()?,
        timeline: request.timeline.as_ref().map(events).transpose()?,
        clusters: request.clusters,
    })
}

/// Converts a campaign as the caller may see it.
pub fn write(id: CampaignId, view: &CampaignView) -> pb::GetCampaignResponse {
    let mut bytes = 0;
    let newest_first = view.contributions.iter().rev().map(visible::contribution);
    let mut contributions: Vec<_> = newest_first
        .take_while(|contribution| {
            bytes += contribution.encoded_len();
            bytes <= MAX_CONTRIBUTIONS_BYTES
        })
        .collect();
    contributions.reverse();
    let omitted = view.contributions.len() - contributions.len();
    let indicators = view.indicators.as_ref().map(|(page, next)| pb::CampaignIndicators {
        assessments: page.iter().map(visible::assessment).collect(),
        next_page_token: next.map(pages::position).unwrap_or_default(),
    });
    let enforcements = view.enforcements.as_ref().map(|(page, next)| pb::CampaignEnforcements {
        enforcements: page.iter().map(visible::enforcement).collect(),
        next_page_token: next.map(pages::position).unwrap_or_default(),
    });
    let timeline = view.timeline.as_ref().map(|(page, next)| pb::CampaignTimeline {
        events: page.iter().map(event).collect(),
        next_page_token: next.map(pages::event).unwrap_or_default(),
    });
    pb::GetCampaignResponse {
        id: id.to_string(),
        contributions,
        omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
        numbers: Some(numbers(&view.numbers)),
        indicators,
        enforcements,
        timeline,
        clusters: view.clusters.as_ref().map(clusters),
    }
}

fn numbers(counts: &CampaignCounts) -> pb::CampaignNumbers {
    let totals = counts.totals.iter().map(|total| pb::EnforcementTotal {
        source: pb::EnforcementSource::from(total.source).into(),
        platform: total.platform.as_ref().map(ToString::to_string).unwrap_or_default(),
        asset: pb::AssetKind::from(total.asset).into(),
        count: total.count,
        already_disabled: total.already_disabled,
        approximate: total.approximate,
    });
    pb::CampaignNumbers {
        indicators: counts.indicators as u64,
        indicators_cut: counts.indicators_cut,
        authors: u32::try_from(counts.authors).unwrap_or(u32::MAX),
        enforcements: counts.enforcements as u64,
        enforcements_cut: counts.enforcements_cut,
        totals: totals.collect(),
        tips: counts.tips as u64,
    }
}

fn event(event: &TimelineEvent) -> pb::TimelineEvent {
    use pb::timeline_event::Event;
    let kind = match &event.kind {
        TimelineEventKind::Contribution { founds, name } => {
            Event::Contribution(pb::ContributionMade { founds: *founds, name: name.to_string() })
        }
        TimelineEventKind::Indicators { submitted, first_seen, last_seen } => {
            let (submitted, first_seen, last_seen) = (*submitted, *first_seen, *last_seen);
            Event::Indicators(pb::IndicatorsOnDay { submitted, first_seen, last_seen })
        }
        TimelineEventKind::Sighting(sighting) => Event::Sighting(events::sighting(sighting)),
        TimelineEventKind::Enforcement(enforcement) => {
            Event::Enforcement(visible::enforcement(enforcement))
        }
        TimelineEventKind::Tip(step) => Event::Tip(tips::step(step)),
    };
    pb::TimelineEvent {
        at: Some(timestamp(event.position.at)),
        author: event.author.as_ref().map(ToString::to_string).unwrap_or_default(),
        event: Some(kind),
    }
}

fn clusters(graph: &ClusterGraph) -> pb::CampaignClusters {
    let indicators = graph.indicators.iter().map(|(id, content)| indicator::write(content, *id));
    let edges = graph.edges.iter().map(|edge| pb::Bond {
        kind: match edge.kind {
            EdgeKind::Submission => pb::BondKind::Submission,
            EdgeKind::Sightings => pb::BondKind::Sightings,
            EdgeKind::Tip => pb::BondKind::Tip,
        }
        .into(),
        author: edge.author.to_string(),
        at: Some(timestamp(edge.at)),
        indicators: edge.indicators.iter().filter_map(|index| u32::try_from(*index).ok()).collect(),
    });
    pb::CampaignClusters {
        indicators: indicators.collect(),
        bonds: edges.collect(),
        cut: graph.cut,
    }
}
