//! Tips, as the index keeps them.

use bytes::{Buf, BufMut};

use super::{corrupt, put_block, take_block, take_text};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{SubmissionId, TipIndicator};
use crate::domain::tip::{TipState, Urgency};
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId, Tlp};
use crate::error::Result;
use crate::journal::stored;

/// The most bytes of a part of a text, and of some indicators: a value stays below 8 KB.
const PART_BYTES: usize = 7_000;
/// The most indicators under one key.
const PART_INDICATORS: usize = 64;

/// A tip, with where it stands with each recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptThread {
    /// The recipient.
    pub recipient: PartnerId,
    /// Where it stands.
    pub state: TipState,
    /// Since when.
    pub changed: Timestamp,
}

impl KeptTip {
    /// The thread of a recipient.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&KeptThread> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }

    /// Whether somebody sent or received it.
    pub fn concerns(&self, partner: &PartnerId) -> bool {
        self.sender == *partner || self.thread(partner).is_some()
    }

    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + self.threads.len() * 32);
        bytes.put_slice(self.id.as_bytes());
        put_block(&mut bytes, self.sender.as_str().as_bytes());
        bytes.put_u64(self.sequence);
        bytes.put_i64(self.accepted.as_millis());
        put_block(&mut bytes, self.subject.as_deref().unwrap_or_default().as_bytes());
        bytes.put_u8(number(Urgency::ALL, &self.urgency));
        bytes.put_u8(number(Tlp::ALL, &self.tlp));
        bytes.put_u8(u8::from(self.withdrawn));
        put_block(&mut bytes, &of_time(self.respond_by));
        put_block(&mut bytes, self.campaign.as_ref().map_or(&[], |id| id.as_bytes().as_slice()));
        let submission = self.submission.as_ref().map_or("", SubmissionId::as_str);
        put_block(&mut bytes, submission.as_bytes());
        let between = self.referral.map(|(from, to)| [from.to_be_bytes(), to.to_be_bytes()]);
        put_block(&mut bytes, between.as_ref().map_or(&[], |between| between.as_flattened()));
        for thread in &self.threads {
            put_block(&mut bytes, thread.recipient.as_str().as_bytes());
            bytes.put_u8(thread.state.number());
            bytes.put_i64(thread.changed.as_millis());
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        const WHAT: &str = "a tip";
        let fault = || corrupt(WHAT);
        let bytes = &mut bytes;
        let id = TipId::from_bytes(take_array(bytes)?);
        let sender = PartnerId::from_stored(&take_text(bytes, WHAT)?);
        let sequence = bytes.try_get_u64().map_err(|_| fault())?;
        let accepted = take_time(bytes)?;
        let subject = take_text(bytes, WHAT)?;
        let urgency = word(Urgency::ALL, bytes)?;
        let tlp = word(Tlp::ALL, bytes)?;
        let withdrawn = bytes.try_get_u8().map_err(|_| fault())? != 0;
        let mut respond_by = take_block(bytes, WHAT)?;
        let mut campaign = take_block(bytes, WHAT)?;
        let submission = take_text(bytes, WHAT)?;
        let mut between = take_block(bytes, WHAT)?;
        let mut threads = Vec::new();
        while bytes.has_remaining() {
            let recipient = PartnerId::from_stored(&take_text(bytes, WHAT)?);
            let state = take_state(bytes)?;
            threads.push(KeptThread { recipient, state, changed: take_time(bytes)? });
        }
        let is_set = |block: &&[u8]| !block.is_empty();
        Ok(Self {
            id,
            sender,
            sequence,
            accepted,
            subject: (!subject.is_empty()).then(|| subject.into_boxed_str()),
            urgency,
            tlp,
            withdrawn,
            respond_by: is_set(&respond_by).then(|| take_time(&mut respond_by)).transpose()?,
            campaign: is_set(&campaign)
                .then(|| take_array(&mut campaign).map(CampaignId::from_bytes))
                .transpose()?,
            submission: (!submission.is_empty()).then(|| SubmissionId::from_stored(&submission)),
            referral: match between.len() {
                0 => None,
                16 => Some((between.get_u64(), between.get_u64())),
                _ => return Err(fault()),
            },
            threads,
        })
    }
}

/// What an entry added to a tip.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl AddedWhat {
    const ALL: &'static [AddedWhat] =
        &[AddedWhat::Sent, AddedWhat::Responded, AddedWhat::Withdrawn, AddedWhat::Reopened];
}

/// What an entry did to a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Added {
    /// Whether it stands in a recipient's thread: what one adds stays in its own, unless it shows it.
    pub fn stands_in(&self, recipient: &PartnerId) -> bool {
        self.shown || self.recipient.as_ref().is_none_or(|of| of == recipient)
    }

    /// What it did to a recipient's thread.
    pub fn thread(&self, recipient: &PartnerId) -> Option<&Moved> {
        self.threads.iter().find(|thread| thread.recipient == *recipient)
    }

    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + self.threads.len() * 32);
        bytes.put_u64(self.sequence);
        bytes.put_i64(self.accepted.as_millis());
        put_partner(&mut bytes, self.author.as_ref());
        bytes.put_u8(number(AddedWhat::ALL, &self.what));
        put_partner(&mut bytes, self.recipient.as_ref());
        bytes.put_u8(u8::from(self.shown));
        bytes.put_u32(self.indicators);
        let mut done = Vec::new();
        if let Some(enforcement) = &self.enforcement {
            stored::put_enforcement(enforcement, &mut done);
        }
        put_block(&mut bytes, &done);
        for moved in &self.threads {
            put_partner(&mut bytes, Some(&moved.recipient));
            bytes.put_u8(moved.from.map_or(u8::MAX, TipState::number));
            bytes.put_u8(moved.to.number());
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        let fault = || corrupt("what was added to a tip");
        let bytes = &mut bytes;
        let sequence = bytes.try_get_u64().map_err(|_| fault())?;
        let accepted = take_time(bytes)?;
        let author = take_partner(bytes)?;
        let what = word(AddedWhat::ALL, bytes)?;
        let recipient = take_partner(bytes)?;
        let shown = bytes.try_get_u8().map_err(|_| fault())? != 0;
        let indicators = bytes.try_get_u32().map_err(|_| fault())?;
        let enforcement = match take_block(bytes, "what was added to a tip")? {
            [] => None,
            done => Some(stored::read_enforcement(done)?),
        };
        let mut threads = Vec::new();
        while bytes.has_remaining() {
            let recipient = take_partner(bytes)?.ok_or_else(fault)?;
            let from = TipState::of_number(bytes.try_get_u8().map_err(|_| fault())?);
            threads.push(Moved { recipient, from, to: take_state(bytes)? });
        }
        Ok(Self {
            sequence,
            accepted,
            author,
            what,
            recipient,
            shown,
            indicators,
            threads,
            enforcement,
        })
    }
}

/// What was referred of a submission so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

impl ReferredSoFar {
    /// Counts what was referred to an owner.
    pub fn add(&mut self, owner: &PartnerId, count: u32) {
        match self.to.binary_search_by(|(one, _)| one.cmp(owner)) {
            Ok(at) => self.to[at].1 += count,
            Err(at) => self.to.insert(at, (owner.clone(), count)),
        }
    }

    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20 + self.to.len() * 24);
        bytes.put_u64(self.up_to);
        bytes.put_u64(self.close);
        bytes.put_u32(self.not_referred);
        for (owner, count) in &self.to {
            put_partner(&mut bytes, Some(owner));
            bytes.put_u32(*count);
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        let fault = || corrupt("what was referred");
        let bytes = &mut bytes;
        let up_to = bytes.try_get_u64().map_err(|_| fault())?;
        let close = bytes.try_get_u64().map_err(|_| fault())?;
        let not_referred = bytes.try_get_u32().map_err(|_| fault())?;
        let mut to = Vec::new();
        while bytes.has_remaining() {
            let owner = take_partner(bytes)?.ok_or_else(fault)?;
            to.push((owner, bytes.try_get_u32().map_err(|_| fault())?));
        }
        Ok(Self { up_to, close, not_referred, to })
    }
}

/// A text in parts, each of which fits one value.
pub fn text_parts(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().chunks(PART_BYTES)
}

/// Indicators as they lie under one key each: the place of the first, and the bytes.
pub fn indicator_parts(indicators: &[TipIndicator]) -> Vec<(u32, Vec<u8>)> {
    let mut parts: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut count = PART_INDICATORS;
    for (at, indicator) in (0u32..).zip(indicators) {
        let mut one = Vec::with_capacity(96);
        stored::put_tip_indicator(indicator, &mut one);
        let last = parts.last().map_or(usize::MAX, |(_, bytes)| bytes.len());
        if count == PART_INDICATORS || last.saturating_add(one.len() + 2) > PART_BYTES {
            parts.push((at, Vec::with_capacity(PART_BYTES)));
            count = 0;
        }
        if let Some((_, bytes)) = parts.last_mut() {
            put_block(bytes, &one);
            count += 1;
        }
    }
    parts
}

/// Reads the indicators of one key.
pub fn read_indicators(mut bytes: &[u8]) -> Result<Vec<TipIndicator>> {
    let mut indicators = Vec::new();
    while bytes.has_remaining() {
        let one = take_block(&mut bytes, "the indicators of a tip")?;
        indicators.push(stored::read_tip_indicator(one)?);
    }
    Ok(indicators)
}

fn number<T: PartialEq>(all: &[T], word: &T) -> u8 {
    let at = all.iter().position(|one| one == word);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn word<T: Copy>(all: &[T], bytes: &mut &[u8]) -> Result<T> {
    let fault = || corrupt("a tip");
    let number = usize::from(bytes.try_get_u8().map_err(|_| fault())?);
    all.get(number).copied().ok_or_else(fault)
}

fn of_time(time: Option<Timestamp>) -> Vec<u8> {
    time.map(|time| time.as_millis().to_be_bytes().to_vec()).unwrap_or_default()
}

fn take_time(bytes: &mut &[u8]) -> Result<Timestamp> {
    bytes.try_get_i64().map(Timestamp::from_millis).map_err(|_| corrupt("a tip"))
}

fn take_state(bytes: &mut &[u8]) -> Result<TipState> {
    word(TipState::ALL, bytes)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let mut array = [0; N];
    bytes.try_copy_to_slice(&mut array).map_err(|_| corrupt("a tip"))?;
    Ok(array)
}

fn put_partner(bytes: &mut Vec<u8>, partner: Option<&PartnerId>) {
    put_block(bytes, partner.map_or("", PartnerId::as_str).as_bytes());
}

fn take_partner(bytes: &mut &[u8]) -> Result<Option<PartnerId>> {
    let id = take_text(bytes, "a tip")?;
    Ok((!id.is_empty()).then(|| PartnerId::from_stored(&id)))
}

#[cfg(test)]
#[path = "tip_tests.rs"]
mod tests;
