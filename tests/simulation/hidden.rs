//! What is hidden in a history, from whom.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::cast::{FIRST_MEMBERS, bits};
use crate::deed::{self, Deed};
use crate::history::{History, Op, Step, To};

/// A step that a partner can at no time see anything of, and the history without it.
pub struct Hidden {
    pub step: u32,
    pub from: u8,
    pub without: History,
}

impl Hidden {
    /// One of a history; `None` where nothing is hidden from the partner that was picked.
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

/// The history without what a step brings. A campaign that its founder names is not taken away, or the
/// founder would be refused: it is nobody else's business then.
fn without(history: &History, step: u32) -> History {
    let is_named = |op: &Op| deed::named(op).contains(&step);
    let is_said = |op: &Op| matches!(op, Op::Deed(Deed::Say { of, .. }) if *of == step);
    let by_founder = history.steps.iter().any(|(_, op)| is_named(op) && !is_said(op));
    let founds = matches!(history.op_of(step), Some(Op::Deed(Deed::Found { .. })));
    let mut rest = history.without(|(number, op)| {
        let is_it = *number == step && !(founds && by_founder);
        is_it || is_said(op) || matches!(op, Op::Resend { of } if *of == step)
    });
    for (number, op) in &mut rest.steps {
        if let (true, Op::Deed(Deed::Found { author, to })) = (*number == step, op) {
            *to = To::Named { groups: 0, partners: 1 << *author };
        }
    }
    rest
}

/// Whether a partner can at no time see what a step brings. What others do because they see it is
/// their telling, so nothing counts that a sighting or feedback of others may lead back to.
fn is_hidden(history: &History, (number, op): &Step, observer: u8) -> bool {
    let never_receives = |to: &To| match to {
        To::Everyone | To::Public => false,
        To::Named { groups, partners } => {
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
                // Where a tip stands since, its recipient tells by what it shows to the others.
                Op::Respond { to_all: true, .. } if in_campaign => true,
                // A tip refers to nothing that its sender knows to be restricted.
                Op::Tip { about, .. } | Op::Respond { about, .. } => {
                    restricted && about.is_some_and(|about| values.contains(&about))
                }
                Op::Sight { value, to, .. } => values.contains(value) && !never_receives(to),
                // Who gives it may be refused, and its key be used for something else.
                Op::Opine { of, giver, .. } => of == number && *giver == observer,
                _ => false,
            });
            *author != observer
                && never_receives(to)
                // Who received what it takes the place of is told that it ended.
                && replaces.as_ref().is_none_or(never_receives)
                && !leads_back
                && keys_are_apart(history, *number)
        }
        Op::Sight { author, to, key, .. } => {
            let repeats = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::Sight { author: a, key: k, .. } if a == author && k == key)
            });
            *author != observer && never_receives(to) && repeats.count() == 1
        }
        Op::Opine { giver, of, to, key, .. } => {
            let repeats = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::Opine { giver: g, key: k, .. } if g == giver && k == key)
            });
            // The newest word of a giver on a version counts: one less uncovers the one before.
            let again = history.steps.iter().filter(|(_, other)| {
                matches!(other, Op::Opine { giver: g, of: o, .. } if g == giver && o == of)
            });
            *giver != observer
                && to.as_ref().is_none_or(never_receives)
                && history.author_of(*of).is_some_and(|author| author != observer)
                && repeats.count() == 1
                && again.count() == 1
        }
        Op::Deed(deed) => {
            let is_unseen = |deed: &Deed| deed.author() != observer && never_receives(deed.to());
            is_unseen(deed) && is_apart(history, *number, deed, is_unseen)
        }
        Op::Tip { .. } | Op::Respond { .. } | Op::WithdrawTip { .. } => {
            crate::tip_ops::is_hidden(history, *number, op, observer)
        }
        Op::PutGroup { group, .. } => is_group_of_others(history, *group, observer, never_receives),
        _ => false,
    }
}

/// Whether nothing that anybody else does hangs on a deed: who sees a campaign may name it, and its
/// founder always does.
fn is_apart(
    history: &History,
    number: u32,
    deed: &Deed,
    is_unseen: impl Fn(&Deed) -> bool,
) -> bool {
    let (campaign, founder) = match deed {
        Deed::Enforce { .. } => return true,
        Deed::Found { author, .. } => (number, *author),
        Deed::Say { of, .. } => match history.op_of(*of) {
            Some(Op::Deed(Deed::Found { author, .. })) => (*of, *author),
            _ => return false,
        },
    };
    let naming = history
        .steps
        .iter()
        .filter(|(one, op)| *one != number && deed::named(op).contains(&campaign));
    let (mut named, mut apart) = (false, true);
    for (_, op) in naming {
        match op {
            Op::Deed(said @ Deed::Say { .. }) => {
                apart &= is_unseen(said) && matches!(deed, Deed::Found { .. });
            }
            Op::Deed(done) => {
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
    // One that is named has to be founded with the hidden audience as well as with none.
    let is_safe = |to: &To| matches!(to, To::Named { groups: 0, .. });
    apart && (!named || matches!(deed, Deed::Say { .. }) || is_safe(deed.to()))
}

/// A group that the observer is never in, and to which nothing is shared that it may see another way:
/// who is in the group decides who may name it.
fn is_group_of_others(
    history: &History,
    group: u8,
    observer: u8,
    never_receives: impl Fn(&To) -> bool,
) -> bool {
    let to_group = |to: &To| matches!(to, To::Named { groups, .. } if groups & (1 << group) != 0);
    let named = history.steps.iter().flat_map(|(_, op)| match op {
        Op::Submit { to, replaces, .. } => [Some(to), replaces.as_ref()],
        Op::Deed(deed) => [Some(deed.to()), None],
        _ => [None, None],
    });
    let is_named = named.flatten().any(|to| to_group(to) && !never_receives(to));
    // Who sees a campaign may name it.
    let leads_back =
        |op: &Op| matches!(op, Op::Sight { .. } | Op::Opine { .. }) || !deed::named(op).is_empty();
    !ever_in(history, group, observer)
        && !is_named
        && !history.steps.iter().any(|(_, op)| leads_back(op))
}

/// Whether no feedback on a submission shares its key with other feedback: the first under a key counts,
/// so that one which is refused for want of a version makes room for the next.
fn keys_are_apart(history: &History, submission: u32) -> bool {
    let opined = |about: bool| {
        history.steps.iter().filter_map(move |(_, op)| match op {
            Op::Opine { giver, of, key, .. } if (*of == submission) == about => {
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
