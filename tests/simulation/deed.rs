//! What is said of campaigns and done against them, in a history.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::history::{History, MEMBERS, Op, To};

/// A campaign is named by the step that founds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A campaign is founded.
    Found { author: u8, to: To },
    /// A partner says what one is.
    Say { author: u8, of: u32, to: To },
    /// A partner acts, under one of a few ids.
    Enforce { author: u8, id: u8, count: u8, of: Option<u32>, to: To },
}

impl Deed {
    /// The campaign that it names.
    pub fn of(&self) -> Option<u32> {
        match self {
            Deed::Found { .. } => None,
            Deed::Say { of, .. } => Some(*of),
            Deed::Enforce { of, .. } => *of,
        }
    }

    pub fn author(&self) -> u8 {
        match self {
            Deed::Found { author, .. }
            | Deed::Say { author, .. }
            | Deed::Enforce { author, .. } => *author,
        }
    }

    pub fn to(&self) -> &To {
        match self {
            Deed::Found { to, .. } | Deed::Say { to, .. } | Deed::Enforce { to, .. } => to,
        }
    }

    /// One that comes next in a history.
    pub fn any(history: &History, random: &mut StdRng, to: To) -> Self {
        let author = random.random_range(0..MEMBERS);
        let of = any_campaign(history, random);
        match (random.random_range(0..9), of) {
            (0..3, Some(of)) => Deed::Say { author, of, to },
            (0..6, of @ Some(_)) => {
                let (id, count) = (random.random_range(0..3), random.random_range(1..4));
                Deed::Enforce { author, id, count, of: of.filter(|_| count > 1), to }
            }
            _ => Deed::Found { author, to },
        }
    }
}

/// A campaign that was founded before, if there is one.
pub fn any_campaign(history: &History, random: &mut StdRng) -> Option<u32> {
    campaigns(history).choose(random).copied()
}

/// The campaigns of a history, by the steps that found them.
pub fn campaigns(history: &History) -> Vec<u32> {
    let founding =
        history.steps.iter().filter(|(_, op)| matches!(op, Op::Deed(Deed::Found { .. })));
    founding.map(|(number, _)| *number).collect()
}

/// The campaigns that a step names.
pub fn named(op: &Op) -> Vec<u32> {
    match op {
        Op::Deed(deed) => deed.of().into_iter().collect(),
        Op::Submit { items, .. } => items.iter().filter_map(|said| said.campaign).collect(),
        Op::Tip { campaign, .. } => campaign.iter().copied().collect(),
        _ => Vec::new(),
    }
}
