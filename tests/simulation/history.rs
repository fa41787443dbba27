//! What happens on a simulated exchange: random, and small enough that everything meets everything.

use crate::deed::{self, Deed};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// The partners: members, then an observer. An operator is there besides.
pub const PARTNERS: [&str; 5] = ["ma", "mb", "mc", "md", "ob"];
/// Who may submit.
pub const MEMBERS: u8 = 4;
/// The groups: one that shows new members what comes, one that shows them all, and the restricted.
pub const GROUPS: [&str; 3] = ["joined", "history", "closed"];
pub const RESTRICTED: u8 = 2;
/// How many values there are.
pub const VALUES: u8 = 5;

/// One thing that happens, under a number by which others refer to it.
pub type Step = (u32, Op);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A submission of one batch.
    Submit {
        author: u8,
        to: To,
        replaces: Option<To>,
        items: Vec<Said>,
    },
    /// The same submission again, as a client does that got no answer.
    Resend {
        of: u32,
    },
    Withdraw {
        author: u8,
        values: Vec<u8>,
        to: Option<To>,
    },
    WithdrawSubmission {
        of: u32,
    },
    /// The group is these from now on, as bits over the partners.
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
    Sight {
        author: u8,
        value: u8,
        to: To,
        key: u8,
    },
    Opine {
        giver: u8,
        of: u32,
        item: u8,
        to: Option<To>,
        key: u8,
    },
    /// A tip to these members, as bits; of the campaign, and about a value.
    Tip {
        sender: u8,
        to: u8,
        /// The campaign that it belongs to, by the step that founds it.
        campaign: Option<u32>,
        about: Option<u8>,
        due_hours: Option<u16>,
    },
    /// A party adds to a tip, or tries to.
    Respond {
        of: u32,
        who: u8,
        /// The state that it is moved to, by its number; 0 for no move.
        state: u8,
        about: Option<u8>,
        to: Option<u8>,
        to_all: bool,
    },
    WithdrawTip {
        of: u32,
        who: u8,
    },
    Wait {
        hours: u16,
    },
    /// A reader connects, takes so many events, and is gone again.
    Read {
        reader: u8,
        events: u8,
    },
    /// A reader takes a snapshot instead of going on from its cursor.
    Snapshot {
        reader: u8,
    },
    /// The node starts again; from the journal alone, or from its index.
    Restart {
        rebuild: bool,
    },
    /// The next append is rejected, lost or stored without an answer; its author tries again.
    Fault {
        which: u8,
    },
    /// Something is said of a campaign, or done.
    Deed(Deed),
}

/// An audience. Groups and partners as bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    Named { groups: u8, partners: u8 },
    Everyone,
    Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub value: u8,
    pub confidence: u8,
    /// After how many hours it ends; as its kind does where it does not say.
    pub hours: Option<u16>,
    pub restricted: bool,
    /// The campaign that it names, by the step that founds it.
    pub campaign: Option<u32>,
}

/// A reader: whose, and what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderOf {
    pub partner: u8,
    pub filter: FilterOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOf {
    Everything,
    Confident,
    Group(u8),
    Author(u8),
    /// The campaign that a step founds; of a history that founds none, everything.
    Campaign(u32),
}

/// A history with its readers.
#[derive(Clone, Debug)]
pub struct History {
    pub readers: Vec<ReaderOf>,
    pub steps: Vec<Step>,
    /// Whether snapshots are taken in one go, and not page by page with other things in between.
    pub whole_snapshots: bool,
}

impl History {
    /// The history of a seed: always the same.
    pub fn of(seed: u64) -> Self {
        let random = &mut StdRng::seed_from_u64(seed);
        let readers = (0..random.random_range(3..6)).map(|_| ReaderOf {
            partner: random.random_range(0..5),
            filter: match random.random_range(0..9) {
                0 => FilterOf::Confident,
                1 => FilterOf::Group(random.random_range(0..3)),
                2 => FilterOf::Author(random.random_range(0..MEMBERS)),
                3..5 => FilterOf::Campaign(u32::MAX),
                _ => FilterOf::Everything,
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
        let founded = deed::campaigns(&history);
        for reader in &mut history.readers {
            if reader.filter == FilterOf::Campaign(u32::MAX) {
                let followed = founded.choose(random).copied();
                reader.filter = followed.map_or(FilterOf::Everything, FilterOf::Campaign);
            }
        }
        history
    }

    /// The same without some steps.
    pub fn without(&self, left_out: impl Fn(&Step) -> bool) -> Self {
        let steps = self.steps.iter().filter(|step| !left_out(step)).cloned().collect();
        Self { readers: self.readers.clone(), steps, whole_snapshots: self.whole_snapshots }
    }

    /// What happens in a step.
    pub fn op_of(&self, step: u32) -> Option<&Op> {
        self.steps.iter().find(|(number, _)| *number == step).map(|(_, op)| op)
    }

    /// Whose a submission is.
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
        match random.random_range(0..134) {
            124..134 => {
                let to = any_audience(random);
                Op::Deed(Deed::any(self, random, to))
            }
            0..34 => self.submit(random, author),
            34..37 => match self.any_submission(random) {
                Some(of) => Op::Resend { of },
                None => self.submit(random, author),
            },
            37..44 => Op::Withdraw {
                author,
                values: (0..VALUES).filter(|_| random.random_bool(0.4)).collect(),
                to: random.random_bool(0.4).then(|| any_audience(random)),
            },
            44..47 => match self.any_submission(random) {
                Some(of) => Op::WithdrawSubmission { of },
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
                Op::Sight { author, value, to: any_audience(random), key }
            }
            69..73 => match self.any_submission(random) {
                Some(of) => Op::Opine {
                    giver: author,
                    of,
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

    fn submit(&self, random: &mut StdRng, author: u8) -> Op {
        let campaign = deed::any_campaign(self, random).filter(|_| random.random_bool(0.6));
        submit(random, author, campaign)
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

/// A submission of values that belong to a campaign or to none.
fn submit(random: &mut StdRng, author: u8, campaign: Option<u32>) -> Op {
    // The closed group is named now and then for what only it may hold.
    let restricted = random.random_bool(0.15);
    let to = if restricted && random.random_bool(0.7) {
        To::Named { groups: 1 << RESTRICTED, partners: 0 }
    } else {
        any_audience(random)
    };
    let items = (0..random.random_range(1..4)).map(|_| Said {
        value: random.random_range(0..VALUES),
        confidence: [20, 80][random.random_range(0..2usize)],
        hours: random.random_bool(0.3).then(|| random.random_range(1..1_500)),
        restricted: restricted && random.random_bool(0.7),
        campaign: campaign.filter(|_| random.random_bool(0.7)),
    });
    let items = items.collect();
    let replaces = random.random_bool(0.25).then(|| any_audience(random));
    Op::Submit { author, to, replaces, items }
}

pub fn any_audience(random: &mut StdRng) -> To {
    match random.random_range(0..10) {
        0 => To::Everyone,
        1 => To::Public,
        // Few of them, so that the same audience is named again.
        2 => To::Named { groups: 0, partners: 1 << random.random_range(0..5u8) },
        3 => To::Named {
            groups: random.random_range(0..8),
            partners: 1 << random.random_range(0..5u8),
        },
        4 => To::Named { groups: 0b11, partners: 0 },
        _ => To::Named { groups: 1 << random.random_range(0..2u8), partners: 0 },
    }
}
