//! What a reader gets of a batch.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Batch, Body, Entry, ItemOutcome, Outcome};
use crate::domain::sharing::{Audience, Reader, SharingView};
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::event::{BatchEvent, BatchRemoval, RemovalReason};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;
use crate::journal::LoggedEntry;

/// A batch and how one reader stands to it.
struct BatchContext<'a> {
    core: &'a Core,
    view: &'a View<'a>,
    sight: &'a Visibility,
    sequence: u64,
    author: &'a PartnerId,
    batch: &'a Batch,
    /// The reader immediately before the entry, which a batch does not change; `None` where it was no
    /// partner then.
    then: Option<&'a Reader>,
    /// Whether the reader may hold anything: one that begins with nothing has nothing to drop.
    may_hold_versions: bool,
    /// From where on the items that the reader gets name what they replace.
    visible_from: u64,
}

/// What a reader is told of the versions that a batch ended.
struct BatchRemovals {
    removals: Vec<BatchRemoval>,
    /// Where the batch takes the place of another audience, the version that each item names.
    replaces: Option<Vec<Option<Position>>>,
}

impl Core {
    /// What there is for a reader in a batch, behind a place.
    pub(in crate::exchange) fn batch_delivery(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        logged: &Arc<LoggedEntry>,
        behind: FeedPosition,
        empty_until: u64,
    ) -> Result<Option<BatchEvent>> {
        let Entry { sequence, author: Some(author), body: Body::SubmissionBatch(batch), .. } =
            &logged.entry
        else {
            return Ok(None);
        };
        let sequence = *sequence;
        let position = Position::new(sequence, 0);
        let sees = |reader: &Reader| {
            crate::domain::may_see(reader, &batch.sharing, author, position, self.clock.now())
        };
        let then = sight.reader_at(sequence.saturating_sub(1));
        // Of a liaison each item is judged by its releases, which come and go.
        let sees_now = sight.is_liaison() || sees(sight.reader());
        // Who sees none of it, and saw none, holds nothing that it took the place of: but for what was
        // shared with another audience before.
        if !sees_now && batch.replaces.is_none() && !then.as_deref().is_some_and(sees) {
            return Ok(None);
        }
        let reader = sight.reader();
        let part = batch.sharing.view_for(reader, author, position);
        let own = reader.id == *author;
        let visible_from = if own { 0 } else { visible_from(reader, &part) };
        let outcome = self.index.applied_outcome(sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else { return Ok(None) };
        let reading = BatchContext {
            core: self,
            view,
            sight,
            sequence,
            author,
            batch,
            then: then.as_deref(),
            may_hold_versions: sequence > empty_until,
            visible_from,
        };
        let ranges = if sees_now { reading.wanted(outcomes, behind)? } else { Vec::new() };
        let BatchRemovals { removals, replaces } = reading.ended(outcomes, &ranges, behind)?;
        if ranges.is_empty() && removals.is_empty() {
            return Ok(None);
        }
        Ok(Some(BatchEvent {
            journal: self.index.journal_at(sequence),
            logged: Arc::clone(logged),
            outcome: Arc::clone(&outcome),
            view: part,
            author: own,
            visible_from,
            ranges,
            replaces,
            removals,
            campaigns: sight.visible_campaigns(view, logged.campaigns())?,
        }))
    }
}

impl BatchContext<'_> {
    /// The items that are current, behind the place, and asked for, by their places in the batch.
    fn wanted(&self, outcomes: &[ItemOutcome], behind: FeedPosition) -> Result<Vec<Range<usize>>> {
        let closed = self.core.index.closed(self.sequence)?;
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (at, (item, outcome)) in self.batch.items.iter().zip(outcomes).enumerate() {
            let is_current = closed.as_ref().is_none_or(|closed| !closed.contains(&item.index));
            let is_behind = Position::new(self.sequence, item.index) <= behind.after;
            if !outcome.makes_version() || is_behind || !is_current || !self.is_delivered(at)? {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if last.end == at => last.end = at + 1,
                _ => ranges.push(at..at + 1),
            }
        }
        Ok(ranges)
    }

    fn is_delivered(&self, at: usize) -> Result<bool> {
        let item = self.outline(at);
        if self.sight.is_liaison() {
            let (core, author) = (self.core, self.author);
            return core.is_released_with_batch(
                self.view,
                self.sight,
                author,
                self.batch,
                at,
                item.version,
            );
        }
        self.sight.matches_filter(self.view, self.sight.reader(), AsOf::Now, item)
    }

    /// The versions that ended by the batch and that the reader could see and asked for immediately
    /// before: to be dropped, or named by the item that takes their place where it gets that one.
    fn ended(
        &self,
        outcomes: &[ItemOutcome],
        given: &[Range<usize>],
        behind: FeedPosition,
    ) -> Result<BatchRemovals> {
        let mut removals = Vec::new();
        // What a liaison may hold is no matter of an audience, and is looked up for each.
        let names_each = self.batch.replaces.is_some() || self.sight.is_liaison();
        let mut replaces = names_each.then(|| vec![None; self.batch.items.len()]);
        let mut given = given.iter().flat_map(Clone::clone).peekable();
        for (at, (item, outcome)) in self.batch.items.iter().zip(outcomes).enumerate() {
            let is_given = given.next_if_eq(&at).is_some();
            if Position::new(self.sequence, item.index) <= behind.after {
                continue;
            }
            let mut named = false;
            for old in outcome.ended_versions() {
                // Of one audience alone, the reader's class says whether the item names the old one.
                if is_given && replaces.is_none() && old.sequence >= self.visible_from
                    || !self.was_delivered(old)?
                {
                    continue;
                }
                if let Some(replaces) = replaces.as_mut().filter(|_| is_given && !named) {
                    replaces[at] = Some(old);
                    named = true;
                    continue;
                }
                let place = if is_given {
                    FeedPosition::before_item(Position::new(self.sequence, item.index))
                } else {
                    FeedPosition::after_item(Position::new(self.sequence, item.index))
                };
                let reason = self.reason(at, *outcome)?;
                removals.push(BatchRemoval { at, place, version: old, reason });
            }
        }
        Ok(BatchRemovals { removals, replaces })
    }

    /// Whether the reader could see and asked for a version immediately before the batch.
    fn was_delivered(&self, version: Position) -> Result<bool> {
        // What came and went within one entry was never given to anybody.
        if !self.may_hold_versions || version.sequence == self.sequence {
            return Ok(false);
        }
        let Some(then) = self.then else { return Ok(false) };
        let Some(closed) = self.view.closed_version(version)? else {
            return Ok(false);
        };
        let (sharing, said) = (&closed.sharing, &closed.metadata);
        let outline = VersionMeta { author: self.author, version, sharing, assessment: said };
        self.sight.should_deliver(self.view, then, self.before(), outline)
    }

    /// Why a version is to be dropped whose place an item took: by the reader's rights at that time.
    fn reason(&self, at: usize, outcome: ItemOutcome) -> Result<RemovalReason> {
        let Some(then) = self.then.filter(|_| !self.sight.is_liaison()) else {
            return Ok(RemovalReason::Replaced);
        };
        let mut item = self.outline(at);
        if let ItemOutcome::Merged { current, .. } = outcome {
            // What stands in its place was there before, for who could see it then.
            item.version = current;
        }
        Ok(if !Visibility::may_see_version(then, item) {
            RemovalReason::NoLongerShared
        } else if self.sight.matches_filter(self.view, then, self.before(), item)? {
            RemovalReason::Replaced
        } else {
            RemovalReason::NoLongerMatches
        })
    }

    /// Immediately before the batch.
    fn before(&self) -> AsOf {
        AsOf::Sequence(self.sequence.saturating_sub(1))
    }

    fn outline(&self, at: usize) -> VersionMeta<'_> {
        let item = &self.batch.items[at];
        VersionMeta {
            author: self.author,
            version: Position::new(self.sequence, item.index),
            sharing: &self.batch.sharing,
            assessment: &item.assessment,
        }
    }
}

/// From where on the reader sees what is shared as this is: its own part of the audience says.
fn visible_from(reader: &Reader, view: &SharingView) -> u64 {
    match &view.audience {
        Audience::Named { groups, partners } if partners.is_empty() => {
            let since = groups.iter().filter_map(|group| reader.groups.get(group));
            since.copied().min().unwrap_or(0)
        }
        Audience::Everyone => reader.since,
        Audience::Named { .. } | Audience::Public => 0,
    }
}
