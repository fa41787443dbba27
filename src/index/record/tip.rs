//! Tips, as the index keeps them.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode, record};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{SubmissionId, TipIndicator};
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId, Tlp};
use crate::error::Result;

/// How many indicators lie under one key: a page of them is read without the rest.
pub const INDICATORS_A_KEY: u32 = 64;

/// A tip, with where it stands with each recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipRecord {
    /// Its id.
    pub id: TipId,
    /// Whose it is.
    pub sender: PartnerId,
    /// The entry that brought it.
    pub sequence: u64,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// What it is about, in a line.
    pub subject: Option<Box<str>>,
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
    /// Where it is a referral, between which entries the batches lie whose assets it refers to.
    pub referral: Option<(u64, u64)>,
    /// Whether its sender took it back.
    pub withdrawn: bool,
    /// Its recipients, by id.
    pub threads: Vec<ThreadRecord>,
}

/// Where a tip stands with one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// The recipient.
    pub recipient: PartnerId,
    /// Where it stands.
    pub state: TipState,
    /// Since when.
    pub changed: Timestamp,
}

record!(TipRecord, "a tip");

impl TipRecord {
    /// The thread of a recipient.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&ThreadRecord> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }

    /// Whether somebody sent or received it.
    pub fn concerns(&self, partner: &PartnerId) -> bool {
        self.sender == *partner || self.thread(partner).is_some()
    }
}

/// What an entry added to a tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipEntryRecord {
    /// The entry.
    pub sequence: u64,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whose it is; `None` for the exchange's own.
    pub author: Option<PartnerId>,
    /// What it is.
    pub what: TipAction,
    /// The one recipient in whose thread it stands; `None` for every one of them.
    pub recipient: Option<PartnerId>,
    /// Whether the recipient shows it to the others.
    pub shown: bool,
    /// How many indicators it added.
    pub indicators: u32,
    /// The threads in which it stands, and how it moved them.
    pub threads: Vec<TipMove>,
    /// What its author did.
    pub enforcement: Option<Enforcement>,
}

/// What an entry is to a tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TipAction {
    /// It brought the tip.
    Sent,
    /// A party added to it.
    Responded,
    /// Its sender took it back.
    Withdrawn,
    /// Something new in its campaign took it up again.
    Reopened,
}

/// What an entry did to a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipMove {
    /// The recipient of the thread.
    pub recipient: PartnerId,
    /// Where it stood; `None` for one that began.
    pub from: Option<TipState>,
    /// Where it stands since: the same, where it was not moved.
    pub to: TipState,
}

impl TipMove {
    /// Whether it was moved.
    pub fn is_move(&self) -> bool {
        self.from != Some(self.to)
    }
}

record!(TipEntryRecord, "what was added to a tip");

impl TipEntryRecord {
    /// Whether it stands in a recipient's thread: what one adds stays in its own, unless it shows it.
    pub fn stands_in(&self, recipient: &PartnerId) -> bool {
        self.shown || self.recipient.as_ref().is_none_or(|of| of == recipient)
    }

    /// What it did to a recipient's thread.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&TipMove> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }
}

/// What was referred of a submission so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralProgress {
    /// Up to which entry its batches were looked at.
    pub up_to: u64,
    /// The entry that closed it last.
    pub close: u64,
    /// How many assets were referred to nobody.
    pub not_referred: u32,
    /// How many were referred to whom, by owner.
    pub to: Vec<(PartnerId, u32)>,
}

record!(ReferralProgress, "what was referred");

impl ReferralProgress {
    /// Counts what was referred to an owner.
    pub fn add(&mut self, owner: &PartnerId, count: u32) {
        match self.to.binary_search_by(|(one, _)| one.cmp(owner)) {
            Ok(at) => self.to[at].1 += count,
            Err(at) => self.to.insert(at, (owner.clone(), count)),
        }
    }
}

/// Indicators as they lie under keys: the place of the first of each, and the bytes.
pub fn encode_indicators(indicators: &[TipIndicator]) -> impl Iterator<Item = (u32, Vec<u8>)> {
    let size = INDICATORS_A_KEY as usize;
    (0..).step_by(size).zip(indicators.chunks(size).map(encode))
}

/// Reads the indicators of one key.
pub fn read_indicators(bytes: &[u8]) -> Result<Vec<TipIndicator>> {
    decode(bytes, "the indicators of a tip")
}

#[cfg(test)]
#[path = "tip_tests.rs"]
mod tests;
