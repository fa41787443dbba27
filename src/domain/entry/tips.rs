//! Journal entries for tips, including those that the exchange writes by itself.

use serde::{Deserialize, Serialize};

use crate::domain::campaign::CampaignId;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{Rejection, RequestId, SubmissionId, Target};
use crate::domain::indicator::{Indicator, IndicatorId};
use crate::domain::partner::PartnerId;
use crate::domain::sharing::{Sharing, Tlp};
use crate::domain::time::Timestamp;
use crate::domain::tip::{TipId, TipState, Urgency};

/// A partner sends a tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipSent {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The tip's id, drawn by the exchange.
    pub id: TipId,
    /// The recipients, sorted by id.
    pub recipients: Vec<PartnerId>,
    /// A one-line subject.
    pub subject: Option<Box<str>>,
    /// The sender's text.
    pub narrative: Box<str>,
    /// The indicators that it refers to.
    pub indicators: Vec<TipIndicator>,
    /// Indicators that were rejected.
    pub rejected: Vec<Rejection>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// When the sender would like an answer.
    pub respond_by: Option<Timestamp>,
    /// What recipients may do with it.
    pub tlp: Tlp,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender's submission that it refers to.
    pub submission: Option<SubmissionId>,
}

/// An indicator that a tip refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipIndicator {
    /// Its index in the request.
    pub index: u32,
    /// Its id. Stored, so that a replay does not derive it again.
    pub id: IndicatorId,
    /// The indicator.
    pub indicator: Indicator,
    /// Whether its author knew it under a restricted label. It is shown only to partners that may
    /// currently hold such objects.
    pub restricted: bool,
}

/// The threads of a tip that a response is added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TipThread {
    /// All threads: the sender addresses every recipient.
    All,
    /// The thread of this recipient.
    Recipient(PartnerId),
    /// The thread of this recipient, which also shares the response with the other recipients.
    RecipientToAll(PartnerId),
}

/// A sender or a recipient adds to a tip: a message, indicators, a state transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipResponse {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The tip.
    pub tip: TipId,
    /// The threads that it is added to.
    pub thread: TipThread,
    /// The new state, set by the recipient.
    pub new_state: Option<TipState>,
    /// The message.
    pub message: Option<Box<str>>,
    /// Additional indicators.
    pub indicators: Vec<TipIndicator>,
    /// Indicators that were rejected.
    pub rejected: Vec<Rejection>,
    /// The author's enforcement that the tip led to, and who may see it.
    pub enforcement: Option<(Enforcement, Sharing)>,
}

/// Reopens tips because new indicators were added to their campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipsReopened {
    /// The campaign.
    pub campaign: CampaignId,
    /// The entry of the batch with the new indicators.
    pub batch: u64,
    /// The author of the batch.
    pub author: PartnerId,
    /// For each reopened thread: the tip, the recipient, and a new assessment that both sides may
    /// see.
    pub threads: Vec<(TipId, PartnerId, Target)>,
    /// Whether this is the last entry for the batch.
    pub last: bool,
}

/// Refers the assets in a closed submission to the owners of their platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// The owner of the submission.
    pub partner: PartnerId,
    /// The submission.
    pub submission: SubmissionId,
    /// Batches up to this entry were already covered by an earlier referral.
    pub after: u64,
    /// The entry that closed the submission.
    pub close: u64,
    /// One tip for each platform owner who may see some of the assets, sorted by owner.
    pub to: Vec<Referred>,
    /// How many assets were not referred to anybody.
    pub not_referred: u32,
    /// The last entry that had changed anyone's visibility when this referral was computed. The
    /// referral is void if a later one has been applied meanwhile.
    pub visibility_sequence: u64,
}

/// The assets referred to one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred {
    /// The id of the tip, drawn by the exchange.
    pub id: TipId,
    /// The owner.
    pub owner: PartnerId,
    /// The number of assets.
    pub count: u32,
    /// The strictest marking among them.
    pub tlp: Tlp,
}
