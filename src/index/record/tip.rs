//! Tips, as the index keeps them.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode, record};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{SubmissionId, TipIndicator};
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId, Tlp};
use crate::error::Result;

/// The most bytes of a part of a text, and of some indicators: a value stays below 8 KB.
const PART_BYTES: usize = 7_000;
/// The most indicators under one key.
const PART_INDICATORS: usize = 64;
/// The most bytes of an indicator beside its value and its platform.
const INDICATOR_BYTES: usize = 32;

/// A tip, with where it stands with each recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTip {
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
    pub threads: Vec<KeptThread>,
}

/// Where a tip stands with one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptThread {
    /// The recipient.
    pub recipient: PartnerId,
    /// Where it stands.
    pub state: TipState,
    /// Since when.
    pub changed: Timestamp,
}

record!(KeptTip, "a tip");

impl KeptTip {
    /// The thread of a recipient.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&KeptThread> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }

    /// Whether somebody sent or received it.
    pub fn concerns(&self, partner: &PartnerId) -> bool {
        self.sender == *partner || self.thread(partner).is_some()
    }
}

/// What an entry added to a tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The entry.
    pub sequence: u64,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whose it is; `None` for the exchange's own.
    pub author: Option<PartnerId>,
    /// What it is.
    pub what: AddedWhat,
    /// The one recipient in whose thread it stands; `None` for every one of them.
    pub recipient: Option<PartnerId>,
    /// Whether the recipient shows it to the others.
    pub shown: bool,
    /// How many indicators it added.
    pub indicators: u32,
    /// The threads in which it stands, and how it moved them.
    pub threads: Vec<Moved>,
    /// What its author did.
    pub enforcement: Option<Enforcement>,
}

/// What an entry is to a tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AddedWhat {
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
pub struct Moved {
    /// The recipient of the thread.
    pub recipient: PartnerId,
    /// Where it stood; `None` for one that began.
    pub from: Option<TipState>,
    /// Where it stands since: the same, where it was not moved.
    pub to: TipState,
}

impl Moved {
    /// Whether it was moved.
    pub fn is_move(&self) -> bool {
        self.from != Some(self.to)
    }
}

record!(Added, "what was added to a tip");

impl Added {
    /// Whether it stands in a recipient's thread: what one adds stays in its own, unless it shows it.
    pub fn stands_in(&self, recipient: &PartnerId) -> bool {
        self.shown || self.recipient.as_ref().is_none_or(|of| of == recipient)
    }

    /// What it did to a recipient's thread.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&Moved> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }
}

/// What was referred of a submission so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferredSoFar {
    /// Up to which entry its batches were looked at.
    pub up_to: u64,
    /// The entry that closed it last.
    pub close: u64,
    /// How many assets were referred to nobody.
    pub not_referred: u32,
    /// How many were referred to whom, by owner.
    pub to: Vec<(PartnerId, u32)>,
}

record!(ReferredSoFar, "what was referred");

impl ReferredSoFar {
    /// Counts what was referred to an owner.
    pub fn add(&mut self, owner: &PartnerId, count: u32) {
        match self.to.binary_search_by(|(one, _)| one.cmp(owner)) {
            Ok(at) => self.to[at].1 += count,
            Err(at) => self.to.insert(at, (owner.clone(), count)),
        }
    }
}

/// A text in parts, each of which fits one value.
pub fn text_parts(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.as_bytes().chunks(PART_BYTES).map(encode)
}

/// Indicators as they lie under one key each: the place of the first, and the bytes.
pub fn indicator_parts(indicators: &[TipIndicator]) -> Vec<(u32, Vec<u8>)> {
    let (mut parts, mut first, mut rest) = (Vec::new(), 0u32, indicators);
    while !rest.is_empty() {
        let (part, others) = rest.split_at(part_length(rest));
        parts.push((first, encode(part)));
        first = first.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
        rest = others;
    }
    parts
}

/// Reads the indicators of one key.
pub fn read_indicators(bytes: &[u8]) -> Result<Vec<TipIndicator>> {
    decode(bytes, "the indicators of a tip")
}

/// How many indicators, of some that are left, lie under one key: at least one.
fn part_length(indicators: &[TipIndicator]) -> usize {
    let mut bytes = 0;
    let fits = |one: &&TipIndicator| {
        let platform = one.indicator.platform().map_or(0, |platform| platform.as_str().len());
        bytes += INDICATOR_BYTES + platform + one.indicator.value().len();
        bytes <= PART_BYTES
    };
    indicators.iter().take(PART_INDICATORS).take_while(fits).count().max(1)
}

#[cfg(test)]
#[path = "tip_tests.rs"]
mod tests;
