//! Submission requests.

use prost::Message;
use sha2::{Digest, Sha256};

use super::{assessment, indicator, pb, sharing};
use crate::domain::entry::{Item, Rejection, SubmissionId};
use crate::domain::label::Labels;
use crate::domain::list::{ListName, ShrinkPolicy};
use crate::domain::submission::{BatchRequest, CloseRequest, SubmissionRequest};
use crate::domain::{Assessment, Invalid, Timestamp};

/// Maximum encoded size of an item, in bytes. Together with its sharing it must fit into one index
/// value, which is limited to 8 KB.
const MAX_ITEM_BYTES: usize = 4_000;

/// What parsing a batch depends on.
#[derive(Clone, Debug)]
pub struct ReadContext<'a> {
    /// The labels of this exchange.
    pub labels: &'a Labels,
    /// Maximum number of items in a batch.
    pub max_items: usize,
    /// The time of the request.
    pub now: Timestamp,
}

/// Parses a request on a submission. An error is about the request as a whole; invalid items are
/// rejected one by one.
pub fn read(
    submission_id: &str,
    batch: Option<&pb::SubmissionBatch>,
    close: Option<pb::SubmissionClose>,
    context: &ReadContext<'_>,
) -> Result<SubmissionRequest, Invalid> {
    let id = SubmissionId::parse(submission_id)?;
    if batch.is_none() && close.is_none() {
        return Err(Invalid::new("batch", "is missing, and so is close"));
    }
    let batch = batch.map(|batch| read_batch(batch, context)).transpose()?;
    let close = close.map(|close| CloseRequest {
        batches: close.batches,
        policy: ShrinkPolicy { shrink: close.shrink, unreadable: close.unreadable },
    });
    Ok(SubmissionRequest { id, batch, close })
}

fn read_batch(
    batch: &pb::SubmissionBatch,
    context: &ReadContext<'_>,
) -> Result<BatchRequest, Invalid> {
    if batch.number == 0 {
        return Err(Invalid::new("batch.number", "is missing: batches are numbered from 1"));
    }
    let list = (!batch.list.is_empty()).then(|| ListName::parse(&batch.list)).transpose();
    let list = list.map_err(|invalid| Invalid::new("batch.list", invalid.reason))?;
    // A list may have become empty.
    if batch.items.is_empty() && list.is_none() {
        return Err(Invalid::new("batch.items", "has no items"));
    }
    if batch.items.len() > context.max_items {
        let reason = format!("has {} items: the limit is {}", batch.items.len(), context.max_items);
        return Err(Invalid::new("batch.items", reason));
    }
    let sharing = sharing::read(batch.sharing.as_ref())?;
    let replaces = batch.replaces_audience.as_ref();
    let replaces = replaces
        .map(|audience| sharing::read_audience(audience, "batch.replaces_audience"))
        .transpose()?;
    // The digest covers the batch as sent, before defaults. The encoding is canonical for messages
    // without maps.
    let digest = Sha256::digest(batch.encode_to_vec()).into();
    let mut items = Vec::with_capacity(batch.items.len());
    let mut rejected = Vec::new();
    for (index, item) in (0u32..).zip(&batch.items) {
        match read_item(item, context) {
            Ok(assessment) => {
                items.push(Item { index, id: assessment.indicator.id(), assessment });
            }
            Err(invalid) => rejected.push(Rejection { index, invalid }),
        }
    }
    Ok(BatchRequest { number: batch.number, digest, sharing, replaces, list, items, rejected })
}

fn read_item(
    item: &pb::SubmittedIndicator,
    context: &ReadContext<'_>,
) -> Result<Assessment, Invalid> {
    if item.encoded_len() > MAX_ITEM_BYTES {
        return Err(Invalid::new("item", format!("is larger than {MAX_ITEM_BYTES} bytes")));
    }
    let read = indicator::read(item.kind, &item.platform, &item.value)?;
    match &item.assessment {
        Some(stated) => assessment::read(read, &item.value, stated, context.labels, context.now),
        None => Ok(Assessment { raw: assessment::raw(&item.value, &read), ..Assessment::of(read) }),
    }
}
