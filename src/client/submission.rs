//! A submission that is sent batch by batch, as its input is read.

use std::collections::VecDeque;

use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::connection::Route;
use super::report::ReportSummary;
use super::retry::{CallFailure, Retries};
use super::{Client, ClientError};
use crate::wire::pb;

/// Bytes per batch. An exchange accepts messages of 1 MB by default.
const MAX_BATCH_BYTES: usize = 768 * 1024;

/// Batches without a receipt at a time. Bounds the memory of a submission to 12 MB, and keeps the
/// exchange busy while receipts travel.
const MAX_IN_FLIGHT: usize = 16;

/// What a whole submission has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionOptions {
    /// The list that the submission sends again, as in `SubmissionBatch.list`. `None` for a
    /// submission that is no list.
    pub list: Option<String>,
    /// Maximum items per batch, at most 1,000. Normally [`SubmissionOptions::BATCH_ITEMS`].
    pub batch_items: usize,
}

impl SubmissionOptions {
    /// Default items per batch: large enough for throughput, small enough for a receipt within
    /// milliseconds.
    pub const BATCH_ITEMS: usize = 500;
}

impl Default for SubmissionOptions {
    fn default() -> Self {
        Self { list: None, batch_items: Self::BATCH_ITEMS }
    }
}

/// Items with one sharing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportBatch {
    /// Who receives the items. Absent: the author's defaults.
    pub sharing: Option<pb::Sharing>,
    /// Audience that the items replace. Earlier assessments of the same indicators for that
    /// audience end.
    pub replaces_audience: Option<pb::Audience>,
    /// The items, any number. More than one batch can hold are sent as several batches. Empty is
    /// useful only for a list that may have become empty.
    pub items: Vec<pb::SubmittedIndicator>,
}

/// How to close a submission. The fields matter only if it sends a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseOptions {
    /// Withdraw what the list lacks, even if items were rejected or unreadable, and even if much of
    /// the list would be withdrawn.
    pub shrink: bool,
    /// Number of records of the input that could not be read.
    pub unreadable: u64,
}

/// An open submission: [`Submission::send`] its batches, then [`Submission::close`] it.
///
/// Batches are pipelined over one stream. After a broken connection, the batches without a receipt
/// are sent again on a new one, to the next address if there are several. After an error, drop the handle. To continue, open the same id again
/// and send the same batches in the same order: the exchange stores none of them twice.
#[derive(Debug)]
pub struct Submission {
    client: Client,
    id: String,
    options: SubmissionOptions,
    stream: Option<BatchStream>,
    in_flight: VecDeque<InFlight>,
    /// Retries since the last receipt.
    retries: Retries,
    items_sent: usize,
    summary: ReportSummary,
}

/// A stream of batches and their receipts.
#[derive(Debug)]
struct BatchStream {
    requests: mpsc::Sender<pb::StreamIndicatorsRequest>,
    receipts: Streaming<pb::StreamIndicatorsResponse>,
    /// The index of the address that it is open to.
    server: usize,
}

/// A batch without a receipt.
#[derive(Debug)]
struct InFlight {
    /// The index of its first item in the submission.
    first_item: usize,
    request: pb::StreamIndicatorsRequest,
}

impl Client {
    /// Opens a submission. Sends nothing yet.
    pub fn open_submission(&self, id: impl Into<String>, options: SubmissionOptions) -> Submission {
        Submission {
            client: self.clone(),
            id: id.into(),
            options,
            stream: None,
            in_flight: VecDeque::new(),
            retries: self.retries(),
            items_sent: 0,
            summary: ReportSummary::default(),
        }
    }
}

impl Submission {
    /// Sends items. Waits while too many batches have no receipt. When it returns, the items are on
    /// their way, but may not have a receipt yet.
    pub async fn send(&mut self, batch: ReportBatch) -> Result<(), ClientError> {
        let ReportBatch { sharing, replaces_audience, items } = batch;
        let mut parts = split_batches(items, self.options.batch_items);
        if parts.is_empty() && self.options.list.is_some() {
            parts.push(Vec::new());
        }
        for items in parts {
            while self.in_flight.len() >= MAX_IN_FLIGHT {
                self.receive().await?;
            }
            let first_item = self.items_sent;
            self.items_sent += items.len();
            self.summary.batches += 1;
            let batch = pb::SubmissionBatch {
                number: u32::try_from(self.summary.batches).unwrap_or(u32::MAX),
                sharing: sharing.clone(),
                items,
                replaces_audience: replaces_audience.clone(),
                list: self.options.list.clone().unwrap_or_default(),
            };
            self.transmit(first_item, batch).await?;
        }
        Ok(())
    }

    /// Waits for the next receipt and adds it to the summary. Returns `false` if every batch that was
    /// sent has one.
    pub async fn receive(&mut self) -> Result<bool, ClientError> {
        while !self.in_flight.is_empty() {
            let stream = self.stream.take();
            let route = self.client.connection.route();
            let server = stream.as_ref().map_or(route.server, |stream| stream.server);
            let receiving = Box::pin(next_receipt(route, &self.in_flight, stream));
            match self.retries.limit(receiving).await {
                Ok((stream, receipt)) => {
                    self.stream = Some(stream);
                    self.client.connection.record_receipt(receipt.sequence);
                    if let Some(batch) = self.in_flight.pop_front() {
                        self.summary.add(&receipt, batch.first_item);
                    }
                    self.retries = self.client.retries();
                    return Ok(true);
                }
                Err(failure) => self.client.fail_over(&mut self.retries, server, failure).await?,
            }
        }
        Ok(false)
    }

    /// What the receipts said so far.
    pub fn summary(&self) -> &ReportSummary {
        &self.summary
    }

    /// Takes the rejected items out of the summary, so that it does not grow with a long input.
    /// Receipts arrive in the order of the items: none of the first
    /// [`items`](ReportSummary::items) of the submission will be added later.
    pub fn take_rejected(&mut self) -> Vec<(usize, String, String)> {
        std::mem::take(&mut self.summary.rejected)
    }

    /// Takes the items that were sent again after a withdrawal, like [`Submission::take_rejected`].
    pub fn take_resent(&mut self) -> Vec<(usize, prost_types::Timestamp)> {
        std::mem::take(&mut self.summary.resent)
    }

    /// Waits for the remaining receipts, then closes the submission. A submission without a batch
    /// needs no close.
    pub async fn close(mut self, options: CloseOptions) -> Result<ReportSummary, ClientError> {
        while self.receive().await? {}
        self.stream = None;
        if self.summary.batches == 0 {
            return Ok(self.summary);
        }
        let batches = u32::try_from(self.summary.batches).unwrap_or(u32::MAX);
        let CloseOptions { shrink, unreadable } = options;
        let close = pb::SubmitIndicatorsRequest {
            submission_id: self.id,
            batch: None,
            close: Some(pb::SubmissionClose { batches, shrink, unreadable }),
        };
        let closed = self.client.submit(close).await?;
        self.summary.add_close(closed);
        Ok(self.summary)
    }

    /// Queues a batch on the stream, and opens one if there is none.
    async fn transmit(
        &mut self,
        first_item: usize,
        batch: pb::SubmissionBatch,
    ) -> Result<(), ClientError> {
        let submission_id = self.id.clone();
        let request =
            pb::StreamIndicatorsRequest { submission_id, batch: Some(batch), close: None };
        let queued = self.stream.as_ref().is_some_and(|stream| {
            // The queue holds as many as can be in flight, so it fails only if the stream has ended.
            stream.requests.try_send(request.clone()).is_ok()
        });
        self.in_flight.push_back(InFlight { first_item, request });
        // The stream has ended. Its receipts and its error are still unread: `receive` reads them and opens another one.
        if queued || self.stream.is_some() {
            return Ok(());
        }
        while self.stream.is_none() {
            let route = self.client.connection.route();
            let server = route.server;
            match self.retries.limit(open_stream(route, &self.in_flight)).await {
                Ok(stream) => self.stream = Some(stream),
                Err(failure) => self.client.fail_over(&mut self.retries, server, failure).await?,
            }
        }
        Ok(())
    }
}

/// The next receipt, from the open stream or from a new one.
async fn next_receipt(
    route: Route,
    in_flight: &VecDeque<InFlight>,
    stream: Option<BatchStream>,
) -> Result<(BatchStream, pb::Receipt), CallFailure> {
    let mut stream = match stream {
        Some(stream) => stream,
        None => open_stream(route, in_flight).await?,
    };
    let ended = || ClientError::Unreachable("the exchange ended the stream".into());
    let response = stream.receipts.message().await?.ok_or_else(ended)?;
    let receipt = response.receipt.ok_or_else(ClientError::no_receipt)?;
    Ok((stream, receipt))
}

/// Opens a stream and queues the batches that have no receipt.
async fn open_stream(
    route: Route,
    in_flight: &VecDeque<InFlight>,
) -> Result<BatchStream, CallFailure> {
    let (requests, queue) = mpsc::channel(MAX_IN_FLIGHT);
    for batch in in_flight {
        let queued = requests.try_send(batch.request.clone());
        queued.map_err(|_| ClientError::Unreachable("the queue of batches is full".into()))?;
    }
    let Route { channel, server } = route;
    let mut service = Client::indicator_service(channel);
    let receipts = service.stream_indicators(ReceiverStream::new(queue)).await?.into_inner();
    Ok(BatchStream { requests, receipts, server })
}

/// Splits items into batches by count and by bytes. Keeps the order.
fn split_batches(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &str) -> pb::SubmittedIndicator {
        pb::SubmittedIndicator { value: value.into(), ..pb::SubmittedIndicator::default() }
    }

    #[test]
    fn items_are_split_by_count_and_by_bytes_in_order() {
        let sizes = |items| {
            let batches = split_batches(items, SubmissionOptions::BATCH_ITEMS);
            batches.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Vec::new()), [0usize; 0]);
        assert_eq!(sizes(vec![item("a.example"); 1_001]), [500, 500, 1]);
        let large = item(&"x".repeat(MAX_BATCH_BYTES / 3));
        assert_eq!(sizes(vec![large; 5]), [2, 2, 1]);
        let oversized = item(&"x".repeat(MAX_BATCH_BYTES * 2));
        assert_eq!(sizes(vec![item("a"), oversized, item("b")]), [1, 1, 1]);
    }
}
