//! One campaign, as a reader may see it.

mod graph;
mod timeline;
mod tips;

use std::collections::{BTreeMap, BTreeSet};

pub use self::graph::{ClusterGraph, Edge, EdgeKind};
pub use self::timeline::{TimelineEvent, TimelineEventKind, TimelinePosition, TipStep};
use crate::domain::enforcement::{AssetKind, EnforcementSource};
use crate::domain::{CampaignId, Platform, Position};
use crate::error::Result;
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::queries::Queries;
use crate::exchange::queries::enforcements::{
    EnforcementQuery, all_enforcements_for, enforcements_for,
};
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::{ContributionView, unknown_campaign};
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::indicator::AssessmentView;

/// The most assessments of a campaign that a query reads: the oldest.
const MAX_MEMBERS: usize = 20_000;

/// The most enforcements that the counts include: the newest.
const MAX_ENFORCEMENTS: usize = 10_000;

/// The optional parts of an answer. Contributions and counts are always included.
#[derive(Clone, Debug, Default)]
pub struct CampaignQuery {
    /// A page of indicators: the limit, and the version to start after.
    pub indicators: Option<(usize, Option<Position>)>,
    /// A page of enforcements: the limit, and the version to start after.
    pub enforcements: Option<(usize, Option<Position>)>,
    /// A page of the timeline: the limit, and the position to start after.
    pub timeline: Option<(usize, Option<TimelinePosition>)>,
    /// The graph of its indicators.
    pub clusters: bool,
}

/// A campaign as the caller may see it, with the parts that it asked for. Each page has the position after which the
/// next one starts.
#[derive(Debug)]
pub struct CampaignView {
    /// The contributions, oldest first.
    pub contributions: Vec<ContributionView>,
    /// The counts.
    pub numbers: CampaignCounts,
    /// A page of its indicators.
    pub indicators: Option<(Vec<AssessmentView>, Option<Position>)>,
    /// A page of the enforcements.
    pub enforcements: Option<(Vec<EnforcementView>, Option<Position>)>,
    /// A page of the timeline.
    pub timeline: Option<(Vec<TimelineEvent>, Option<TimelinePosition>)>,
    /// The graph of its indicators.
    pub clusters: Option<ClusterGraph>,
}

/// Counts of a campaign for one reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignCounts {
    /// The number of indicators.
    pub indicators: usize,
    /// Whether the campaign has more indicators than were read.
    pub indicators_cut: bool,
    /// The number of partners with a contribution.
    pub authors: usize,
    /// Whether there are more enforcements than were read.
    pub enforcements_cut: bool,
    /// The number of enforcements.
    pub enforcements: usize,
    /// Totals of the enforcements.
    pub totals: Vec<EnforcementTotal>,
    /// The number of tips that the reader sent or received.
    pub tips: usize,
}

/// A total of enforcements, by source, platform and kind of asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementTotal {
    /// The source.
    pub source: EnforcementSource,
    /// The platform.
    pub platform: Option<Platform>,
    /// The kind of asset.
    pub asset: AssetKind,
    /// The number of assets.
    pub count: u64,
    /// How many of them were already disabled.
    pub already_disabled: u64,
    /// Whether one of the added counts is approximate.
    pub approximate: bool,
}

/// An assessment that names the campaign, as a reader may see it.
#[derive(Debug)]
pub(in crate::exchange) struct Member {
    /// The assessment.
    pub assessment: AssessmentView,
    /// Identifies its submission.
    pub submission: [u8; 8],
}

impl Queries {
    /// A campaign as the caller may see it; an error if the caller sees no contribution to it.
    pub fn campaign(
        &self,
        caller: &Caller,
        campaign: CampaignId,
        query: &CampaignQuery,
    ) -> Result<CampaignView> {
        let view = self.core.index.read()?;
        let reader = rights_of(view.registry(), caller.partner())?;
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        let contributions = reader_view.contributions(campaign)?;
        if contributions.is_empty() {
            return Err(unknown_campaign());
        }
        let (members, members_cut) = members(reader_view, campaign)?;
        let enforcement_query = EnforcementQuery {
            campaign: Some(campaign),
            limit: MAX_ENFORCEMENTS,
            ..EnforcementQuery::default()
        };
        let (all_enforcements, enforcements_cut) =
            all_enforcements_for(reader_view, &enforcement_query)?;
        let (tips, tips_cut) = tips::campaign_tips(reader_view, campaign)?;
        let numbers = CampaignCounts {
            indicators_cut: members_cut,
            enforcements_cut,
            tips: tips.len(),
            ..count(&contributions, &members, &all_enforcements)
        };
        let (tips, entries_cut) = if query.timeline.is_some() || query.clusters {
            tips::with_entries(reader_view, &tips)?
        } else {
            (Vec::new(), false)
        };
        let timeline = match query.timeline {
            None => None,
            Some((limit, after)) => {
                let events = timeline::timeline_events(
                    reader_view,
                    &contributions,
                    &members,
                    &all_enforcements,
                    &tips,
                )?;
                Some(timeline::page(events, after, limit))
            }
        };
        let clusters = if query.clusters {
            let cut = members_cut || tips_cut || entries_cut;
            Some(graph::clusters(reader_view, &members, &tips, cut)?)
        } else {
            None
        };
        let enforcements = match query.enforcements {
            None => None,
            Some((limit, before)) => {
                let page_query = EnforcementQuery { before, limit, ..enforcement_query };
                Some(enforcements_for(reader_view, &page_query)?)
            }
        };
        let indicators = query.indicators.map(|(limit, after)| page(members, after, limit));
        Ok(CampaignView { contributions, numbers, indicators, enforcements, timeline, clusters })
    }
}

/// The current assessments that name a campaign and that the reader sees, oldest first, and whether there are more.
fn members(reader_view: ReaderView<'_>, campaign: CampaignId) -> Result<(Vec<Member>, bool)> {
    let mut members: Vec<Member> = Vec::new();
    for found in reader_view.view.campaign_versions(campaign, 0) {
        let (sequence, batch) = found?;
        let (author, audience) = (&batch.entry_versions.author, batch.entry_versions.audience);
        let closed = reader_view.view.closed_items(sequence)?;
        let is_closed = |index: u32| closed.as_ref().is_some_and(|all| all.contains(&index));
        for (index, id) in &batch.entry_versions.versions {
            if is_closed(*index) {
                continue;
            }
            let version = Position::new(sequence, *index);
            let current = reader_view.view.current(*id, author, audience)?;
            let Some(mut current) = current.filter(|current| current.version == version) else {
                continue;
            };
            // All versions of an entry have the same sharing: if one is hidden, all are.
            if !reader_view.may_see(&current.sharing, author, version) {
                break;
            }
            if members.len() == MAX_MEMBERS {
                return Ok((members, true));
            }
            if reader_view.reader.id != *author {
                current.assessment.raw = None;
            }
            let view = current.sharing.view_for(reader_view.reader, author, version);
            let assessment =
                AssessmentView { author: author.clone(), record: current, sharing: view };
            members.push(Member { assessment, submission: batch.submission });
        }
    }
    Ok((members, false))
}

/// Counts all but the tips.
fn count(
    contributions: &[ContributionView],
    members: &[Member],
    enforcements: &[EnforcementView],
) -> CampaignCounts {
    let indicators: BTreeSet<_> =
        members.iter().map(|member| member.assessment.record.id).collect();
    let authors: BTreeSet<_> =
        contributions.iter().map(|contribution| &contribution.record.author).collect();
    let mut totals: BTreeMap<_, EnforcementTotal> = BTreeMap::new();
    for enforcement in enforcements.iter().map(|view| &view.record.enforcement) {
        for count in &enforcement.counts {
            let (source, platform, asset) =
                (enforcement.source, count.platform.clone(), count.asset);
            let key = (source, platform.clone(), asset);
            let total = totals.entry(key).or_insert(EnforcementTotal {
                source,
                platform,
                asset,
                count: 0,
                already_disabled: 0,
                approximate: false,
            });
            total.count = total.count.saturating_add(count.count);
            total.already_disabled = total.already_disabled.saturating_add(count.already_disabled);
            total.approximate |= count.approximate;
        }
    }
    CampaignCounts {
        indicators: indicators.len(),
        authors: authors.len(),
        enforcements: enforcements.len(),
        totals: totals.into_values().collect(),
        ..CampaignCounts::default()
    }
}

/// A page of assessments after a version, and the version of its last one if there are more.
fn page(
    members: Vec<Member>,
    after: Option<Position>,
    limit: usize,
) -> (Vec<AssessmentView>, Option<Position>) {
    let assessments = members.into_iter().map(|member| member.assessment);
    let is_after = |view: &AssessmentView| after.is_none_or(|after| view.record.version > after);
    let mut rest = assessments.filter(is_after).peekable();
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let last = page.last().map(|view| view.record.version);
    (page, last.filter(|_| rest.peek().is_some()))
}
