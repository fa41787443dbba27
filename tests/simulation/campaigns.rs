//! Campaigns and enforcements in a running history: their steps and what partners see.

use std::collections::BTreeMap;

use tipoff::domain::campaign::Contribution;
use tipoff::domain::enforcement::{
    AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementSource,
};
use tipoff::domain::entry::RequestId;
use tipoff::domain::sharing::{Release, SharingRequest};
use tipoff::domain::submission::ItemReceipt;
use tipoff::domain::{CampaignId, PartnerId, Position, Sharing, Tlp};
use tipoff::exchange::{
    Caller, CampaignQuery, CampaignRequest, CampaignView, ContributionView, EnforcementQuery,
    EnforcementRequest, EnforcementView, Exchange, TimelineEvent, TimelineEventKind,
    TimelinePosition, TipStep,
};

use crate::campaign_ops::CampaignOp;
use crate::cast::id;
use crate::history::AudienceBits;
use crate::model::Model;
use crate::reader::refused;
use crate::run::Run;
use crate::trace::{Observed, Trace, observation};
use crate::words::{audience, item_words, sharing};

/// The created campaigns, by step, and the audiences of their contributions.
#[derive(Clone, Debug, Default)]
pub struct Campaigns {
    ids: BTreeMap<u32, CampaignId>,
    contributions: BTreeMap<CampaignId, Vec<Content>>,
}

impl Campaigns {
    /// The campaign of a step; an unknown one, if the step created none.
    pub fn id(&self, step: u32) -> CampaignId {
        let unknown = || CampaignId::from_bytes((u128::from(step) + 1).to_be_bytes());
        self.ids.get(&step).copied().unwrap_or_else(unknown)
    }

    /// The name of a campaign in a trace, independent of its id.
    pub fn name(&self, campaign: Option<CampaignId>) -> String {
        let Some(campaign) = campaign else { return String::new() };
        let step = self.ids.iter().find(|(_, id)| **id == campaign).map(|(step, _)| *step);
        format!("campaign {step:?}")
    }

    /// Whether a partner may see a campaign, computed from the contributions.
    pub fn sees(&self, model: &Model, reader: u8, campaign: CampaignId) -> bool {
        let mut contributions = self.contributions.get(&campaign).into_iter().flatten();
        contributions.any(|(author, at, sharing)| model.sees(reader, author, *at, sharing))
    }

    /// The steps that created a campaign, and its id.
    pub fn steps(&self) -> impl Iterator<Item = (u32, CampaignId)> {
        self.ids.iter().map(|(step, id)| (*step, *id))
    }
}

impl Run {
    pub fn campaign_step(&mut self, number: u32, op: &CampaignOp) {
        self.campaign_step_with_releases(number, &format!("d{number}"), op, &[]);
    }

    /// The same with releases. Returns the new versions.
    pub fn campaign_step_with_releases(
        &mut self,
        number: u32,
        key: &str,
        op: &CampaignOp,
        releases: &[Release],
    ) -> Vec<Position> {
        let sharing =
            |to: &AudienceBits| SharingRequest { releases: releases.to_vec(), ..sharing(to) };
        match op {
            CampaignOp::Create { author, to } => {
                self.put_campaign(number, key, *author, None, to, &sharing(to))
            }
            CampaignOp::Contribute { author, campaign, to } => {
                let campaign = self.world.campaigns.id(*campaign);
                self.put_campaign(number, key, *author, Some(campaign), to, &sharing(to))
            }
            CampaignOp::Enforce { author, id, count, campaign, to } => {
                let enforcement = Enforcement {
                    id: EnforcementId::from_stored(&format!("e{id}")),
                    counts: vec![EnforcementCount::new(AssetKind::Account, None, (*count).into())],
                    method: None,
                    from: None,
                    until: None,
                    campaign: campaign.map(|step| self.world.campaigns.id(step)),
                    tip: None,
                    note: None,
                    source: EnforcementSource::Own,
                };
                let answer = self.as_partner(*author, |exchange, caller| {
                    let request = EnforcementRequest {
                        request: RequestId::from_stored(key),
                        digest: [7; 32],
                        sharing: sharing(to),
                        items: vec![(0, enforcement.clone())],
                        rejected: Vec::new(),
                    };
                    async move { exchange.commands.report_enforcement(&caller, request).await }
                });
                let mut versions = Vec::new();
                let answer = answer.map(|reported| {
                    let receipts = reported.items.iter().map(|(_, receipt)| receipt);
                    versions.extend(receipts.filter_map(new_version));
                    let (text, positions) = item_words(&reported.items);
                    observation(&format!("reported {text}"), positions)
                });
                self.observe_answer(*author, answer.as_ref().map(Clone::clone));
                versions
            }
        }
    }

    /// Creates a campaign, or contributes to one. Returns the new version.
    fn put_campaign(
        &mut self,
        number: u32,
        key: &str,
        author: u8,
        campaign: Option<CampaignId>,
        to: &AudienceBits,
        sharing: &SharingRequest,
    ) -> Vec<Position> {
        let answer = self.as_partner(author, |exchange, caller| {
            let request = CampaignRequest {
                request: RequestId::from_stored(key),
                digest: [7; 32],
                campaign,
                sharing: sharing.clone(),
                contribution: Contribution::named(&format!("name {number}")),
            };
            async move { exchange.commands.put_campaign(&caller, request).await }
        });
        let mut version = None;
        if let Ok(accepted) = &answer {
            version = new_version(&accepted.receipt);
            if campaign.is_none() {
                self.world.campaigns.ids.insert(number, accepted.campaign);
            }
            let sharing =
                Sharing { tlp: Tlp::Amber, audience: audience(to).unwrap(), releases: Vec::new() };
            let contributions =
                self.world.campaigns.contributions.entry(accepted.campaign).or_default();
            contributions.push((id(author), current_version(&accepted.receipt), sharing));
        }
        let answer = answer.map(|accepted| {
            let (text, positions) = item_words(&[(0, accepted.receipt)]);
            observation(&format!("contributed {text}"), positions)
        });
        self.observe_answer(author, answer.as_ref().map(Clone::clone));
        version.into_iter().collect()
    }
}

/// The version that is current after an operation.
fn current_version(receipt: &ItemReceipt) -> Position {
    use tipoff::domain::submission::ItemReceipt::{
        Created, Recreated, Rejected, Replaced, Unchanged,
    };
    match receipt {
        Created(at)
        | Recreated { version: at, .. }
        | Replaced { version: at, .. }
        | Unchanged(at) => *at,
        Rejected(_) => panic!("a contribution is refused as a whole"),
    }
}

/// The version that an operation created.
fn new_version(receipt: &ItemReceipt) -> Option<Position> {
    match receipt {
        ItemReceipt::Created(at)
        | ItemReceipt::Recreated { version: at, .. }
        | ItemReceipt::Replaced { version: at, .. } => Some(*at),
        _ => None,
    }
}

/// A contribution as a reader sees it: its text, positions, and the content to check.
pub fn observed_contribution(
    contribution: &ContributionView,
    campaigns: &Campaigns,
) -> (Observed, Content) {
    let record = &contribution.record;
    let campaign = campaigns.name(Some(record.campaign));
    let (name, is_founder) = (&record.contribution.name, record.founded);
    let text = format!(
        "{campaign} {} names it {name} {is_founder} {:?} {}",
        record.author,
        contribution.sharing,
        contribution.replaces.is_some()
    );
    let positions = [record.position, record.first.0].into_iter().chain(contribution.replaces);
    let content = (record.author.clone(), record.position, record.sharing.clone());
    (observation(&text, positions.collect::<Vec<_>>()), content)
}

/// Author, position and sharing of an object.
pub type Content = (PartnerId, Position, Sharing);

/// An enforcement as a reader sees it.
pub fn observed_enforcement(
    enforcement: &EnforcementView,
    campaigns: &Campaigns,
) -> (Observed, Content) {
    let record = &enforcement.record;
    let text = format!(
        "{} reports enforcement {} {:?} {} {:?} {}",
        record.author,
        record.enforcement.id,
        record.enforcement.sum(),
        campaigns.name(record.enforcement.campaign),
        enforcement.sharing,
        enforcement.replaces.is_some()
    );
    let positions = std::iter::once(record.position).chain(enforcement.replaces);
    let content = (record.author.clone(), record.position, record.sharing.clone());
    (observation(&text, positions.collect::<Vec<_>>()), content)
}

/// Every query about campaigns and enforcements that a partner may make, with small pages.
pub fn queries(exchange: &Exchange, caller: &Caller, campaigns: &Campaigns, trace: &mut Trace) {
    list_campaigns(exchange, caller, campaigns, trace);
    list_enforcements(exchange, caller, campaigns, trace);
    for (step, campaign) in campaigns.steps() {
        let mut query = CampaignQuery {
            indicators: Some((9, None)),
            enforcements: Some((9, None)),
            timeline: Some((2, None)),
            clusters: true,
        };
        let mut view = match exchange.queries.campaign(caller, campaign, &query) {
            // A hidden and an unknown campaign give the same answer.
            Err(error) => {
                assert_eq!(refused(&error).text, "campaign_unknown: there is no such campaign");
                continue;
            }
            Ok(view) => view,
        };
        let mut timeline = view.timeline.take().unwrap();
        observe_campaign(step, view, campaigns, trace);
        loop {
            trace.extend(timeline.0.iter().map(observed_timeline_event));
            let Some(next) = timeline.1 else { break };
            query.timeline = Some((2, Some(next)));
            timeline =
                exchange.queries.campaign(caller, campaign, &query).unwrap().timeline.unwrap();
        }
    }
}

fn list_campaigns(exchange: &Exchange, caller: &Caller, campaigns: &Campaigns, trace: &mut Trace) {
    let mut before = None;
    loop {
        let (page, next) = exchange.queries.campaigns(caller, before, 2).unwrap();
        for listed in &page {
            let (newest, _) = observed_contribution(&listed.newest, campaigns);
            trace.push(observation(&format!("lists {}", listed.contributions), []));
            trace.push(newest);
        }
        trace.push(observation("page of campaigns", []));
        before = next;
        if next.is_none() {
            break;
        }
    }
}

fn list_enforcements(
    exchange: &Exchange,
    caller: &Caller,
    campaigns: &Campaigns,
    trace: &mut Trace,
) {
    let mut query = EnforcementQuery { limit: 2, ..EnforcementQuery::default() };
    loop {
        let (page, next) = exchange.queries.enforcements(caller, &query).unwrap();
        trace.extend(page.iter().map(|listed| observed_enforcement(listed, campaigns).0));
        trace.push(observation("page of enforcements", []));
        query.before = next;
        if next.is_none() {
            break;
        }
    }
}

/// Everything about a campaign except its timeline.
fn observe_campaign(step: u32, view: CampaignView, campaigns: &Campaigns, trace: &mut Trace) {
    trace.push(observation(&format!("campaign {step} {:?}", view.numbers), []));
    let contributions = view.contributions.iter();
    trace.extend(contributions.map(|listed| observed_contribution(listed, campaigns).0));
    for assessment in view.indicators.unwrap().0 {
        let text = format!("member {} {}", assessment.author, assessment.indicator().value());
        trace.push(observation(&text, [assessment.record.version]));
    }
    let enforcements = view.enforcements.unwrap().0;
    trace.extend(enforcements.iter().map(|listed| observed_enforcement(listed, campaigns).0));
    let clusters = view.clusters.unwrap();
    let edges = clusters.edges.iter().map(|edge| (edge.kind, &edge.author, &edge.indicators));
    trace.push(observation(&format!("{:?}", edges.collect::<Vec<_>>()), []));
}

fn observed_timeline_event(event: &TimelineEvent) -> Observed {
    let TimelinePosition { rank: sort, position, .. } = event.position;
    let text = format!("{sort} {:?}", event.author);
    match &event.kind {
        TimelineEventKind::Tip(step) => {
            let TipStep { sender, action: what, moves, sent, .. } = &**step;
            let at = [position.sequence, *sent].map(|entry| Position::new(entry, 0));
            observation(&format!("{text} {what:?} of {sender} {moves:?}"), at)
        }
        _ => observation(&text, [position]),
    }
}
