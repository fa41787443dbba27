//! Tips in a running history: their steps, and what their parties receive and read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use tipoff::domain::accepted::{TipAction, TipEntryRecord, TipMove};
use tipoff::domain::entry::{RequestId, TipIndicator};
use tipoff::domain::filter::Filter;
use tipoff::domain::tip::{TipBox, TipState, Urgency};
use tipoff::domain::{PartnerId, Position, TipId};
use tipoff::exchange::{
    Caller, CampaignQuery, EdgeKind, Exchange, FeedEvent, ResponseRequest, Start,
    TimelineEventKind, TipDetailQuery, TipEvent, TipQuery, TipRequest, TipView,
};

use crate::cast::{bits, id};
use crate::history::{MEMBERS, Op};
use crate::reader::Event;
use crate::run::Run;
use crate::trace::{Observed, observation};
use crate::words::{indicator, noted};

/// The number of reopened tips.
pub static REOPENED: AtomicU64 = AtomicU64::new(0);
/// The number of tip moves that campaign timelines showed.
pub static MOVES_IN_CAMPAIGNS: AtomicU64 = AtomicU64::new(0);
/// The state of each tip with each recipient.
type States = BTreeMap<(TipId, PartnerId), TipState>;

impl Run {
    pub fn tip(&mut self, number: u32, op: &Op) {
        match op {
            Op::Tip { sender, .. } => {
                let request = self.tip_request(number, op);
                let answer = self.as_partner(*sender, |exchange, caller| {
                    let request = request.clone();
                    async move { exchange.commands.send_tip(&caller, request).await }
                });
                self.answered(*sender, answer.as_ref().map(|(_, one)| noted(one)));
                if let Ok((tip, _)) = answer {
                    self.tips.insert(number, tip);
                }
            }
            Op::Respond { of, who, state, about, to, to_all } => {
                let request = ResponseRequest {
                    request: RequestId::from_stored(&format!("r{number}")),
                    digest: [1; 32],
                    tip: self.tip_id(*of),
                    recipient: to.map(id),
                    to_all: *to_all,
                    moves_to: Some(*state)
                        .filter(|state| *state > 0)
                        .and_then(TipState::from_number),
                    message: Some(format!("says {number}").into()),
                    indicators: about_values(*about),
                    rejected: Vec::new(),
                    enforcement: None,
                    purpose: None,
                };
                let answer = self.as_partner(*who, |exchange, caller| {
                    let request = request.clone();
                    async move { exchange.commands.respond_to_tip(&caller, request).await }
                });
                let observed = answer.as_ref().map(|(state, one)| {
                    let Observed { text, positions } = noted(one);
                    Observed { text: format!("{text} {state:?}"), positions }
                });
                self.answered(*who, observed);
            }
            Op::WithdrawTip { of, who } => {
                let tip = self.tip_id(*of);
                let answer = self.as_partner(*who, |exchange, caller| async move {
                    exchange.commands.withdraw_tip(&caller, tip).await
                });
                let observed = answer.as_ref().map(|(sequence, before)| {
                    observation(&format!("tip withdrawn {before}"), [Position::new(*sequence, 0)])
                });
                self.answered(*who, observed);
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
            narrative: format!("tells {number}").into(),
            indicators: about_values(*about),
            rejected: Vec::new(),
            urgency: Urgency::Routine,
            respond_by: due_hours.map(|hours| self.world.in_hours(hours)),
            tlp: None,
            campaign: campaign.map(|of| self.world.campaigns.id(of)),
            submission: None,
        }
    }

    /// A tip that was not sent has an unknown id.
    fn tip_id(&self, of: u32) -> TipId {
        self.tips.get(&of).copied().unwrap_or_else(|| TipId::from_bytes([of as u8; 16]))
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
        let (mut listed, mut all) = (States::new(), BTreeMap::new());
        for of in [TipBox::Received, TipBox::Sent] {
            let page = exchange.queries.list_tips(&caller, &query(of, false)).unwrap();
            for tip in page.tips {
                let thread = tip.threads[0].clone();
                listed.insert((tip.id, thread.recipient), thread.state);
                let shown = exchange.queries.show_tip(&caller, &asked(tip.id)).unwrap();
                if entries.get(&tip.id) != Some(&shown.entries.len()) {
                    return Err(format!(
                        "{partner} gets {entries:?} by its feed, but reads {shown:?}"
                    ));
                }
                all.insert(tip.id, shown);
            }
        }
        self.check_campaigns(&caller, &all)?;
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
        all: &BTreeMap<TipId, TipView>,
    ) -> Result<(), String> {
        let asked = CampaignQuery {
            timeline: Some((usize::MAX, None)),
            clusters: true,
            ..CampaignQuery::default()
        };
        for (_, campaign) in self.world.campaigns.steps() {
            let Ok(known) = self.world.exchange().queries.campaign(caller, campaign, &asked) else {
                continue;
            };
            let (mut moves, mut withdrawn) = (BTreeSet::new(), BTreeSet::new());
            for one in known.timeline.unwrap().0 {
                let TimelineEventKind::Tip(step) = one.occurrence else { continue };
                let tip = &all.get(&step.tip).ok_or("a campaign shows a tip of others")?.tip;
                let is_hidden = tip.withdrawn && tip.sender != *caller.partner();
                let into = if is_hidden { &mut withdrawn } else { &mut moves };
                if is_hidden && (step.what != TipAction::Withdrawn || step.subject.is_some()) {
                    return Err(format!("a campaign shows {step:?} of a withdrawn tip"));
                }
                into.insert((step.tip, one.place.position.sequence, step.what));
            }
            let of_it: Vec<_> =
                all.values().filter(|shown| shown.tip.campaign == Some(campaign)).collect();
            let moved = of_it.iter().flat_map(|shown| {
                let entries = shown.entries.iter().map(|one| &one.record);
                let moved = entries.filter(|added| added.threads.iter().any(TipMove::is_move));
                moved.map(|added| (shown.tip.id, added.sequence, added.action))
            });
            let moved: BTreeSet<_> = moved.collect();
            let count = of_it.len() + withdrawn.len();
            if moves != moved || known.numbers.tips != count {
                return Err(format!(
                    "{count} tips have the moves {moved:?}, but a campaign shows {moves:?}"
                ));
            }
            MOVES_IN_CAMPAIGNS.fetch_add(moved.len() as u64, Ordering::Relaxed);
            let clusters = known.clusters.unwrap();
            let bonds = clusters.bonds.iter().filter(|bond| bond.kind == EdgeKind::Tip);
            let bound = bonds.map(|bond| {
                let ids = bond.indicators.iter().map(|at| clusters.indicators[*at].0);
                (bond.author.clone(), ids.collect::<BTreeSet<_>>())
            });
            let together = of_it.iter().map(|shown| {
                let ids = shown.indicators.iter().map(|one| one.indicator.id);
                (shown.tip.sender.clone(), ids.collect::<BTreeSet<_>>())
            });
            let mut bound: Vec<_> = bound.collect();
            let mut together: Vec<_> = together.filter(|(_, ids)| ids.len() > 1).collect();
            bound.sort();
            together.sort();
            if bound != together {
                return Err(format!("tips have {together:?} together, a campaign {bound:?}"));
            }
        }
        Ok(())
    }

    /// The state of each tip in a partner's feed, and its number of entries.
    fn tips_by_feed(&self, caller: &Caller) -> (States, BTreeMap<TipId, usize>) {
        let mut feed =
            self.world.exchange().feeds.feed(caller, Start::Oldest, Filter::default()).unwrap();
        let far = std::time::Duration::from_secs(60);
        let far = self.world.read(async { tokio::time::Instant::now() + far });
        let (mut states, mut entries) = (States::new(), BTreeMap::new());
        while let Some(delivery) = self.world.read(feed.next_available(far)).unwrap() {
            let FeedEvent::Tip(one) = delivery else { continue };
            *entries.entry(one.tip.id).or_default() += 1;
            let threads = one.tip.threads.into_iter();
            states.extend(threads.map(|thread| ((one.tip.id, thread.recipient), thread.state)));
        }
        (states, entries)
    }
}

/// Every query about tips.
pub fn queries(exchange: &Exchange, caller: &Caller) -> Vec<Observed> {
    let mut observed = Vec::new();
    for (of, overdue) in [
        (TipBox::Received, false),
        (TipBox::Sent, false),
        (TipBox::Received, true),
        (TipBox::Sent, true),
    ] {
        // A liaison, an observer and an operator have no tips.
        let mut tips = exchange.queries.list_tips(caller, &query(of, overdue)).unwrap().tips;
        tips.sort_by_key(|tip| (tip.sequence, tip.threads[0].recipient.clone()));
        for tip in tips {
            let thread = &tip.threads[0];
            let text = format!("{of:?} {overdue} {} {thread:?} {:?}", tip.sender, tip.respond_by);
            observed.push(observation(&text, [Position::new(tip.sequence, 0)]));
            let shown = exchange.queries.show_tip(caller, &asked(tip.id)).unwrap();
            let values: Vec<_> =
                shown.indicators.iter().map(|one| one.indicator.indicator.value()).collect();
            observed.push(observation(&format!("{} {values:?}", shown.narrative), []));
            observed.extend(shown.entries.iter().map(|one| added(&one.record, &one.text)));
        }
    }
    observed
}

/// A tip event of a feed as an observation. Ids are random, so they are left out.
pub fn tip_event(one: &TipEvent) -> Event {
    let threads: Vec<_> =
        one.tip.threads.iter().map(|thread| (thread.recipient.as_str(), thread.state)).collect();
    let Observed { text, mut positions } = added(&one.entry.record, &one.entry.text);
    let text =
        format!("tip of {} {threads:?} {text} {}", one.tip.sender, one.entry.indicators.len());
    positions.push(Position::new(one.tip.sequence, 0));
    Event {
        place: one.place,
        observed: Observed { text, positions },
        holds: None,
        drops: None,
        content: None,
        campaign: None,
    }
}

fn added(added: &TipEntryRecord, text: &str) -> Observed {
    let TipEntryRecord { action: what, author, recipient, shown, indicators, threads, .. } = added;
    let text = format!(
        "{what:?} by {author:?} for {recipient:?} {shown} {threads:?} {indicators} says {text:?}"
    );
    observation(&text, [Position::new(added.sequence, 0)])
}

fn query(of: TipBox, overdue: bool) -> TipQuery {
    TipQuery {
        of,
        states: Vec::new(),
        urgencies: Vec::new(),
        overdue,
        with: None,
        campaign: None,
        size: 1_000,
        token: String::new(),
        purpose: None,
    }
}

fn asked(tip: TipId) -> TipDetailQuery {
    TipDetailQuery {
        tip,
        recipient: None,
        behind: 0,
        entries: 1_000,
        after_indicator: None,
        indicators: 1_000,
        purpose: None,
    }
}

fn about_values(about: Option<u8>) -> Vec<TipIndicator> {
    let one = |value| {
        let indicator = indicator(value);
        TipIndicator { index: 0, id: indicator.id(), indicator, restricted: false }
    };
    about.into_iter().map(one).collect()
}
