//! Random histories of an exchange. They are small, so that all combinations occur.

use crate::campaign_ops::{self, CampaignOp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// The partners: members, then an observer. There is an operator too.
pub const PARTNERS: [&str; 5] = ["ma", "mb", "mc", "md", "ob"];
/// The partners that may submit.
pub const MEMBERS: u8 = 4;
/// The groups: one without history for new members, one with history, and the restricted one.
pub const GROUPS: [&str; 3] = ["joined", "history", "closed"];
pub const RESTRICTED: u8 = 2;
/// The number of values.
pub const VALUES: u8 = 5;

/// One step, with a number by which others refer to it.
pub type Step = (u32, Op);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A submission of one batch.
    Submit {
        author: u8,
        to: AudienceBits,
        replaces: Option<AudienceBits>,
        items: Vec<SubmittedItem>,
        /// The list that it sends again.
        list: Option<u8>,
    },
    /// The author closes a submission.
    CloseSubmission {
        submission: u32,
        shrink: bool,
        unreadable: bool,
    },
    /// An hour passes, and the exchange closes what is idle.
    CloseIdle,
    /// The same submission again, like a client that got no answer.
    Resend {
        submission: u32,
    },
    Withdraw {
        author: u8,
        values: Vec<u8>,
        to: Option<AudienceBits>,
    },
    WithdrawSubmission {
        submission: u32,
    },
    /// Sets the members of a group, as bits over the partners.
    PutGroup {
        group: u8,
        members: u8,
    },
    Confirm {
        partner: u8,
    },
    Suspend {
        partner: u8,
        compromised_hours: Option<u16>,
    },
    Resume {
        partner: u8,
    },
    ReportSighting {
        author: u8,
        value: u8,
        to: AudienceBits,
        key: u8,
    },
    GiveFeedback {
        giver: u8,
        submission: u32,
        item: u8,
        to: Option<AudienceBits>,
        key: u8,
    },
    /// A tip to these members (bits), about the campaign and a value.
    Tip {
        sender: u8,
        to: u8,
        /// The campaign that it names, by the step that creates it.
        campaign: Option<u32>,
        about: Option<u8>,
        due_hours: Option<u16>,
    },
    /// A party answers a tip, or tries to.
    Respond {
        tip: u32,
        who: u8,
        /// The new state, by its number; 0 for no move.
        state: u8,
        about: Option<u8>,
        to: Option<u8>,
        to_all: bool,
    },
    WithdrawTip {
        tip: u32,
        who: u8,
    },
    Wait {
        hours: u16,
    },
    /// A reader connects, takes this many events, and disconnects.
    Read {
        reader: u8,
        events: u8,
    },
    /// A reader takes a snapshot instead of resuming from its cursor.
    Snapshot {
        reader: u8,
    },
    /// The node restarts, with the journal only or with its index.
    Restart {
        rebuild: bool,
    },
    /// The next append is rejected, lost, or stored without an answer. Its author tries again.
    Fault {
        which: u8,
    },
    /// A campaign contribution or an enforcement.
    Campaign(CampaignOp),
}

/// An audience. Groups and partners as bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudienceBits {
    Named { groups: u8, partners: u8 },
    Everyone,
    Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedItem {
    pub value: u8,
    pub confidence: u8,
    /// The validity in hours; without it, the default of the kind.
    pub hours: Option<u16>,
    pub restricted: bool,
    /// The campaign that it names, by the step that creates it.
    pub campaign: Option<u32>,
}

/// A reader: its partner and its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderSpec {
    pub partner: u8,
    pub filter: FilterSpec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterSpec {
    Everything,
    Confident,
    Group(u8),
    Author(u8),
    /// The campaign that a step creates. Everything, in a history without campaigns.
    Campaign(u32),
}

/// A history with its readers.
#[derive(Clone, Debug)]
pub struct History {
    pub readers: Vec<ReaderSpec>,
    pub steps: Vec<Step>,
    /// Whether snapshots are taken as a whole, and not page by page between other steps.
    pub whole_snapshots: bool,
}

impl History {
    /// The history of a seed. Deterministic.
    pub fn of(seed: u64) -> Self {
        let random = &mut StdRng::seed_from_u64(seed);
        let readers = (0..random.random_range(3..6)).map(|_| ReaderSpec {
            partner: random.random_range(0..5),
            filter: match random.random_range(0..9) {
                0 => FilterSpec::Confident,
                1 => FilterSpec::Group(random.random_range(0..3)),
                2 => FilterSpec::Author(random.random_range(0..MEMBERS)),
                3..5 => FilterSpec::Campaign(u32::MAX),
                _ => FilterSpec::Everything,
            },
        });
        let readers = readers.collect();
        let mut history = Self { readers, steps: Vec::new(), whole_snapshots: false };
        let length = random.random_range(12..45);
        history.steps.extend((0..).zip(crate::tip_ops::begin(random)));
        for number in history.steps.len() as u32..length {
            let op = history.op(random);
            history.steps.push((number, op));
        }
        let campaigns = campaign_ops::campaigns(&history);
        for reader in &mut history.readers {
            if reader.filter == FilterSpec::Campaign(u32::MAX) {
                let followed = campaigns.choose(random).copied();
                reader.filter = followed.map_or(FilterSpec::Everything, FilterSpec::Campaign);
            }
        }
        history
    }

    /// The same history without some steps.
    pub fn without(&self, left_out: impl Fn(&Step) -> bool) -> Self {
        let steps = self.steps.iter().filter(|step| !left_out(step)).cloned().collect();
        Self { readers: self.readers.clone(), steps, whole_snapshots: self.whole_snapshots }
    }

    /// The operation of a step.
    pub fn op_of(&self, step: u32) -> Option<&Op> {
        self.steps.iter().find(|(number, _)| *number == step).map(|(_, op)| op)
    }

    /// The author of a submission.
    pub fn author_of(&self, submission: u32) -> Option<u8> {
        self.steps.iter().find_map(|(number, op)| match op {
            Op::Submit { author, .. } if *number == submission => Some(*author),
            _ => None,
        })
    }

    fn op(&self, random: &mut StdRng) -> Op {
        let author = random.random_range(0..MEMBERS);
        let partner = random.random_range(0..5);
        let reader = random.random_range(0..self.readers.len()) as u8;
        match random.random_range(0..150) {
            134..148 => self.close(random).unwrap_or_else(|| self.submit(random, author)),
            148..150 => Op::CloseIdle,
            124..134 => {
                let to = any_audience(random);
                Op::Campaign(CampaignOp::any(self, random, to))
            }
            0..34 => self.submit(random, author),
            34..37 => match self.any_submission(random) {
                Some(submission) => Op::Resend { submission },
                None => self.submit(random, author),
            },
            37..44 => Op::Withdraw {
                author,
                values: (0..VALUES).filter(|_| random.random_bool(0.4)).collect(),
                to: random.random_bool(0.4).then(|| any_audience(random)),
            },
            44..47 => match self.any_submission(random) {
                Some(submission) => Op::WithdrawSubmission { submission },
                None => self.submit(random, author),
            },
            47..59 => Op::PutGroup {
                group: random.random_range(0..3),
                members: random.random_range(0..32),
            },
            59..61 => Op::Confirm { partner },
            61..63 => Op::Suspend {
                partner,
                compromised_hours: random.random_bool(0.5).then(|| random.random_range(0..2_000)),
            },
            63..65 => Op::Resume { partner },
            65..69 => {
                let (value, key) = (random.random_range(0..VALUES), random.random_range(0..6));
                Op::ReportSighting { author, value, to: any_audience(random), key }
            }
            69..73 => match self.any_submission(random) {
                Some(submission) => Op::GiveFeedback {
                    giver: author,
                    submission,
                    item: random.random_range(0..2),
                    to: random.random_bool(0.5).then(|| any_audience(random)),
                    key: random.random_range(0..6),
                },
                None => self.submit(random, author),
            },
            73..77 => Op::Wait { hours: random.random_range(1..2_000) },
            77..89 => Op::Read { reader, events: random.random_range(0..9) },
            89..94 => Op::Snapshot { reader },
            100..124 => crate::tip_ops::op(self, random, author, partner),
            94..97 => Op::Restart { rebuild: random.random_bool(0.5) },
            _ => Op::Fault { which: random.random_range(0..3) },
        }
    }

    /// A submission. Often it sends an earlier list again.
    fn submit(&self, random: &mut StdRng, author: u8) -> Op {
        let campaign = campaign_ops::any_campaign(self, random).filter(|_| random.random_bool(0.6));
        let mut op = submit(random, author, campaign);
        if let Some(Op::Submit { author: a, to: t, list: Some(l), .. }) = self.any_list(random)
            && random.random_bool(0.4)
            && let Op::Submit { author, to, list, .. } = &mut op
        {
            // A second list for the same audience may hold the same values.
            let name = if random.random_bool(0.8) { *l } else { 1 - *l };
            (*author, *to, *list) = (*a, t.clone(), Some(name));
        }
        op
    }

    /// The close of a submission, most often of one with a list.
    fn close(&self, random: &mut StdRng) -> Option<Op> {
        let is_list = |op: &Op| matches!(op, Op::Submit { list: Some(_), .. });
        let lists = self.steps.iter().filter(|(_, op)| is_list(op)).map(|(number, _)| *number);
        let lists: Vec<u32> = lists.collect();
        let newest = lists.iter().rev().take(3).copied().collect::<Vec<_>>();
        let of_list = newest.choose(random).copied().filter(|_| random.random_bool(0.9));
        Some(Op::CloseSubmission {
            submission: of_list.or_else(|| self.any_submission(random))?,
            shrink: random.random_bool(0.2),
            unreadable: random.random_bool(0.1),
        })
    }

    fn any_list(&self, random: &mut StdRng) -> Option<&Op> {
        let is_list = |op: &&Op| matches!(op, Op::Submit { list: Some(_), .. });
        let lists: Vec<_> = self.steps.iter().map(|(_, op)| op).filter(is_list).collect();
        lists.choose(random).copied()
    }

    fn any_submission(&self, random: &mut StdRng) -> Option<u32> {
        let submissions: Vec<u32> = self
            .steps
            .iter()
            .filter(|(_, op)| matches!(op, Op::Submit { .. }))
            .map(|(number, _)| *number)
            .collect();
        submissions.choose(random).copied()
    }
}

/// A submission of values, with or without a campaign.
fn submit(random: &mut StdRng, author: u8, campaign: Option<u32>) -> Op {
    // Sometimes the restricted group is named for restricted labels.
    let restricted = random.random_bool(0.15);
    let to = if restricted && random.random_bool(0.7) {
        AudienceBits::Named { groups: 1 << RESTRICTED, partners: 0 }
    } else {
        any_audience(random)
    };
    let items = (0..random.random_range(1..4)).map(|_| SubmittedItem {
        value: random.random_range(0..VALUES),
        confidence: [20, 80][random.random_range(0..2usize)],
        hours: random.random_bool(0.3).then(|| random.random_range(1..1_500)),
        restricted: restricted && random.random_bool(0.7),
        campaign: campaign.filter(|_| random.random_bool(0.7)),
    });
    let items = items.collect();
    let replaces = random.random_bool(0.25).then(|| any_audience(random));
    let list = random.random_bool(0.5).then(|| random.random_range(0..2));
    Op::Submit { author, to, replaces, items, list }
}

pub fn any_audience(random: &mut StdRng) -> AudienceBits {
    match random.random_range(0..10) {
        0 => AudienceBits::Everyone,
        1 => AudienceBits::Public,
        // Only a few, so that the same audience occurs again.
        2 => AudienceBits::Named { groups: 0, partners: 1 << random.random_range(0..5u8) },
        3 => AudienceBits::Named {
            groups: random.random_range(0..8),
            partners: 1 << random.random_range(0..5u8),
        },
        4 => AudienceBits::Named { groups: 0b11, partners: 0 },
        _ => AudienceBits::Named { groups: 1 << random.random_range(0..2u8), partners: 0 },
    }
}
