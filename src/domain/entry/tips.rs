//! What partners ask for of tips, and what the exchange does about them by itself, as the journal
//! holds it.

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
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Its id, drawn by the exchange.
    pub id: TipId,
    /// Who receives it, by id.
    pub recipients: Vec<PartnerId>,
    /// What it is about, in a line.
    pub subject: Option<Box<str>>,
    /// What the sender tells.
    pub narrative: Box<str>,
    /// What it refers to.
    pub indicators: Vec<TipIndicator>,
    /// The indicators that could not be read.
    pub rejected: Vec<Rejection>,
    /// How soon it has to be acted upon.
    pub urgency: Urgency,
    /// Until when the sender would like to hear.
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
    /// Its id, as it was stored.
    pub id: IndicatorId,
    /// What it is.
    pub indicator: Indicator,
    /// Whether its author knew it under a restricted label: it is shown to who may hold such, and to nobody
    /// who may no longer.
    pub restricted: bool,
}

/// Whom something that a party adds to a tip is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TipThread {
    /// Every recipient: the sender's word to all of them.
    All,
    /// The thread of this recipient.
    Of(PartnerId),
    /// The thread of this recipient, who shows it to the others too.
    Shown(PartnerId),
}

/// A sender or a recipient adds to a tip: a message, indicators, a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipResponse {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The tip.
    pub tip: TipId,
    /// Whom it is for.
    pub thread: TipThread,
    /// Where the recipient moves it.
    pub moves_to: Option<TipState>,
    /// What its author says.
    pub message: Option<Box<str>>,
    /// What it refers to besides.
    pub indicators: Vec<TipIndicator>,
    /// The indicators that could not be read.
    pub rejected: Vec<Rejection>,
    /// What its author did, and who may see that.
    pub enforcement: Option<(Enforcement, Sharing)>,
}

/// What is new in a campaign takes up again what was waiting in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TipsReopened {
    /// The campaign.
    pub campaign: CampaignId,
    /// The entry of the batch that brought something new.
    pub batch: u64,
    /// Whose batch it is.
    pub author: PartnerId,
    /// Each tip with the recipient in whose thread it waits, and what both sides may see.
    pub threads: Vec<(TipId, PartnerId, Target)>,
    /// Whether this is all that the batch takes up.
    pub last: bool,
}

/// What a submission that was closed brought to the owners of platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Whose submission it is.
    pub partner: PartnerId,
    /// Which.
    pub submission: SubmissionId,
    /// Up to which entry its batches were looked at before.
    pub after: u64,
    /// The entry that closed it.
    pub close: u64,
    /// A tip for each owner who may see some of it, by owner.
    pub to: Vec<Referred>,
    /// How many assets were referred to nobody.
    pub not_referred: u32,
    /// The last entry that had changed what anybody may see when this was worked out: it is void where
    /// another came between.
    pub rights: u64,
}

/// What is referred to one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred {
    /// The id of the tip, drawn by the exchange.
    pub id: TipId,
    /// The owner.
    pub owner: PartnerId,
    /// How many assets.
    pub count: u32,
    /// The narrowest marking among them.
    pub tlp: Tlp,
}
