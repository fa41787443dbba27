//! A batch of a submission: taken once under its key, and each item decided by what its author said
//! before.

use std::collections::BTreeSet;

use super::Applier;
use super::referrals::has_assets;
use super::releases::release_times;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{Batch, Entry, Item, ItemOutcome, Outcome, Releasable, VoidReason};
use crate::domain::partner::Role;
use crate::domain::sharing::{Audience, Community, Release};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, CurrentParts, Ended, InForce, Part, TakenBatch};

/// How many items are one part, and how many operations an item of it takes at most: its assessment
/// and a version that closes.
const PART: (usize, usize) = (64, 2);
/// The same where an item may close two versions and take one away, and ends at a time of its own.
const LARGE_PART: (usize, usize) = (31, 5);
/// The same where a batch names many groups, each of which takes an operation in its first part.
const SMALL_PART: (usize, usize) = (12, 5);
/// The same where it names many campaigns, or some in a part that has no room for them beside: an item
/// adds a mark of its own, and another where tips wait in its campaign.
const NAMING_PART: (usize, usize) = (8, 7);
/// How many groups are many.
const MANY_GROUPS: usize = 20;
/// How many campaigns are many.
const MANY_CAMPAIGNS: usize = 14;
/// How many times at which releases end, each of which takes an operation in each part, are many.
const MANY_TIMES: usize = 3;
/// What a part takes besides: what its items came to with its versions, and when they end, which is
/// at most one time for each default life.
const PART_OPERATIONS: usize = 8;

/// What is the same for all items of a batch.
struct Context<'a> {
    entry: &'a Entry,
    author: &'a PartnerId,
    audience: AudienceDigest,
    replaces: Option<AudienceDigest>,
    /// The sharing as it was sent, and the releases as they stand on what comes.
    sent: Vec<u8>,
    releases: Vec<u8>,
}

impl Applier {
    pub(super) fn batch(&mut self, entry: &Entry, batch: &Batch) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        // By the batch alone, so that what lies in the index depends on the entries, and not on how
        // they came.
        let ((part_items, item_operations), campaigns) = part_size(batch);
        let marks = 2 * campaigns + release_times(&batch.sharing).len();
        let room = |items: usize| items * item_operations + marks + PART_OPERATIONS;
        // Room for what the decision writes and for the first part: a crash between the two would
        // have the entry take itself for its own repetition.
        self.make_room(room(batch.items.len().min(part_items)) + groups(batch))?;
        // Parts of it are applied: then it was decided to take it.
        if self.head.items == 0
            && let Some(void) = self.decide(entry, author, batch)?
        {
            return Ok(Outcome::Void(void));
        }
        let audience = AudienceDigest::of(&batch.sharing.audience);
        let since = entry.sequence;
        let in_force = |release: &Release| InForce { release: release.clone(), since };
        let releases: Vec<_> = batch.sharing.releases.iter().map(in_force).collect();
        let context = Context {
            entry,
            author,
            audience,
            replaces: batch.replaces.filter(|replaced| *replaced != audience),
            sent: record::sent(&batch.sharing),
            releases: record::releases(&releases),
        };
        let done = self.head.items as usize;
        for part in batch.items[done.min(batch.items.len())..].chunks(part_items) {
            let first = self.begun.len();
            if first > 0 {
                self.make_room(room(part.len()))?;
            }
            for item in part {
                let outcome = self.item(&context, item)?;
                self.begun.push(outcome);
            }
            self.mark_news(entry, part)?;
            let versions = self.put_ends(&context, part, first);
            let at = Position::new(entry.sequence, u32::try_from(first).unwrap_or(u32::MAX));
            self.put_named(author, audience, batch, at, part);
            if !batch.sharing.releases.is_empty()
                && let Some(part) = &versions
            {
                let objects: Vec<_> =
                    part.targets(entry.sequence).map(Releasable::Assessment).collect();
                self.put_release_ends_of_batch(author, &batch.sharing, at, &objects);
            }
            self.part_done(entry.sequence, first, versions.as_ref());
        }
        Ok(Outcome::Taken(std::mem::take(&mut self.begun)))
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
        // Behind the highest number none was taken, and none is looked for.
        if state.is_some_and(|state| batch.number <= state.highest)
            && let Some(void) = self.taken_before(&key, batch.digest)?
        {
            return Ok(Some(void));
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
        state.assets |= has_assets(batch);
        state.closed = None;
        let taken = TakenBatch { digest: batch.digest, sequence: entry.sequence, time: entry.time };
        let state = *state;
        self.put_submission(submission, state);
        self.put(key, taken.encode());
        if let Audience::Named { groups, .. } = &batch.sharing.audience {
            for group in groups {
                self.put(keys::entry_for(group, entry.sequence), Vec::new());
            }
        }
        Ok(None)
    }

    fn item(&mut self, context: &Context<'_>, item: &Item) -> Result<ItemOutcome> {
        let Context { entry, author, audience, .. } = *context;
        let version = Position::new(entry.sequence, item.index);
        let from = match context.replaces {
            Some(replaced) => self.end(
                keys::assessment(item.id, author, replaced),
                None,
                version,
                Ended::Replaced,
            )?,
            None => None,
        };
        let key = keys::assessment(item.id, author, audience);
        let said = record::said(&context.sent, item);
        let mut over = None;
        if let Some(stored) = self.read(&key)? {
            let old = CurrentParts::of(&stored)?;
            if old.said == said && !item.assessment.is_renewal(old.accepted, entry.time) {
                let current = old.version;
                return Ok(match from {
                    None => ItemOutcome::Unchanged(current),
                    Some(from) => ItemOutcome::Merged { from, current },
                });
            }
            self.put_closed(version, Ended::Replaced, &old)?;
            over = Some(old.version);
        }
        let raw = item.assessment.raw.as_deref();
        self.put(key, record::current(version, entry.time, raw, &context.releases, &said));
        Ok(match (from, over) {
            (None, None) => ItemOutcome::Created,
            (None, Some(old)) => ItemOutcome::Replaced(old),
            (Some(from), over) => ItemOutcome::Moved { from, over },
        })
    }

    /// Takes note of when a part's versions end, and gives them back, if there are any.
    fn put_ends(&mut self, context: &Context<'_>, items: &[Item], first: usize) -> Option<Part> {
        let Context { entry, author, audience, .. } = *context;
        let mut ends: BTreeSet<Timestamp> = BTreeSet::new();
        let mut versions = Vec::with_capacity(items.len());
        for (item, outcome) in items.iter().zip(&self.begun[first..]) {
            if outcome.makes_version() {
                versions.push((item.index, item.id));
                ends.insert(item.assessment.ends(entry.time));
            }
        }
        let part = Position::new(entry.sequence, u32::try_from(first).unwrap_or(u32::MAX));
        for at in ends {
            self.put(keys::ends(at, part), Vec::new());
        }
        let author = author.clone();
        (!versions.is_empty()).then_some(Part { author, audience, versions })
    }

    /// Two nodes may append what conflicts, so whether the author is in its groups is decided here
    /// once more, by the order.
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

/// How large the parts of a batch are, and how many operations each takes for the campaigns that are
/// named in it.
fn part_size(batch: &Batch) -> ((usize, usize), usize) {
    let ends_apart = batch.items.iter().any(|item| item.assessment.valid_until.is_some());
    let campaigns: BTreeSet<_> =
        batch.items.iter().filter_map(|item| item.assessment.campaign).collect();
    let many_times = release_times(&batch.sharing).len() > MANY_TIMES;
    let size = if groups(batch) > MANY_GROUPS || many_times {
        SMALL_PART
    } else if ends_apart || batch.replaces.is_some() {
        LARGE_PART
    } else {
        PART
    };
    if campaigns.is_empty() || size == PART && campaigns.len() <= MANY_CAMPAIGNS {
        (size, campaigns.len())
    } else {
        (NAMING_PART, 0)
    }
}

fn groups(batch: &Batch) -> usize {
    match &batch.sharing.audience {
        Audience::Named { groups, .. } => groups.len(),
        Audience::Everyone | Audience::Public => 0,
    }
}
