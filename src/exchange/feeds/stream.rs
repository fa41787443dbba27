//! One reader's way through the journal.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::Body;
use crate::domain::purpose::Purpose;
use crate::domain::{Cursor, PartnerId, Position};
use crate::error::{Error, Result};
use crate::exchange::core::Core;
use crate::exchange::feeds::changes::{Changes, Input, batch, changes};
use crate::exchange::feeds::event::{BatchEvent, FeedEvent};
use crate::exchange::visibility::Visibility;
use crate::index::View;
use crate::journal::LoggedEntry;

/// Entries that a feed reads from the journal per step. Bounds its memory.
const ENTRIES_PER_STEP: usize = 64;

/// One reader's way through the journal. Replay and live delivery are the same: entries from the position up to the
/// checkpoint of the index.
#[derive(Debug)]
pub struct Feed {
    pub(super) core: Arc<Core>,
    pub(super) partner: PartnerId,
    /// Set for a liaison.
    pub(super) purpose: Option<Purpose>,
    pub(super) visibility: Arc<Visibility>,
    /// Everything up to it is delivered, or was nothing for the reader.
    pub(super) position: FeedPosition,
    pub(super) checkpoint: watch::Receiver<u64>,
    /// The partners that the configuration and the registry suspend.
    pub(super) suspended: [watch::Receiver<BTreeSet<PartnerId>>; 2],
    /// The next entries, read from the journal.
    pub(super) queued: VecDeque<Arc<LoggedEntry>>,
    /// A reader that starts with nothing skips versions that ended by this sequence, and their removals.
    pub(super) holds_nothing_until: u64,
}

/// The next step of a feed.
#[derive(Debug)]
pub enum Step {
    /// An event.
    Delivery(FeedEvent),
    /// No event up to this cursor.
    Heartbeat(Cursor),
}

/// A reader and entries, for [`Scan::run`] on another thread.
struct Scan {
    core: Arc<Core>,
    visibility: Arc<Visibility>,
    position: FeedPosition,
    queued: VecDeque<Arc<LoggedEntry>>,
    holds_nothing_until: u64,
}

/// How far a scan came.
struct Scanned {
    event: Option<FeedEvent>,
    visibility: Arc<Visibility>,
    position: FeedPosition,
    queued: VecDeque<Arc<LoggedEntry>>,
}

impl Feed {
    /// Waits for the next event. Returns a heartbeat if there is none within `heartbeat`.
    ///
    /// Cancel safe: an event that was not returned is found again.
    pub async fn next(&mut self, heartbeat: Duration) -> Result<Step> {
        let deadline = tokio::time::sleep(heartbeat);
        tokio::pin!(deadline);
        loop {
            self.check_access()?;
            self.fill_queue().await?;
            if let Some(event) = self.next_event().await? {
                return Ok(Step::Delivery(event));
            }
            if self.is_behind() {
                // A filter that matches little reads on for long: yield to other tasks, and tell the reader how far
                // the feed is.
                tokio::task::yield_now().await;
                // The clock is asked, since a timer that nobody polls never fires.
                if tokio::time::Instant::now() >= deadline.deadline() {
                    return Ok(Step::Heartbeat(self.cursor()));
                }
                continue;
            }
            let [configured, registered] = &mut self.suspended;
            let changed = tokio::select! {
                () = &mut deadline => return Ok(Step::Heartbeat(self.cursor())),
                changed = self.checkpoint.changed() => changed,
                changed = configured.changed() => changed,
                changed = registered.changed() => changed,
            };
            changed.map_err(|_| Error::stopping())?;
        }
    }

    /// The next event up to the checkpoint. Stops at `deadline`; `None` if there was no event by then.
    pub async fn next_available(
        &mut self,
        deadline: tokio::time::Instant,
    ) -> Result<Option<FeedEvent>> {
        self.check_access()?;
        while self.is_behind() && tokio::time::Instant::now() < deadline {
            self.fill_queue().await?;
            if let Some(event) = self.next_event().await? {
                return Ok(Some(event));
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Moves back to a position inside the last event: the rest of it comes again.
    pub fn rewind(&mut self, position: FeedPosition) {
        self.position = position;
        self.queued.clear();
    }

    /// The next batch, if memory holds all that it needs and nothing else comes before it.
    pub fn next_batch_ready(&mut self) -> Result<Option<BatchEvent>> {
        if let Some((from, limit)) = self.missing_range()
            && let Some(recent) = self.core.log.recent(from, limit)
        {
            self.queued = recent.into();
        }
        while let Some(logged) = self.queued.front().map(Arc::clone) {
            let core = Arc::clone(&self.core);
            let view = core.index.read()?;
            self.visibility = self.visibility.at(&view)?;
            let input = self.input(&view, &logged);
            let event = match &logged.entry.body {
                Body::SubmissionBatch(_) if batch::is_in_memory(&input) => batch::changes(&input)?,
                Body::SubmissionClosed(_) => None,
                _ => return Ok(None),
            };
            self.queued.pop_front();
            self.position = FeedPosition::after_entry(logged.entry.sequence);
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Puts back the items of an event from `first` on: the next event starts with it.
    pub fn put_back(&mut self, event: &BatchEvent, first: usize) {
        let entry = &event.logged.entry;
        let index = match &entry.body {
            Body::SubmissionBatch(batch) => batch.items.get(first).map_or(0, |item| item.index),
            _ => 0,
        };
        self.position = FeedPosition::before_item(Position::new(entry.sequence, index));
        self.queued.push_front(Arc::clone(&event.logged));
    }

    /// Whether the checkpoint is past the position.
    pub fn is_behind(&self) -> bool {
        self.position.next_entry() <= *self.checkpoint.borrow()
    }

    /// The purpose of a liaison.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// The cursor after everything that was returned or skipped.
    pub fn cursor(&self) -> Cursor {
        self.core.cursor_at(self.position)
    }

    /// The next event of the queued entries. A batch that memory holds is computed here. Everything else may read
    /// the disk, so it runs on a blocking thread.
    async fn next_event(&mut self) -> Result<Option<FeedEvent>> {
        if let Some(batch) = self.next_batch_ready()? {
            return Ok(Some(FeedEvent::Batch(batch)));
        }
        if self.queued.is_empty() {
            return Ok(None);
        }
        // A copy, so that this feed is as it was where the caller gives up waiting.
        let scan = Scan {
            core: Arc::clone(&self.core),
            visibility: Arc::clone(&self.visibility),
            position: self.position,
            queued: self.queued.clone(),
            holds_nothing_until: self.holds_nothing_until,
        };
        let scanned = tokio::task::spawn_blocking(move || scan.run()).await;
        let scanned = scanned.map_err(|error| Error::internal("feed", error))??;
        self.visibility = scanned.visibility;
        self.position = scanned.position;
        self.queued = scanned.queued;
        Ok(scanned.event)
    }

    fn input<'a>(&'a self, view: &'a View<'a>, logged: &'a Arc<LoggedEntry>) -> Input<'a> {
        Input {
            logged,
            view,
            visibility: &self.visibility,
            after: self.position,
            holds_nothing_until: self.holds_nothing_until,
            now: self.core.clock.now(),
        }
    }

    fn check_access(&mut self) -> Result<()> {
        self.suspended.iter_mut().for_each(watch::Receiver::mark_unchanged);
        self.core.check_suspended(&self.partner)?;
        self.core.check_purpose_holds(&self.partner, self.purpose.as_ref())
    }

    /// Reads entries from the journal if none is queued.
    async fn fill_queue(&mut self) -> Result<()> {
        let Some((from, limit)) = self.missing_range() else { return Ok(()) };
        self.queued = self.core.entries(from, limit).await?.into();
        Ok(())
    }

    /// The entries to read if none is queued: the first, and how many at most.
    fn missing_range(&mut self) -> Option<(u64, usize)> {
        let checkpoint = *self.checkpoint.borrow_and_update();
        let from = self.position.next_entry();
        if !self.queued.is_empty() || from > checkpoint {
            return None;
        }
        let available = usize::try_from(checkpoint - from + 1).unwrap_or(usize::MAX);
        Some((from, available.min(ENTRIES_PER_STEP)))
    }
}

impl Scan {
    /// Looks for the next event of the queued entries. Reads from the disk.
    fn run(self) -> Result<Scanned> {
        let Self { core, mut visibility, mut position, mut queued, holds_nothing_until } = self;
        while let Some(logged) = queued.front().map(Arc::clone) {
            let view = core.index.read()?;
            visibility = visibility.at(&view)?;
            let Changes { event, position: after } = changes(&Input {
                logged: &logged,
                view: &view,
                visibility: &visibility,
                after: position,
                holds_nothing_until,
                now: core.clock.now(),
            })?;
            position = after;
            // The rest of an entry is a step of its own.
            let is_partial = after.next_entry() == logged.entry.sequence;
            if !is_partial {
                queued.pop_front();
            }
            if is_partial || event.is_some() {
                return Ok(Scanned { event, visibility, position, queued });
            }
        }
        Ok(Scanned { event: None, visibility, position, queued })
    }
}
