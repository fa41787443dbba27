//! Sends the indicators of the input, batch by batch, while it is read.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::task;

use super::super::failure::Failure;
use super::super::output;
use super::batches::{Batch, Batches};
use super::inputs::{Input, Inputs};
use super::items::Source;
use super::outcome::Rejections;
use super::{CloseOptions, SubmissionOptions, Submit};
use crate::client::{Client, ReportBatch, ReportSummary, Submission};
use crate::formats::{Class, Record, SkipReason};

/// Batches that are read before they can be sent.
const READ_AHEAD: usize = 4;

/// The transfer of one submission.
pub struct Transfer<'a> {
    command: &'a Submit,
    bar: ProgressBar,
    /// The places of the items that have no receipt, in the order in which they were sent.
    unanswered: VecDeque<Source>,
    /// Index of the first of them in the submission.
    first_unanswered: usize,
    /// Records that could not be read, or must not be sent.
    unreadable: u64,
    /// Indicators that repeat one of the same batch.
    pub repeated: u64,
    /// Records whose campaign name was ignored.
    pub campaigns_left_out: u64,
}

/// What the reading thread sends.
enum Step {
    Batch(Batch),
    Unreadable(Source, String),
    Finished { repeated: u64, campaigns_left_out: u64 },
    Failed(Failure),
}

impl<'a> Transfer<'a> {
    /// A transfer of `indicators` indicators.
    pub fn new(command: &'a Submit, indicators: u64) -> Self {
        Self {
            command,
            bar: output::progress("submitting", usize::try_from(indicators).unwrap_or_default()),
            unanswered: VecDeque::new(),
            first_unanswered: 0,
            unreadable: 0,
            repeated: 0,
            campaigns_left_out: 0,
        }
    }

    /// Reads the input and sends it, then closes the submission.
    pub async fn run(
        &mut self,
        client: &Client,
        submission_id: &str,
        inputs: &Inputs,
        rejections: &mut Rejections,
    ) -> Result<ReportSummary, Failure> {
        let command = self.command;
        let options = SubmissionOptions {
            list: command.list.as_ref().map(ToString::to_string),
            ..SubmissionOptions::default()
        };
        let mut submission = client.open_submission(submission_id, options);
        let mut steps = self.read(inputs);
        let mut has_sent = false;
        while let Some(step) = steps.recv().await {
            match step {
                Step::Batch(batch) => {
                    has_sent = true;
                    self.send(&mut submission, batch, rejections).await?;
                }
                Step::Unreadable(source, reason) => {
                    self.unreadable += 1;
                    rejections.reject(source, reason)?;
                }
                Step::Finished { repeated, campaigns_left_out } => {
                    (self.repeated, self.campaigns_left_out) = (repeated, campaigns_left_out);
                }
                Step::Failed(failure) => return Err(failure),
            }
        }
        if !has_sent {
            // A list that has become empty.
            let sharing = Some(command.sharing(None));
            submission.send(ReportBatch { sharing, ..ReportBatch::default() }).await?;
        }
        while submission.receive().await? {
            self.apply_receipts(&mut submission, rejections)?;
        }
        self.apply_receipts(&mut submission, rejections)?;
        self.bar.finish_and_clear();
        let close = CloseOptions { shrink: command.shrink, unreadable: self.unreadable };
        match submission.close(close).await {
            Ok(summary) => Ok(summary),
            Err(error) => {
                // What was rejected may be why the list is not closed.
                rejections.print()?;
                Err(error.into())
            }
        }
    }

    /// Reads the input for what cannot be read, where there is nothing to send.
    pub fn reject_unreadable(inputs: &Inputs, rejections: &mut Rejections) -> Result<(), Failure> {
        let mut printed = Ok(());
        inputs.read(&mut |input, record| {
            if let Some((source, reason)) = unreadable(&input.name, &record, false) {
                printed = rejections.reject(source, reason);
            }
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        printed
    }

    /// Reads the input on a thread of its own.
    fn read(&self, inputs: &Inputs) -> mpsc::Receiver<Step> {
        let (sender, steps) = mpsc::channel(READ_AHEAD);
        let inputs = inputs.clone();
        let names_partners = !self.command.partners.is_empty();
        // Of a list that is sent again, whether each file has one value in each line.
        let of_list = self.command.list.is_some() && inputs.iter().all(Input::is_list);
        let mut batches = Batches::new(self.command.defaults.clone(), names_partners);
        task::spawn_blocking(move || {
            let send = |step| match sender.blocking_send(step) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let read = inputs.read(&mut |input, record| {
                if let Some((source, reason)) = unreadable(&input.name, &record, of_list) {
                    return send(Step::Unreadable(source, reason));
                }
                match batches.add(&input.name, &record) {
                    Ok(None) => ControlFlow::Continue(()),
                    Ok(Some(batch)) => send(Step::Batch(batch)),
                    Err(reason) => send(Step::Unreadable(Source::of(&input.name, &record), reason)),
                }
            });
            if let Err(failure) = read {
                let _ = send(Step::Failed(failure));
                return;
            }
            for batch in batches.finish() {
                let _ = send(Step::Batch(batch));
            }
            let Batches { repeated, campaigns_left_out, .. } = batches;
            let _ = send(Step::Finished { repeated, campaigns_left_out });
        });
        steps
    }

    async fn send(
        &mut self,
        submission: &mut Submission,
        batch: Batch,
        rejections: &mut Rejections,
    ) -> Result<(), Failure> {
        self.unanswered.extend(batch.sources);
        let batch = ReportBatch {
            sharing: Some(self.command.sharing(batch.tlp)),
            replaces_audience: self.command.replaces.audience(),
            items: batch.items,
        };
        submission.send(batch).await?;
        self.apply_receipts(submission, rejections)
    }

    /// Takes what was rejected, and forgets the places of what has a receipt.
    fn apply_receipts(
        &mut self,
        submission: &mut Submission,
        rejections: &mut Rejections,
    ) -> Result<(), Failure> {
        for (index, field, reason) in submission.take_rejected() {
            if let Some(source) = self.unanswered.get(index - self.first_unanswered) {
                rejections.reject_by_exchange(source.clone(), &field, &reason)?;
            }
        }
        for (index, withdrawn) in submission.take_resent() {
            if let Some(source) = self.unanswered.get(index - self.first_unanswered) {
                rejections.add_resent(source.clone(), withdrawn)?;
            }
        }
        let answered = submission.summary().items();
        self.unanswered.drain(..answered - self.first_unanswered);
        self.first_unanswered = answered;
        self.bar.set_position(answered as u64);
        Ok(())
    }
}

/// The place of a record that cannot be read, and the reason. In a list that is sent again, a text with a value in it
/// may be a misspelt line, whose value must not be withdrawn for that.
fn unreadable(file: &str, record: &Record, of_list: bool) -> Option<(Source, String)> {
    let reason = match &record.class {
        Class::Unreadable(invalid) => format!("{} {}", invalid.field, invalid.reason),
        Class::Neither(SkipReason::TextWithValue | SkipReason::Malformed) if of_list => {
            "is a text with something like a value: write the value alone, or make the line a comment with `# `"
                .to_owned()
        }
        _ => return None,
    };
    Some((Source::of(file, record), reason))
}
