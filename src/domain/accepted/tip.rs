//! Tips as accepted, with the state of their threads.

use serde::{Deserialize, Serialize};

use crate::domain::enforcement::Enforcement;
use crate::domain::entry::SubmissionId;
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId, Tlp};

/// A tip, with the state of each thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipRecord {
    /// The id.
    pub id: TipId,
    /// The sender.
    pub sender: PartnerId,
    /// The sequence of the entry that sent it.
    pub sequence: u64,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The subject line.
    pub subject: Option<Box<str>>,
    /// The urgency.
    pub urgency: Urgency,
    /// The time until which the sender asks for a response.
    pub respond_by: Option<Timestamp>,
    /// The TLP marking.
    pub tlp: Tlp,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender's submission that it refers to.
    pub submission: Option<SubmissionId>,
    /// For a referral: the range of sequences `(after, close)` whose batches contain the assets.
    pub referral: Option<(u64, u64)>,
    /// Whether its sender withdrew it.
    pub withdrawn: bool,
    /// One thread per recipient, ordered by recipient.
    pub threads: Vec<ThreadRecord>,
}

/// The state of a tip with one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// The recipient.
    pub recipient: PartnerId,
    /// The state.
    pub state: TipState,
    /// When the state last changed.
    pub changed: Timestamp,
}

impl TipRecord {
    /// The thread of a recipient.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&ThreadRecord> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }

    /// Whether a partner is the sender or a recipient.
    pub fn concerns(&self, partner: &PartnerId) -> bool {
        self.sender == *partner || self.thread(partner).is_some()
    }
}

/// An entry of a tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipEntryRecord {
    /// The sequence of the entry.
    pub sequence: u64,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The author; `None` for the exchange.
    pub author: Option<PartnerId>,
    /// The kind of entry.
    pub action: TipAction,
    /// The recipient whose thread it belongs to; `None` for all of them.
    pub recipient: Option<PartnerId>,
    /// Whether its author, a recipient, shows it to the other recipients.
    pub shown: bool,
    /// The number of indicators that it added.
    pub indicators: u32,
    /// The threads that contain it, with their state changes.
    pub threads: Vec<TipMove>,
    /// The enforcement that the author reported with it.
    pub enforcement: Option<Enforcement>,
}

impl TipEntryRecord {
    /// Whether a recipient's thread contains the entry. A recipient's entry is only in its own thread unless it is
    /// shown to all.
    pub fn is_in_thread(&self, recipient: &PartnerId) -> bool {
        self.shown || self.recipient.as_ref().is_none_or(|owner| owner == recipient)
    }

    /// The state change of a recipient's thread.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&TipMove> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }
}

/// The kind of an entry of a tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TipAction {
    /// It sent the tip.
    Sent,
    /// A party responded.
    Responded,
    /// The sender withdrew the tip.
    Withdrawn,
    /// A new version in the tip's campaign reopened it.
    Reopened,
}

/// The state change of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipMove {
    /// The recipient of the thread.
    pub recipient: PartnerId,
    /// The state before; `None` for a new thread.
    pub from: Option<TipState>,
    /// The state after; the same if it did not change.
    pub to: TipState,
}

impl TipMove {
    /// Whether the state changed.
    pub fn is_move(&self) -> bool {
        self.from != Some(self.to)
    }
}
