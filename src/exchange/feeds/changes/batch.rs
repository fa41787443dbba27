//! A submission batch: new versions, and removals of the versions that they replace.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Batch, Body, Entry, ItemOutcome, Outcome};
use crate::domain::sharing::{Audience, Reader, SharingView};
use crate::domain::{PartnerId, Position, may_see};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::changes::releases::is_released_with_batch;
use crate::exchange::feeds::event::{BatchEvent, BatchRemoval, RemovalReason};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};

/// A batch, and the reader for whom its event is built.
struct BatchContext<'a> {
    input: &'a Input<'a>,
    author: &'a PartnerId,
    batch: &'a Batch,
    /// The reader immediately before the entry; `None` if it was not a partner then. A batch changes no
    /// access rights.
    reader_before: Option<&'a Reader>,
    /// A delivered item names the version that it replaces if that version is not older than this sequence.
    visible_from: u64,
}

/// The removals that a batch causes for a reader.
struct BatchRemovals {
    removals: Vec<BatchRemoval>,
    /// If the batch replaces another audience, or the reader is a liaison: the version that each item names as
    /// replaced.
    replaces: Option<Vec<Option<Position>>>,
}

/// The event of a batch for a reader; `None` if there is nothing for it.
pub fn changes(input: &Input<'_>) -> Result<Option<BatchEvent>> {
    let Entry { sequence, author: Some(author), body: Body::SubmissionBatch(batch), .. } =
        input.entry()
    else {
        return Ok(None);
    };
    let (sequence, visibility) = (*sequence, input.visibility);
    let position = Position::new(sequence, 0);
    let sees = |reader: &Reader| may_see(reader, &batch.sharing, author, position, input.now);
    let reader_before = input.reader_before();
    // For a liaison, the releases of each item decide, in `item_ranges`.
    let may_have_items = visibility.is_liaison() || sees(visibility.reader());
    // Nothing for a reader that may see this audience neither now nor before: it cannot hold the replaced versions
    // either. Those of another audience (`replaces`) have to be looked at.
    if !may_have_items && batch.replaces.is_none() && !reader_before.as_deref().is_some_and(sees) {
        return Ok(None);
    }
    let reader = visibility.reader();
    let sharing = batch.sharing.view_for(reader, author, position);
    let is_author = reader.id == *author;
    let visible_from = if is_author { 0 } else { visible_from(reader, &sharing) };
    let outcome = input.view.outcome(sequence)?;
    let Outcome::Applied(outcomes) = &*outcome else { return Ok(None) };
    let context = BatchContext {
        input,
        author,
        batch,
        reader_before: reader_before.as_deref(),
        visible_from,
    };
    let ranges = if may_have_items { context.item_ranges(outcomes)? } else { Vec::new() };
    let BatchRemovals { removals, replaces } = context.removals(outcomes, &ranges)?;
    if ranges.is_empty() && removals.is_empty() {
        return Ok(None);
    }
    Ok(Some(BatchEvent {
        journal: input.view.journal_at(sequence),
        logged: Arc::clone(input.logged),
        outcome: Arc::clone(&outcome),
        sharing,
        is_author,
        visible_from,
        ranges,
        replaces,
        removals,
        campaigns: visibility.visible_campaigns(input.view, input.logged.campaigns(), input.now)?,
    }))
}

/// Whether [`changes`] reads from memory only, so that it need not run on a blocking thread.
pub fn is_in_memory(input: &Input<'_>) -> bool {
    let sequence = input.entry().sequence;
    // Replaced versions, releases and campaigns are not cached: they are read from the index on disk.
    let needs_index = input.visibility.is_liaison()
        || !input.visibility.filter().campaigns.is_empty()
        || !input.logged.campaigns().is_empty();
    !needs_index
        && input.view.are_closed_items_in_memory(sequence)
        && input.view.recent_outcome(sequence).is_some_and(|outcome| match &*outcome {
            Outcome::Applied(items) => {
                items.iter().all(|item| item.ended_versions().next().is_none())
            }
            Outcome::Void(_) => true,
        })
}

impl BatchContext<'_> {
    /// The ranges of items for the reader, by index in the batch. These items are current, not delivered before,
    /// visible, and matched by the filter.
    fn item_ranges(&self, outcomes: &[ItemOutcome]) -> Result<Vec<Range<usize>>> {
        let closed = self.input.view.recent_closed_items(self.sequence())?;
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (item_index, (item, outcome)) in self.batch.items.iter().zip(outcomes).enumerate() {
            let is_current = closed.as_ref().is_none_or(|closed| !closed.contains(&item.index));
            let was_delivered = self.input.was_delivered(self.position(item_index));
            if !outcome.makes_version()
                || was_delivered
                || !is_current
                || !self.should_deliver_item(item_index)?
            {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if last.end == item_index => last.end = item_index + 1,
                _ => ranges.push(item_index..item_index + 1),
            }
        }
        Ok(ranges)
    }

    /// Whether the filter matches an item. For a liaison also whether the item is released to it.
    fn should_deliver_item(&self, item_index: usize) -> Result<bool> {
        let (input, item) = (self.input, self.version_meta(item_index));
        if input.visibility.is_liaison() {
            return is_released_with_batch(
                input,
                self.author,
                self.batch,
                item_index,
                item.version,
            );
        }
        let now = AsOf::Now(input.now);
        input.visibility.matches_filter(input.view, input.visibility.reader(), now, item)
    }

    /// The versions that the batch ended and that the reader may hold. A delivered item names the version that it
    /// replaces; all others are removals.
    fn removals(
        &self,
        outcomes: &[ItemOutcome],
        delivered: &[Range<usize>],
    ) -> Result<BatchRemovals> {
        let mut removals = Vec::new();
        // A liaison's releases are looked up for each version.
        let names_each_version =
            self.batch.replaces.is_some() || self.input.visibility.is_liaison();
        let mut replaces = names_each_version.then(|| vec![None; self.batch.items.len()]);
        let mut delivered = delivered.iter().flat_map(Clone::clone).peekable();
        for (item_index, outcome) in outcomes.iter().enumerate().take(self.batch.items.len()) {
            let is_delivered = delivered.next_if_eq(&item_index).is_some();
            let item = self.position(item_index);
            if self.input.was_delivered(item) {
                continue;
            }
            let mut has_replaced_version = false;
            for old in outcome.ended_versions() {
                // Within one audience, `visible_from` tells whether the item names the old version.
                if is_delivered && replaces.is_none() && old.sequence >= self.visible_from
                    || !self.may_hold(old)?
                {
                    continue;
                }
                if let Some(replaces) =
                    replaces.as_mut().filter(|_| is_delivered && !has_replaced_version)
                {
                    replaces[item_index] = Some(old);
                    has_replaced_version = true;
                    continue;
                }
                let position = if is_delivered {
                    FeedPosition::before_item(item)
                } else {
                    FeedPosition::after_item(item)
                };
                let reason = self.removal_reason(item_index, *outcome)?;
                removals.push(BatchRemoval { item_index, position, version: old, reason });
            }
        }
        Ok(BatchRemovals { removals, replaces })
    }

    /// Whether the reader could see a version, and its filter matched it, immediately before the batch.
    fn may_hold(&self, version: Position) -> Result<bool> {
        // A version that was created and ended within one entry was never delivered.
        if !self.input.may_hold_versions() || version.sequence == self.sequence() {
            return Ok(false);
        }
        let Some(reader_before) = self.reader_before else { return Ok(false) };
        let Some(closed) = self.input.view.closed_version(version)? else {
            return Ok(false);
        };
        let (sharing, assessment) = (&closed.sharing, &closed.metadata);
        let version = VersionMeta { author: self.author, version, sharing, assessment };
        let (visibility, before) = (self.input.visibility, self.input.before());
        visibility.should_deliver(self.input.view, reader_before, before, version)
    }

    /// Why the version that an item replaced is removed, by the reader's rights before the batch.
    fn removal_reason(&self, item_index: usize, outcome: ItemOutcome) -> Result<RemovalReason> {
        let Some(reader_before) =
            self.reader_before.filter(|_| !self.input.visibility.is_liaison())
        else {
            return Ok(RemovalReason::Replaced);
        };
        let mut item = self.version_meta(item_index);
        if let ItemOutcome::Merged { current, .. } = outcome {
            // The version that stays current was current before the batch too.
            item.version = current;
        }
        Ok(if !Visibility::may_see_version(reader_before, item) {
            RemovalReason::NoLongerShared
        } else if self.input.visibility.matches_filter(
            self.input.view,
            reader_before,
            self.input.before(),
            item,
        )? {
            RemovalReason::Replaced
        } else {
            RemovalReason::NoLongerMatches
        })
    }

    fn sequence(&self) -> u64 {
        self.input.entry().sequence
    }

    fn position(&self, item_index: usize) -> Position {
        Position::new(self.sequence(), self.batch.items[item_index].index)
    }

    fn version_meta(&self, item_index: usize) -> VersionMeta<'_> {
        let item = &self.batch.items[item_index];
        VersionMeta {
            author: self.author,
            version: self.position(item_index),
            sharing: &self.batch.sharing,
            assessment: &item.assessment,
        }
    }
}

/// The first sequence at which the reader could see objects with this sharing.
fn visible_from(reader: &Reader, sharing: &SharingView) -> u64 {
    match &sharing.audience {
        Audience::Named { groups, partners } if partners.is_empty() => {
            let since = groups.iter().filter_map(|group| reader.groups.get(group));
            since.copied().min().unwrap_or(0)
        }
        Audience::Everyone => reader.since,
        Audience::Named { .. } | Audience::Public => 0,
    }
}
