//! Entry and state in, outcome and writes out. Deterministic: no clock, no randomness, and no
//! reads but of the index.
//!
//! The writes of an entry, or of several whole ones, are committed in one atomic batch with the
//! checkpoint, so a crash only replays whole entries.

mod batch;
mod campaign;
mod close;
mod endings;
mod enforcement;
mod holds;
mod reactions;
pub(super) mod referrals;
mod releases;
mod reopening;
pub(super) mod tips;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys;
use super::record::{
    self, EntryVersions, EpochRecord, Head, PartnerRecord, SubmissionState, TakenBatch,
};
use super::store::{Slice, Snapshot, Store};
use super::{Index, Published, Registry, entry_tag, is_storage_fault};
use crate::domain::Position;
use crate::domain::cursor::{EpochId, JournalTag};
use crate::domain::entry::{Body, Entry, Outcome, RegistryRule, VoidReason};
use crate::error::Result;

/// A batch is committed after the entry with which it reaches so many operations. More would let receipts wait
/// for later entries.
const BATCH_OPERATIONS: usize = 200;

/// The one writer of an index.
#[derive(Debug)]
pub struct Applier {
    index: Arc<Index>,
    /// What it writes to; `None` once that failed, until it is opened again.
    store: Option<Arc<Store>>,
    /// How many batches were committed since it was opened.
    commits: u64,
    /// Whether it was opened again.
    reopened: bool,
    /// Whether it is read as a whole when it is opened again.
    is_suspicious: bool,
    head: Head,
    registry: Registry,
    registry_changed: bool,
    /// The versions that the entry brings that is being applied.
    versions: Option<EntryVersions>,
    pending: Pending,
    /// For tests: how many commits there are until one fails, as a crash would have it.
    #[cfg(test)]
    commits_left: Option<usize>,
}

/// Writes that are not yet committed, and what they come to.
#[derive(Debug, Default)]
struct Pending {
    /// In the order of the keys: that is how a memtable takes them fastest.
    written: BTreeMap<Slice, Option<Slice>>,
    /// The index before the batch.
    snapshot: OnceCell<Snapshot>,
    finished: Vec<(u64, Arc<Outcome>)>,
    closed: Vec<Position>,
    submissions: Vec<(Vec<u8>, SubmissionState)>,
    /// Epochs that begin, by their first entry.
    epochs: Vec<(u64, EpochId)>,
}

impl Applier {
    /// Takes up an index where it stands.
    pub fn new(index: Arc<Index>) -> Result<Self> {
        let head = index.head();
        let registry = index.registry().as_ref().clone();
        let store = Some(index.store.load_full().ok_or_else(super::reopening)?);
        Ok(Self {
            index,
            store,
            commits: 0,
            reopened: false,
            is_suspicious: false,
            head,
            registry,
            registry_changed: false,
            versions: None,
            pending: Pending::default(),
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
    /// After an error nothing of the last batch is visible. Where [`Self::has_failed`] is set too, it was the
    /// database that failed, and [`Self::open_again`] goes on from [`Self::next_sequence`].
    pub fn apply<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<()> {
        self.apply_all(entries).inspect_err(|error| {
            if is_storage_fault(error) {
                self.close_database(error);
            }
        })
    }

    fn apply_all<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<()> {
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
        let outcome = self.outcome_of(entry)?;
        let versions = self.versions.take();
        // Each entry has a record: a batch that the database lost shows at its next start.
        let record = record::outcome(&outcome, versions.as_ref());
        self.put(keys::outcome(entry.sequence), record);
        self.head.sequence = entry.sequence;
        self.head.last = entry_tag(entry);
        self.pending.finished.push((entry.sequence, Arc::new(outcome)));
        // What changes who may see what is published before anything that comes behind it is stored:
        // whoever reads content and finds the registry as it was before has judged by the rights that
        // the content was accepted under.
        if self.registry_changed || self.pending.written.len() >= BATCH_OPERATIONS {
            return self.commit();
        }
        Ok(())
    }

    fn outcome_of(&mut self, entry: &Entry) -> Result<Outcome> {
        Ok(match &entry.body {
            // What was under way when its author was suspended has no effect: the order decides, so
            // that nothing is left of it when what was submitted before is taken back.
            _ if self.is_kept_out(entry) => Outcome::Void(VoidReason::Suspended),
            Body::SubmissionBatch(batch) => self.batch(entry, batch)?,
            Body::SubmissionClosed(close) => self.close(entry, close)?,
            Body::Withdrawal(withdrawal) => self.withdrawal(entry, withdrawal)?,
            Body::Expiry(expiry) => self.expiry(entry, expiry)?,
            Body::Sightings(sightings) => self.sightings(entry, sightings)?,
            Body::Feedback(feedback) => self.feedback(entry, feedback)?,
            Body::CampaignPut(put) => self.campaign(entry, put)?,
            Body::Enforcements(enforcements) => self.enforcements(entry, enforcements)?,
            Body::Release(release) => self.release(entry, release)?,
            Body::ReleaseEnd(end) => self.release_end(end)?,
            Body::Accessed(accessed) => self.accessed(entry, accessed),
            Body::AccessSweep(sweep) => self.access_sweep(sweep),
            Body::HoldPlaced(placed) => self.hold_placed(entry, placed)?,
            Body::HoldChange(change) => self.hold_change(entry, change)?,
            Body::HoldSweep(sweep) => self.hold_sweep(sweep)?,
            Body::TipSent(sent) => self.tip_sent(entry, sent)?,
            Body::TipResponded(response) => self.tip_responded(entry, response)?,
            Body::TipWithdrawn(tip) => self.tip_withdrawn(entry, *tip)?,
            Body::TipsReopened(reopened) => self.tips_reopened(entry, reopened)?,
            Body::Referred(referral) => self.referred(entry, referral)?,
            Body::Epoch(epoch) => self.epoch(entry.sequence, *epoch),
            body => match self.registration(entry.sequence, body) {
                Ok(()) => Outcome::Taken(Vec::new()),
                Err(rule) => Outcome::Void(VoidReason::Registry(rule)),
            },
        })
    }

    fn epoch(&mut self, first: u64, epoch: EpochId) -> Outcome {
        self.put(keys::epoch(first), EpochRecord { id: epoch.0 }.encode());
        self.pending.epochs.push((first, epoch));
        Outcome::Taken(Vec::new())
    }

    /// Notes that an entry changed who sees a campaign.
    fn put_campaigns_changed(&mut self, sequence: u64) {
        self.put(keys::CAMPAIGNS_CHANGED, record::encode(&sequence));
    }

    fn is_kept_out(&self, entry: &Entry) -> bool {
        entry.author.as_ref().is_some_and(|author| self.registry.is_suspended(author))
    }

    /// What changes who is on the exchange, where the registry allows it. Two nodes may append what
    /// conflicts: the order decides.
    fn registration(
        &mut self,
        sequence: u64,
        body: &Body,
    ) -> std::result::Result<(), RegistryRule> {
        let refused = match body {
            Body::PartnerPut(partner) => self.registry.refuses_partner(partner),
            Body::GroupPut(group) => self.registry.refuses_group(group),
            Body::PartnerSuspended(partner) | Body::PartnerResumed(partner) => {
                self.registry.refuses_suspension(partner)
            }
            Body::TermsConfirmed(confirmation) => self.registry.refuses_confirmation(confirmation),
            _ => None,
        };
        if let Some(rule) = refused {
            return Err(rule);
        }
        self.registry_changed = true;
        let known = match body {
            Body::PartnerPut(partner) => Some(self.registry.put_partner(partner.clone(), sequence)),
            Body::PartnerSuspended(partner) => self.registry.suspend(partner, true).cloned(),
            Body::PartnerResumed(partner) => self.registry.suspend(partner, false).cloned(),
            Body::TermsConfirmed(confirmation) => {
                self.registry.confirm(&confirmation.partner, sequence).cloned()
            }
            _ => None,
        };
        if let Some(known) = &known {
            self.put_known(known);
        }
        if let Body::GroupPut(definition) = body {
            let group = self.registry.define_group(definition, sequence);
            let (key, value) = (keys::group(&group.id), record::group(group));
            self.put(key, value);
        }
        Ok(())
    }

    fn put_known(&mut self, known: &PartnerRecord) {
        self.put(keys::partner(&known.partner.id), record::partner(known));
    }

    /// What was taken under a key before, if the same comes to be decided again.
    fn taken_before(&self, key: &[u8], digest: [u8; 32]) -> Result<Option<VoidReason>> {
        let Some(taken) = self.read(key)? else { return Ok(None) };
        let taken = TakenBatch::decode(&taken)?;
        Ok(Some(if taken.digest == digest {
            VoidReason::Repeats(taken.sequence)
        } else {
            VoidReason::Conflicts(taken.sequence)
        }))
    }

    fn submission(&self, key: &[u8]) -> Result<Option<SubmissionState>> {
        if !self.pending.written.contains_key(key)
            && let Some(kept) = self.index.submissions.get(key)
        {
            return Ok(Some(kept));
        }
        self.read(key)?.map(|bytes| SubmissionState::decode(&bytes)).transpose()
    }

    fn put_submission(&mut self, key: Vec<u8>, state: SubmissionState) {
        self.put(key.clone(), state.encode());
        self.pending.submissions.push((key, state));
    }

    fn read(&self, key: &[u8]) -> Result<Option<Slice>> {
        match self.pending.written.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.snapshot()?.get(key),
        }
    }

    /// The index before the batch.
    fn snapshot(&self) -> Result<&Snapshot> {
        let store = self.store.as_ref().ok_or_else(super::reopening)?;
        Ok(self.pending.snapshot.get_or_init(|| store.snapshot()))
    }

    fn put(&mut self, key: impl Into<Slice>, value: impl Into<Slice>) {
        self.pending.written.insert(key.into(), Some(value.into()));
    }

    fn remove(&mut self, key: impl Into<Slice>) {
        self.pending.written.insert(key.into(), None);
    }

    fn commit(&mut self) -> Result<()> {
        let Pending { mut written, snapshot, finished, closed, submissions, epochs } =
            std::mem::take(&mut self.pending);
        drop(snapshot);
        if finished.is_empty() {
            return Ok(());
        }
        #[cfg(test)]
        if let Some(left) = &mut self.commits_left {
            *left =
                left.checked_sub(1).ok_or_else(|| super::corrupt("stopped by a test, nothing"))?;
        }
        written.insert(keys::HEAD.into(), Some(self.head.encode().into()));
        let store = self.store.as_ref().ok_or_else(super::reopening)?;
        store.apply(written)?;
        self.commits += 1;
        self.index.submissions.keep(submissions);
        let registry = self.registry_changed.then(|| self.registry.clone());
        self.registry_changed = false;
        self.index.publish(store, self.head, Published { registry, closed, finished, epochs });
        Ok(())
    }
}
