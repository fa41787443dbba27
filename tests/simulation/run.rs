//! Runs a history: every step is a call of the exchange, and the model follows it.

pub mod lists;
pub mod queries;
mod reactions;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use tipoff::domain::assessment::Confidence;
use tipoff::domain::entry::Item;
use tipoff::domain::label::Label;
use tipoff::domain::submission::{BatchRequest, ItemReceipt, Receipt, SubmissionRequest};
use tipoff::domain::{Assessment, IndicatorId, Position, TipId};
use tipoff::error::{Error, Kind as Fault};

use crate::cast::{FIRST_MEMBERS, TERMS, definition, group, id};
use crate::history::{History, Op, ReaderSpec, Step, SubmittedItem};
use crate::model::Model;
use crate::reader::{Reader, refused};
use crate::trace::{Observed, Trace, observation};
use crate::words::{audience, indicator, other_names, receipt, sharing, submission_id, withdrawal};
use crate::world::World;

/// A running history.
pub struct Run {
    pub world: World,
    readers: Vec<Reader>,
    /// The receipts of submissions, by step.
    receipts: BTreeMap<u32, Receipt>,
    pub model: Model,
    lists: lists::Lists,
    /// The sent tips, by step.
    pub tips: BTreeMap<u32, TipId>,
    observer: u8,
    pub trace: Trace,
}

/// Runs a history to its end. `Err` is a violated guarantee. `Ok` is what `observer` observed.
pub fn run(history: &History, observer: u8) -> Result<Trace, String> {
    let mut run = Run::new(history.readers.clone(), observer);
    for step in &history.steps {
        run.step(history, step)?;
    }
    run.end()?;
    Ok(run.trace)
}

impl Run {
    pub fn new(readers: Vec<ReaderSpec>, observer: u8) -> Self {
        Self::on(World::new(), readers, observer)
    }

    /// A run on the nodes of a world.
    pub fn on(world: World, readers: Vec<ReaderSpec>, observer: u8) -> Self {
        let mut model = Model::default();
        for (which, members) in (0u8..).zip(FIRST_MEMBERS) {
            model.put_group(which, members, 0);
        }
        Self {
            world,
            readers: readers.into_iter().map(Reader::new).collect(),
            receipts: BTreeMap::new(),
            tips: BTreeMap::new(),
            model,
            lists: lists::Lists::default(),
            observer,
            trace: Trace::new(),
        }
    }

    /// Runs these operations in order.
    pub fn run_ops(&mut self, ops: &[Op]) -> Result<(), String> {
        let first = u32::try_from(self.receipts.len()).unwrap();
        let steps: Vec<Step> = (first..).zip(ops.iter().cloned()).collect();
        let history = History { readers: Vec::new(), steps, whole_snapshots: true };
        history.steps.iter().try_for_each(|step| self.step(&history, step))
    }

    pub fn step(&mut self, history: &History, (number, op): &Step) -> Result<(), String> {
        match op {
            Op::Submit { author, .. } => {
                let answer = self.submit(*number, op);
                self.observe_answer(*author, answer.as_ref().map(receipt));
                if let Ok(receipt) = answer {
                    self.lists.add(*number, op, &receipt);
                    self.receipts.insert(*number, receipt);
                }
            }
            Op::CloseSubmission { .. } => self.close_submission(history, op)?,
            Op::CloseIdle => self.close_idle()?,
            Op::Resend { submission } => {
                if let Some(first) = history.op_of(*submission) {
                    self.resend(*submission, first)?;
                }
            }
            Op::Read { reader, events } => {
                let observed = self.readers[usize::from(*reader)].read(
                    &self.world,
                    &self.model,
                    usize::from(*events),
                )?;
                self.observe_reader(*reader, observed);
            }
            Op::Snapshot { reader } => {
                let state = &mut self.readers[usize::from(*reader)];
                let observed = if history.whole_snapshots {
                    state.snapshot(&self.world, &self.model)?
                } else {
                    state.snapshot_page(&self.world, &self.model)?
                };
                self.observe_reader(*reader, observed);
            }
            Op::Wait { hours } => {
                self.world.wait(*hours);
                self.expire();
            }
            Op::Restart { rebuild } => {
                self.disconnect();
                self.world.restart(*rebuild);
            }
            Op::Fault { which } => self.world.inject(*which),
            Op::Campaign(op) => self.campaign_step(*number, op),
            Op::Tip { .. } | Op::Respond { .. } | Op::WithdrawTip { .. } => self.tip(*number, op),
            Op::PutGroup { .. } | Op::Confirm { .. } | Op::Suspend { .. } | Op::Resume { .. } => {
                self.membership_step(op);
            }
            Op::Withdraw { .. }
            | Op::WithdrawSubmission { .. }
            | Op::ReportSighting { .. }
            | Op::GiveFeedback { .. } => self.partner_step(history, op),
        }
        if matches!(op, Op::Submit { .. } | Op::Resend { .. }) {
            self.reopen();
        }
        self.sync_lists();
        Ok(())
    }

    /// Ends the snapshots in progress.
    pub fn disconnect(&mut self) {
        self.readers.iter_mut().for_each(Reader::disconnect);
    }

    /// Makes a call, and retries it while the error is retryable.
    pub fn call<T, F>(&mut self, mut call: impl FnMut(&World) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        loop {
            let answer = call(&self.world);
            match self.world.drive(answer) {
                Err(error) if matches!(error.kind(), Fault::Unknown | Fault::Unavailable) => {
                    self.disconnect();
                    self.world.fail_over();
                }
                answer => return answer,
            }
        }
    }

    pub fn submit(&mut self, number: u32, op: &Op) -> Result<Receipt, Error> {
        let Op::Submit { author, to, replaces, items, list } = op else { panic!("a submission") };
        let caller = self.world.caller(*author)?;
        let submission = SubmissionRequest {
            id: submission_id(number),
            batch: Some(BatchRequest {
                number: 1,
                digest: [u8::try_from(number).unwrap(); 32],
                sharing: sharing(to),
                replaces: replaces.as_ref().and_then(audience),
                list: list.map(lists::list_name),
                items: items.iter().zip(0..).map(|(item, index)| self.item(item, index)).collect(),
                rejected: Vec::new(),
            }),
            close: None,
        };
        self.call(|world| {
            let (exchange, caller, submission) =
                (world.exchange().clone(), caller.clone(), submission.clone());
            async move { exchange.commands.submit(&caller, submission).await }
        })
    }

    fn item(&self, item: &SubmittedItem, index: u32) -> Item {
        let indicator = indicator(item.value);
        let mut assessment = Assessment {
            confidence: Some(Confidence::new(item.confidence.into()).unwrap()),
            valid_until: item.hours.map(|hours| self.world.in_hours(hours)),
            account: other_names(item.value, item.confidence),
            ..Assessment::of(indicator)
        };
        if item.restricted {
            assessment.labels = vec![Label::from_stored("csam")];
        }
        assessment.campaign = item.campaign.map(|step| self.world.campaigns.id(step));
        Item { index, id: assessment.indicator.id(), assessment }
    }

    /// Repeats a submission. The same key and content must give the same receipt.
    fn resend(&mut self, number: u32, op: &Op) -> Result<(), String> {
        let Op::Submit { author, .. } = op else { return Ok(()) };
        let first = self.receipts.get(&number).cloned();
        let answer = self.submit(number, op);
        self.observe_answer(*author, answer.as_ref().map(receipt));
        let has_expired = self.lists.has_expired(number, self.world.hours_ago(0));
        match (first, answer) {
            (Some(first), Ok(again)) => {
                let (first, again) = (first.batch.unwrap(), again.batch.unwrap());
                if first.items != again.items || first.sequence != again.sequence {
                    return Err(format!(
                        "{first:?} was answered with {again:?} when it was sent again"
                    ));
                }
                if !again.replayed {
                    return Err(format!("submission {number} was accepted twice"));
                }
            }
            (None, Ok(receipt)) => {
                self.lists.add(number, op, &receipt);
                self.receipts.insert(number, receipt);
            }
            (Some(_), Err(error)) if error.label() == "submission_closed" && has_expired => {}
            (Some(_), Err(error)) if error.label() != "partner_suspended" => {
                return Err(format!(
                    "submission {number} was accepted, and is now refused: {error}"
                ));
            }
            (_, Err(_)) => {}
        }
        Ok(())
    }

    /// Withdrawals, sightings and feedback.
    fn partner_step(&mut self, history: &History, op: &Op) {
        match op {
            Op::Withdraw { author, values, to } => {
                let ids: BTreeSet<IndicatorId> =
                    values.iter().map(|value| indicator(*value).id()).collect();
                let audience = to.as_ref().and_then(audience);
                let answer = self.as_partner(*author, |exchange, caller| {
                    let (ids, audience) = (ids.clone(), audience.clone());
                    async move { exchange.commands.withdraw(&caller, ids, audience.as_ref()).await }
                });
                self.observe_answer(*author, answer.as_ref().map(withdrawal));
            }
            Op::WithdrawSubmission { submission } => {
                let Some(author) = history.author_of(*submission) else { return };
                let submission = submission_id(*submission);
                let answer = self.as_partner(author, |exchange, caller| {
                    let submission = submission.clone();
                    async move { exchange.commands.withdraw_submission(&caller, &submission).await }
                });
                self.observe_answer(author, answer.as_ref().map(withdrawal));
            }
            Op::ReportSighting { author, value, to, key } => {
                self.report_sighting(*author, *value, to, *key);
            }
            Op::GiveFeedback { giver, submission, item, to, key } => {
                if let Some(about) = self.version_of(*submission, *item) {
                    self.give_feedback(*giver, about, *item, to.as_ref(), *key);
                }
            }
            _ => unreachable!("{op:?}"),
        }
    }

    /// What changes groups and partners.
    fn membership_step(&mut self, op: &Op) {
        match op {
            Op::PutGroup { group, members } => {
                let definition = definition(*group, *members);
                let operator = self.world.operator();
                let put = self.call(|world| {
                    let (exchange, operator, definition) =
                        (world.exchange().clone(), operator.clone(), definition.clone());
                    async move { exchange.commands.put_group(&operator, definition).await }
                });
                // The retry reports "unchanged" if the first try was stored without an answer. Then
                // it was the newest entry.
                self.model.put_group(*group, *members, put.unwrap().sequence);
            }
            Op::Confirm { partner } => {
                let answer = self.as_partner(*partner, |exchange, caller| async move {
                    exchange.commands.confirm_terms(&caller, &group(2), TERMS).await
                });
                if answer.is_ok() {
                    self.model.confirm(*partner);
                }
                self.observe_answer(
                    *partner,
                    answer.as_ref().map(|()| observation("confirmed", [])),
                );
            }
            Op::Suspend { partner, compromised_hours } => {
                let since = compromised_hours.map(|hours| self.world.hours_ago(hours));
                let operator = self.world.operator();
                let suspended = self.call(|world| {
                    let (exchange, operator) = (world.exchange().clone(), operator.clone());
                    async move {
                        exchange.commands.suspend_partner(&operator, &id(*partner), since).await
                    }
                });
                suspended.unwrap();
            }
            Op::Resume { partner } => self.resume(*partner),
            _ => unreachable!("{op:?}"),
        }
    }

    pub fn as_partner<T, F>(
        &mut self,
        partner: u8,
        mut call: impl FnMut(std::sync::Arc<tipoff::exchange::Exchange>, tipoff::exchange::Caller) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let caller = self.world.caller(partner)?;
        self.call(|world| call(world.exchange().clone(), caller.clone()))
    }

    fn resume(&mut self, partner: u8) {
        let operator = self.world.operator();
        let resumed = self.call(|world| {
            let (exchange, operator) = (world.exchange().clone(), operator.clone());
            async move { exchange.commands.resume_partner(&operator, &id(partner)).await }
        });
        resumed.unwrap();
    }

    fn expire(&mut self) {
        let expired = self.call(|world| {
            let exchange = world.exchange().clone();
            async move { exchange.sweeps.expire_due().await }
        });
        expired.unwrap();
    }

    fn version_of(&self, submission: u32, item: u8) -> Option<Position> {
        let items = &self.receipts.get(&submission)?.batch.as_ref()?.items;
        match items.get(usize::from(item))?.1 {
            ItemReceipt::Created(at)
            | ItemReceipt::Recreated { version: at, .. }
            | ItemReceipt::Replaced { version: at, .. }
            | ItemReceipt::Unchanged(at) => Some(at),
            ItemReceipt::Rejected(_) => None,
        }
    }

    fn observe_reader(&mut self, reader: u8, observed: Vec<Observed>) {
        if self.readers[usize::from(reader)].spec.partner == self.observer {
            self.trace.push(observation(&format!("reader {reader}"), []));
            self.trace.extend(observed);
        }
    }

    pub fn observe_answer(&mut self, partner: u8, answer: Result<Observed, &Error>) {
        if partner == self.observer {
            self.trace.push(answer.unwrap_or_else(refused));
        }
    }
}
