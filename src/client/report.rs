//! Submitting a whole report: split into batches, sent over one stream, closed.

use std::collections::VecDeque;

use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::retry::CallFailure;
use super::{Client, ClientError};
use crate::wire::pb;

/// The most bytes of a batch: an exchange takes messages of 1 MB.
const BATCH_BYTES: usize = 768 * 1024;

/// A report to submit.
#[derive(Clone, Debug)]
pub struct Report {
    /// The submission's id. The same id with the same content is not stored twice.
    pub submission_id: String,
    /// Who receives it; the author's defaults where absent.
    pub sharing: Option<pb::Sharing>,
    /// An audience that this one takes the place of: what was said to it of the same indicators ends.
    pub replaces_audience: Option<pb::Audience>,
    /// Its items.
    pub items: Vec<pb::SubmittedIndicator>,
    /// The most items of a batch; [`Report::BATCH_ITEMS`] serves well.
    pub batch_items: usize,
}

impl Report {
    /// Large enough for speed, small enough for a receipt within milliseconds.
    pub const BATCH_ITEMS: usize = 500;
}

/// What became of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportSummary {
    /// Items that are the author's first word on their indicator to this audience.
    pub created: usize,
    /// Items that took the place of an earlier one.
    pub replaced: usize,
    /// Items that say what is said already.
    pub unchanged: usize,
    /// Items that could not be read: their place in the report, the field and the reason.
    pub rejected: Vec<(usize, String, String)>,
    /// Batches that had been taken before.
    pub replayed: usize,
    /// How many batches there were.
    pub batches: usize,
    /// How many assets were referred to whom, by owner of their platform.
    pub referred: Vec<(String, u32)>,
    /// How many assets on platforms were referred to nobody.
    pub not_referred: u32,
}

/// Splits items into batches by count and by bytes, in order.
pub fn split(
    items: Vec<pb::SubmittedIndicator>,
    batch_items: usize,
) -> Vec<Vec<pb::SubmittedIndicator>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for item in items {
        let size = item.encoded_len() + 8;
        if !batch.is_empty() && (batch.len() >= batch_items || bytes + size > BATCH_BYTES) {
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
    /// Submits a report and closes it. Over a connection that breaks, what has no receipt yet is
    /// sent again. `progress` is told how many items have one.
    pub async fn submit_report(
        &self,
        report: Report,
        mut progress: impl FnMut(usize),
    ) -> Result<ReportSummary, ClientError> {
        let Report { submission_id, sharing, replaces_audience, items, batch_items } = report;
        let mut first_item = 0;
        let mut waiting: VecDeque<(usize, pb::StreamIndicatorsRequest)> = VecDeque::new();
        for (number, items) in (1u32..).zip(split(items, batch_items)) {
            let at = first_item;
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
            waiting.push_back((at, request));
        }
        let mut summary = ReportSummary { batches: waiting.len(), ..ReportSummary::default() };
        let mut retries = self.patience.retries();
        while !waiting.is_empty() {
            let before = waiting.len();
            let sent = self.send(&mut waiting, &mut summary, &mut progress).await;
            let Err(failure) = sent else { continue };
            if waiting.len() < before {
                retries = self.patience.retries();
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

    /// Sends what waits over one stream, and takes from it what gets its receipt.
    async fn send(
        &self,
        waiting: &mut VecDeque<(usize, pb::StreamIndicatorsRequest)>,
        summary: &mut ReportSummary,
        progress: &mut impl FnMut(usize),
    ) -> Result<(), CallFailure> {
        let (queue, requests) = mpsc::channel(4);
        let unsent: Vec<_> = waiting.iter().map(|(_, request)| request.clone()).collect();
        let feeding = tokio::spawn(async move {
            for request in unsent {
                if queue.send(request).await.is_err() {
                    return;
                }
            }
        });
        let result = self.receive(ReceiverStream::new(requests), waiting, summary, progress).await;
        feeding.abort();
        result
    }

    async fn receive(
        &self,
        requests: ReceiverStream<pb::StreamIndicatorsRequest>,
        waiting: &mut VecDeque<(usize, pb::StreamIndicatorsRequest)>,
        summary: &mut ReportSummary,
        progress: &mut impl FnMut(usize),
    ) -> Result<(), CallFailure> {
        let mut receipts = self.indicator_service().stream_indicators(requests).await?.into_inner();
        while let Some(response) = receipts.message().await? {
            let receipt = response.receipt.ok_or_else(ClientError::no_receipt)?;
            let Some((first_item, _)) = waiting.pop_front() else { break };
            summary.add(&receipt, first_item);
            progress(summary.items());
        }
        if waiting.is_empty() {
            Ok(())
        } else {
            Err(ClientError::Unreachable("the exchange ended the stream".into()).into())
        }
    }
}

impl ReportSummary {
    /// How many items have their receipt.
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
                    let at = first_item + item.index as usize;
                    self.rejected.push((at, item.field.clone(), item.reason.clone()));
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
        let sizes =
            |items| split(items, Report::BATCH_ITEMS).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Vec::new()), [0usize; 0]);
        assert_eq!(sizes(vec![item("a.example"); 1_001]), [500, 500, 1]);
        let large = item(&"x".repeat(BATCH_BYTES / 3));
        assert_eq!(sizes(vec![large; 5]), [2, 2, 1]);
        let oversized = item(&"x".repeat(BATCH_BYTES * 2));
        assert_eq!(sizes(vec![item("a"), oversized, item("b")]), [1, 1, 1]);
    }
}
