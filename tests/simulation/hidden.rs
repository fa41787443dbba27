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
    let is_named = |op: &Op| campaign_ops::named(op).contains(&step);
    let is_said = |op: &Op| matches!(op, Op::Campaign(CampaignOp::Say { of, .. }) if *of == step);
    let by_founder = history.steps.iter().any(|(_, op)| is_named(op) && !is_said(op));
    let founds = matches!(history.op_of(step), Some(Op::Campaign(CampaignOp::Found { .. })));
    let mut rest = history.without(|(number, op)| {
        let is_it = *number == step && !(founds && by_founder);
        is_it || is_said(op) || matches!(op, Op::Resend { of } if *of == step)
    });
    for (number, op) in &mut rest.steps {
        if let (true, Op::Campaign(CampaignOp::Found { author, to })) = (*number == step, op) {
            *to = AudienceBits::Named { groups: 0, partners: 1 << *author };
        }
    }
    rest
}

/// Whether a partner can never see the effects of a step. What others do because they see it would
/// reveal it. So a step does not count as hidden if a sighting or feedback of others may depend on
/// it.
fn is_hidden(history: &History, (number, op): &Step, observer: u8) -> bool {
    let never_receives = |to: &AudienceBits| match to {
        AudienceBits::Everyone | AudienceBits::Public => false,
        AudienceBits::Named { groups, partners } => {
            partners & (1 << observer) == 0
                && bits(*groups, 3).all(|group| !ever_in(history, group, observer))
        }
    };
    match op {
        Op::Submit { author, to, items, replaces } => {
            let values: BTreeSet<u8> = items.iter().map(|said| said.value).collect();
            let restricted = items.iter().any(|said| said.restricted);
            let in_campaign = items.iter().any(|said| said.campaign.is_some());
            let leads_back = history.steps.iter().any(|(_, other)| match other {
                // A recipient that shows its answer to the others reveals the state of the tip.
                Op::Respond { to_all: true, .. } if in_campaign => true,
                // A tip refers to nothing that its sender knows to be restricted.
                Op::Tip { about, .. } | Op::Respond { about, .. } => {
                    restricted && about.is_some_and(|about| values.contains(&about))
                }
                Op::ReportSighting { value, to, .. } => {
                    values.contains(value) && !never_receives(to)
                }
                // Its giver may be refused, and its key be used for something else.
                Op::GiveFeedback { of, giver, .. } => of == number && *giver == observer,
                _ => false,
            });
            *author != observer
                && never_receives(to)
                // Recipients of the replaced version are notified that it ended.
                && replaces.as_ref().is_none_or(never_receives)
                && !leads_back
                && keys_are_apart(history, *number)
        }
        Op::ReportSighting { author, to, key, .. } => {
            let repeats = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::ReportSighting { author: a, key: k, .. } if a == author && k == key)
            });
            *author != observer && never_receives(to) && repeats.count() == 1
        }
        Op::GiveFeedback { giver, of, to, key, .. } => {
            let repeats = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::GiveFeedback { giver: g, key: k, .. } if g == giver && k == key)
            });
            // The newest feedback of a giver on a version counts. Without it, the one before would
            // count.
            let again = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::GiveFeedback { giver: g, of: o, .. } if g == giver && o == of)
            });
            *giver != observer
                && to.as_ref().is_none_or(never_receives)
                && history.author_of(*of).is_some_and(|author| author != observer)
                && repeats.count() == 1
                && again.count() == 1
        }
        Op::Campaign(deed) => {
            let is_unseen =
                |deed: &CampaignOp| deed.author() != observer && never_receives(deed.to());
            is_unseen(deed) && is_apart(history, *number, deed, is_unseen)
        }
        Op::Tip { .. } | Op::Respond { .. } | Op::WithdrawTip { .. } => {
            crate::tip_ops::is_hidden(history, *number, op, observer)
        }
        Op::PutGroup { group, .. } => is_group_of_others(history, *group, observer, never_receives),
        _ => false,
    }
}

/// Whether nothing that others do depends on a campaign contribution or enforcement: a partner that
/// sees a campaign may name it, and its creator always does.
fn is_apart(
    history: &History,
    number: u32,
    deed: &CampaignOp,
    is_unseen: impl Fn(&CampaignOp) -> bool,
) -> bool {
    let (campaign, founder) = match deed {
        CampaignOp::Enforce { .. } => return true,
        CampaignOp::Found { author, .. } => (number, *author),
        CampaignOp::Say { of, .. } => match history.op_of(*of) {
            Some(Op::Campaign(CampaignOp::Found { author, .. })) => (*of, *author),
            _ => return false,
        },
    };
    let naming = history
        .steps
        .iter()
        .filter(|(one, op)| *one != number && campaign_ops::named(op).contains(&campaign));
    let (mut named, mut apart) = (false, true);
    for (_, op) in naming {
        match op {
            Op::Campaign(said @ CampaignOp::Say { .. }) => {
                apart &= is_unseen(said) && matches!(deed, CampaignOp::Found { .. });
            }
            Op::Campaign(done) => {
                named = true;
                apart &= done.author() == founder;
            }
            Op::Submit { author, .. } | Op::Tip { sender: author, .. } => {
                named = true;
                apart &= *author == founder;
            }
            _ => {}
        }
    }
    // A campaign that is named must be created with the hidden audience as well as with none.
    let is_safe = |to: &AudienceBits| matches!(to, AudienceBits::Named { groups: 0, .. });
    apart && (!named || matches!(deed, CampaignOp::Say { .. }) || is_safe(deed.to()))
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
        Op::Campaign(deed) => [Some(deed.to()), None],
        _ => [None, None],
    });
    let is_named = named.flatten().any(|to| to_group(to) && !never_receives(to));
    // A partner that sees a campaign may name it.
    let leads_back = |op: &Op| {
        matches!(op, Op::ReportSighting { .. } | Op::GiveFeedback { .. })
            || !campaign_ops::named(op).is_empty()
    };
    !ever_in(history, group, observer)
        && !is_named
        && !history.steps.iter().any(|(_, op)| leads_back(op))
}

/// Whether no feedback on a submission shares its key with other feedback. The first feedback under
/// a key counts. If it is refused because the version is missing, the next one under that key
/// counts.
fn keys_are_apart(history: &History, submission: u32) -> bool {
    let opined = |about: bool| {
        history.steps.iter().filter_map(move |(_, op)| match op {
            Op::GiveFeedback { giver, of, key, .. } if (*of == submission) == about => {
                Some((*giver, *key))
            }
            _ => None,
        })
    };
    let others: BTreeSet<_> = opined(false).collect();
    opined(true).all(|one| !others.contains(&one))
}

fn ever_in(history: &History, group: u8, partner: u8) -> bool {
    let at_first = FIRST_MEMBERS[usize::from(group)];
    let put = history.steps.iter().filter_map(|(_, op)| match op {
        Op::PutGroup { group: of, members } if *of == group => Some(*members),
        _ => None,
    });
    std::iter::once(at_first).chain(put).any(|members| members & (1 << partner) != 0)
}
