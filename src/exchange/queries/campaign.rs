//! Everything that a reader may see of one campaign.

mod graph;
mod timeline;
mod tips;

use std::collections::{BTreeMap, BTreeSet};

pub use self::graph::{ClusterGraph, Edge, EdgeKind};
pub use self::timeline::{TimelineEvent, TimelineEventKind, TimelinePosition, TipStep};
use crate::domain::enforcement::{AssetKind, EnforcementSource};
use crate::domain::{CampaignId, Platform, Position};
use crate::error::Result;
use crate::exchange::core::{Caller, reader};
use crate::exchange::queries::Queries;
use crate::exchange::queries::enforcements::{
    EnforcementQuery, all_enforcements_for, enforcements_for,
};
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::{ContributionView, unknown_campaign};
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::indicator::AssessmentView;

/// The indicators of a campaign that a query reads: the oldest.
const MAX_MEMBERS: usize = 20_000;

/// The enforcements that the totals include: the newest.
const MAX_ENFORCEMENTS: usize = 10_000;

/// The parts of a campaign that a caller asks for, beside contributions and counts.
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
    /// Indicators.
    pub indicators: usize,
    /// Whether there may be more indicators.
    pub indicators_cut: bool,
    /// Partners that contribute.
    pub authors: usize,
    /// Whether there are more enforcements than were read.
    pub enforcements_cut: bool,
    /// Enforcements and reports of enforcements.
    pub enforcements: usize,
    /// Their totals.
    pub totals: Vec<EnforcementTotal>,
    /// Tips that the reader sent or received.
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
    /// How many.
    pub count: u64,
    /// How many were disabled before.
    pub already_disabled: u64,
    /// Whether a number is approximate.
    pub approximate: bool,
}

/// An assessment that names the campaign, as a reader may see it.
#[derive(Debug)]
pub(in crate::exchange) struct Member {
    /// The assessment.
    pub sight: AssessmentView,
    /// A tag that identifies its submission.
    pub submission: [u8; 8],
}

impl Queries {
    /// A campaign as the caller may see it; an error if it sees none of it.
    pub fn campaign(
        &self,
        caller: &Caller,
        campaign: CampaignId,
        asked: &CampaignQuery,
    ) -> Result<CampaignView> {
        let view = self.core.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let seen = ReaderView::new(&view, &reader, self.core.clock.now());
        let contributions = seen.contributions(campaign)?;
        if contributions.is_empty() {
            return Err(unknown_campaign());
        }
        let (members, cut) = members(seen, campaign)?;
        let query = EnforcementQuery {
            campaign: Some(campaign),
            most: MAX_ENFORCEMENTS,
            ..EnforcementQuery::default()
        };
        let (deeds, deeds_cut) = all_enforcements_for(seen, &query)?;
        let (tips, tips_cut) = tips::tips_in(seen, campaign)?;
        let cuts = [cut, deeds_cut];
        let numbers =
            CampaignCounts { tips: tips.len(), ..numbers(&contributions, &members, cuts, &deeds) };
        let (parts, parts_cut) = if asked.timeline.is_some() || asked.clusters {
            tips::parts_of(seen, &tips)?
        } else {
            (Vec::new(), false)
        };
        let timeline = match asked.timeline {
            None => None,
            Some((most, behind)) => {
                let events =
                    timeline::timeline_events(seen, &contributions, &members, &deeds, &parts)?;
                Some(timeline::page(events, behind, most))
            }
        };
        let cut = cut || tips_cut || parts_cut;
        let clusters =
            if asked.clusters { Some(graph::clusters(seen, &members, &parts, cut)?) } else { None };
        let enforcements = match asked.enforcements {
            None => None,
            Some((most, before)) => {
                let query = EnforcementQuery { before, most, ..query };
                Some(enforcements_for(seen, &query)?)
            }
        };
        let indicators = asked.indicators.map(|(most, behind)| page(members, behind, most));
        Ok(CampaignView { contributions, numbers, indicators, enforcements, timeline, clusters })
    }
}

/// The current assessments that name a campaign and that the reader sees, oldest first, and whether there are more.
fn members(seen: ReaderView<'_>, campaign: CampaignId) -> Result<(Vec<Member>, bool)> {
    let mut members: Vec<Member> = Vec::new();
    for named in seen.view.campaign_versions(campaign, 0) {
        let (sequence, named) = named?;
        let (author, audience) = (&named.entry_versions.author, named.entry_versions.audience);
        let closed = seen.view.closed_items(sequence)?;
        let is_closed = |index: u32| closed.as_ref().is_some_and(|all| all.contains(&index));
        for (index, id) in &named.entry_versions.versions {
            if is_closed(*index) {
                continue;
            }
            let version = Position::new(sequence, *index);
            let current = seen.view.current(*id, author, audience)?;
            let Some(mut current) = current.filter(|current| current.version == version) else {
                continue;
            };
            // All versions of an entry have the same sharing: if one is hidden, all are.
            if !seen.may_see(&current.sharing, author, version) {
                break;
            }
            if members.len() == MAX_MEMBERS {
                return Ok((members, true));
            }
            if seen.reader.id != *author {
                current.assessment.raw = None;
            }
            let view = current.sharing.view_for(seen.reader, author, version);
            let sight = AssessmentView { author: author.clone(), record: current, sharing: view };
            members.push(Member { sight, submission: named.submission });
        }
    }
    Ok((members, false))
}

fn numbers(
    contributions: &[ContributionView],
    members: &[Member],
    [indicators_cut, enforcements_cut]: [bool; 2],
    deeds: &[EnforcementView],
) -> CampaignCounts {
    let indicators: BTreeSet<_> = members.iter().map(|member| member.sight.record.id).collect();
    let authors: BTreeSet<_> = contributions.iter().map(|one| &one.record.author).collect();
    let mut totals: BTreeMap<_, EnforcementTotal> = BTreeMap::new();
    for deed in deeds.iter().map(|deed| &deed.record.enforcement) {
        for one in &deed.counts {
            let (source, platform, asset) = (deed.source, one.platform.clone(), one.asset);
            let key = (source, platform.clone(), asset);
            let total = totals.entry(key).or_insert(EnforcementTotal {
                source,
                platform,
                asset,
                count: 0,
                already_disabled: 0,
                approximate: false,
            });
            total.count = total.count.saturating_add(one.count);
            total.already_disabled = total.already_disabled.saturating_add(one.already_disabled);
            total.approximate |= one.approximate;
        }
    }
    CampaignCounts {
        indicators: indicators.len(),
        indicators_cut,
        authors: authors.len(),
        enforcements: deeds.len(),
        enforcements_cut,
        totals: totals.into_values().collect(),
        tips: 0,
    }
}

pub(in crate::exchange) fn page(
    members: Vec<Member>,
    behind: Option<Position>,
    most: usize,
) -> (Vec<AssessmentView>, Option<Position>) {
    let is_behind = |member: &Member| behind.is_none_or(|b| member.sight.record.version > b);
    let mut rest = members.into_iter().filter(is_behind).map(|member| member.sight).peekable();
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let last = page.last().map(|sight| sight.record.version);
    (page, last.filter(|_| rest.peek().is_some()))
}
