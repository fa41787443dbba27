//! Everything that a caller may see of one campaign, asked for and written.

use prost::Message;

use super::super::feed::events;
use super::super::tips;
use super::{pages, visible};
use crate::domain::page::page_size;
use crate::domain::{CampaignId, Invalid};
use crate::exchange::{
    AssessmentView, CampaignCounts, CampaignQuery, CampaignView, ClusterGraph, EdgeKind,
    TimelineEvent, TimelineEventKind,
};
use crate::wire::{indicator, known, pb, timestamp};

/// The most bytes of contributions in one answer.
const CONTRIBUTIONS_BYTES: usize = 2 * 1024 * 1024;

/// Reads what is asked for.
pub fn asked(request: &pb::GetCampaignRequest) -> Result<CampaignQuery, Invalid> {
    let positions = |page: &pb::CampaignPage| {
        let behind = pages::read_position(&page.page_token);
        behind.map(|behind| (page_size(page.page_size as usize), behind))
    };
    let events = |page: &pb::CampaignPage| {
        let behind = pages::read_event(&page.page_token);
        behind.map(|behind| (page_size(page.page_size as usize), behind))
    };
    Ok(CampaignQuery {
        indicators: request.indicators.as_ref().map(positions).transpose()?,
        enforcements: request.enforcements.as_ref().map(positions).transpose()?,
        timeline: request.timeline.as_ref().map(events).transpose()?,
        clusters: request.clusters,
    })
}

/// Writes what is there.
pub fn write(id: CampaignId, found: &CampaignView) -> pb::GetCampaignResponse {
    let mut bytes = 0;
    let newest_first = found.contributions.iter().rev().map(visible::contribution);
    let mut contributions: Vec<_> = newest_first
        .take_while(|one| {
            bytes += one.encoded_len();
            bytes <= CONTRIBUTIONS_BYTES
        })
        .collect();
    contributions.reverse();
    let omitted = found.contributions.len() - contributions.len();
    let indicators = found.indicators.as_ref().map(|(page, next)| pb::CampaignIndicators {
        assessments: page.iter().map(assessment).collect(),
        next_page_token: next.map(pages::position).unwrap_or_default(),
    });
    let enforcements = found.enforcements.as_ref().map(|(page, next)| pb::CampaignEnforcements {
        enforcements: page.iter().map(visible::enforcement).collect(),
        next_page_token: next.map(pages::position).unwrap_or_default(),
    });
    let timeline = found.timeline.as_ref().map(|(page, next)| pb::CampaignTimeline {
        events: page.iter().map(event).collect(),
        next_page_token: next.map(pages::event).unwrap_or_default(),
    });
    pb::GetCampaignResponse {
        id: id.to_string(),
        contributions,
        omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
        numbers: Some(numbers(&found.numbers)),
        indicators,
        enforcements,
        timeline,
        clusters: found.clusters.as_ref().map(clusters),
    }
}

fn numbers(numbers: &CampaignCounts) -> pb::CampaignNumbers {
    let totals = numbers.totals.iter().map(|total| pb::EnforcementTotal {
        source: pb::EnforcementSource::from(total.source).into(),
        platform: total.platform.as_ref().map(ToString::to_string).unwrap_or_default(),
        asset: pb::AssetKind::from(total.asset).into(),
        count: total.count,
        already_disabled: total.already_disabled,
        approximate: total.approximate,
    });
    pb::CampaignNumbers {
        indicators: numbers.indicators as u64,
        indicators_cut: numbers.indicators_cut,
        authors: u32::try_from(numbers.authors).unwrap_or(u32::MAX),
        enforcements: numbers.enforcements as u64,
        enforcements_cut: numbers.enforcements_cut,
        totals: totals.collect(),
        tips: numbers.tips as u64,
    }
}

fn assessment(sight: &AssessmentView) -> pb::VisibleAssessment {
    known::visible_assessment(&known::AssessmentRef {
        author: &sight.author,
        version: sight.record.version,
        accepted: sight.record.accepted,
        id: sight.record.id,
        assessment: &sight.record.assessment,
        view: &sight.sharing,
    })
}

fn event(happened: &TimelineEvent) -> pb::TimelineEvent {
    use pb::timeline_event::Event;
    let event = match &happened.occurrence {
        TimelineEventKind::Contributed { founds, name } => {
            Event::Contribution(pb::ContributionMade { founds: *founds, name: name.to_string() })
        }
        TimelineEventKind::Indicators { submitted, first_seen, last_seen } => {
            let (submitted, first_seen, last_seen) = (*submitted, *first_seen, *last_seen);
            Event::Indicators(pb::IndicatorsOnDay { submitted, first_seen, last_seen })
        }
        TimelineEventKind::Seen(seen) => Event::Sighting(events::sighting(seen)),
        TimelineEventKind::Done(deed) => Event::Enforcement(visible::enforcement(deed)),
        TimelineEventKind::Tip(step) => Event::Tip(tips::step(step)),
    };
    pb::TimelineEvent {
        at: Some(timestamp(happened.place.at)),
        author: happened.author.as_ref().map(ToString::to_string).unwrap_or_default(),
        event: Some(event),
    }
}

fn clusters(clusters: &ClusterGraph) -> pb::CampaignClusters {
    let indicators = clusters.indicators.iter().map(|(id, one)| indicator::write(one, *id));
    let bonds = clusters.bonds.iter().map(|bond| pb::Bond {
        kind: match bond.kind {
            EdgeKind::Submission => pb::BondKind::Submission,
            EdgeKind::Sightings => pb::BondKind::Sightings,
            EdgeKind::Tip => pb::BondKind::Tip,
        }
        .into(),
        author: bond.author.to_string(),
        at: Some(timestamp(bond.at)),
        indicators: bond.indicators.iter().filter_map(|at| u32::try_from(*at).ok()).collect(),
    });
    pb::CampaignClusters {
        indicators: indicators.collect(),
        bonds: bonds.collect(),
        cut: clusters.cut,
    }
}
