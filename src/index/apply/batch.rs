//! Applies submission batches: deduplicates the batch by its key, then compares each item with the
//! author's current version.

use std::collections::BTreeSet;

use super::Applier;
use super::lookups::LookupKeys;
use super::referrals::has_assets;
use crate::domain::accepted::ActiveRelease;
use crate::domain::activity::Activity;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{Batch, Entry, Item, ItemOutcome, Outcome, Releasable, VoidReason};
use crate::domain::partner::Role;
use crate::domain::sharing::{Audience, Directory, Release};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{
    self, EndReason, EntryVersions, IdempotencyRecord, RawAssessment, SubmissionState,
};

/// The values shared by all items of a batch.
struct Context<'a> {
    entry: &'a Entry,
    author: &'a PartnerId,
    audience: AudienceDigest,
    replaces: Option<AudienceDigest>,
    /// The sequence of the submission's first batch.
    submission: u64,
    /// Whether the author ever withdrew an assessment.
    has_withdrawn: bool,
    /// The encoded sharing as sent, and the encoded releases in force.
    sent: Vec<u8>,
    releases: Vec<u8>,
}

impl Applier {
    pub(super) fn batch(&mut self, entry: &Entry, batch: &Batch) -> Result<Outcome> {
        // A batch always has an author. Without one nobody could be its audience.
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let submission = keys::submission(author, &batch.submission);
        let mut state = match self.accept(&submission, entry, author, batch)? {
            Ok(state) => state,
            Err(void) => return Ok(Outcome::Void(void)),
        };
        let (sequence, audience) = (entry.sequence, AudienceDigest::of(&batch.sharing.audience));
        let in_force =
            |release: &Release| ActiveRelease { release: release.clone(), since: sequence };
        let releases: Vec<_> = batch.sharing.releases.iter().map(in_force).collect();
        let context = Context {
            entry,
            author,
            audience,
            replaces: batch.replaces.filter(|replaced| *replaced != audience),
            submission: state.first,
            has_withdrawn: self.read(&keys::lists::has_withdrawn(author))?.is_some(),
            sent: record::encode_sharing(&batch.sharing),
            releases: record::releases(&releases),
        };
        let outcomes = batch.items.iter().map(|item| self.item(&context, item));
        let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
        let is_conflict = |outcome: &&ItemOutcome| **outcome == ItemOutcome::VerdictConflict;
        let conflicts = outcomes.iter().filter(is_conflict).count() as u64;
        state.rejected += conflicts;
        let submitted = outcomes.len() as u64 - conflicts;
        let activity = Activity { submitted, ..Activity::default() };
        self.count_activity(author, entry.time, activity)?;
        self.add_to_list(author, audience, batch, &outcomes, &state, sequence)?;
        self.put_submission(submission, state);
        self.mark_campaign_news(entry, &batch.items)?;
        let versions = self.store_expiries(&context, &batch.items, &outcomes);
        self.put_campaign_versions(author, audience, batch, sequence, &outcomes);
        if let Some(versions) = versions.as_ref().filter(|_| !batch.sharing.releases.is_empty()) {
            let objects: Vec<_> = versions.targets(sequence).map(Releasable::Assessment).collect();
            self.put_release_ends_of_batch(author, &batch.sharing, sequence, &objects);
        }
        self.versions = versions;
        Ok(Outcome::Applied(outcomes))
    }

    /// Accepts the batch under its key and returns the new state of its submission, or why the batch is void. The caller
    /// stores the state, under the key `submission`.
    fn accept(
        &mut self,
        submission: &[u8],
        entry: &Entry,
        author: &PartnerId,
        batch: &Batch,
    ) -> Result<std::result::Result<SubmissionState, VoidReason>> {
        let mut state = self.submission(submission)?;
        if state.is_some_and(|state| state.has_expired(entry.time)) {
            return Ok(Err(VoidReason::SubmissionClosed));
        }
        let key = keys::batch(author, &batch.submission, batch.number);
        // Numbers above the highest are new: no lookup needed.
        if state.is_some_and(|state| batch.number <= state.highest)
            && let Some(void) = self.check_idempotency(&key, batch.digest)?
        {
            return Ok(Err(void));
        }
        // A submission that the exchange closed for idleness reopens when its client comes back. One
        // that its author closed does not.
        if state.and_then(|state| state.closed).is_some_and(|closing| closing.batches.is_some()) {
            return Ok(Err(VoidReason::SubmissionClosed));
        }
        if !self.may_share(author, &batch.sharing.audience) {
            return Ok(Err(VoidReason::AudienceGone));
        }
        let is_opened = state.is_none_or(|state| state.closed.is_some());
        if is_opened {
            self.put(keys::open(author, &batch.submission), Vec::new());
        }
        let state = state
            .get_or_insert(SubmissionState { first: entry.sequence, ..SubmissionState::default() });
        if is_opened {
            state.opened = entry.sequence;
        }
        state.batches += 1;
        state.rejected += batch.rejected.len() as u64;
        state.names_list |= batch.list.is_some();
        state.highest = state.highest.max(batch.number);
        state.last = entry.time;
        state.assets |= has_assets(batch);
        state.closed = None;
        let taken =
            IdempotencyRecord { digest: batch.digest, sequence: entry.sequence, time: entry.time };
        let state = *state;
        self.put(key, taken.encode());
        if let Audience::Named { groups, .. } = &batch.sharing.audience {
            for group in groups {
                self.put(keys::entry_for(group, entry.sequence), Vec::new());
            }
        }
        Ok(Ok(state))
    }

    fn item(&mut self, context: &Context<'_>, item: &Item) -> Result<ItemOutcome> {
        let Context { entry, author, audience, submission, .. } = *context;
        let version = Position::new(entry.sequence, item.index);
        let key = keys::assessment(item.id, author, audience);
        let stored = self.read(&key)?;
        let old = stored.as_deref().map(RawAssessment::of).transpose()?;
        if let Some(old) = &old
            && old.submission == submission
            && old.verdict()? != item.assessment.verdict()
        {
            return Ok(ItemOutcome::VerdictConflict);
        }
        let from = match context.replaces {
            Some(replaced) => self.end(
                keys::assessment(item.id, author, replaced),
                None,
                version,
                EndReason::Replaced,
            )?,
            None => None,
        };
        let statement = record::encode_statement(&context.sent, item);
        if let Some(old) = &old {
            if old.statement == statement && !item.assessment.is_renewal(old.accepted, entry.time) {
                if old.submission != submission {
                    self.put(key, old.with_submission(submission));
                }
                let current = old.version;
                return Ok(match from {
                    None => ItemOutcome::Unchanged(current),
                    Some(from) => ItemOutcome::Merged { from, current },
                });
            }
            let lookup_keys = self.put_closed(version, EndReason::Replaced, old)?;
            self.remove_lookup_keys(&key, &lookup_keys)?;
        }
        self.add_lookup_keys(&key, &LookupKeys::of(&item.assessment))?;
        let over = old.map(|old| old.version);
        let withdrawn =
            if over.is_none() && context.has_withdrawn { self.take_withdrawn(&key)? } else { None };
        let raw = item.assessment.raw.as_deref();
        let assessment = record::encode_assessment(
            version,
            entry.time,
            submission,
            raw,
            &context.releases,
            &statement,
        );
        self.put(key, assessment);
        Ok(match (from, over) {
            (None, None) => withdrawn.map_or(ItemOutcome::Created, ItemOutcome::Recreated),
            (None, Some(old)) => ItemOutcome::Replaced(old),
            (Some(from), over) => ItemOutcome::Moved { from, over, withdrawn },
        })
    }

    /// Indexes when the batch's versions expire. Returns the versions, if there are any.
    fn store_expiries(
        &mut self,
        context: &Context<'_>,
        items: &[Item],
        outcomes: &[ItemOutcome],
    ) -> Option<EntryVersions> {
        let Context { entry, author, audience, .. } = *context;
        let mut ends: BTreeSet<Timestamp> = BTreeSet::new();
        let mut versions = Vec::with_capacity(items.len());
        for (item, outcome) in items.iter().zip(outcomes) {
            if outcome.makes_version() {
                versions.push((item.index, item.id));
                ends.insert(item.assessment.expires_at(entry.time));
            }
        }
        for at in ends {
            self.put(keys::ends(at, entry.sequence), Vec::new());
        }
        let author = author.clone();
        (!versions.is_empty()).then_some(EntryVersions { author, audience, versions })
    }

    /// Whether the author may share with the audience. Checked again here because group changes may have
    /// been appended in between, by this node or another.
    pub(super) fn may_share(&self, author: &PartnerId, audience: &Audience) -> bool {
        match audience {
            Audience::Everyone | Audience::Public => true,
            Audience::Named { groups, partners } => {
                groups.iter().all(|group| self.registry.is_member(group, author))
                    && partners
                        .iter()
                        .all(|partner| self.registry.role(partner).is_some_and(Role::may_receive))
            }
        }
    }
}
