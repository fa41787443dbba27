//! Submission requests and their receipts.

use super::entry::{Item, Position, Rejection, SubmissionId};
use super::invalid::Invalid;
use super::list::{ListName, ListReceipt, ShrinkPolicy};
use super::partner::PartnerId;
use super::sharing::{Audience, SharingRequest};
use super::time::Timestamp;

/// One request on a submission: a batch, a close, or a batch followed by a close.
#[derive(Clone, Debug)]
pub struct SubmissionRequest {
    /// The submission.
    pub id: SubmissionId,
    /// The batch.
    pub batch: Option<BatchRequest>,
    /// If set, closes the submission.
    pub close: Option<CloseRequest>,
}

/// The close of a submission, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseRequest {
    /// The number of batches.
    pub batches: u32,
    /// Whether values that its lists lack may be withdrawn.
    pub policy: ShrinkPolicy,
}

/// A batch as it was sent, its items parsed or rejected.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// The batch's number in the submission, from 1.
    pub number: u32,
    /// SHA-256 of the batch as it was sent, before defaults.
    pub digest: [u8; 32],
    /// Who should receive it.
    pub sharing: SharingRequest,
    /// An audience that this batch replaces.
    pub replaces: Option<Audience>,
    /// The list to which the items belong.
    pub list: Option<ListName>,
    /// The items that were parsed, by index.
    pub items: Vec<Item>,
    /// The items that were rejected, by index.
    pub rejected: Vec<Rejection>,
}

/// The result of one request on a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The submission.
    pub submission: SubmissionId,
    /// The result for the batch, if the request had one.
    pub batch: Option<BatchReceipt>,
    /// Whether the request closed the submission.
    pub closed: bool,
    /// If the submission was closed: its referrals.
    pub referrals: Option<Referrals>,
    /// If the submission was closed and named lists: what the close did to them.
    pub lists: Option<ListReceipt>,
}

/// The assets of a submission that were referred to the owners of their platforms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referrals {
    /// The number of assets per owner.
    pub to: Vec<(PartnerId, u32)>,
    /// The number of assets referred to nobody. One number for all reasons, so that it reveals
    /// none.
    pub not_referred: u32,
}

/// The result for a batch. It says nothing about other partners' assessments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReceipt {
    /// The batch's number.
    pub number: u32,
    /// The batch's entry.
    pub sequence: u64,
    /// When the journal accepted it.
    pub accepted_at: Timestamp,
    /// The result for each item, in the order of the request.
    pub items: Vec<(u32, ItemReceipt)>,
    /// Whether this is a retry: the batch had been accepted before, and this is the original
    /// receipt.
    pub replayed: bool,
}

/// The result for one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemReceipt {
    /// The author's first assessment of the indicator for this audience, and its version.
    Created(Position),
    /// As [`ItemReceipt::Created`], but the author had withdrawn an earlier one.
    Recreated {
        /// The new version.
        version: Position,
        /// When the author withdrew the earlier one.
        withdrawn: Timestamp,
    },
    /// It replaced the author's earlier version, for the same audience or for the one that the batch
    /// replaces.
    Replaced {
        /// The new version.
        version: Position,
        /// If it replaced only one for another audience: when the author last withdrew an assessment for
        /// its own audience, if it did.
        withdrawn: Option<Timestamp>,
    },
    /// It equals the current version, which is this one.
    Unchanged(Position),
    /// It was invalid.
    Rejected(Invalid),
}
