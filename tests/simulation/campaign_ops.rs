//! Campaign and enforcement steps of a history.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::history::{AudienceBits, History, MEMBERS, Op};

/// A campaign is identified by the step that creates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignOp {
    /// Creates a campaign.
    Found { author: u8, to: AudienceBits },
    /// A partner contributes to a campaign.
    Say { author: u8, of: u32, to: AudienceBits },
    /// A partner reports an enforcement, under one of a few ids.
    Enforce { author: u8, id: u8, count: u8, of: Option<u32>, to: AudienceBits },
}

impl CampaignOp {
    /// The campaign that it names.
    pub fn of(&self) -> Option<u32> {
        match self {
            CampaignOp::Found { .. } => None,
            CampaignOp::Say { of, .. } => Some(*of),
            CampaignOp::Enforce { of, .. } => *of,
        }
    }

    pub fn author(&self) -> u8 {
        match self {
            CampaignOp::Found { author, .. }
            | CampaignOp::Say { author, .. }
            | CampaignOp::Enforce { author, .. } => *author,
        }
    }

    pub fn to(&self) -> &AudienceBits {
        match self {
            CampaignOp::Found { to, .. }
            | CampaignOp::Say { to, .. }
            | CampaignOp::Enforce { to, .. } => to,
        }
    }

    /// A random next step of a history.
    pub fn any(history: &History, random: &mut StdRng, to: AudienceBits) -> Self {
        let author = random.random_range(0..MEMBERS);
        let of = any_campaign(history, random);
        match (random.random_range(0..9), of) {
            (0..3, Some(of)) => CampaignOp::Say { author, of, to },
            (0..6, of @ Some(_)) => {
                let (id, count) = (random.random_range(0..3), random.random_range(1..4));
                CampaignOp::Enforce { author, id, count, of: of.filter(|_| count > 1), to }
            }
            _ => CampaignOp::Found { author, to },
        }
    }
}

/// A campaign that was created before, if there is one.
pub fn any_campaign(history: &History, random: &mut StdRng) -> Option<u32> {
    campaigns(history).choose(random).copied()
}

/// The campaigns of a history, by the steps that create them.
pub fn campaigns(history: &History) -> Vec<u32> {
    let founding =
        history.steps.iter().filter(|(_, op)| matches!(op, Op::Campaign(CampaignOp::Found { .. })));
    founding.map(|(number, _)| *number).collect()
}

/// The campaigns that a step names.
pub fn named(op: &Op) -> Vec<u32> {
    match op {
        Op::Campaign(deed) => deed.of().into_iter().collect(),
        Op::Submit { items, .. } => items.iter().filter_map(|said| said.campaign).collect(),
        Op::Tip { campaign, .. } => campaign.iter().copied().collect(),
        _ => Vec::new(),
    }
}
