//! Keys of tips: by id, party, due time and pending work.
//!
//! A thread is a tip together with one of its recipients. It is listed in two boxes: the recipient's
//! received box and the sender's sent box.

use super::{scoped, text};
use crate::domain::entry::SubmissionId;
use crate::domain::tip::{TipBox, TipState};
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId};

/// Prefix of the due times of answers.
pub const DUE: &[u8] = b"d\0";
/// Prefix of the batches that named a campaign with waiting threads.
pub const NEWS: &[u8] = b"Tm";
/// Prefix of closed submissions that wait for their referral.
pub const UNREFERRED: &[u8] = b"Tr";
/// State byte of rows that list threads in any state.
const ANY_STATE: u8 = u8::MAX;

/// A thread in a box. Newer tips sort first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThreadRow {
    /// `u64::MAX` minus the tip's sequence.
    descending: u64,
    /// The tip.
    pub tip: TipId,
    /// Its recipient.
    pub recipient: PartnerId,
}

impl ThreadRow {
    /// The row of a thread whose tip was sent at `sequence`.
    pub fn new(sequence: u64, tip: TipId, recipient: PartnerId) -> Self {
        Self { descending: u64::MAX - sequence, tip, recipient }
    }

    /// The end of its key; the same in every box and state.
    pub fn bytes(&self) -> Vec<u8> {
        let mut key = self.descending.to_be_bytes().to_vec();
        thread(&mut key, self.tip, &self.recipient);
        key
    }

    /// Parses the end of a key.
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

/// The tip to which a party's entry belongs.
pub fn added_to(sequence: u64) -> Vec<u8> {
    [&b"Ta"[..], &sequence.to_be_bytes()].concat()
}

/// Prefix of a tip's entries.
pub fn all_added(id: TipId) -> Vec<u8> {
    of_tip(id, b'e')
}

/// The text that an entry added.
pub fn added_text(id: TipId, sequence: u64) -> Vec<u8> {
    of_entry(id, b't', sequence)
}

/// A chunk of the indicators that an entry added, by the number of its first one.
pub fn indicators_from(id: TipId, sequence: u64, first: u32) -> Vec<u8> {
    let mut key = indicators(id, sequence);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// Prefix of the indicators that an entry added.
pub fn indicators(id: TipId, sequence: u64) -> Vec<u8> {
    of_entry(id, b'i', sequence)
}

/// The number of the first indicator in a chunk's key.
pub fn read_first_indicator(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.last_chunk()?))
}

/// An entry in a recipient's thread.
pub fn in_thread(id: TipId, recipient: &PartnerId, sequence: u64) -> Vec<u8> {
    let mut key = thread_of(id, recipient);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// Prefix of the entries in a recipient's thread.
pub fn thread_of(id: TipId, recipient: &PartnerId) -> Vec<u8> {
    let mut key = vec![b'r'];
    key.extend_from_slice(id.as_bytes());
    text(&mut key, recipient.as_str());
    key
}

/// A thread in a box, listed under one state, or under any.
pub fn boxed(partner: &PartnerId, of: TipBox, state: Option<TipState>, row: &ThreadRow) -> Vec<u8> {
    let mut key = all_boxed(partner, of, state);
    key.extend_from_slice(&row.bytes());
    key
}

/// Prefix of the threads in a box in one state, or in any.
pub fn all_boxed(partner: &PartnerId, of: TipBox, state: Option<TipState>) -> Vec<u8> {
    let mut key = vec![b'w'];
    text(&mut key, partner.as_str());
    key.push(of.number());
    key.push(state.map_or(ANY_STATE, TipState::number));
    key
}

/// The due time of an answer, over all threads.
pub fn due(at: Timestamp, id: TipId, recipient: &PartnerId) -> Vec<u8> {
    let mut key = DUE.to_vec();
    due_thread(&mut key, at, id, recipient);
    key
}

/// The due time of an answer, per box.
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

/// Prefix of the due times in a partner's box.
pub fn all_due_in(partner: &PartnerId, of: TipBox) -> Vec<u8> {
    let mut key = vec![b'd'];
    text(&mut key, partner.as_str());
    key.push(of.number());
    key
}

/// The due time and thread after the prefix of a key.
pub fn read_due(bytes: &[u8]) -> Option<(Timestamp, TipId, PartnerId)> {
    let at = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let (tip, recipient) = read_thread(bytes.get(8..)?)?;
    Some((Timestamp::from_millis(i64::try_from(at).ok()?), tip, recipient))
}

/// The number of waiting threads in a campaign.
pub fn waiting_count(campaign: CampaignId) -> Vec<u8> {
    of_campaign(b'c', campaign)
}

/// A waiting thread of a campaign.
pub fn waiting(campaign: CampaignId, id: TipId, recipient: &PartnerId) -> Vec<u8> {
    let mut key = all_waiting(campaign);
    thread(&mut key, id, recipient);
    key
}

/// Prefix of the waiting threads of a campaign.
pub fn all_waiting(campaign: CampaignId) -> Vec<u8> {
    of_campaign(b'w', campaign)
}

/// The thread in the key of [`waiting`].
pub fn read_waiting(key: &[u8]) -> Option<(TipId, PartnerId)> {
    read_thread(key.get(18..)?)
}

/// A tip of a campaign that a partner sent or received. Newer tips sort first.
pub fn in_campaign(campaign: CampaignId, partner: &PartnerId, sequence: u64, id: TipId) -> Vec<u8> {
    let mut key = all_in_campaign(campaign, partner);
    key.extend_from_slice(&(u64::MAX - sequence).to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key
}

/// Prefix of a campaign's tips that a partner sent or received.
pub fn all_in_campaign(campaign: CampaignId, partner: &PartnerId) -> Vec<u8> {
    let mut key = of_campaign(b'p', campaign);
    text(&mut key, partner.as_str());
    key
}

/// The tip in the key of [`in_campaign`].
pub fn read_in_campaign(key: &[u8]) -> Option<TipId> {
    Some(TipId::from_bytes(*key.last_chunk()?))
}

/// A batch that named a campaign with waiting threads.
pub fn news(campaign: CampaignId, batch: u64) -> Vec<u8> {
    let mut key = of_campaign(b'm', campaign);
    key.extend_from_slice(&batch.to_be_bytes());
    key
}

/// The campaign and batch in the key of [`news`].
pub fn read_news(key: &[u8]) -> Option<(CampaignId, u64)> {
    let campaign = key.get(2..18)?.try_into().ok()?;
    let batch = u64::from_be_bytes(key.get(18..)?.try_into().ok()?);
    Some((CampaignId::from_bytes(campaign), batch))
}

/// The referral progress of a submission.
pub fn referred(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    [b"T", scoped(b's', partner, submission).as_slice()].concat()
}

/// The marker of a closed submission that waits for its referral.
pub fn unreferred(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    [b"T", scoped(b'r', partner, submission).as_slice()].concat()
}

/// The submission in the key of [`unreferred`].
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

/// Times before 1970 count as 1970.
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
        let row = ThreadRow::new(17, tip, partner.clone());
        assert_eq!(ThreadRow::read(&row.bytes()), Some(row.clone()));
        assert!(ThreadRow::new(18, tip, partner.clone()) < row, "the newest comes first");
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
