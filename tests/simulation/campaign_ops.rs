//! Campaign and enforcement steps of a history.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::history::{AudienceBits, History, MEMBERS, Op};

/// A campaign is identified by the step that creates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignOp {
    /// Creates a campaign.
    Create { author: u8, to: AudienceBits },
    /// A partner contributes to a campaign.
    Contribute { author: u8, campaign: u32, to: AudienceBits },
    /// A partner reports an enforcement, under one of a few ids.
    Enforce { author: u8, id: u8, count: u8, campaign: Option<u32>, to: AudienceBits },
}

impl CampaignOp {
    /// The existing campaign that it names.
    pub fn campaign(&self) -> Option<u32> {
        match self {
            CampaignOp::Create { .. } => None,
            CampaignOp::Contribute { campaign, .. } => Some(*campaign),
            CampaignOp::Enforce { campaign, .. } => *campaign,
        }
    }

    pub fn author(&self) -> u8 {
        match self {
            CampaignOp::Create { author, .. }
            | CampaignOp::Contribute { author, .. }
            | CampaignOp::Enforce { author, .. } => *author,
        }
    }

    pub fn to(&self) -> &AudienceBits {
        match self {
            CampaignOp::Create { to, .. }
            | CampaignOp::Contribute { to, .. }
            | CampaignOp::Enforce { to, .. } => to,
        }
    }

    /// A random next step of a history.
    pub fn any(history: &History, random: &mut StdRng, to: AudienceBits) -> Self {
        let author = random.random_range(0..MEMBERS);
        let existing = any_campaign(history, random);
        match (random.random_range(0..9), existing) {
            (0..3, Some(campaign)) => CampaignOp::Contribute { author, campaign, to },
            (0..6, Some(campaign)) => {
                let (id, count) = (random.random_range(0..3), random.random_range(1..4));
                let campaign = Some(campaign).filter(|_| count > 1);
                CampaignOp::Enforce { author, id, count, campaign, to }
            }
            _ => CampaignOp::Create { author, to },
        }
    }
}

/// A campaign that was created before, if there is one.
pub fn any_campaign(history: &History, random: &mut StdRng) -> Option<u32> {
    campaigns(history).choose(random).copied()
}

/// The campaigns of a history, by the steps that create them.
pub fn campaigns(history: &History) -> Vec<u32> {
    let creating = history
        .steps
        .iter()
        .filter(|(_, op)| matches!(op, Op::Campaign(CampaignOp::Create { .. })));
    creating.map(|(number, _)| *number).collect()
}

/// The campaigns that a step names.
pub fn named_campaigns(op: &Op) -> Vec<u32> {
    match op {
        Op::Campaign(op) => op.campaign().into_iter().collect(),
        Op::Submit { items, .. } => items.iter().filter_map(|item| item.campaign).collect(),
        Op::Tip { campaign, .. } => campaign.iter().copied().collect(),
        _ => Vec::new(),
    }
}
