//! Tips to liaisons in the lane: their steps. Checks that a liaison sees only its own tips, with
//! content only while they are neither closed nor withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tipoff::domain::accepted::TipRecord;
use tipoff::domain::entry::{RequestId, TipIndicator};
use tipoff::domain::purpose::AccessWay;
use tipoff::domain::tip::{TipBox, TipState, Urgency};
use tipoff::domain::{PartnerId, Position, TipId};
use tipoff::exchange::{AccessedObjects, ResponseRequest, TipDetailQuery, TipQuery, TipRequest};

use crate::cast::bits;
use crate::history::MEMBERS;
use crate::lane::LaneRun;
use crate::lane_history::{LaneOp, STEPS};
use crate::liaison::{Reader, caller, liaison, warrant};
use crate::trace::{Observed, observation};
use crate::words::indicator;
use crate::world::World;

/// The first number of a tip step.
const FIRST: u32 = 100;

/// A tip step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipStep {
    /// A liaison moves it, or tries to.
    Move(u8, TipState),
    /// A liaison reopens it, acts and closes it.
    Close(u8),
    /// Its sender answers, with a new indicator or without. A new indicator reopens a closed tip.
    Answer {
        with_indicator: bool,
    },
    Withdraw,
}

/// The tip steps of a history, by the step before each.
pub fn ops(random: &mut StdRng, readers: usize) -> Vec<(u32, u32, LaneOp)> {
    let count = random.random_range(0..14u32);
    let mut after: Vec<u32> = (0..count).map(|_| random.random_range(0..STEPS)).collect();
    after.sort_unstable();
    let (mut ops, mut tips) = (Vec::new(), Vec::new());
    for (after, number) in after.into_iter().zip(FIRST..) {
        let which = random.random_range(0..2u8);
        let step = match random.random_range(0..10) {
            0..2 => {
                let states = [TipState::Acknowledged, TipState::Investigating, TipState::Declined];
                TipStep::Move(which, *states.choose(random).unwrap())
            }
            2..5 => TipStep::Close(which),
            5..9 => TipStep::Answer { with_indicator: random.random_bool(0.6) },
            _ => TipStep::Withdraw,
        };
        let op = match tips.choose(random) {
            Some(tip) if random.random_bool(0.6) => LaneOp::TipStep { tip: *tip, step },
            _ if random.random_bool(0.3) => {
                LaneOp::ReadTips { reader: random.random_range(0..readers) as u8 }
            }
            _ => {
                tips.push(number);
                let sender = random.random_range(0..MEMBERS);
                LaneOp::Tip { sender, liaisons: random.random_range(1..4) }
            }
        };
        ops.push((after, number, op));
    }
    ops
}

impl LaneRun {
    pub fn tip(&mut self, number: u32, sender: u8, liaisons: u8) {
        let Ok(caller) = self.run.world.caller(sender) else { return };
        let request = TipRequest {
            request: RequestId::from_stored(&format!("lt{number}")),
            digest: [1; 32],
            recipients: bits(liaisons, 2).map(liaison).collect(),
            subject: Some("secret".into()),
            narrative: "secret".into(),
            indicators: about(0),
            rejected: Vec::new(),
            urgency: Urgency::Routine,
            respond_by: None,
            tlp: None,
            campaign: None,
            submission: None,
        };
        let sent = self.run.call(|world| {
            let (exchange, caller, request) =
                (world.exchange().clone(), caller.clone(), request.clone());
            async move { exchange.commands.send_tip(&caller, request).await }
        });
        if let Ok((tip, _)) = sent {
            self.tips.insert(number, (tip, sender));
        }
    }

    /// Moves that are not allowed in the current state are refused.
    pub fn tip_step(&mut self, number: u32, tip: u32, step: TipStep) {
        let Some((tip, sender)) = self.tips.get(&tip).copied() else { return };
        match step {
            TipStep::Move(which, state) => self.move_tip(number, tip, which, state),
            TipStep::Close(which) => {
                let states = [TipState::Investigating, TipState::Actioned, TipState::Closed];
                for state in states {
                    self.move_tip(number, tip, which, state);
                }
            }
            TipStep::Answer { with_indicator } => {
                let Ok(caller) = self.run.world.caller(sender) else { return };
                let request = ResponseRequest {
                    indicators: if with_indicator { about(1) } else { Vec::new() },
                    ..response(&format!("ls{number}"), tip)
                };
                let _ = self.run.call(|world| {
                    let (exchange, caller, request) =
                        (world.exchange().clone(), caller.clone(), request.clone());
                    async move { exchange.commands.respond_to_tip(&caller, request).await }
                });
            }
            TipStep::Withdraw => {
                let Ok(caller) = self.run.world.caller(sender) else { return };
                let _ = self.run.call(|world| {
                    let (exchange, caller) = (world.exchange().clone(), caller.clone());
                    async move { exchange.commands.withdraw_tip(&caller, tip).await }
                });
            }
        }
    }

    /// A liaison moves a tip.
    fn move_tip(&mut self, number: u32, tip: TipId, which: u8, state: TipState) {
        let caller = caller(&self.run.world, which);
        let request = ResponseRequest {
            new_state: Some(state),
            purpose: Some(warrant(&self.run.world)),
            ..response(&format!("la{number}-{state}"), tip)
        };
        let _ = self.run.call(|world| {
            let (exchange, caller, request) =
                (world.exchange().clone(), caller.clone(), request.clone());
            async move { exchange.commands.respond_to_tip(&caller, request).await }
        });
    }

    /// A reader lists its tips and reads each, as the service allows.
    pub fn read_tips(&mut self, reader: u8) -> Result<(), String> {
        let state = &mut self.readers[usize::from(reader)];
        let observed = state.read_tips(&self.run.world)?;
        self.observe(reader, observed);
        self.record(reader, AccessWay::Tip);
        Ok(())
    }
}

impl Reader {
    fn read_tips(&mut self, world: &World) -> Result<Vec<Observed>, String> {
        let mut observed = Vec::new();
        let caller = caller(world, self.spec.liaison);
        let exchange = world.exchange();
        let page = exchange.queries.list_tips(&caller, &self.query(world)).unwrap();
        self.accessed.append(page.accessed);
        for tip in &page.tips {
            let is_over = self.check_tip(world, tip, tip.subject.is_some())?;
            let query = TipDetailQuery {
                tip: tip.id,
                recipient: None,
                after_entry: 0,
                entry_limit: 100,
                after_indicator: None,
                indicator_limit: 100,
                purpose: Some(self.purpose(world)),
            };
            let view = exchange.queries.show_tip(&caller, &query).unwrap();
            self.accessed.append(view.accessed.clone());
            let has_messages = view.entries.iter().any(|entry| !entry.text.is_empty());
            let has_content =
                has_messages || !view.narrative.is_empty() || !view.indicators.is_empty();
            if is_over == has_content {
                return Err(format!("{:?} reads {view:?}", self.spec));
            }
            let thread = &tip.threads[0];
            let text = format!("{} {thread:?} {}", tip.sender, view.entries.len());
            observed.push(observation(&text, [Position::new(tip.sequence, 0)]));
            if !is_over {
                self.received_tips.insert((tip.sender.clone(), Position::new(tip.sequence, 0)));
                let records = view.entries.iter().map(|entry| &entry.record);
                self.add_received(records.map(|record| (record.author.clone(), record.sequence)));
            }
        }
        Ok(observed)
    }

    /// Records a tip event of the feed.
    pub fn take_tip(
        &mut self,
        world: &World,
        event: &tipoff::exchange::TipEvent,
    ) -> Result<(), String> {
        let (tip, entry) = (&event.tip, &event.entry);
        let is_over = self.check_tip(world, tip, tip.subject.is_some())?;
        if is_over && !(entry.text.is_empty() && entry.indicators.is_empty()) {
            return Err(format!("{:?} gets {entry:?}", self.spec));
        }
        self.accessed.append(event.accessed.clone());
        if !is_over {
            self.received_tips.insert((tip.sender.clone(), Position::new(tip.sequence, 0)));
            self.add_received([(entry.record.author.clone(), entry.record.sequence)]);
        }
        Ok(())
    }

    /// Adds the entries of other partners, by author and sequence.
    fn add_received(&mut self, entries: impl IntoIterator<Item = (Option<PartnerId>, u64)>) {
        let own = liaison(self.spec.liaison);
        let of_others = entries.into_iter().filter_map(|(author, sequence)| {
            Some((author.filter(|author| *author != own)?, Position::new(sequence, 0)))
        });
        self.received_tips.extend(of_others);
    }

    /// Whether a tip is closed or withdrawn for the reader, as its sender sees it. `Err` if it is
    /// not the reader's own, or has content although it is closed or withdrawn.
    fn check_tip(&self, world: &World, tip: &TipRecord, has_content: bool) -> Result<bool, String> {
        let own = liaison(self.spec.liaison);
        if self.spec.public_only || tip.threads.iter().any(|thread| thread.recipient != own) {
            return Err(format!("{:?} gets {tip:?}", self.spec));
        }
        let record = world.exchange().index().read().unwrap().tip(tip.id).unwrap().unwrap();
        let state = record.thread(&own).unwrap().state;
        let is_over = matches!(state, TipState::Closed | TipState::Withdrawn);
        if is_over == has_content {
            return Err(format!("{:?} gets {tip:?}, which is {state}", self.spec));
        }
        Ok(is_over)
    }

    /// Checks that a feed from the beginning ends with the tips of a list.
    pub fn check_tips_by_feed(&self, world: &World) -> Result<(), String> {
        let caller = caller(world, self.spec.liaison);
        let page = world.exchange().queries.list_tips(&caller, &self.query(world)).unwrap();
        let listed: BTreeMap<TipId, TipState> =
            page.tips.iter().map(|tip| (tip.id, tip.threads[0].state)).collect();
        let by_feed = self.tips_from_the_beginning(world);
        if by_feed == listed {
            return Ok(());
        }
        Err(format!("{:?} gets {by_feed:?} by its feed, but lists {listed:?}", self.spec))
    }

    fn query(&self, world: &World) -> TipQuery {
        TipQuery {
            tip_box: TipBox::Received,
            states: Vec::new(),
            urgencies: Vec::new(),
            overdue: false,
            partner: None,
            campaign: None,
            size: 1_000,
            token: String::new(),
            purpose: Some(self.purpose(world)),
        }
    }

    /// Takes the tip content that it received since the last access record: as the test expects
    /// it, and as the exchange records it.
    pub fn take_received_tips(&mut self) -> (BTreeSet<(PartnerId, Position)>, AccessedObjects) {
        (std::mem::take(&mut self.received_tips), std::mem::take(&mut self.accessed))
    }
}

fn response(request: &str, tip: TipId) -> ResponseRequest {
    ResponseRequest {
        request: RequestId::from_stored(request),
        digest: [1; 32],
        tip,
        recipient: None,
        to_all_recipients: false,
        new_state: None,
        message: Some("secret".into()),
        indicators: Vec::new(),
        rejected: Vec::new(),
        enforcement: None,
        purpose: None,
    }
}

fn about(value: u8) -> Vec<TipIndicator> {
    let indicator = indicator(value);
    vec![TipIndicator { index: 0, id: indicator.id(), indicator, restricted: false }]
}

/// Whether a tip step is hidden from a member (`Err`) or a liaison (`Ok`).
pub fn is_hidden(lane: &[(u32, u32, LaneOp)], op: &LaneOp, from: Result<u8, u8>) -> bool {
    let parties = |tip: u32| {
        lane.iter().find_map(|(_, number, op)| match op {
            LaneOp::Tip { sender, liaisons } if *number == tip => Some((*sender, *liaisons)),
            _ => None,
        })
    };
    let concerns = |(sender, liaisons): (u8, u8)| match from {
        Ok(own) => liaisons & (1 << own) != 0,
        Err(member) => sender == member,
    };
    match op {
        LaneOp::Tip { sender, liaisons } => !concerns((*sender, *liaisons)),
        LaneOp::TipStep { tip, step } => {
            let of_another = match (step, from) {
                (TipStep::Move(which, _) | TipStep::Close(which), Ok(own)) => *which != own,
                _ => false,
            };
            of_another || !parties(*tip).is_some_and(concerns)
        }
        _ => false,
    }
}
