//! Tips in a running history: their steps, and what their parties receive and read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use tipoff::domain::accepted::{TipAction, TipEntryRecord, TipMove};
use tipoff::domain::entry::{RequestId, TipIndicator};
use tipoff::domain::filter::Filter;
use tipoff::domain::tip::{TipBox, TipState, Urgency};
use tipoff::domain::{IndicatorId, PartnerId, Position, TipId};
use tipoff::exchange::{
    Caller, CampaignQuery, ClusterGraph, EdgeKind, Exchange, FeedEvent, ResponseRequest, Start,
    TimelineEvent, TimelineEventKind, TipDetailQuery, TipEvent, TipQuery, TipRequest, TipView,
};

use crate::cast::{bits, id};
use crate::history::{MEMBERS, Op};
use crate::reader::{Event, far_deadline};
use crate::run::Run;
use crate::trace::{Observed, observation};
use crate::words::{indicator, request_receipt};

/// The number of reopened tips.
pub static REOPENED: AtomicU64 = AtomicU64::new(0);
/// The number of tip moves that campaign timelines showed.
pub static MOVES_IN_CAMPAIGNS: AtomicU64 = AtomicU64::new(0);
/// The state of each tip with each recipient.
type States = BTreeMap<(TipId, PartnerId), TipState>;
/// A tip, and the sequence and action of an entry that moved it.
type Move = (TipId, u64, TipAction);

impl Run {
    pub fn tip(&mut self, number: u32, op: &Op) {
        match op {
            Op::Tip { sender, .. } => {
                let request = self.tip_request(number, op);
                let answer = self.as_partner(*sender, |exchange, caller| {
                    let request = request.clone();
                    async move { exchange.commands.send_tip(&caller, request).await }
                });
                self.observe_answer(
                    *sender,
                    answer.as_ref().map(|(_, receipt)| request_receipt(receipt)),
                );
                if let Ok((tip, _)) = answer {
                    self.tips.insert(number, tip);
                }
            }
            Op::Respond { tip, who, state, about, to, to_all } => {
                let request = ResponseRequest {
                    request: RequestId::from_stored(&format!("r{number}")),
                    digest: [1; 32],
                    tip: self.tip_id(*tip),
                    recipient: to.map(id),
                    to_all_recipients: *to_all,
                    new_state: Some(*state)
                        .filter(|state| *state > 0)
                        .and_then(TipState::from_number),
                    message: Some(format!("message {number}").into()),
                    indicators: about_values(*about),
                    rejected: Vec::new(),
                    enforcement: None,
                    purpose: None,
                };
                let answer = self.as_partner(*who, |exchange, caller| {
                    let request = request.clone();
                    async move { exchange.commands.respond_to_tip(&caller, request).await }
                });
                let observed = answer.as_ref().map(|(state, receipt)| {
                    let Observed { text, positions } = request_receipt(receipt);
                    Observed { text: format!("{text} {state:?}"), positions }
                });
                self.observe_answer(*who, observed);
            }
            Op::WithdrawTip { tip, who } => {
                let tip = self.tip_id(*tip);
                let answer = self.as_partner(*who, |exchange, caller| async move {
                    exchange.commands.withdraw_tip(&caller, tip).await
                });
                let observed = answer.as_ref().map(|(sequence, before)| {
                    observation(&format!("tip withdrawn {before}"), [Position::new(*sequence, 0)])
                });
                self.observe_answer(*who, observed);
            }
            _ => unreachable!("{op:?}"),
        }
    }

    fn tip_request(&self, number: u32, op: &Op) -> TipRequest {
        let Op::Tip { to, campaign, about, due_hours, .. } = op else { panic!("a tip") };
        TipRequest {
            request: RequestId::from_stored(&format!("t{number}")),
            digest: [1; 32],
            recipients: bits(*to, MEMBERS.into()).map(id).collect(),
            subject: None,
            narrative: format!("narrative {number}").into(),
            indicators: about_values(*about),
            rejected: Vec::new(),
            urgency: Urgency::Routine,
            respond_by: due_hours.map(|hours| self.world.in_hours(hours)),
            tlp: None,
            campaign: campaign.map(|step| self.world.campaigns.id(step)),
            submission: None,
        }
    }

    /// A tip that was not sent has an unknown id.
    fn tip_id(&self, step: u32) -> TipId {
        self.tips.get(&step).copied().unwrap_or_else(|| TipId::from_bytes([step as u8; 16]))
    }

    /// New indicators in the campaign reopen its monitored or closed tips.
    pub fn reopen(&mut self) {
        let reopened = self.call(|world| {
            let exchange = world.exchange().clone();
            async move { exchange.sweeps.reopen_due().await }
        });
        REOPENED.fetch_add(reopened.unwrap() as u64, Ordering::Relaxed);
    }

    /// Checks that a partner's feed from the beginning gives the tips that it reads now. One
    /// partner per history, chosen by the number of tips.
    pub fn check_tips(&mut self) -> Result<(), String> {
        let Some(number) = self.tips.keys().last() else { return Ok(()) };
        let partner = u8::try_from(number % u32::from(MEMBERS)).unwrap();
        let caller = self.world.caller(partner).unwrap();
        let exchange = self.world.exchange().clone();
        let (by_feed, entries) = self.tips_by_feed(&caller);
        let (mut listed, mut views) = (States::new(), BTreeMap::new());
        for tip_box in [TipBox::Received, TipBox::Sent] {
            let page = exchange.queries.list_tips(&caller, &list_query(tip_box, false)).unwrap();
            for tip in page.tips {
                let thread = tip.threads[0].clone();
                listed.insert((tip.id, thread.recipient), thread.state);
                let view = exchange.queries.show_tip(&caller, &detail_query(tip.id)).unwrap();
                if entries.get(&tip.id) != Some(&view.entries.len()) {
                    return Err(format!(
                        "{partner} gets {entries:?} by its feed, but reads {view:?}"
                    ));
                }
                views.insert(tip.id, view);
            }
        }
        self.check_campaigns(&caller, &views)?;
        if by_feed == listed {
            Ok(())
        } else {
            Err(format!("{partner} gets {by_feed:?} by its feed, but lists {listed:?}"))
        }
    }

    /// Checks what campaigns show a partner of its own tips: each move in the timeline, and their
    /// indicators. Of a withdrawn tip, only the withdrawal.
    fn check_campaigns(
        &self,
        caller: &Caller,
        tips: &BTreeMap<TipId, TipView>,
    ) -> Result<(), String> {
        let query = CampaignQuery {
            timeline: Some((usize::MAX, None)),
            clusters: true,
            ..CampaignQuery::default()
        };
        for (_, campaign) in self.world.campaigns.steps() {
            let Ok(view) = self.world.exchange().queries.campaign(caller, campaign, &query) else {
                continue;
            };
            let of_campaign: Vec<_> =
                tips.values().filter(|view| view.tip.campaign == Some(campaign)).collect();
            let (timeline, clusters) = (view.timeline.unwrap().0, view.clusters.unwrap());
            let (shown, withdrawn) = timeline_moves(timeline, caller, tips)?;
            let moves = tip_moves(&of_campaign);
            let count = of_campaign.len() + withdrawn;
            if shown != moves || view.numbers.tips != count {
                return Err(format!(
                    "{count} tips have the moves {moves:?}, but a campaign shows {shown:?}"
                ));
            }
            MOVES_IN_CAMPAIGNS.fetch_add(moves.len() as u64, Ordering::Relaxed);
            let (edges, expected) = (tip_edges(&clusters), indicators_by_tip(&of_campaign));
            if edges != expected {
                return Err(format!(
                    "tips have the indicators {expected:?}, but a campaign shows {edges:?}"
                ));
            }
        }
        Ok(())
    }

    /// The state of each tip in a partner's feed, and its number of entries.
    fn tips_by_feed(&self, caller: &Caller) -> (States, BTreeMap<TipId, usize>) {
        let mut feed =
            self.world.exchange().feeds.feed(caller, Start::Oldest, Filter::default()).unwrap();
        let far = far_deadline(&self.world);
        let (mut states, mut entries) = (States::new(), BTreeMap::new());
        while let Some(event) = self.world.read(feed.next_available(far)).unwrap() {
            let FeedEvent::Tip(event) = event else { continue };
            *entries.entry(event.tip.id).or_default() += 1;
            let threads = event.tip.threads.into_iter();
            states.extend(threads.map(|thread| ((event.tip.id, thread.recipient), thread.state)));
        }
        (states, entries)
    }
}

/// Every query about tips.
pub fn queries(exchange: &Exchange, caller: &Caller) -> Vec<Observed> {
    let mut observed = Vec::new();
    for (tip_box, overdue) in [
        (TipBox::Received, false),
        (TipBox::Sent, false),
        (TipBox::Received, true),
        (TipBox::Sent, true),
    ] {
        // A liaison, an observer and an operator have no tips.
        let mut tips =
            exchange.queries.list_tips(caller, &list_query(tip_box, overdue)).unwrap().tips;
        tips.sort_by_key(|tip| (tip.sequence, tip.threads[0].recipient.clone()));
        for tip in tips {
            let thread = &tip.threads[0];
            let text =
                format!("{tip_box:?} {overdue} {} {thread:?} {:?}", tip.sender, tip.respond_by);
            observed.push(observation(&text, [Position::new(tip.sequence, 0)]));
            let view = exchange.queries.show_tip(caller, &detail_query(tip.id)).unwrap();
            let values: Vec<_> =
                view.indicators.iter().map(|listed| listed.indicator.indicator.value()).collect();
            observed.push(observation(&format!("{} {values:?}", view.narrative), []));
            let entries = view.entries.iter();
            observed.extend(entries.map(|entry| observed_entry(&entry.record, &entry.text)));
        }
    }
    observed
}

/// The moves of tips in a timeline, and the number of tips of others of which it shows only the
/// withdrawal.
fn timeline_moves(
    timeline: Vec<TimelineEvent>,
    caller: &Caller,
    tips: &BTreeMap<TipId, TipView>,
) -> Result<(BTreeSet<Move>, usize), String> {
    let (mut moves, mut withdrawn) = (BTreeSet::new(), BTreeSet::new());
    for event in timeline {
        let TimelineEventKind::Tip(step) = event.kind else { continue };
        let tip = &tips.get(&step.tip).ok_or("a campaign shows a tip of others")?.tip;
        let is_hidden = tip.withdrawn && tip.sender != *caller.partner();
        if is_hidden && (step.action != TipAction::Withdrawn || step.subject.is_some()) {
            return Err(format!("a campaign shows {step:?} of a withdrawn tip"));
        }
        let set = if is_hidden { &mut withdrawn } else { &mut moves };
        set.insert((step.tip, event.position.position.sequence, step.action));
    }
    Ok((moves, withdrawn.len()))
}

/// The moves of tips, from their entries.
fn tip_moves(tips: &[&TipView]) -> BTreeSet<Move> {
    let moves = tips.iter().flat_map(|view| {
        let records = view.entries.iter().map(|entry| &entry.record);
        let moving = records.filter(|record| record.threads.iter().any(TipMove::is_move));
        moving.map(|record| (view.tip.id, record.sequence, record.action))
    });
    moves.collect()
}

/// The indicators that a cluster graph connects because a tip names them together, by the sender of
/// the tip.
fn tip_edges(clusters: &ClusterGraph) -> Vec<(PartnerId, BTreeSet<IndicatorId>)> {
    let edges = clusters.edges.iter().filter(|edge| edge.kind == EdgeKind::Tip).map(|edge| {
        let ids = edge.indicators.iter().map(|index| clusters.indicators[*index].0);
        (edge.author.clone(), ids.collect())
    });
    let mut edges: Vec<_> = edges.collect();
    edges.sort();
    edges
}

/// The indicators of each tip that has several, by its sender.
fn indicators_by_tip(tips: &[&TipView]) -> Vec<(PartnerId, BTreeSet<IndicatorId>)> {
    let by_tip = tips.iter().map(|view| {
        let ids = view.indicators.iter().map(|listed| listed.indicator.id);
        (view.tip.sender.clone(), ids.collect::<BTreeSet<_>>())
    });
    let mut by_tip: Vec<_> = by_tip.filter(|(_, ids)| ids.len() > 1).collect();
    by_tip.sort();
    by_tip
}

/// A tip event of a feed as an observation. Ids are random, so they are left out.
pub fn tip_event(event: &TipEvent) -> Event {
    let (tip, entry) = (&event.tip, &event.entry);
    let threads: Vec<_> =
        tip.threads.iter().map(|thread| (thread.recipient.as_str(), thread.state)).collect();
    let Observed { text, mut positions } = observed_entry(&entry.record, &entry.text);
    let text = format!("tip of {} {threads:?} {text} {}", tip.sender, entry.indicators.len());
    positions.push(Position::new(tip.sequence, 0));
    Event::of(event.position, Observed { text, positions })
}

fn observed_entry(record: &TipEntryRecord, message: &str) -> Observed {
    let TipEntryRecord { action, author, recipient, shown, indicators, threads, .. } = record;
    let text = format!(
        "{action:?} by {author:?} for {recipient:?} {shown} {threads:?} {indicators} {message:?}"
    );
    observation(&text, [Position::new(record.sequence, 0)])
}

fn list_query(tip_box: TipBox, overdue: bool) -> TipQuery {
    TipQuery {
        tip_box,
        states: Vec::new(),
        urgencies: Vec::new(),
        overdue,
        partner: None,
        campaign: None,
        size: 1_000,
        token: String::new(),
        purpose: None,
    }
}

fn detail_query(tip: TipId) -> TipDetailQuery {
    TipDetailQuery {
        tip,
        recipient: None,
        after_entry: 0,
        entry_limit: 1_000,
        after_indicator: None,
        indicator_limit: 1_000,
        purpose: None,
    }
}

fn about_values(about: Option<u8>) -> Vec<TipIndicator> {
    let tip_indicator = |value| {
        let indicator = indicator(value);
        TipIndicator { index: 0, id: indicator.id(), indicator, restricted: false }
    };
    about.into_iter().map(tip_indicator).collect()
}
