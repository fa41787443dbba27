//! Which steps of a history are hidden from whom.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::campaign_ops::{self, CampaignOp};
use crate::cast::{FIRST_MEMBERS, bits};
use crate::history::{AudienceBits, History, Op, Step};

/// A step that a partner can never see anything of, and the history without it.
pub struct Hidden {
    pub step: u32,
    pub from: u8,
    pub without: History,
}

impl Hidden {
    /// Picks one step of a history. `None` if nothing is hidden from the partner that was picked.
    pub fn of(history: &History, seed: u64) -> Option<Self> {
        let random = &mut StdRng::seed_from_u64(seed ^ 0x5eed);
        let from = random.random_range(0..5u8);
        let hidden: Vec<u32> = history
            .steps
            .iter()
            .filter(|step| is_hidden(history, step, from))
            .map(|(number, _)| *number)
            .collect();
        let step = hidden.choose(random).copied()?;
        Some(Self { step, from, without: without(history, step) })
    }
}

/// The history without the effects of a step. A campaign that its creator names is not removed,
/// because then the creator would be refused. It becomes private instead.
fn without(history: &History, step: u32) -> History {
    let names_it = |op: &Op| campaign_ops::named_campaigns(op).contains(&step);
    let contributes = |op: &Op| match op {
        Op::Campaign(CampaignOp::Contribute { campaign, .. }) => *campaign == step,
        _ => false,
    };
    let is_needed = history.steps.iter().any(|(_, op)| names_it(op) && !contributes(op));
    let creates = matches!(history.op_of(step), Some(Op::Campaign(CampaignOp::Create { .. })));
    let mut rest = history.without(|(number, op)| {
        let is_removed = *number == step && !(creates && is_needed);
        is_removed
            || contributes(op)
            || matches!(op, Op::Resend { submission } if *submission == step)
            || matches!(op, Op::CloseSubmission { submission, .. } if *submission == step)
    });
    for (number, op) in &mut rest.steps {
        if let (true, Op::Campaign(CampaignOp::Create { author, to })) = (*number == step, op) {
            *to = AudienceBits::Named { groups: 0, partners: 1 << *author };
        }
    }
    rest
}

/// Whether a partner can never see the effects of a step. What others do because they see it would
/// reveal it. So a step does not count as hidden if a sighting or feedback of others may depend on
/// it.
fn is_hidden(history: &History, (number, op): &Step, observer: u8) -> bool {
    let never_receives = |to: &AudienceBits| never_receives(history, to, observer);
    match op {
        Op::Submit { .. } => is_hidden_submission(history, *number, op, observer),
        Op::ReportSighting { author, to, key, .. } => {
            let repeats = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::ReportSighting { author: a, key: k, .. } if a == author && k == key)
            });
            *author != observer && never_receives(to) && repeats.count() == 1
        }
        Op::GiveFeedback { giver, submission, to, key, .. } => {
            let repeats = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::GiveFeedback { giver: g, key: k, .. } if g == giver && k == key)
            });
            // The newest feedback of a giver on a version counts. Without it, the one before would
            // count.
            let on_the_same = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::GiveFeedback { giver: g, submission: s, .. }
                    if g == giver && s == submission)
            });
            *giver != observer
                && to.as_ref().is_none_or(never_receives)
                && history.author_of(*submission).is_some_and(|author| author != observer)
                && repeats.count() == 1
                && on_the_same.count() == 1
        }
        Op::Campaign(op) => {
            let is_unseen = |op: &CampaignOp| op.author() != observer && never_receives(op.to());
            is_unseen(op) && nothing_depends_on(history, *number, op, is_unseen)
        }
        Op::Tip { .. } | Op::Respond { .. } | Op::WithdrawTip { .. } => {
            crate::tip_ops::is_hidden(history, *number, op, observer)
        }
        Op::PutGroup { group, .. } => is_group_of_others(history, *group, observer, never_receives),
        _ => false,
    }
}

/// Whether a partner is never in an audience.
fn never_receives(history: &History, to: &AudienceBits, partner: u8) -> bool {
    match to {
        AudienceBits::Everyone | AudienceBits::Public => false,
        AudienceBits::Named { groups, partners } => {
            partners & (1 << partner) == 0
                && bits(*groups, 3).all(|group| !ever_in(history, group, partner))
        }
    }
}

fn is_hidden_submission(history: &History, number: u32, op: &Op, observer: u8) -> bool {
    let Op::Submit { author, to, items, replaces, .. } = op else { panic!("a submission") };
    let never_receives = |to: &AudienceBits| never_receives(history, to, observer);
    let values: BTreeSet<u8> = items.iter().map(|item| item.value).collect();
    let restricted = items.iter().any(|item| item.restricted);
    let in_campaign = items.iter().any(|item| item.campaign.is_some());
    let reveals_it = |other: &Op| match other {
        // A recipient that shows its answer to the others reveals the state of the tip.
        Op::Respond { to_all: true, .. } if in_campaign => true,
        // A tip refers to nothing that its sender knows to be restricted.
        Op::Tip { about, .. } | Op::Respond { about, .. } => {
            restricted && about.is_some_and(|about| values.contains(&about))
        }
        Op::ReportSighting { value, to, .. } => values.contains(value) && !never_receives(to),
        // Its giver may be refused, and its key be used for something else.
        Op::GiveFeedback { submission, giver, .. } => *submission == number && *giver == observer,
        _ => false,
    };
    *author != observer
        && never_receives(to)
        // Recipients of the replaced version are notified that it ended.
        && replaces.as_ref().is_none_or(never_receives)
        && !history.steps.iter().any(|(_, other)| reveals_it(other))
        && has_its_own_feedback_keys(history, number)
}

/// Whether nothing that others do depends on a campaign contribution or enforcement: a partner that
/// sees a campaign may name it, and its creator always does.
fn nothing_depends_on(
    history: &History,
    number: u32,
    op: &CampaignOp,
    is_unseen: impl Fn(&CampaignOp) -> bool,
) -> bool {
    let (campaign, creator) = match op {
        CampaignOp::Enforce { .. } => return true,
        CampaignOp::Create { author, .. } => (number, *author),
        CampaignOp::Contribute { campaign, .. } => match history.op_of(*campaign) {
            Some(Op::Campaign(CampaignOp::Create { author, .. })) => (*campaign, *author),
            _ => return false,
        },
    };
    let naming = history
        .steps
        .iter()
        .filter(|(n, op)| *n != number && campaign_ops::named_campaigns(op).contains(&campaign));
    let (mut is_named, mut independent) = (false, true);
    for (_, other) in naming {
        match other {
            Op::Campaign(contribution @ CampaignOp::Contribute { .. }) => {
                independent &= is_unseen(contribution) && matches!(op, CampaignOp::Create { .. });
            }
            Op::Campaign(enforcement) => {
                is_named = true;
                independent &= enforcement.author() == creator;
            }
            Op::Submit { author, .. } | Op::Tip { sender: author, .. } => {
                is_named = true;
                independent &= *author == creator;
            }
            _ => {}
        }
    }
    // A campaign that is named must be created with the hidden audience as well as with none.
    let is_safe = |to: &AudienceBits| matches!(to, AudienceBits::Named { groups: 0, .. });
    independent && (!is_named || matches!(op, CampaignOp::Contribute { .. }) || is_safe(op.to()))
}

/// A group that the observer is never in, and whose objects the observer cannot see in another way.
/// The members of the group decide who may name it.
fn is_group_of_others(
    history: &History,
    group: u8,
    observer: u8,
    never_receives: impl Fn(&AudienceBits) -> bool,
) -> bool {
    let to_group = |to: &AudienceBits| matches!(to, AudienceBits::Named { groups, .. } if groups & (1 << group) != 0);
    let named = history.steps.iter().flat_map(|(_, op)| match op {
        Op::Submit { to, replaces, .. } => [Some(to), replaces.as_ref()],
        Op::Campaign(op) => [Some(op.to()), None],
        _ => [None, None],
    });
    let is_named = named.flatten().any(|to| to_group(to) && !never_receives(to));
    // A partner that sees a campaign may name it.
    let may_reveal = |op: &Op| {
        matches!(op, Op::ReportSighting { .. } | Op::GiveFeedback { .. })
            || !campaign_ops::named_campaigns(op).is_empty()
    };
    !ever_in(history, group, observer)
        && !is_named
        && !history.steps.iter().any(|(_, op)| may_reveal(op))
}

/// Whether no feedback on a submission shares its key with other feedback. The first feedback under
/// a key counts. If it is refused because the version is missing, the next one under that key
/// counts.
fn has_its_own_feedback_keys(history: &History, submission: u32) -> bool {
    let keys = |on_it: bool| {
        history.steps.iter().filter_map(move |(_, op)| match op {
            Op::GiveFeedback { giver, submission: s, key, .. } if (*s == submission) == on_it => {
                Some((*giver, *key))
            }
            _ => None,
        })
    };
    let others: BTreeSet<_> = keys(false).collect();
    keys(true).all(|key| !others.contains(&key))
}

fn ever_in(history: &History, group: u8, partner: u8) -> bool {
    let at_first = FIRST_MEMBERS[usize::from(group)];
    let put = history.steps.iter().filter_map(|(_, op)| match op {
        Op::PutGroup { group: changed, members } if *changed == group => Some(*members),
        _ => None,
    });
    std::iter::once(at_first).chain(put).any(|members| members & (1 << partner) != 0)
}
