//! Steps of the liaison lane, between the steps of a history.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::campaign_ops::{CampaignOp, any_campaign};
use crate::history::{AudienceBits, History, MEMBERS, VALUES};
use crate::lane_tips::{self, TipStep};
use crate::liaison::{FilterSpec, ReaderSpec};

/// Higher than the number of every step of a history.
pub const STEPS: u32 = 45;

/// One step in the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneOp {
    /// A submission with a release.
    Submit {
        author: u8,
        to: AudienceBits,
        values: Vec<u8>,
        to_liaison: u8,
        hours: Option<u16>,
        confidence: u8,
    },
    /// Releases an author's values to liaisons (bits).
    Release {
        author: u8,
        values: Vec<u8>,
        liaisons: u8,
        hours: Option<u16>,
        basis: u8,
    },
    Retract {
        author: u8,
        values: Vec<u8>,
        liaisons: u8,
    },
    /// A campaign contribution or an enforcement, with a release.
    Campaign {
        op: CampaignOp,
        to_liaison: u8,
        hours: Option<u16>,
    },
    /// Releases everything that an author has in a campaign to liaisons (bits).
    ReleaseCampaign {
        author: u8,
        campaign: u32,
        liaisons: u8,
        hours: Option<u16>,
    },
    RetractCampaign {
        author: u8,
        campaign: u32,
        liaisons: u8,
    },
    Read {
        reader: u8,
        events: u8,
    },
    Snapshot {
        reader: u8,
    },
    /// A tip to liaisons (bits), with its number.
    Tip {
        sender: u8,
        liaisons: u8,
    },
    TipStep {
        tip: u32,
        step: TipStep,
    },
    /// A liaison lists its tips and reads each.
    ReadTips {
        reader: u8,
    },
    /// The node writes the ends of expired releases. Until then only the clock denies them.
    ExpireReleases,
}

/// A history, and the lane steps after each of its steps.
#[derive(Clone, Debug)]
pub struct LaneHistory {
    pub base: History,
    pub readers: Vec<ReaderSpec>,
    /// Lane steps: the number of the step before it, its own number, and the step.
    pub lane: Vec<(u32, u32, LaneOp)>,
}

impl LaneHistory {
    /// The history of a seed. Deterministic.
    pub fn of(base: &History, seed: u64) -> Self {
        let random = &mut StdRng::seed_from_u64(seed ^ 0x1a4e);
        let mut base = base.clone();
        base.whole_snapshots = true;
        let readers = (0..random.random_range(2..4)).map(|_| ReaderSpec {
            liaison: random.random_range(0..2),
            public_only: random.random_bool(0.2),
            filter: match random.random_range(0..5) {
                0 => FilterSpec::Confident,
                1 => FilterSpec::Author(random.random_range(0..MEMBERS)),
                _ => FilterSpec::Everything,
            },
        });
        let readers: Vec<_> = readers.collect();
        let count = random.random_range(8..24u32);
        let mut after: Vec<u32> = (0..count).map(|_| random.random_range(0..STEPS)).collect();
        after.sort_unstable();
        let lane = after.into_iter().zip(0..);
        let lane = lane.map(|(after, number)| (after, number, op(&base, random, readers.len())));
        let mut lane: Vec<_> = lane.collect();
        lane.extend(lane_tips::ops(&mut StdRng::seed_from_u64(seed ^ 0x71b5), readers.len()));
        Self { base, readers, lane }
    }

    /// The same history without one lane step.
    pub fn without(&self, number: u32) -> Self {
        let mut other = self.clone();
        other.lane.retain(|(_, own, _)| *own != number);
        other
    }

    /// Whether an author ever releases anything to a liaison.
    pub fn ever_releases(&self, author: u8, to: u8) -> bool {
        self.lane.iter().any(|(_, _, op)| match op {
            LaneOp::Submit { author: a, to_liaison, .. } => *a == author && *to_liaison == to,
            LaneOp::Release { author: a, liaisons, .. }
            | LaneOp::ReleaseCampaign { author: a, liaisons, .. } => {
                *a == author && liaisons & (1 << to) != 0
            }
            LaneOp::Campaign { op, to_liaison, .. } => op.author() == author && *to_liaison == to,
            _ => false,
        })
    }
}

fn op(base: &History, random: &mut StdRng, readers: usize) -> LaneOp {
    let author = random.random_range(0..MEMBERS);
    let mut values: Vec<u8> = (0..VALUES).filter(|_| random.random_bool(0.5)).collect();
    let hours = random.random_bool(0.5).then(|| random.random_range(1..800));
    let reader = random.random_range(0..readers) as u8;
    let to = match random.random_range(0..4) {
        0 => AudienceBits::Everyone,
        1 => AudienceBits::Public,
        _ => AudienceBits::Named { groups: 1 << random.random_range(0..2u8), partners: 0 },
    };
    let liaisons = random.random_range(1..4);
    match random.random_range(0..140) {
        0..20 => {
            values.push(random.random_range(0..VALUES));
            let confidence = [20, 80][random.random_range(0..2usize)];
            let to_liaison = random.random_range(0..2);
            LaneOp::Submit { author, to, values, to_liaison, hours, confidence }
        }
        20..48 => {
            let (liaisons, basis) = (random.random_range(1..4), random.random_range(0..2));
            LaneOp::Release { author, values, liaisons, hours, basis }
        }
        48..60 => LaneOp::Retract { author, values, liaisons: random.random_range(1..4) },
        60..84 => LaneOp::Read { reader, events: random.random_range(0..7) },
        84..90 => LaneOp::Snapshot { reader },
        90..100 => LaneOp::ExpireReleases,
        100..122 => {
            // Often a correction of an earlier one.
            let op = if random.random_bool(0.7) {
                let (author, count) = (author % 2, random.random_range(1..9));
                CampaignOp::Enforce {
                    author,
                    id: 0,
                    count,
                    campaign: None,
                    to: AudienceBits::Everyone,
                }
            } else {
                CampaignOp::any(base, random, to)
            };
            LaneOp::Campaign { op, to_liaison: random.random_range(0..2), hours }
        }
        number => match any_campaign(base, random) {
            Some(campaign) if number < 134 => {
                LaneOp::ReleaseCampaign { author, campaign, liaisons, hours }
            }
            Some(campaign) => LaneOp::RetractCampaign { author, campaign, liaisons },
            None => LaneOp::ExpireReleases,
        },
    }
}
