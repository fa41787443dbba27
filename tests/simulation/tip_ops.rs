//! Tip steps in a history, and which of them are hidden from whom.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tipoff::domain::tip::TipState;

use crate::campaign_ops::{CampaignOp, any_campaign};
use crate::cast::bits;
use crate::history::{History, MEMBERS, Op, SubmittedItem, VALUES, any_audience};

/// Some histories begin with a tip that is monitored in its campaign.
pub fn begin(random: &mut StdRng) -> Vec<Op> {
    if random.random_bool(0.8) {
        return Vec::new();
    }
    let sender = random.random_range(0..MEMBERS);
    let to = random.random_range(1..1 << MEMBERS) & !(1 << sender);
    let creation = Op::Campaign(CampaignOp::Create { author: sender, to: any_audience(random) });
    let tip = Op::Tip { sender, to, campaign: Some(0), about: None, due_hours: None };
    let monitors = |who| {
        [TipState::Investigating, TipState::Monitoring].map(|state| Op::Respond {
            tip: 1,
            who,
            state: state.number(),
            about: None,
            to: None,
            to_all: false,
        })
    };
    let recipients = bits(to, MEMBERS.into()).filter(|who| *who != sender);
    [creation, tip].into_iter().chain(recipients.take(2).flat_map(monitors)).collect()
}

/// A random tip step.
pub fn op(history: &History, random: &mut StdRng, author: u8, partner: u8) -> Op {
    let about = random.random_bool(0.4).then(|| random.random_range(0..VALUES));
    let tips: Vec<(u32, u8, u8, Option<u32>)> = history
        .steps
        .iter()
        .filter_map(|(number, op)| match op {
            Op::Tip { sender, to, campaign, .. } => Some((*number, *sender, *to, *campaign)),
            _ => None,
        })
        .collect();
    let chosen = tips.choose(random).copied().filter(|_| random.random_bool(0.85));
    let Some((tip, sender, to, campaign)) = chosen else {
        // Sometimes the sender names itself, and is refused.
        let not_allowed = if random.random_bool(0.9) { 1 << author } else { 0 };
        let to = random.random_range(0..1 << MEMBERS) & !not_allowed;
        let due_hours = random.random_bool(0.5).then(|| random.random_range(1..1_000));
        let campaign = any_campaign(history, random).filter(|_| random.random_bool(0.7));
        return Op::Tip { sender: author, to, campaign, about, due_hours };
    };
    // Mostly its parties, sometimes any partner.
    let parties: Vec<u8> = bits(to, MEMBERS.into()).chain([sender]).collect();
    let who = if random.random_bool(0.1) { partner } else { *parties.choose(random).unwrap() };
    // A new indicator in the campaign, visible to some.
    if random.random_bool(0.3) && campaign.is_some() {
        let author = *parties.choose(random).unwrap();
        let confidence = random.random_range(0..100);
        let value = random.random_range(0..VALUES);
        let submitted_item =
            SubmittedItem { value, confidence, hours: None, restricted: false, campaign };
        let to = any_audience(random);
        return Op::Submit { author, to, replaces: None, items: vec![submitted_item], list: None };
    }
    if random.random_bool(0.05) {
        return Op::WithdrawTip { tip, who };
    }
    let moves = who != sender && random.random_bool(0.8);
    // Often to a state from which it can be reopened.
    let states = [TipState::Investigating, TipState::Monitoring];
    let state = match random.random_range(0..5) {
        0 => random.random_range(1..9),
        _ => states.choose(random).unwrap().number(),
    };
    Op::Respond {
        tip,
        who,
        state: if moves { state } else { 0 },
        about,
        to: random.random_bool(0.3).then(|| *parties.choose(random).unwrap()),
        to_all: random.random_bool(0.15),
    }
}

/// Whether a partner can never see the effects of a step: it is no party of the tip, or it is
/// another recipient's thread.
pub fn is_hidden(history: &History, step: u32, op: &Op, observer: u8) -> bool {
    let parties = |tip: u32| {
        history.steps.iter().find_map(|(number, op)| match op {
            Op::Tip { sender, to, .. } if *number == tip => Some((*sender, *to)),
            _ => None,
        })
    };
    let concerns = |(sender, to): (u8, u8)| sender == observer || to & (1 << observer) != 0;
    match op {
        Op::Tip { sender, to, .. } => !concerns((*sender, *to)),
        Op::WithdrawTip { tip, who } => *who != observer && !parties(*tip).is_some_and(concerns),
        Op::Respond { tip, who, to, to_all, .. } => {
            let Some((sender, recipients)) = parties(*tip) else { return *who != observer };
            // A recipient that shows its answer reveals the state of the tip.
            let is_revealed = history.steps.iter().any(|(number, other)| {
                matches!(other, Op::Respond { tip: t, to_all: true, .. }
                    if t == tip && *number != step)
            });
            let stays_in_thread = !to_all && !is_revealed && sender != observer;
            let to_another =
                if *who == sender { to.is_some_and(|to| to != observer) } else { true };
            *who != observer && (!concerns((sender, recipients)) || (stays_in_thread && to_another))
        }
        _ => false,
    }
}
