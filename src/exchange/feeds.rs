//! Following what is shared with a reader.
//!
//! A feed reads entries from its cursor up to the index's checkpoint: replay and live are one path.
//! It passes over what is no longer current or was never taken, and asks the rule of sight and the
//! reader's filter of the rest.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Caller, Exchange};
use crate::domain::cursor::JournalTag;
use crate::domain::entry::{Batch, Body, Entry, ItemOutcome, Outcome};
use crate::domain::filter::Filter;
use crate::domain::sharing::{Audience, Reader, SharingView};
use crate::domain::{Cursor, Invalid, PartnerId, Position, may_see};
use crate::error::{Error, Kind, Result};
use crate::index::Registry;
use crate::journal::Logged;

/// How many entries a feed takes from the journal at once.
const ENTRIES_AT_ONCE: usize = 64;

/// Where a feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest entry that the journal holds.
    Oldest,
    /// With what comes next.
    Now,
    /// Behind this place.
    After(Cursor),
}

/// One reader's way through the journal.
#[derive(Debug)]
pub struct Feed {
    exchange: Arc<Exchange>,
    partner: PartnerId,
    filter: Filter,
    after: Position,
    checkpoint: watch::Receiver<u64>,
    suspended: watch::Receiver<super::Suspended>,
    registry: Arc<Registry>,
    reader: Reader,
    ahead: VecDeque<Arc<Logged>>,
    /// A reader that begins with nothing passes over what was replaced by then: it never gets it,
    /// and has nothing to drop.
    empty_until: u64,
}

/// What a feed comes to next.
#[derive(Debug)]
pub enum Step {
    /// Items for the reader.
    Items(Delivery),
    /// Nothing for the reader up to here.
    Heartbeat(Cursor),
}

/// What a reader gets of one batch: something, of items and removals.
#[derive(Debug)]
pub struct Delivery {
    /// The journal that the entry is in, for cursors.
    pub journal: JournalTag,
    /// The entry that holds them.
    pub logged: Arc<Logged>,
    /// What the entry came to.
    pub outcome: Arc<Outcome>,
    /// The reader's own part of the sharing.
    pub view: SharingView,
    /// Whether the reader is the author.
    pub author: bool,
    /// The reader could see an older version for the same audience from this sequence on.
    pub sight_from: u64,
    /// Which items, by their place in the batch, in order.
    pub ranges: Vec<Range<usize>>,
    /// What the reader is to drop, since items of the batch took its place that it does not get.
    pub removals: Vec<Removal>,
}

/// A version that a reader may hold and is to drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The place in the batch of the item that took its place.
    pub at: usize,
    /// The version.
    pub version: Position,
    /// Why.
    pub reason: RemovalReason,
}

/// Why a version is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// What took its place has been replaced again.
    Replaced,
    /// The filter does not ask for what took its place.
    NoLongerMatches,
}

impl Exchange {
    /// Opens a feed for a caller.
    pub fn feed(self: &Arc<Self>, caller: &Caller, start: Start, filter: Filter) -> Result<Feed> {
        let checkpoint = self.index.watch();
        let now = *checkpoint.borrow();
        let after = match start {
            Start::Oldest => Position::new(self.log.oldest().saturating_sub(1), u32::MAX),
            Start::Now => Position::new(now, u32::MAX),
            Start::After(cursor) => self.resume(cursor, now)?,
        };
        let registry = self.index.registry();
        let reader = reader(&registry, caller.partner())?;
        Ok(Feed {
            exchange: Arc::clone(self),
            partner: caller.partner().clone(),
            filter,
            after,
            checkpoint,
            suspended: self.suspended.subscribe(),
            registry,
            reader,
            ahead: VecDeque::new(),
            empty_until: if start == Start::Oldest { now } else { 0 },
        })
    }

    fn resume(&self, cursor: Cursor, checkpoint: u64) -> Result<Position> {
        if cursor.journal != self.index.journal() {
            let reason = "is not one that this exchange handed out";
            return Err(Invalid::new("cursor", reason).into());
        }
        if cursor.after.sequence > checkpoint {
            return Err(Error::new(
                Kind::OutOfRange,
                "cursor_ahead",
                "the cursor is ahead of what the exchange holds: it was restored, or this node \
                 has not caught up",
            ));
        }
        if follows(cursor.after) < self.log.oldest() {
            return Err(super::trimmed());
        }
        Ok(cursor.after)
    }
}

impl Feed {
    /// What comes next: items as soon as there are some, else a heartbeat after `heartbeat`.
    ///
    /// Cancel safe: what was not returned is found again.
    pub async fn next(&mut self, heartbeat: Duration) -> Result<Step> {
        let deadline = tokio::time::sleep(heartbeat);
        tokio::pin!(deadline);
        loop {
            self.check_access()?;
            self.read_ahead().await?;
            if let Some(delivery) = self.first_ahead()? {
                return Ok(Step::Items(delivery));
            }
            if self.is_behind() {
                // A filter that matches little reads on for long: others get their turn, and the
                // reader learns how far it has come.
                tokio::task::yield_now().await;
                // Asked of the clock: a timer that nobody polled never elapses.
                if tokio::time::Instant::now() >= deadline.deadline() {
                    return Ok(Step::Heartbeat(self.cursor()));
                }
                continue;
            }
            tokio::select! {
                () = &mut deadline => return Ok(Step::Heartbeat(self.cursor())),
                changed = self.checkpoint.changed() => {
                    changed.map_err(|_| stopping())?;
                }
                changed = self.suspended.changed() => {
                    changed.map_err(|_| stopping())?;
                }
            }
        }
    }

    /// What can be delivered without waiting, for the disk neither, among the next
    /// [`ENTRIES_AT_ONCE`] entries.
    pub fn next_ready(&mut self) -> Result<Option<Delivery>> {
        if let Some((from, most)) = self.lacks()
            && let Some(recent) = self.exchange.log.recent(from, most)
        {
            self.ahead = recent.into();
        }
        self.first_ahead()
    }

    /// Takes back the items of a delivery from one of them on: the next delivery begins with it.
    pub fn put_back(&mut self, delivery: &Delivery, first: usize) {
        let entry = &delivery.logged.entry;
        let index = match &entry.body {
            Body::SubmissionBatch(batch) => batch.items.get(first).map_or(0, |item| item.index),
            _ => 0,
        };
        self.after = match index.checked_sub(1) {
            Some(before) => Position::new(entry.sequence, before),
            None => Position::new(entry.sequence.saturating_sub(1), u32::MAX),
        };
        self.ahead.push_front(Arc::clone(&delivery.logged));
    }

    fn first_ahead(&mut self) -> Result<Option<Delivery>> {
        while let Some(logged) = self.ahead.pop_front() {
            let delivery = self.delivery(&logged)?;
            self.after = Position::new(logged.entry.sequence, u32::MAX);
            if delivery.is_some() {
                return Ok(delivery);
            }
        }
        Ok(None)
    }

    fn is_behind(&self) -> bool {
        self.after.sequence < *self.checkpoint.borrow()
    }

    /// The place behind everything that was returned or passed over.
    pub fn cursor(&self) -> Cursor {
        Cursor { journal: self.exchange.index.journal(), after: self.after }
    }

    fn check_access(&mut self) -> Result<()> {
        self.suspended.mark_unchanged();
        self.exchange.check_suspended(&self.partner)
    }

    async fn read_ahead(&mut self) -> Result<()> {
        let Some((from, most)) = self.lacks() else { return Ok(()) };
        let entries = if let Some(recent) = self.exchange.log.recent(from, most) {
            recent
        } else {
            let exchange = Arc::clone(&self.exchange);
            tokio::task::spawn_blocking(move || exchange.entries(from, most))
                .await
                .map_err(|error| Error::internal("journal_read", error))??
        };
        self.ahead = entries.into();
        Ok(())
    }

    /// The entries that are there and were not read ahead: the first, and at most how many.
    fn lacks(&mut self) -> Option<(u64, usize)> {
        let checkpoint = *self.checkpoint.borrow_and_update();
        let from = follows(self.after);
        if !self.ahead.is_empty() || from > checkpoint {
            return None;
        }
        let there = usize::try_from(checkpoint - from + 1).unwrap_or(usize::MAX);
        Some((from, there.min(ENTRIES_AT_ONCE)))
    }

    fn delivery(&mut self, logged: &Arc<Logged>) -> Result<Option<Delivery>> {
        let Entry { sequence, author: Some(author), body: Body::SubmissionBatch(batch), .. } =
            &logged.entry
        else {
            return Ok(None);
        };
        self.refresh_reader()?;
        let position = Position::new(*sequence, 0);
        let now = self.exchange.clock.now();
        if !may_see(&self.reader, &batch.sharing, author, position, now) {
            return Ok(None);
        }
        let outcome = self.exchange.index.applied_outcome(*sequence)?;
        let Outcome::Taken(outcomes) = &*outcome else { return Ok(None) };
        let (ranges, removals) = self.wanted(*sequence, batch, author, outcomes)?;
        if ranges.is_empty() && removals.is_empty() {
            return Ok(None);
        }
        let view = batch.sharing.seen_by(&self.reader, author, position);
        let own = self.reader.id == *author;
        let sight_from = if own { 0 } else { self.sight_from(&view) };
        let logged = Arc::clone(logged);
        let journal = self.exchange.index.journal();
        Ok(Some(Delivery {
            journal,
            logged,
            outcome,
            view,
            author: own,
            sight_from,
            ranges,
            removals,
        }))
    }

    /// The items that are current, behind the cursor, and asked for; and what is to be dropped since
    /// others, which are not, took its place.
    fn wanted(
        &self,
        sequence: u64,
        batch: &Batch,
        author: &PartnerId,
        outcomes: &[ItemOutcome],
    ) -> Result<(Vec<Range<usize>>, Vec<Removal>)> {
        let closed = self.exchange.index.closed(sequence);
        let everything = self.filter.is_empty();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut removals = Vec::new();
        for (at, (item, outcome)) in batch.items.iter().zip(outcomes).enumerate() {
            let version = Position::new(sequence, item.index);
            if matches!(outcome, ItemOutcome::Unchanged(_)) || version <= self.after {
                continue;
            }
            let is_current = closed.as_ref().is_none_or(|closed| !closed.contains(&item.index));
            let matches = || {
                let (said, sharing) = (&item.assessment, &batch.sharing);
                self.filter.matches(said, sharing, author, version, &self.reader)
            };
            if is_current && (everything || matches()) {
                match ranges.last_mut() {
                    Some(last) if last.end == at => last.end = at + 1,
                    _ => ranges.push(at..at + 1),
                }
            } else if let ItemOutcome::Replaced(old) = outcome
                && self.may_hold(*old, author, sequence)?
            {
                let reason = if is_current {
                    RemovalReason::NoLongerMatches
                } else {
                    RemovalReason::Replaced
                };
                removals.push(Removal { at, version: *old, reason });
            }
        }
        Ok((ranges, removals))
    }

    /// Whether the reader could see and asked for a version until an entry took its place.
    fn may_hold(&self, version: Position, author: &PartnerId, replaced_by: u64) -> Result<bool> {
        if replaced_by <= self.empty_until {
            return Ok(false);
        }
        let Some(closed) = self.exchange.index.closed_version(version)? else { return Ok(false) };
        let now = self.exchange.clock.now();
        Ok(may_see(&self.reader, &closed.sharing, author, version, now)
            && self.filter.matches(&closed.outline, &closed.sharing, author, version, &self.reader))
    }

    /// From where on the reader sees what is shared as this is: its own part of the audience says.
    fn sight_from(&self, view: &SharingView) -> u64 {
        match &view.audience {
            Audience::Named { groups, partners } if partners.is_empty() => {
                let since = groups.iter().filter_map(|group| self.reader.groups.get(group));
                since.copied().min().unwrap_or(0)
            }
            Audience::Everyone => self.reader.since,
            Audience::Named { .. } | Audience::Public => 0,
        }
    }

    /// Rights are those of the moment: the registry may have changed since the last entry.
    fn refresh_reader(&mut self) -> Result<()> {
        let registry = self.exchange.index.registry();
        if !Arc::ptr_eq(&registry, &self.registry) {
            self.reader = reader(&registry, &self.partner)?;
            self.registry = registry;
        }
        Ok(())
    }
}

/// The entry that a feed goes on with: a cursor inside an entry has items behind it there.
fn follows(after: Position) -> u64 {
    after.sequence + u64::from(after.index == u32::MAX)
}

fn reader(registry: &Registry, partner: &PartnerId) -> Result<Reader> {
    registry.reader(partner).ok_or_else(|| {
        let message = format!("`{partner}` is not a partner of this exchange");
        Error::new(Kind::Denied, "partner_unknown", message)
    })
}

fn stopping() -> Error {
    Error::new(Kind::Unavailable, "stopping", "the exchange is stopping")
}
