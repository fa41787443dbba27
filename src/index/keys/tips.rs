//! The keys of tips: by id, by whom they concern, by when they are due, and what is left to do.
//!
//! A thread is a tip with one of its recipients. It stands in two boxes: the recipient's of what it
//! received, and the sender's of what it sent.

use super::{scoped, text};
use crate::domain::entry::SubmissionId;
use crate::domain::tip::TipState;
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId};

/// The prefix of the threads of which an answer is due, by when.
pub const DUE: &[u8] = b"d\0";
/// The prefix of the batches that brought something new to campaigns in which threads wait.
pub const NEWS: &[u8] = b"Tm";
/// The prefix of the submissions that are closed and not yet referred.
pub const UNREFERRED: &[u8] = b"Tr";
/// The place of a key in which threads of any state stand.
const ANY_STATE: u8 = u8::MAX;

/// What a partner sees of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipBox {
    /// Those that it received.
    Received,
    /// Those that it sent.
    Sent,
}

/// A thread, and when its tip was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// `u64::MAX` less the tip's sequence, so that the newest comes first.
    descending: u64,
    /// The tip.
    pub tip: TipId,
    /// Its recipient.
    pub recipient: PartnerId,
}

impl Row {
    /// The row of a thread.
    pub fn new(sequence: u64, tip: TipId, recipient: PartnerId) -> Self {
        Self { descending: u64::MAX - sequence, tip, recipient }
    }

    /// Its part of a key; the same in every box and state.
    pub fn bytes(&self) -> Vec<u8> {
        let mut key = self.descending.to_be_bytes().to_vec();
        thread(&mut key, self.tip, &self.recipient);
        key
    }

    /// Reads it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let descending = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
        let (tip, recipient) = read_thread(bytes.get(8..)?)?;
        Some(Self { descending, tip, recipient })
    }
}

/// A tip.
pub fn tip(id: TipId) -> [u8; 17] {
    let mut key = [b't'; 17];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

/// What an entry added to a tip.
pub fn added(id: TipId, sequence: u64) -> Vec<u8> {
    of_entry(id, b'e', sequence)
}

/// Which tip an entry of one of its parties added to.
pub fn added_to(sequence: u64) -> Vec<u8> {
    [&b"Ta"[..], &sequence.to_be_bytes()].concat()
}

/// The prefix of what was added to a tip.
pub fn all_added(id: TipId) -> Vec<u8> {
    of_tip(id, b'e')
}

/// The text that an entry added.
pub fn added_text(id: TipId, sequence: u64) -> Vec<u8> {
    of_entry(id, b't', sequence)
}

/// Some of the indicators that an entry added, from one of them on.
pub fn indicators_from(id: TipId, sequence: u64, first: u32) -> Vec<u8> {
    let mut key = indicators(id, sequence);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The prefix of the indicators that an entry added.
pub fn indicators(id: TipId, sequence: u64) -> Vec<u8> {
    of_entry(id, b'i', sequence)
}

/// The first of the indicators of a key.
pub fn read_first_indicator(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.last_chunk()?))
}

/// An entry in a recipient's thread.
pub fn in_thread(id: TipId, recipient: &PartnerId, sequence: u64) -> Vec<u8> {
    let mut key = thread_of(id, recipient);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The prefix of the entries in a recipient's thread.
pub fn thread_of(id: TipId, recipient: &PartnerId) -> Vec<u8> {
    let mut key = vec![b'r'];
    key.extend_from_slice(id.as_bytes());
    text(&mut key, recipient.as_str());
    key
}

/// A thread in a box, among those of one state, or of any.
pub fn boxed(partner: &PartnerId, of: TipBox, state: Option<TipState>, row: &Row) -> Vec<u8> {
    let mut key = all_boxed(partner, of, state);
    key.extend_from_slice(&row.bytes());
    key
}

/// The prefix of the threads in a box, of one state, or of any.
pub fn all_boxed(partner: &PartnerId, of: TipBox, state: Option<TipState>) -> Vec<u8> {
    let mut key = vec![b'w'];
    text(&mut key, partner.as_str());
    key.push(of.number());
    key.push(state.map_or(ANY_STATE, TipState::number));
    key
}

/// When an answer is due, in all threads of the exchange.
pub fn due(at: Timestamp, id: TipId, recipient: &PartnerId) -> Vec<u8> {
    let mut key = DUE.to_vec();
    due_thread(&mut key, at, id, recipient);
    key
}

/// When an answer is due, in the threads of a partner's box.
pub fn due_in(
    partner: &PartnerId,
    of: TipBox,
    at: Timestamp,
    id: TipId,
    recipient: &PartnerId,
) -> Vec<u8> {
    let mut key = all_due_in(partner, of);
    due_thread(&mut key, at, id, recipient);
    key
}

/// The prefix of the threads in a partner's box of which an answer is due.
pub fn all_due_in(partner: &PartnerId, of: TipBox) -> Vec<u8> {
    let mut key = vec![b'd'];
    text(&mut key, partner.as_str());
    key.push(of.number());
    key
}

/// When an answer is due, and in which thread, behind a prefix.
pub fn read_due(bytes: &[u8]) -> Option<(Timestamp, TipId, PartnerId)> {
    let at = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let (tip, recipient) = read_thread(bytes.get(8..)?)?;
    Some((Timestamp::from_millis(i64::try_from(at).ok()?), tip, recipient))
}

/// How many threads wait in a campaign.
pub fn waiting_count(campaign: CampaignId) -> Vec<u8> {
    of_campaign(b'c', campaign)
}

/// A thread that waits in a campaign.
pub fn waiting(campaign: CampaignId, id: TipId, recipient: &PartnerId) -> Vec<u8> {
    let mut key = all_waiting(campaign);
    thread(&mut key, id, recipient);
    key
}

/// The prefix of the threads that wait in a campaign.
pub fn all_waiting(campaign: CampaignId) -> Vec<u8> {
    of_campaign(b'w', campaign)
}

/// The thread behind that prefix.
pub fn read_waiting(key: &[u8]) -> Option<(TipId, PartnerId)> {
    read_thread(key.get(18..)?)
}

/// A tip of a campaign, among those that a partner sent or received in it: the newest comes first.
pub fn in_campaign(campaign: CampaignId, partner: &PartnerId, sequence: u64, id: TipId) -> Vec<u8> {
    let mut key = all_in_campaign(campaign, partner);
    key.extend_from_slice(&(u64::MAX - sequence).to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key
}

/// The prefix of the tips of a campaign that a partner sent or received.
pub fn all_in_campaign(campaign: CampaignId, partner: &PartnerId) -> Vec<u8> {
    let mut key = of_campaign(b'p', campaign);
    text(&mut key, partner.as_str());
    key
}

/// The tip of such a key.
pub fn read_in_campaign(key: &[u8]) -> Option<TipId> {
    Some(TipId::from_bytes(*key.last_chunk()?))
}

/// A batch that brought something new to a campaign.
pub fn news(campaign: CampaignId, batch: u64) -> Vec<u8> {
    let mut key = of_campaign(b'm', campaign);
    key.extend_from_slice(&batch.to_be_bytes());
    key
}

/// The campaign and the batch.
pub fn read_news(key: &[u8]) -> Option<(CampaignId, u64)> {
    let campaign = key.get(2..18)?.try_into().ok()?;
    let batch = u64::from_be_bytes(key.get(18..)?.try_into().ok()?);
    Some((CampaignId::from_bytes(campaign), batch))
}

/// What was referred of a submission.
pub fn referred(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    [b"T", scoped(b's', partner, submission).as_slice()].concat()
}

/// The mark of a submission that is closed and not yet referred.
pub fn unreferred(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    [b"T", scoped(b'r', partner, submission).as_slice()].concat()
}

/// The submission of that mark.
pub fn read_unreferred(key: &[u8]) -> Option<(PartnerId, SubmissionId)> {
    super::read_open(key.get(1..)?)
}

impl TipBox {
    const fn number(self) -> u8 {
        match self {
            TipBox::Received => 0,
            TipBox::Sent => 1,
        }
    }
}

fn of_tip(id: TipId, what: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 16 + 1 + 8 + 4);
    key.push(b'm');
    key.extend_from_slice(id.as_bytes());
    key.push(what);
    key
}

fn of_entry(id: TipId, what: u8, sequence: u64) -> Vec<u8> {
    let mut key = of_tip(id, what);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

fn of_campaign(what: u8, campaign: CampaignId) -> Vec<u8> {
    let mut key = vec![b'T', what];
    key.extend_from_slice(campaign.as_bytes());
    key
}

/// Times before the epoch are due at once.
fn due_thread(key: &mut Vec<u8>, at: Timestamp, id: TipId, recipient: &PartnerId) {
    key.extend_from_slice(&u64::try_from(at.as_millis()).unwrap_or(0).to_be_bytes());
    thread(key, id, recipient);
}

fn thread(key: &mut Vec<u8>, id: TipId, recipient: &PartnerId) {
    key.extend_from_slice(id.as_bytes());
    key.extend_from_slice(recipient.as_str().as_bytes());
}

fn read_thread(bytes: &[u8]) -> Option<(TipId, PartnerId)> {
    let tip = TipId::from_bytes(bytes.get(..16)?.try_into().ok()?);
    let recipient = std::str::from_utf8(bytes.get(16..)?).ok()?;
    Some((tip, PartnerId::from_stored(recipient)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_says_is_read_from_it() {
        let (tip, campaign) = (TipId::from_bytes([7; 16]), CampaignId::from_bytes([9; 16]));
        let partner = PartnerId::from_stored("facegraph");
        let row = Row::new(17, tip, partner.clone());
        assert_eq!(Row::read(&row.bytes()), Some(row.clone()));
        assert!(Row::new(18, tip, partner.clone()) < row, "the newest comes first");
        let at = Timestamp::from_millis(5);
        let due = due_in(&partner, TipBox::Sent, at, tip, &partner);
        let rest = &due[all_due_in(&partner, TipBox::Sent).len()..];
        assert_eq!(read_due(rest), Some((at, tip, partner.clone())));
        let waiting = waiting(campaign, tip, &partner);
        assert_eq!(read_waiting(&waiting), Some((tip, partner.clone())));
        let newer = in_campaign(campaign, &partner, 18, tip);
        assert_eq!(read_in_campaign(&newer), Some(tip));
        assert!(newer.starts_with(&all_in_campaign(campaign, &partner)));
        assert!(newer < in_campaign(campaign, &partner, 17, tip), "the newest comes first");
        assert_eq!(read_news(&news(campaign, 3)), Some((campaign, 3)));
        let submission = SubmissionId::from_stored("report:1");
        let mark = unreferred(&partner, &submission);
        assert!(mark.starts_with(UNREFERRED));
        assert_eq!(read_unreferred(&mark), Some((partner, submission)));
    }
}
