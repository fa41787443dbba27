//! Reads of tips. They do not check who is a party; the exchange does, because it knows the caller.

use super::keys::tips::{self as keys, ThreadRow};
use super::record::{self, ReferralProgress};
use super::{View, corrupt};
use crate::domain::accepted::{TipEntryRecord, TipRecord};
use crate::domain::entry::{SubmissionId, TipIndicator};
use crate::domain::tip::{TipBox, TipState};
use crate::domain::{CampaignId, PartnerId, Timestamp, TipId};
use crate::error::Result;

impl View<'_> {
    /// Looks up a tip.
    pub fn tip(&self, id: TipId) -> Result<Option<TipRecord>> {
        let stored = self.snapshot.get(&keys::tip(id))?;
        stored.map(|bytes| TipRecord::decode(&bytes)).transpose()
    }

    /// The tip to which a party's entry belongs. `None` for any other entry.
    pub fn tip_at(&self, sequence: u64) -> Result<Option<TipId>> {
        let Some(stored) = self.snapshot.get(&keys::added_to(sequence))? else { return Ok(None) };
        record::decode(&stored, "the tip of an entry").map(Some)
    }

    /// What an entry added to a tip.
    pub fn tip_entry(&self, id: TipId, sequence: u64) -> Result<Option<TipEntryRecord>> {
        let stored = self.snapshot.get(&keys::added(id, sequence))?;
        stored.map(|bytes| TipEntryRecord::decode(&bytes)).transpose()
    }

    /// The sequences of a tip's entries from `from` on, in order: those in a recipient's thread, or all.
    pub fn entries_of_tip(
        &self,
        id: TipId,
        recipient: Option<&PartnerId>,
        from: u64,
    ) -> impl Iterator<Item = Result<u64>> + use<> {
        let (prefix, from) = match recipient {
            Some(recipient) => {
                (keys::thread_of(id, recipient), keys::in_thread(id, recipient, from))
            }
            None => (keys::all_added(id), keys::added(id, from)),
        };
        let read = |key: &[u8]| super::keys::read_entry(key).ok_or_else(|| corrupt("a tip"));
        let found = self.snapshot.scan_from(&prefix, &from);
        found.map(move |pair| pair.and_then(|(key, _)| read(&key)))
    }

    /// The sequence of a tip's newest entry.
    pub fn last_tip_entry(&self, id: TipId) -> Result<Option<u64>> {
        let mut found = self.snapshot.scan_back(&keys::all_added(id), None).map(|pair| {
            pair.and_then(|(key, _)| super::keys::read_entry(&key).ok_or_else(|| corrupt("a tip")))
        });
        found.next().transpose()
    }

    /// The text that an entry added to a tip; empty if none.
    pub fn tip_text(&self, id: TipId, sequence: u64) -> Result<String> {
        let bytes = self.snapshot.get(&keys::added_text(id, sequence))?;
        bytes.map_or_else(|| Ok(String::new()), |bytes| record::decode(&bytes, "the text of a tip"))
    }

    /// Up to `limit` of the indicators that an entry added to a tip, starting with number `from`.
    pub fn tip_indicators(
        &self,
        id: TipId,
        sequence: u64,
        from: u32,
        limit: usize,
    ) -> Result<Vec<TipIndicator>> {
        let prefix = keys::indicators(id, sequence);
        let begin = keys::indicators_from(id, sequence, from - from % record::INDICATORS_PER_KEY);
        let mut found = Vec::new();
        for pair in self.snapshot.scan_from(&prefix, &begin) {
            let (key, bytes) = pair?;
            let first = keys::read_first_indicator(&key).ok_or_else(|| corrupt("a tip"))?;
            let numbered = (first..).zip(record::read_indicators(&bytes)?);
            found.extend(
                numbered.filter(|(number, _)| *number >= from).map(|(_, indicator)| indicator),
            );
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Ok(found)
    }

    /// The threads in a partner's box after `after`, the newest first. Only threads in `states`, or all if
    /// it is empty.
    pub fn threads_in_box(
        &self,
        partner: &PartnerId,
        tip_box: TipBox,
        states: &[TipState],
        after: Option<&ThreadRow>,
    ) -> impl Iterator<Item = Result<ThreadRow>> + use<> {
        let any_state = [None];
        let given_states: Vec<_> = states.iter().copied().map(Some).collect();
        let states =
            if given_states.is_empty() { any_state.as_slice() } else { given_states.as_slice() };
        let scans = states.iter().map(|state| {
            let prefix = keys::all_boxed(partner, tip_box, *state);
            let after = after.map(|row| keys::boxed(partner, tip_box, *state, row));
            let length = prefix.len();
            let rows = self.snapshot.scan_after(&prefix, after).map(move |pair| {
                let (key, _) = pair?;
                key.get(length..).and_then(ThreadRow::read).ok_or_else(|| corrupt("a box of tips"))
            });
            rows.peekable()
        });
        let mut scans: Vec<_> = scans.collect();
        std::iter::from_fn(move || {
            // Merge the scans: take the newest row among their heads, and report errors first.
            let (mut first, mut newest) = (None, None);
            for (index, scan) in scans.iter_mut().enumerate() {
                match scan.peek() {
                    Some(Err(_)) => {
                        first = Some(index);
                        break;
                    }
                    Some(Ok(row)) if newest.as_ref().is_none_or(|newest| row < newest) => {
                        (first, newest) = (Some(index), Some(row.clone()));
                    }
                    None | Some(Ok(_)) => {}
                }
            }
            scans[first?].next()
        })
    }

    /// The threads in a partner's box whose answer is overdue, the longest overdue first, after `after`.
    pub fn overdue_in_box(
        &self,
        partner: &PartnerId,
        tip_box: TipBox,
        now: Timestamp,
        after: Option<(Timestamp, TipId, &PartnerId)>,
    ) -> impl Iterator<Item = Result<(Timestamp, TipId, PartnerId)>> + use<> {
        let prefix = keys::all_due_in(partner, tip_box);
        let from = match after {
            Some((at, tip, recipient)) => {
                [keys::due_in(partner, tip_box, at, tip, recipient).as_slice(), &[0]].concat()
            }
            None => prefix.clone(),
        };
        self.due_from(&prefix, &from, now)
    }

    /// Number of threads whose answer is overdue.
    pub fn overdue_tips(&self, now: Timestamp) -> Result<u64> {
        self.due_from(keys::DUE, keys::DUE, now).try_fold(0, |count, row| row.map(|_| count + 1))
    }

    fn due_from(
        &self,
        prefix: &[u8],
        from: &[u8],
        now: Timestamp,
    ) -> impl Iterator<Item = Result<(Timestamp, TipId, PartnerId)>> + use<> {
        let length = prefix.len();
        self.snapshot
            .scan_from(prefix, from)
            .map(move |pair| {
                let (key, _) = pair?;
                key.get(length..).and_then(keys::read_due).ok_or_else(|| corrupt("a due tip"))
            })
            .take_while(move |due| due.as_ref().map_or(true, |(at, ..)| *at < now))
    }

    /// Up to `limit` batches that named a campaign with waiting tips.
    pub fn campaign_news(&self, limit: usize) -> Result<Vec<(CampaignId, u64)>> {
        let read = |key: &[u8]| keys::read_news(key).ok_or_else(|| corrupt("news of a campaign"));
        let found = self.snapshot.scan(keys::NEWS).map(|pair| pair.and_then(|(key, _)| read(&key)));
        found.take(limit).collect()
    }

    /// The waiting threads of a campaign.
    pub fn waiting_threads(
        &self,
        campaign: CampaignId,
    ) -> impl Iterator<Item = Result<(TipId, PartnerId)>> + use<> {
        let read = |key: &[u8]| keys::read_waiting(key).ok_or_else(|| corrupt("a waiting tip"));
        let found = self.snapshot.scan(&keys::all_waiting(campaign));
        found.map(move |pair| pair.and_then(|(key, _)| read(&key)))
    }

    /// The tips of a campaign that a partner sent or received, the newest first.
    pub fn tips_of_campaign(
        &self,
        campaign: CampaignId,
        partner: &PartnerId,
    ) -> impl Iterator<Item = Result<TipId>> + use<> {
        let read =
            |key: &[u8]| keys::read_in_campaign(key).ok_or_else(|| corrupt("a campaign's tip"));
        let found = self.snapshot.scan(&keys::all_in_campaign(campaign, partner));
        found.map(move |pair| pair.and_then(|(key, _)| read(&key)))
    }

    /// Up to `limit` closed submissions that wait for their referral.
    pub fn unreferred_submissions(&self, limit: usize) -> Result<Vec<(PartnerId, SubmissionId)>> {
        let read = |key: &[u8]| {
            keys::read_unreferred(key).ok_or_else(|| corrupt("an unreferred submission"))
        };
        let found = self.snapshot.scan(keys::UNREFERRED).take(limit);
        found.map(|pair| pair.and_then(|(key, _)| read(&key))).collect()
    }

    /// Whether a closed submission waits for its referral.
    pub fn is_unreferred(&self, partner: &PartnerId, submission: &SubmissionId) -> Result<bool> {
        Ok(self.snapshot.get(&keys::unreferred(partner, submission))?.is_some())
    }

    /// The referral progress of a submission.
    pub fn referral_progress(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<ReferralProgress> {
        let stored = self.snapshot.get(&keys::referred(partner, submission))?;
        Ok(stored.map(|bytes| ReferralProgress::decode(&bytes)).transpose()?.unwrap_or_default())
    }
}
