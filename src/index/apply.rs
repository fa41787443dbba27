//! Entry and state in, outcome and writes out. Deterministic: no clock, no randomness, and no
//! reads but of the index.
//!
//! Writes gather in a [`Pending`] of at most [`MAX_OPERATIONS`] and are committed with the
//! checkpoint in the same batch, so a crash only replays. An entry too large for one batch is
//! applied in parts: the checkpoint then says how many of its items are done, and neither feeds nor
//! receipts see the entry before the last of them is.

use std::collections::HashMap;
use std::sync::Arc;

use sled::IVec;

use super::keys::{self, AudienceDigest};
use super::record::{self, Closing, CurrentParts, Ended, Head, SubmissionState, TakenBatch};
use super::{Index, Registry, entry_tag, storage_fault};
use crate::domain::cursor::JournalTag;
use crate::domain::entry::{Batch, Body, Close, Entry, Item, ItemOutcome, Outcome, VoidReason};
use crate::domain::sharing::{Audience, Community};
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::journal::stored;

/// The most operations in one batch of sled. Larger ones that mix inserts and deletes leak.
const MAX_OPERATIONS: usize = 200;

/// How many items of an entry are one part. Fixed, so that what lies in the index depends on the
/// entries alone, and not on how they came.
const PART_ITEMS: usize = 64;

/// Room that is kept in a batch for the records of an entry itself.
const ENTRY_OPERATIONS: usize = 12;

/// The one writer of an index.
#[derive(Debug)]
pub struct Applier {
    index: Arc<Index>,
    head: Head,
    registry: Registry,
    registry_changed: bool,
    /// What the items came to of the entry that is applied in part.
    begun: Vec<ItemOutcome>,
    pending: Pending,
    /// For tests: how many commits there are until one fails, as a crash would have it.
    #[cfg(test)]
    commits_left: Option<usize>,
}

/// Writes that are not yet committed, and what they come to.
#[derive(Debug, Default)]
struct Pending {
    batch: sled::Batch,
    operations: usize,
    written: HashMap<IVec, Option<IVec>>,
    finished: Vec<(u64, Arc<Outcome>)>,
    closed: Vec<Position>,
}

impl Applier {
    /// Takes up an index where it stands.
    pub fn new(index: Arc<Index>) -> Result<Self> {
        let head = index.head();
        let registry = index.registry().as_ref().clone();
        let begun = match head.items {
            0 => Vec::new(),
            _ => index.read_outcomes(head.sequence + 1)?.0,
        };
        let pending = Pending::default();
        Ok(Self {
            index,
            head,
            registry,
            registry_changed: false,
            begun,
            pending,
            #[cfg(test)]
            commits_left: None,
        })
    }

    /// Fails after so many commits, as a crash would have it.
    #[cfg(test)]
    pub fn stop_after(&mut self, commits: usize) {
        self.commits_left = Some(commits);
    }

    /// The entry that is to be applied next.
    pub fn next_sequence(&self) -> u64 {
        self.head.sequence + 1
    }

    /// Applies entries that follow one another, the first of them the next, and commits them.
    ///
    /// After an error nothing of the last batch is visible, and the index is to be opened again.
    pub fn apply<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<()> {
        for entry in entries {
            self.entry(entry)?;
        }
        self.commit()
    }

    fn entry(&mut self, entry: &Entry) -> Result<()> {
        if entry.sequence != self.next_sequence() {
            return Err(super::out_of_order(self.next_sequence(), entry.sequence));
        }
        if entry.sequence == 1 {
            self.head.journal = JournalTag(entry_tag(entry));
        }
        let outcome = match &entry.body {
            Body::PartnerPut(partner) => {
                let since = self.registry.put_partner(partner.clone(), entry.sequence);
                self.put(keys::partner(&partner.id), record::partner(partner, since));
                self.registry_changed = true;
                Outcome::Taken(Vec::new())
            }
            Body::GroupPut(definition) => {
                let group = self.registry.define_group(definition, entry.sequence);
                let (key, value) = (keys::group(&group.id), record::group(group));
                self.put(key, value);
                self.registry_changed = true;
                Outcome::Taken(Vec::new())
            }
            Body::SubmissionBatch(batch) => self.batch(entry, batch)?,
            Body::SubmissionClosed(close) => self.close(entry, close)?,
        };
        if let Outcome::Void(reason) = &outcome {
            self.put(&keys::outcome(entry.sequence, 0), record::void(reason));
        }
        self.head = Head {
            sequence: entry.sequence,
            items: 0,
            last: entry_tag(entry),
            journal: self.head.journal,
        };
        self.pending.finished.push((entry.sequence, Arc::new(outcome)));
        if self.pending.operations + ENTRY_OPERATIONS > MAX_OPERATIONS {
            return self.commit();
        }
        Ok(())
    }

    fn batch(&mut self, entry: &Entry, batch: &Batch) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        // Room for what the decision writes and for the first part: a crash between the two would
        // have the entry take itself for its own repetition.
        self.make_room(batch.items.len().min(PART_ITEMS))?;
        // Parts of it are applied: then it was decided to take it.
        if self.head.items == 0
            && let Some(void) = self.decide(entry, author, batch)?
        {
            return Ok(Outcome::Void(void));
        }
        let sharing = stored::sharing(&batch.sharing);
        let audience = AudienceDigest::of(&batch.sharing.audience);
        let done = self.head.items as usize;
        for part in batch.items[done.min(batch.items.len())..].chunks(PART_ITEMS) {
            let first = self.begun.len();
            if first > 0 {
                self.make_room(part.len())?;
            }
            for item in part {
                let outcome = self.item(entry, author, audience, &sharing, item)?;
                self.begun.push(outcome);
            }
            let key = keys::outcome(entry.sequence, u32::try_from(first).unwrap_or(u32::MAX));
            self.put(&key, record::outcomes(&self.begun[first..]));
            self.head.items = u32::try_from(self.begun.len()).unwrap_or(u32::MAX);
        }
        Ok(Outcome::Taken(std::mem::take(&mut self.begun)))
    }

    /// Commits what is pending unless a part of so many items fits beside it. An item takes two
    /// operations at most.
    fn make_room(&mut self, items: usize) -> Result<()> {
        if self.pending.operations + 2 * items + ENTRY_OPERATIONS > MAX_OPERATIONS {
            self.commit()?;
        }
        Ok(())
    }

    /// Takes the batch under its key, or says why not.
    fn decide(
        &mut self,
        entry: &Entry,
        author: &PartnerId,
        batch: &Batch,
    ) -> Result<Option<VoidReason>> {
        let submission = keys::submission(author, &batch.submission);
        let mut state = self.submission(&submission)?;
        if state.is_some_and(|state| state.has_expired(entry.time)) {
            return Ok(Some(VoidReason::SubmissionClosed));
        }
        let key = keys::batch(author, &batch.submission, batch.number);
        if let Some(taken) = self.read(&key)? {
            let taken = TakenBatch::decode(&taken)?;
            return Ok(Some(if taken.digest == batch.digest {
                VoidReason::Repeats(taken.sequence)
            } else {
                VoidReason::Conflicts(taken.sequence)
            }));
        }
        // One that the exchange closed opens again, for a client that lost its connection and comes
        // back; one that its author closed does not.
        if state.and_then(|state| state.closed).is_some_and(|closing| closing.batches.is_some()) {
            return Ok(Some(VoidReason::SubmissionClosed));
        }
        if !self.may_share(author, &batch.sharing.audience) {
            return Ok(Some(VoidReason::AudienceGone));
        }
        if state.is_none_or(|state| state.closed.is_some()) {
            self.put(keys::open(author, &batch.submission), Vec::new());
        }
        let state = state.get_or_insert_default();
        state.batches += 1;
        state.highest = state.highest.max(batch.number);
        state.last = entry.time;
        state.closed = None;
        let taken = TakenBatch { digest: batch.digest, sequence: entry.sequence };
        self.put(submission, state.encode());
        self.put(key, taken.encode());
        Ok(None)
    }

    fn item(
        &mut self,
        entry: &Entry,
        author: &PartnerId,
        audience: AudienceDigest,
        sharing: &[u8],
        item: &Item,
    ) -> Result<ItemOutcome> {
        let version = Position::new(entry.sequence, item.index);
        let key = keys::assessment(item.id, author, audience);
        let said = record::said(sharing, item);
        let outcome = match self.read(&key)? {
            None => ItemOutcome::Created,
            Some(stored) => {
                let old = CurrentParts::of(&stored)?;
                if old.said == said && !item.assessment.is_renewal(old.accepted, entry.time) {
                    return Ok(ItemOutcome::Unchanged(old.version));
                }
                let closed = record::closed(version, Ended::Replaced, &old.decode()?);
                self.put(&keys::closed(old.version), closed);
                self.pending.closed.push(old.version);
                ItemOutcome::Replaced(old.version)
            }
        };
        let raw = item.assessment.raw.as_deref();
        self.put(key, record::current(version, entry.time, raw, &said));
        Ok(outcome)
    }

    fn close(&mut self, entry: &Entry, close: &Close) -> Result<Outcome> {
        let submission = keys::submission(&close.partner, &close.submission);
        let Some(mut state) = self.submission(&submission)? else {
            return Ok(Outcome::Void(VoidReason::SubmissionUnknown));
        };
        if let Some(void) = self.refuses_close(&state, close)? {
            return Ok(Outcome::Void(void));
        }
        let closed_before = state.closed.is_some();
        state.closed = Some(Closing { at: entry.time, batches: close.batches });
        self.put(submission, state.encode());
        if !closed_before {
            self.remove(keys::open(&close.partner, &close.submission));
        }
        Ok(Outcome::Taken(Vec::new()))
    }

    fn refuses_close(&self, state: &SubmissionState, close: &Close) -> Result<Option<VoidReason>> {
        let closed_with = state.closed.map(|closing| closing.batches);
        Ok(match (closed_with, close.batches) {
            // The exchange closes what is still open and idle; by the time the entry is applied it
            // may be neither.
            (Some(_), None) => Some(VoidReason::SubmissionClosed),
            (Some(Some(before)), Some(now)) if before != now => Some(VoidReason::SubmissionClosed),
            (_, Some(named)) if state.highest > named => {
                Some(VoidReason::BatchesBeyond(state.highest))
            }
            (_, Some(named)) if state.batches < named => {
                Some(VoidReason::BatchMissing(self.first_missing(close, named)?))
            }
            _ => None,
        })
    }

    fn first_missing(&self, close: &Close, named: u32) -> Result<u32> {
        for number in 1..=named {
            if self.read(&keys::batch(&close.partner, &close.submission, number))?.is_none() {
                return Ok(number);
            }
        }
        Ok(named)
    }

    /// Two nodes may append what conflicts, so whether the author is in its groups is decided here
    /// once more, by the order.
    fn may_share(&self, author: &PartnerId, audience: &Audience) -> bool {
        match audience {
            Audience::Everyone | Audience::Public => true,
            Audience::Named { groups, partners } => {
                groups.iter().all(|group| self.registry.is_member(group, author))
                    && partners.iter().all(|partner| {
                        self.registry
                            .role(partner)
                            .is_some_and(super::super::domain::partner::Role::may_receive)
                    })
            }
        }
    }

    fn submission(&self, key: &[u8]) -> Result<Option<SubmissionState>> {
        self.read(key)?.map(|bytes| SubmissionState::decode(&bytes)).transpose()
    }

    fn read(&self, key: &[u8]) -> Result<Option<IVec>> {
        match self.pending.written.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.index.tree.get(key).map_err(storage_fault),
        }
    }

    fn put(&mut self, key: impl Into<IVec>, value: impl Into<IVec>) {
        let (key, value) = (key.into(), value.into());
        self.pending.batch.insert(key.clone(), value.clone());
        self.pending.written.insert(key, Some(value));
        self.pending.operations += 1;
    }

    fn remove(&mut self, key: impl Into<IVec>) {
        let key = key.into();
        self.pending.batch.remove(key.clone());
        self.pending.written.insert(key, None);
        self.pending.operations += 1;
    }

    fn commit(&mut self) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        if pending.operations == 0 && pending.finished.is_empty() {
            return Ok(());
        }
        #[cfg(test)]
        if let Some(left) = &mut self.commits_left {
            *left =
                left.checked_sub(1).ok_or_else(|| super::corrupt("stopped by a test, nothing"))?;
        }
        pending.batch.insert(keys::HEAD, self.head.encode());
        self.index.tree.apply_batch(pending.batch).map_err(storage_fault)?;
        let registry = self.registry_changed.then(|| self.registry.clone());
        self.registry_changed = false;
        self.index.publish(self.head, registry, &pending.closed, pending.finished);
        Ok(())
    }
}
