//! Submits a whole report that is in memory, and what its receipts add up to.

use super::submission::{CloseOptions, ReportBatch, SubmissionOptions};
use super::{Client, ClientError};
use crate::wire::pb;

/// A report to submit.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Submission id. The same id with the same content is stored once.
    pub submission_id: String,
    /// Who receives it, which audience it replaces, and the items.
    pub batch: ReportBatch,
    /// The list that it sends again, and the size of its batches.
    pub options: SubmissionOptions,
    /// How to close it.
    pub close: CloseOptions,
}

/// The result of a submitted report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportSummary {
    /// New assessments.
    pub created: usize,
    /// Items that replaced an earlier assessment.
    pub replaced: usize,
    /// Items equal to the current assessment.
    pub unchanged: usize,
    /// Number of rejected items.
    pub rejected_items: usize,
    /// Rejected items: index in the report, field and reason.
    pub rejected: Vec<(usize, String, String)>,
    /// Items that this partner had withdrawn before and has now sent again: index in the report, and
    /// when it withdrew them.
    pub resent: Vec<(usize, prost_types::Timestamp)>,
    /// Batches that the exchange had already stored.
    pub replayed: usize,
    /// Number of batches.
    pub batches: usize,
    /// Assets referred to each owner of their platform.
    pub referred: Vec<(String, u32)>,
    /// Assets on platforms that were referred to nobody.
    pub not_referred: u32,
    /// What the close did to the list, and what is pending. `None` if the report is no list.
    pub list: Option<pb::ListReceipt>,
}

impl Client {
    /// Submits a report and closes it. After a broken connection, sends the batches without a
    /// receipt again. Calls `progress` with the number of items that have a receipt.
    pub async fn submit_report(
        &self,
        report: Report,
        mut progress: impl FnMut(usize),
    ) -> Result<ReportSummary, ClientError> {
        let Report { submission_id, batch, options, close } = report;
        let batch_items = options.batch_items.max(1);
        let mut submission = self.open_submission(submission_id, options);
        let ReportBatch { sharing, replaces_audience, items } = batch;
        let mut items = items.into_iter();
        loop {
            let part: Vec<_> = items.by_ref().take(batch_items).collect();
            let is_last = items.len() == 0;
            let (sharing, replaces_audience) = (sharing.clone(), replaces_audience.clone());
            submission.send(ReportBatch { sharing, replaces_audience, items: part }).await?;
            progress(submission.summary().items());
            if is_last {
                break;
            }
        }
        while submission.receive().await? {
            progress(submission.summary().items());
        }
        submission.close(close).await
    }
}

impl ReportSummary {
    /// Number of items with a receipt.
    pub fn items(&self) -> usize {
        self.created + self.replaced + self.unchanged + self.rejected_items
    }

    /// Adds the receipt of a batch. `first_item` is the index of its first item in the report.
    pub(super) fn add(&mut self, receipt: &pb::Receipt, first_item: usize) {
        self.replayed += usize::from(receipt.replayed);
        for item in &receipt.items {
            let index = first_item + item.index as usize;
            match item.status() {
                pb::ItemStatus::Created => self.created += 1,
                pb::ItemStatus::Replaced => self.replaced += 1,
                pb::ItemStatus::Unchanged => self.unchanged += 1,
                pb::ItemStatus::Rejected | pb::ItemStatus::Unspecified => {
                    self.rejected_items += 1;
                    self.rejected.push((index, item.field.clone(), item.reason.clone()));
                }
            }
            if let Some(withdrawn) = item.withdrawn_before {
                self.resent.push((index, withdrawn));
            }
        }
    }

    /// Adds the receipt of the close.
    pub(super) fn add_close(&mut self, closed: pb::Receipt) {
        self.referred = closed.referred.into_iter().map(|one| (one.partner, one.count)).collect();
        self.not_referred = closed.not_referred;
        self.list = closed.lists;
    }
}
