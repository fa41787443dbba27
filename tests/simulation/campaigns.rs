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
    Caller, CampaignQuery, CampaignRequest, ContributionView, EnforcementQuery, EnforcementRequest,
    EnforcementView as Done, Exchange, TimelineEventKind, TimelinePosition, TipStep,
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
    said: BTreeMap<CampaignId, Vec<(PartnerId, Position, Sharing)>>,
}

impl Campaigns {
    /// The campaign of a step; an unknown one, if the step created none.
    pub fn id(&self, step: u32) -> CampaignId {
        let stand_in = || CampaignId::from_bytes((u128::from(step) + 1).to_be_bytes());
        self.ids.get(&step).copied().unwrap_or_else(stand_in)
    }

    /// The name of a campaign in a trace, independent of its id.
    pub fn name(&self, campaign: Option<CampaignId>) -> String {
        let Some(campaign) = campaign else { return String::new() };
        let step = self.ids.iter().find(|(_, id)| **id == campaign).map(|(step, _)| *step);
        format!("campaign {step:?}")
    }

    /// Whether a partner may see a campaign, computed from the contributions.
    pub fn sees(&self, model: &Model, reader: u8, campaign: CampaignId) -> bool {
        let mut contributions = self.said.get(&campaign).into_iter().flatten();
        contributions.any(|(author, at, sharing)| model.sees(reader, author, *at, sharing))
    }

    pub fn steps(&self) -> impl Iterator<Item = (u32, CampaignId)> {
        self.ids.iter().map(|(step, id)| (*step, *id))
    }
}

impl Run {
    pub fn deed(&mut self, number: u32, deed: &CampaignOp) {
        self.deed_released(number, &format!("d{number}"), deed, &[]);
    }

    /// The same with releases. Returns the new versions.
    pub fn deed_released(
        &mut self,
        number: u32,
        key: &str,
        deed: &CampaignOp,
        releases: &[Release],
    ) -> Vec<Position> {
        let sharing =
            |to: &AudienceBits| SharingRequest { releases: releases.to_vec(), ..sharing(to) };
        match deed {
            CampaignOp::Found { author, to } => {
                self.say(number, key, *author, None, to, &sharing(to))
            }
            CampaignOp::Say { author, of, to } => {
                let of = self.world.campaigns.id(*of);
                self.say(number, key, *author, Some(of), to, &sharing(to))
            }
            CampaignOp::Enforce { author, id, count, of, to } => {
                let enforcement = Enforcement {
                    id: EnforcementId::from_stored(&format!("e{id}")),
                    counts: vec![EnforcementCount::new(AssetKind::Account, None, (*count).into())],
                    method: None,
                    from: None,
                    until: None,
                    campaign: of.map(|of| self.world.campaigns.id(of)),
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
                let mut made = Vec::new();
                let answer = answer.map(|reported| {
                    made.extend(reported.items.iter().filter_map(|(_, receipt)| made_by(receipt)));
                    let (text, positions) = item_words(&reported.items);
                    observation(&format!("reported {text}"), positions)
                });
                self.answered(*author, answer.as_ref().map(Clone::clone));
                made
            }
        }
    }

    fn say(
        &mut self,
        number: u32,
        key: &str,
        author: u8,
        of: Option<CampaignId>,
        to: &AudienceBits,
        sharing: &SharingRequest,
    ) -> Vec<Position> {
        let answer = self.as_partner(author, |exchange, caller| {
            let request = CampaignRequest {
                request: RequestId::from_stored(key),
                digest: [7; 32],
                campaign: of,
                sharing: sharing.clone(),
                contribution: Contribution::named(&format!("name {number}")),
            };
            async move { exchange.commands.put_campaign(&caller, request).await }
        });
        let mut made = None;
        if let Ok(taken) = &answer {
            made = made_by(&taken.receipt);
            if of.is_none() {
                self.world.campaigns.ids.insert(number, taken.campaign);
            }
            let sharing =
                Sharing { tlp: Tlp::Amber, audience: audience(to).unwrap(), releases: Vec::new() };
            let contributions = self.world.campaigns.said.entry(taken.campaign).or_default();
            contributions.push((id(author), taken_at(taken), sharing));
        }
        let answer = answer.map(|taken| {
            let (text, positions) = item_words(&[(0, taken.receipt)]);
            observation(&format!("said {text}"), positions)
        });
        self.answered(author, answer.as_ref().map(Clone::clone));
        made.into_iter().collect()
    }
}

fn taken_at(taken: &tipoff::exchange::CampaignReceipt) -> Position {
    use tipoff::domain::submission::ItemReceipt::{Created, Rejected, Replaced, Unchanged};
    match taken.receipt {
        Created(at) | Replaced(at) | Unchanged(at) => at,
        Rejected(_) => panic!("a contribution is refused as a whole"),
    }
}

/// The version that an operation created.
fn made_by(receipt: &ItemReceipt) -> Option<Position> {
    match receipt {
        ItemReceipt::Created(at) | ItemReceipt::Replaced(at) => Some(*at),
        _ => None,
    }
}

/// A contribution as a reader sees it: its text, positions, and the content to check.
pub fn contributed(one: &ContributionView, campaigns: &Campaigns) -> (Observed, Content) {
    let kept = &one.record;
    let name = campaigns.name(Some(kept.campaign));
    let (said, founded) = (&kept.contribution.name, kept.founded);
    let text = format!(
        "{name} {} says {said} {founded} {:?} {}",
        kept.author,
        one.sharing,
        one.replaces.is_some()
    );
    let positions = [kept.position, kept.first.0].into_iter().chain(one.replaces);
    let content = (kept.author.clone(), kept.position, kept.sharing.clone());
    (observation(&text, positions.collect::<Vec<_>>()), content)
}

/// Author, position and sharing of an object.
pub type Content = (PartnerId, Position, Sharing);

/// An enforcement as a reader sees it.
pub fn done(one: &Done, campaigns: &Campaigns) -> (Observed, Content) {
    let (kept, deed) = (&one.record, &one.record.enforcement);
    let name = campaigns.name(deed.campaign);
    let text = format!(
        "{} did {} {:?} {name} {:?} {}",
        kept.author,
        deed.id,
        deed.sum(),
        one.sharing,
        one.replaces.is_some()
    );
    let positions = std::iter::once(kept.position).chain(one.replaces);
    let content = (kept.author.clone(), kept.position, kept.sharing.clone());
    (observation(&text, positions.collect::<Vec<_>>()), content)
}

/// Every query about campaigns and enforcements that a partner may make, with small pages.
pub fn queries(exchange: &Exchange, caller: &Caller, campaigns: &Campaigns, trace: &mut Trace) {
    let mut before = None;
    loop {
        let (page, next) = exchange.queries.campaigns(caller, before, 2).unwrap();
        for listed in &page {
            let (newest, _) = contributed(&listed.newest, campaigns);
            trace.push(observation(&format!("lists {}", listed.contributions), []));
            trace.push(newest);
        }
        trace.push(observation("page of campaigns", []));
        before = next;
        if next.is_none() {
            break;
        }
    }
    let mut query = EnforcementQuery { most: 2, ..EnforcementQuery::default() };
    loop {
        let (page, next) = exchange.queries.enforcements(caller, &query).unwrap();
        trace.extend(page.iter().map(|one| done(one, campaigns).0));
        trace.push(observation("page of enforcements", []));
        query.before = next;
        if next.is_none() {
            break;
        }
    }
    for (step, campaign) in campaigns.steps() {
        let mut asked = CampaignQuery {
            indicators: Some((9, None)),
            enforcements: Some((9, None)),
            timeline: Some((2, None)),
            clusters: true,
        };
        let known = match exchange.queries.campaign(caller, campaign, &asked) {
            // A hidden and an unknown campaign give the same answer.
            Err(error) => {
                assert_eq!(refused(&error).text, "campaign_unknown: there is no such campaign");
                continue;
            }
            Ok(known) => known,
        };
        trace.push(observation(&format!("campaign {step} {:?}", known.numbers), []));
        trace.extend(known.contributions.iter().map(|one| contributed(one, campaigns).0));
        for sight in known.indicators.unwrap().0 {
            let text = format!("member {} {}", sight.author, sight.indicator().value());
            trace.push(observation(&text, [sight.record.version]));
        }
        trace.extend(known.enforcements.unwrap().0.iter().map(|one| done(one, campaigns).0));
        let clusters = known.clusters.unwrap();
        let bonds = clusters.bonds.iter().map(|bond| (bond.kind, &bond.author, &bond.indicators));
        trace.push(observation(&format!("{:?}", bonds.collect::<Vec<_>>()), []));
        let mut timeline = known.timeline.unwrap();
        loop {
            for one in &timeline.0 {
                let TimelinePosition { sort, position, .. } = one.place;
                let text = format!("{sort} {:?}", one.author);
                trace.push(match &one.occurrence {
                    TimelineEventKind::Tip(step) => {
                        let TipStep { sender, what, moves, sent, .. } = &**step;
                        let at = [position.sequence, *sent].map(|entry| Position::new(entry, 0));
                        observation(&format!("{text} {what:?} of {sender} {moves:?}"), at)
                    }
                    _ => observation(&text, [position]),
                });
            }
            let Some(next) = timeline.1 else { break };
            asked.timeline = Some((2, Some(next)));
            timeline =
                exchange.queries.campaign(caller, campaign, &asked).unwrap().timeline.unwrap();
        }
    }
}
