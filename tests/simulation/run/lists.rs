//! Lists that are sent again, and an independent model of what their closes withdraw.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tipoff::domain::audience::AudienceDigest;
use tipoff::domain::list::{ListChanges, ListName, ListReceipt, ShrinkPolicy};
use tipoff::domain::submission::{CloseRequest, ItemReceipt, Receipt, SubmissionRequest};
use tipoff::domain::{Position, Timestamp};

use super::Run;
use crate::cast::id;
use crate::history::{History, Op};
use crate::trace::observation;
use crate::words::{audience, indicator, submission_id};

/// The number of values that closes have withdrawn, and that other lists have kept.
pub static WITHDRAWN: AtomicU64 = AtomicU64::new(0);
pub static HELD_BY_OTHER_LISTS: AtomicU64 = AtomicU64::new(0);

/// A list: its author, its audience and its name.
type ListKey = (u8, AudienceDigest, u8);

/// What the lists hold.
#[derive(Debug, Default)]
pub struct Lists {
    /// The values of each list, each with the submission that sent it last.
    members: BTreeMap<ListKey, BTreeMap<u8, u32>>,
    submissions: BTreeMap<u32, SubmissionModel>,
}

#[derive(Debug)]
struct SubmissionModel {
    /// How many submissions were opened before it.
    opened: usize,
    list: Option<ListKey>,
    has_rejected: bool,
    /// When its author or the exchange closed it.
    closed: Option<Timestamp>,
    is_closed_by_author: bool,
    /// What its author's close did to the list, if it has one.
    receipt: Option<ListReceipt>,
}

/// The name of a list.
pub fn list_name(list: u8) -> ListName {
    ListName::from_stored(&format!("list-{list}"))
}

impl Lists {
    /// Adds a submission that was accepted.
    pub fn add(&mut self, number: u32, op: &Op, receipt: &Receipt) {
        let Op::Submit { author, to, items, list, .. } = op else { panic!("a submission") };
        let list = list.map(|list| (*author, AudienceDigest::of(&audience(to).unwrap()), list));
        let mut model = SubmissionModel {
            opened: self.submissions.len(),
            list,
            has_rejected: false,
            closed: None,
            is_closed_by_author: false,
            receipt: None,
        };
        for (index, item) in &receipt.batch.as_ref().unwrap().items {
            match (item, list) {
                (ItemReceipt::Rejected(_), _) => model.has_rejected = true,
                (_, None) => {}
                (_, Some(list)) => {
                    let value = items[*index as usize].value;
                    self.members.entry(list).or_default().insert(value, number);
                }
            }
        }
        self.submissions.entry(number).or_insert(model);
    }

    /// The values that a submission lacks and that no open or later submission sent: those that its close may withdraw, and
    /// those that another list holds.
    fn missing_values(&self, number: u32, list: ListKey) -> (Vec<u8>, Vec<u8>) {
        let opened = self.submissions[&number].opened;
        let is_replaced = |sender: &u32| {
            let sender = &self.submissions[sender];
            sender.opened < opened && sender.closed.is_some()
        };
        let members = self.members.get(&list).into_iter().flatten();
        let left = members.filter(|(_, sender)| is_replaced(sender)).map(|(value, _)| *value);
        left.partition(|value| {
            !self.members.iter().any(|(other, members)| {
                *other != list
                    && (other.0, other.1) == (list.0, list.1)
                    && members.contains_key(value)
            })
        })
    }

    /// The exchange closes what is open.
    fn close_idle(&mut self, now: Timestamp) {
        self.submissions.values_mut().for_each(|one| _ = one.closed.get_or_insert(now));
    }

    /// Whether the receipts of a submission are gone, because it was closed more than 7 days ago.
    pub fn has_expired(&self, number: u32, now: Timestamp) -> bool {
        let submission = self.submissions.get(&number);
        let closed = submission.and_then(|submission| submission.closed);
        closed.is_some_and(|closed| now.since(closed) > Duration::from_secs(7 * 86_400))
    }

    /// Closes a submission by its author. Returns the receipt that is expected, and the values to withdraw.
    fn close(
        &mut self,
        number: u32,
        policy: ShrinkPolicy,
        now: Timestamp,
    ) -> (Option<ListReceipt>, Vec<u8>) {
        let submission = &self.submissions[&number];
        if submission.is_closed_by_author {
            return (submission.receipt, Vec::new());
        }
        let (list, has_rejected) = (submission.list, submission.has_rejected);
        let mut withdrawn = Vec::new();
        let receipt = list.map(|list| {
            let (exclusive, held) = self.missing_values(number, list);
            if !policy.shrink && (has_rejected || policy.unreadable > 0) {
                let not_withdrawn = exclusive.len() as u64;
                return complete(ListChanges { not_withdrawn, ..ListChanges::default() });
            }
            let members = self.members.entry(list).or_default();
            members.retain(|value, _| !exclusive.contains(value) && !held.contains(value));
            let done = ListChanges {
                withdrawn: exclusive.len() as u64,
                held_by_other_lists: held.len() as u64,
                not_withdrawn: 0,
            };
            withdrawn = exclusive;
            complete(done)
        });
        let submission = self.submissions.get_mut(&number).unwrap();
        submission.closed = Some(now);
        submission.is_closed_by_author = true;
        submission.receipt = receipt;
        (receipt, withdrawn)
    }
}

/// The receipt of a close that has nothing left to do. The histories are too small for another one.
fn complete(done: ListChanges) -> ListReceipt {
    ListReceipt { done, withdrawn_by: None, pending: 0, resumes_at: None }
}

impl Run {
    /// The author closes a submission. What it withdraws has to be what the model says.
    pub fn close_submission(&mut self, history: &History, op: &Op) -> Result<(), String> {
        let Op::CloseSubmission { submission: number, shrink, unreadable } = op else {
            panic!("a close")
        };
        let Some(author) = history.author_of(*number) else { return Ok(()) };
        let policy = ShrinkPolicy { shrink: *shrink, unreadable: u64::from(*unreadable) };
        let answer = self.as_partner(author, |exchange, caller| {
            let close = Some(CloseRequest { batches: 1, policy });
            let request = SubmissionRequest { id: submission_id(*number), batch: None, close };
            async move { exchange.commands.submit(&caller, request).await }
        });
        let without_entries = |lists| ListReceipt { withdrawn_by: None, ..lists };
        let closed = |receipt: &Receipt| {
            let entries = receipt.lists.and_then(|lists| lists.withdrawn_by);
            let entries = entries.into_iter().flat_map(|(first, last)| [first, last]);
            let entries: Vec<_> = entries.map(|sequence| Position::new(sequence, 0)).collect();
            observation(&format!("closed {:?}", receipt.lists.map(without_entries)), entries)
        };
        self.observe_answer(author, answer.as_ref().map(closed));
        let is_open = self.lists.submissions.contains_key(number);
        let receipt = match answer {
            Ok(receipt) => receipt,
            Err(error) if is_open && error.label() != "partner_suspended" => {
                return Err(format!("submission {number} cannot be closed: {error}"));
            }
            Err(_) => return Ok(()),
        };
        let (expected, withdrawn) = self.lists.close(*number, policy, self.world.hours_ago(0));
        let names_entries =
            |lists: ListReceipt| lists.withdrawn_by.is_some() == (lists.done.withdrawn > 0);
        if receipt.lists.map(without_entries) != expected
            || !receipt.lists.is_none_or(names_entries)
        {
            return Err(format!(
                "the close of {number} gives {:?}, not {expected:?}",
                receipt.lists
            ));
        }
        if let Some(lists) = receipt.lists {
            WITHDRAWN.fetch_add(withdrawn.len() as u64, Ordering::Relaxed);
            HELD_BY_OTHER_LISTS.fetch_add(lists.done.held_by_other_lists, Ordering::Relaxed);
        }
        let list = self.lists.submissions[number].list;
        match withdrawn.iter().find(|value| list.is_some_and(|list| self.is_current(list, **value)))
        {
            Some(value) => Err(format!("the close of {number} left the value {value}")),
            None => self.check_members(),
        }
    }

    /// The exchange closes all submissions, because they are idle. That withdraws nothing.
    pub fn close_idle(&mut self) -> Result<(), String> {
        self.world.wait(1);
        self.expire();
        self.sync_lists();
        let closed = self.call(|world| {
            let exchange = world.exchange().clone();
            async move { exchange.sweeps.close_idle().await }
        });
        closed.unwrap();
        self.lists.close_idle(self.world.hours_ago(0));
        self.check_members()
    }

    /// Members whose assessments ended leave their lists.
    pub fn sync_lists(&mut self) {
        let mut members = std::mem::take(&mut self.lists.members);
        for (list, values) in &mut members {
            values.retain(|value, _| self.is_current(*list, *value));
        }
        self.lists.members = members;
    }

    /// Every value that the model has in a list is current.
    fn check_members(&self) -> Result<(), String> {
        for (list, values) in &self.lists.members {
            if let Some(value) = values.keys().find(|value| !self.is_current(*list, **value)) {
                return Err(format!("{value} of {list:?} was withdrawn"));
            }
        }
        Ok(())
    }

    fn is_current(&self, (author, audience, _): ListKey, value: u8) -> bool {
        let view = self.world.exchange().index().read().unwrap();
        view.current(indicator(value).id(), &id(author), audience).unwrap().is_some()
    }
}
