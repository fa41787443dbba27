//! A partner's report on its way in, and the receipt for it.

use super::entry::{Item, Position, Rejection, SubmissionId};
use super::invalid::Invalid;
use super::partner::PartnerId;
use super::sharing::{Audience, SharingRequest};
use super::time::Timestamp;

/// One request on a submission: a batch, a close, or a batch and then the close.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Which submission, by its author's id.
    pub id: SubmissionId,
    /// The batch.
    pub batch: Option<BatchRequest>,
    /// The close: how many batches the submission has.
    pub close: Option<u32>,
}

/// A batch as it was sent, each item read or rejected.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// Its number in the submission, from 1.
    pub number: u32,
    /// SHA-256 of it as it was sent, before defaults.
    pub digest: [u8; 32],
    /// Who its author wants to receive it.
    pub sharing: SharingRequest,
    /// An audience that this one takes the place of.
    pub replaces: Option<Audience>,
    /// The items that could be read, by index.
    pub items: Vec<Item>,
    /// The items that could not, by index.
    pub rejected: Vec<Rejection>,
}

/// What became of one request on a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which submission.
    pub submission: SubmissionId,
    /// What became of the batch, when the request had one.
    pub batch: Option<BatchReceipt>,
    /// Whether the request closed the submission.
    pub closed: bool,
    /// Of a submission that was closed, what was referred of it.
    pub referrals: Option<Referrals>,
}

/// What was referred of a submission to the owners of platforms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referrals {
    /// How many assets to whom, by owner.
    pub to: Vec<(PartnerId, u32)>,
    /// How many to nobody: one number for whatever the reason is.
    pub not_referred: u32,
}

/// What became of a batch. It speaks of the author's own assessments only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReceipt {
    /// The batch's number.
    pub number: u32,
    /// Its entry.
    pub sequence: u64,
    /// When the journal took it.
    pub accepted_at: Timestamp,
    /// What became of each item, in the order of the request.
    pub items: Vec<(u32, ItemReceipt)>,
    /// Whether the batch had been taken before, and this is the receipt of that time.
    pub replayed: bool,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemReceipt {
    /// The author's first word on the indicator to this audience, and its version.
    Created(Position),
    /// It took the place of the author's earlier one; its own version.
    Replaced(Position),
    /// It says what the current version, this one, says.
    Unchanged(Position),
    /// It could not be read.
    Rejected(Invalid),
}
