//! Random histories of lists: their counts, and crashes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::keys::{self, lists};
use super::list_tests::{ListHistory, PLAIN, SHRINK, in_memory, with_verdict};
use super::record::{
    self, GenerationKey, GenerationState, ListMemberships, ListRecord, SubmissionLists,
    WithdrawalRecord,
};
use super::test_history::stopped_and_finished;
use super::*;
use crate::domain::{Position, Timestamp};

/// One step of a random history. The numbers choose submission, list and values.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send(u8, u8, u16),
    Close(u8, bool),
    Idle(u8),
    Withdraw(u8),
    Continue,
    Sweep,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..8, 0u8..3, any::<u16>()).prop_map(|(s, l, v)| Step::Send(s, l, v)),
        3 => (0u8..8, any::<bool>()).prop_map(|(s, shrink)| Step::Close(s, shrink)),
        1 => (0u8..8).prop_map(Step::Idle),
        1 => (0u8..16).prop_map(Step::Withdraw),
        4 => Just(Step::Continue),
        1 => Just(Step::Sweep),
    ]
}

fn run(steps: &[Step]) -> ListHistory {
    let mut lists = ListHistory::new();
    let mut batches = [0u32; 8];
    for step in steps {
        match *step {
            Step::Send(submission, list, values) => {
                let number = &mut batches[usize::from(submission)];
                *number += 1;
                let names: Vec<_> = (0..16).map(|bit| bit.to_string()).collect();
                let chosen = names.iter().enumerate().filter(|(bit, _)| values & (1 << bit) != 0);
                let chosen: Vec<_> = chosen.map(|(_, name)| name.as_str()).collect();
                let list = ["", "a", "b"][usize::from(list)];
                let name = format!("s{submission}");
                lists.send_batch(list, &name, *number, &with_verdict(&chosen));
            }
            Step::Close(submission, shrink) => {
                let policy = if shrink { SHRINK } else { PLAIN };
                let number = batches[usize::from(submission)];
                lists.close_with(&format!("s{submission}"), Some(number), policy);
            }
            Step::Idle(submission) => {
                lists.close_with(&format!("s{submission}"), None, PLAIN);
            }
            Step::Withdraw(value) => {
                lists.withdraw_by_hand(&value.to_string());
            }
            Step::Sweep => {
                lists.sweep_withdrawals(2);
            }
            Step::Continue => {
                let due = lists.index.read().unwrap().incomplete_list_closes(None, 1).unwrap();
                for (_, submission) in due {
                    lists.withdraw_some(submission.as_str(), 3);
                }
            }
        }
    }
    lists
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The counts of each list equal its members, members are current, and every close comes to an end.
    #[test]
    fn counts_equal_members_and_every_member_is_current(
        steps in proptest::collection::vec(any_step(), 1..60),
    ) {
        let mut lists = run(&steps);
        check(&lists.index.read().unwrap()).unwrap();
        loop {
            let due = lists.index.read().unwrap().incomplete_list_closes(None, 1).unwrap();
            let Some((_, submission)) = due.into_iter().next() else { break };
            lists.withdraw_some(submission.as_str(), 3);
        }
        check(&lists.index.read().unwrap()).unwrap();
    }
}

proptest! {
    // Each case opens two databases on disk.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// A node that crashed anywhere ends with the same index.
    #[test]
    fn a_crash_anywhere_ends_with_the_same_index(
        steps in proptest::collection::vec(any_step(), 1..40),
        commits in 0usize..40,
    ) {
        let lists = run(&steps);
        let whole = in_memory(&lists.history);
        let (_folder, crashed) = stopped_and_finished(&lists.history, commits);
        let digest = |index: &Index| index.read().unwrap().digest().unwrap();
        prop_assert_eq!(digest(&whole), digest(&crashed));
        prop_assert_eq!(digest(&whole), digest(&lists.index));
    }
}

/// Checks that each membership has a member key and a current assessment, and that the counts of each generation are the
/// number of its members.
fn check(view: &View<'_>) -> std::result::Result<(), String> {
    let mut counts: BTreeMap<GenerationKey, (u64, u64)> = BTreeMap::new();
    for pair in view.snapshot.scan(b"Kh") {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        let held = ListMemberships::decode(&value).map_err(|error| error.to_string())?.0;
        let assessment = [b"i", &key[2..]].concat();
        let id = keys::assessment_indicator(&assessment).ok_or("a key")?;
        if view.snapshot.get(&assessment).map_err(|error| error.to_string())?.is_none() {
            return Err(format!("{id} is in {held:?} and not current"));
        }
        for generation in &held {
            let count = counts.entry(*generation).or_default();
            count.0 += 1;
            count.1 += u64::from(held.len() > 1);
            let member = view.snapshot.get(&lists::member(*generation, id));
            if member.map_err(|error| error.to_string())?.is_none() {
                return Err(format!("{id} has no member key in {generation:?}"));
            }
        }
    }
    let members = view.snapshot.scan(b"Km").count() as u64;
    if members != counts.values().map(|(members, _)| members).sum::<u64>() {
        return Err(format!("{members} member keys for {counts:?}"));
    }
    check_withdrawals(view)?;
    check_cursors(view)?;
    let pending = view.snapshot.scan(lists::PENDING).count();
    let mut withdrawing = 0;
    let mut counted = BTreeMap::new();
    for pair in view.snapshot.scan(b"Kl") {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        let list = keys::read_entry(&key).ok_or("a key")?;
        let record = ListRecord::decode(&value).map_err(|error| error.to_string())?;
        for one in record.generations {
            withdrawing += u64::from(one.state == GenerationState::Withdrawing);
            counted.insert(GenerationKey { list, number: one.number }, (one.members, one.shared));
        }
    }
    if counted != counts {
        return Err(format!("{counted:?} is not {counts:?}"));
    }
    if withdrawing > 0 && pending == 0 {
        return Err("a generation is being withdrawn by nobody".into());
    }
    Ok(())
}

/// Checks that each record of a withdrawal is found by the target that made it, and by no other.
fn check_withdrawals(view: &View<'_>) -> std::result::Result<(), String> {
    let records = view.snapshot.scan(b"Kw").count();
    let targets =
        view.withdrawals_before(Timestamp::from_millis(i64::MAX), Position::default(), 999);
    let targets = targets.map_err(|error| error.to_string())?.len();
    if records != targets {
        return Err(format!("{records} records of withdrawals by {targets} targets"));
    }
    for pair in view.snapshot.scan(b"Kw") {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        let record = WithdrawalRecord::decode(&value).map_err(|error| error.to_string())?;
        let found = view.snapshot.get(&lists::withdrawn_by(record.by));
        let found = found.map_err(|error| error.to_string())?.ok_or("a withdrawal by nothing")?;
        if record::decode::<&[u8]>(&found, "a key").map_err(|error| error.to_string())? != &*key {
            return Err(format!("{record:?} is not that of its target"));
        }
        let current = view.snapshot.get(&[b"i", &key[2..]].concat());
        if current.map_err(|error| error.to_string())?.is_some() {
            return Err(format!("{record:?} is of a current assessment"));
        }
    }
    Ok(())
}

/// Checks that no member of a generation is before the place from which its close continues. Here each withdrawal is
/// applied before anything else changes. Where it is not, members may be left behind: see [`PendingGeneration::after`].
fn check_cursors(view: &View<'_>) -> std::result::Result<(), String> {
    for pair in view.snapshot.scan(b"Ks") {
        let (_, value) = pair.map_err(|error| error.to_string())?;
        let named = SubmissionLists::decode(&value).map_err(|error| error.to_string())?;
        for one in named.closing.into_iter().flat_map(|closing| closing.pending) {
            for pair in view.snapshot.scan(&lists::members(one.generation)) {
                let (key, _) = pair.map_err(|error| error.to_string())?;
                if lists::read_member(&key) <= one.after {
                    return Err(format!("{key:?} is passed over by {one:?}"));
                }
            }
        }
    }
    Ok(())
}
