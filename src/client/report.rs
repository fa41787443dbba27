//! Submits a whole report: splits it into batches, sends them over one stream and closes it.

use std::collections::VecDeque;

use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::retry::CallFailure;
use super::{Client, ClientError};
use crate::wire::pb;

/// Bytes per batch. An exchange accepts messages of 1 MB by default.
const MAX_BATCH_BYTES: usize = 768 * 1024;

/// A report to submit.
#[derive(Clone, Debug)]
pub struct Report {
    /// Submission id. The same id with the same content is stored once.
    pub submission_id: String,
    /// Who receives it. Absent: the author's defaults.
    pub sharing: Option<pb::Sharing>,
    /// Audience that this report replaces. Earlier assessments of the same indicators for that
    /// audience end.
    pub replaces_audience: Option<pb::Audience>,
    /// The items.
    pub items: Vec<pb::SubmittedIndicator>,
    /// Items per batch, normally [`Report::BATCH_ITEMS`].
    pub batch_items: usize,
}

impl Report {
    /// Default items per batch: large enough for throughput, small enough for a receipt within
    /// milliseconds.
    pub const BATCH_ITEMS: usize = 500;
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
    /// Rejected items: index in the report, field and reason.
    pub rejected: Vec<(usize, String, String)>,
    /// Batches that the exchange had already stored.
    pub replayed: usize,
    /// Number of batches.
    pub batches: usize,
    /// Assets referred to each owner of their platform.
    pub referred: Vec<(String, u32)>,
    /// Assets on platforms that were referred to nobody.
    pub not_referred: u32,
}

/// Splits items into batches by count and by bytes. Keeps the order.
pub fn split_batches(
    items: Vec<pb::SubmittedIndicator>,
    batch_items: usize,
) -> Vec<Vec<pb::SubmittedIndicator>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for item in items {
        let size = item.encoded_len() + 8;
        if !batch.is_empty() && (batch.len() >= batch_items || bytes + size > MAX_BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += size;
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

impl Client {
    /// Submits a report and closes it. After a broken connection, sends the batches without a
    /// receipt again. Calls `progress` with the number of items that have a receipt.
    pub async fn submit_report(
        &self,
        report: Report,
        mut progress: impl FnMut(usize),
    ) -> Result<ReportSummary, ClientError> {
        let Report { submission_id, sharing, replaces_audience, items, batch_items } = report;
        let mut first_item = 0;
        let mut pending: VecDeque<(usize, pb::StreamIndicatorsRequest)> = VecDeque::new();
        for (number, items) in (1u32..).zip(split_batches(items, batch_items)) {
            let batch_start = first_item;
            first_item += items.len();
            let batch = pb::SubmissionBatch {
                number,
                sharing: sharing.clone(),
                items,
                replaces_audience: replaces_audience.clone(),
            };
            let submission_id = submission_id.clone();
            let request =
                pb::StreamIndicatorsRequest { submission_id, batch: Some(batch), close: None };
            pending.push_back((batch_start, request));
        }
        let mut summary = ReportSummary { batches: pending.len(), ..ReportSummary::default() };
        let mut retries = self.retry_policy.retries();
        while !pending.is_empty() {
            let pending_before = pending.len();
            let sent = self.send(&mut pending, &mut summary, &mut progress).await;
            let Err(failure) = sent else { continue };
            if pending.len() < pending_before {
                retries = self.retry_policy.retries();
            }
            retries.wait_after(failure).await?;
        }
        if summary.batches > 0 {
            let batches = u32::try_from(summary.batches).unwrap_or(u32::MAX);
            let close = Some(pb::SubmissionClose { batches });
            let close = pb::SubmitIndicatorsRequest { submission_id, batch: None, close };
            let closed = self.submit(close).await?;
            summary.referred =
                closed.referred.into_iter().map(|one| (one.partner, one.count)).collect();
            summary.not_referred = closed.not_referred;
        }
        Ok(summary)
    }

    /// Sends the pending batches over one stream, and removes each from `pending` when its receipt
    /// arrives.
    async fn send(
        &self,
        pending: &mut VecDeque<(usize, pb::StreamIndicatorsRequest)>,
        summary: &mut ReportSummary,
        progress: &mut impl FnMut(usize),
    ) -> Result<(), CallFailure> {
        let (queue, requests) = mpsc::channel(4);
        let unsent: Vec<_> = pending.iter().map(|(_, request)| request.clone()).collect();
        let sender = tokio::spawn(async move {
            for request in unsent {
                if queue.send(request).await.is_err() {
                    return;
                }
            }
        });
        let result = self.receive(ReceiverStream::new(requests), pending, summary, progress).await;
        sender.abort();
        result
    }

    async fn receive(
        &self,
        requests: ReceiverStream<pb::StreamIndicatorsRequest>,
        pending: &mut VecDeque<(usize, pb::StreamIndicatorsRequest)>,
        summary: &mut ReportSummary,
        progress: &mut impl FnMut(usize),
    ) -> Result<(), CallFailure> {
        let mut receipts = self.indicator_service().stream_indicators(requests).await?.into_inner();
        while let Some(response) = receipts.message().await? {
            let receipt = response.receipt.ok_or_else(ClientError::no_receipt)?;
            let Some((first_item, _)) = pending.pop_front() else { break };
            summary.add(&receipt, first_item);
            progress(summary.items());
        }
        if pending.is_empty() {
            Ok(())
        } else {
            Err(ClientError::Unreachable("the exchange ended the stream".into()).into())
        }
    }
}

impl ReportSummary {
    /// Number of items with a receipt.
    pub fn items(&self) -> usize {
        self.created + self.replaced + self.unchanged + self.rejected.len()
    }

    fn add(&mut self, receipt: &pb::Receipt, first_item: usize) {
        self.replayed += usize::from(receipt.replayed);
        for item in &receipt.items {
            match item.status() {
                pb::ItemStatus::Created => self.created += 1,
                pb::ItemStatus::Replaced => self.replaced += 1,
                pb::ItemStatus::Unchanged => self.unchanged += 1,
                pb::ItemStatus::Rejected | pb::ItemStatus::Unspecified => {
                    let index = first_item + item.index as usize;
                    self.rejected.push((index, item.field.clone(), item.reason.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &str) -> pb::SubmittedIndicator {
        pb::SubmittedIndicator { value: value.into(), ..pb::SubmittedIndicator::default() }
    }

    #[test]
    fn items_are_split_by_count_and_by_bytes_in_order() {
        let sizes = |items| {
            split_batches(items, Report::BATCH_ITEMS).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Vec::new()), [0usize; 0]);
        assert_eq!(sizes(vec![item("a.example"); 1_001]), [500, 500, 1]);
        let large = item(&"x".repeat(MAX_BATCH_BYTES / 3));
        assert_eq!(sizes(vec![large; 5]), [2, 2, 1]);
        let oversized = item(&"x".repeat(MAX_BATCH_BYTES * 2));
        assert_eq!(sizes(vec![item("a"), oversized, item("b")]), [1, 1, 1]);
    }
}
