//! Applies entries to the index: entry and state in, outcome and writes out.
//!
//! Deterministic: no clock, no randomness, and no reads except of the index. One atomic batch holds the
//! writes of one or several whole entries together with the checkpoint, so a crash replays only whole
//! entries.

mod activity;
mod batch;
mod campaign;
mod close;
mod endings;
mod enforcement;
mod holds;
mod list_close;
mod lists;
mod lookups;
mod reactions;
pub(super) mod referrals;
mod releases;
mod reopening;
pub(super) mod tips;
mod withdrawals;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys;
use super::record::{
    self, Checkpoint, EntryVersions, EpochRecord, IdempotencyRecord, PartnerRecord, SubmissionState,
};
use super::store::{Slice, Snapshot, Store};
use super::{Index, Published, Registry, entry_tag, is_storage_fault};
use crate::domain::Position;
use crate::domain::cursor::{EpochId, JournalTag};
use crate::domain::entry::{Body, Entry, Outcome, RegistryRule, VoidReason};
use crate::domain::revocation::{Revocation, Revoked};
use crate::error::Result;

/// Operations after which the batch is committed, at the end of an entry. A larger batch would delay
/// receipts.
const BATCH_OPERATIONS: usize = 200;

/// The single writer of an index.
#[derive(Debug)]
pub struct Applier {
    index: Arc<Index>,
    /// The store that it writes to. `None` after a failure, until [`Applier::reopen_database`] succeeds.
    store: Option<Arc<Store>>,
    /// Batches committed since the store was opened.
    commits: u64,
    /// Whether the store was reopened after a failure.
    reopened: bool,
    /// Whether the next reopening reads the whole database, to find damage.
    verify_on_reopen: bool,
    head: Checkpoint,
    registry: Registry,
    registry_changed: bool,
    /// The versions that the current entry created.
    versions: Option<EntryVersions>,
    pending: Pending,
    /// For tests: commits until one fails, to simulate a crash.
    #[cfg(test)]
    commits_left: Option<usize>,
}

/// Uncommitted writes, and what their commit publishes.
#[derive(Debug, Default)]
struct Pending {
    /// Sorted by key: a memtable inserts sorted keys fastest. `None` removes the key.
    written: BTreeMap<Slice, Option<Slice>>,
    /// The index before the batch. Taken at the first read.
    snapshot: OnceCell<Snapshot>,
    outcomes: Vec<(u64, Arc<Outcome>)>,
    closed: Vec<Position>,
    submissions: Vec<(Vec<u8>, SubmissionState)>,
    /// Epochs that begin in the batch, by first sequence.
    epochs: Vec<(u64, EpochId)>,
}

impl Applier {
    /// Continues an index from its checkpoint.
    pub fn new(index: Arc<Index>) -> Result<Self> {
        let head = index.head();
        let registry = index.registry().as_ref().clone();
        let store = Some(index.store.load_full().ok_or_else(super::reopening)?);
        Ok(Self {
            index,
            store,
            commits: 0,
            reopened: false,
            verify_on_reopen: false,
            head,
            registry,
            registry_changed: false,
            versions: None,
            pending: Pending::default(),
            #[cfg(test)]
            commits_left: None,
        })
    }

    /// Fails after this many commits, to simulate a crash.
    #[cfg(test)]
    pub fn stop_after(&mut self, commits: usize) {
        self.commits_left = Some(commits);
    }

    /// The sequence of the entry to apply next.
    pub fn next_sequence(&self) -> u64 {
        self.head.sequence + 1
    }

    /// Applies consecutive entries, starting with [`Self::next_sequence`], and commits them.
    ///
    /// After an error, nothing of the last batch is visible. If [`Self::has_failed`] is also true, the
    /// database failed: call [`Self::reopen_database`], then continue from [`Self::next_sequence`].
    pub fn apply<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<()> {
        self.apply_all(entries).inspect_err(|error| {
            if is_storage_fault(error) {
                self.close_database(error);
            }
        })
    }

    fn apply_all<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<()> {
        for entry in entries {
            self.apply_entry(entry)?;
        }
        self.commit()
    }

    fn apply_entry(&mut self, entry: &Entry) -> Result<()> {
        if entry.sequence != self.next_sequence() {
            return Err(super::out_of_order(self.next_sequence(), entry.sequence));
        }
        if entry.sequence == 1 {
            self.head.journal = JournalTag(entry_tag(entry));
        }
        let outcome = self.outcome_of(entry)?;
        let versions = self.versions.take();
        // Every entry gets an outcome record, so a batch that the database lost is noticed at the next
        // start.
        let record = record::outcome(&outcome, versions.as_ref());
        self.put(keys::outcome(entry.sequence), record);
        self.head.sequence = entry.sequence;
        self.head.last_tag = entry_tag(entry);
        self.pending.outcomes.push((entry.sequence, Arc::new(outcome)));
        // A registry change is committed before later entries are stored. So a reader that finds content
        // together with the old registry judges it by the rights under which it was accepted.
        if self.registry_changed || self.pending.written.len() >= BATCH_OPERATIONS {
            return self.commit();
        }
        Ok(())
    }

    fn outcome_of(&mut self, entry: &Entry) -> Result<Outcome> {
        Ok(match &entry.body {
            // Entries of a suspended author are void, even if submitted before the suspension. So when
            // an operator withdraws the partner's earlier submissions, nothing in flight remains.
            _ if self.is_author_suspended(entry) => Outcome::Void(VoidReason::Suspended),
            Body::SubmissionBatch(batch) => self.batch(entry, batch)?,
            Body::SubmissionClosed(close) => self.close(entry, close)?,
            Body::Withdrawal(withdrawal) => self.withdrawal(entry, withdrawal)?,
            Body::WithdrawalSweep(sweep) => self.withdrawal_sweep(sweep)?,
            Body::Expiry(expiry) => self.expiry(entry, expiry)?,
            Body::Sightings(sightings) => self.sightings(entry, sightings)?,
            Body::Feedback(feedback) => self.feedback(entry, feedback)?,
            Body::CampaignPut(put) => self.campaign(entry, put)?,
            Body::Enforcements(enforcements) => self.enforcements(entry, enforcements)?,
            Body::EnforcementWithdrawal(withdrawal) => {
                self.enforcement_withdrawal(entry, withdrawal)?
            }
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
            body => match self.apply_registry_change(entry, body) {
                Ok(()) => Outcome::Applied(Vec::new()),
                Err(rule) => Outcome::Void(VoidReason::Registry(rule)),
            },
        })
    }

    fn epoch(&mut self, first: u64, epoch: EpochId) -> Outcome {
        self.put(keys::epoch(first), EpochRecord { id: epoch.0 }.encode());
        self.pending.epochs.push((first, epoch));
        Outcome::Applied(Vec::new())
    }

    /// Records that an entry changed the visibility of a campaign.
    fn put_campaigns_changed(&mut self, sequence: u64) {
        self.put(keys::CAMPAIGNS_CHANGED, record::encode(&sequence));
    }

    fn is_author_suspended(&self, entry: &Entry) -> bool {
        entry.author.as_ref().is_some_and(|author| self.registry.is_suspended(author))
    }

    /// Applies a registry change, if the registry's rules allow it. Two nodes may append conflicting
    /// changes; the earlier one in the journal wins.
    fn apply_registry_change(
        &mut self,
        entry: &Entry,
        body: &Body,
    ) -> std::result::Result<(), RegistryRule> {
        let sequence = entry.sequence;
        let refused = match body {
            Body::PartnerPut(partner) => self.registry.refuses_partner(partner),
            Body::GroupPut(group) => self.registry.refuses_group(group),
            Body::PartnerSuspended(partner) | Body::PartnerResumed(partner) => {
                self.registry.refuses_suspension(partner)
            }
            Body::CertificatesRevoked(revocation) => {
                self.registry.refuses_revocation(&revocation.certificates)
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
            self.put_partner_record(known);
        }
        if let Body::CertificatesRevoked(revocation) = body {
            self.revoke(entry, revocation);
        }
        if let Body::GroupPut(definition) = body {
            let group = self.registry.define_group(definition, sequence);
            let (key, value) = (keys::group(&group.id), record::group(group));
            self.put(key, value);
        }
        Ok(())
    }

    fn revoke(&mut self, entry: &Entry, revocation: &Revocation) {
        let Revocation { certificates, reason } = revocation.clone();
        let revoked = Revoked { at: entry.time, by: entry.author.clone(), reason };
        let value = record::revoked(self.registry.revoke(certificates, revoked));
        self.put(keys::revocation(&revocation.certificates), value);
    }

    fn put_partner_record(&mut self, known: &PartnerRecord) {
        self.put(keys::partner(&known.partner.id), record::partner(known));
    }

    /// Why a request with this idempotency key is void, if the key was used before.
    fn check_idempotency(&self, key: &[u8], digest: [u8; 32]) -> Result<Option<VoidReason>> {
        let Some(taken) = self.read(key)? else { return Ok(None) };
        let taken = IdempotencyRecord::decode(&taken)?;
        Ok(Some(if taken.digest == digest {
            VoidReason::Repeats(taken.sequence)
        } else {
            VoidReason::Conflicts(taken.sequence)
        }))
    }

    fn submission(&self, key: &[u8]) -> Result<Option<SubmissionState>> {
        if !self.pending.written.contains_key(key)
            && let Some(cached) = self.index.submissions.get(key)
        {
            return Ok(Some(cached));
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
        let Pending { mut written, snapshot, outcomes, closed, submissions, epochs } =
            std::mem::take(&mut self.pending);
        drop(snapshot);
        if outcomes.is_empty() {
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
        self.index.submissions.insert_all(submissions);
        let registry = self.registry_changed.then(|| self.registry.clone());
        self.registry_changed = false;
        self.index.publish(store, self.head, Published { registry, closed, outcomes, epochs });
        Ok(())
    }
}
