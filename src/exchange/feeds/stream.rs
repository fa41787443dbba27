//! The stream of events of one reader.

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
use crate::exchange::feeds::changes::{Input, NextEvent, batch, next_event};
use crate::exchange::feeds::event::{BatchEvent, FeedEvent};
use crate::exchange::visibility::Visibility;
use crate::index::View;
use crate::journal::LoggedEntry;

/// Entries that a feed reads from the journal per step. Bounds its memory.
const ENTRIES_PER_STEP: usize = 64;

/// Reads the journal for one reader and returns its events. Replay and live delivery are the same: entries from the
/// position up to the checkpoint of the index.
#[derive(Debug)]
pub struct Feed {
    pub(super) core: Arc<Core>,
    pub(super) partner: PartnerId,
    /// Set for a liaison.
    pub(super) purpose: Option<Purpose>,
    pub(super) visibility: Arc<Visibility>,
    /// Everything up to this position was delivered, or was not for the reader.
    pub(super) position: FeedPosition,
    /// The checkpoint of the index.
    pub(super) checkpoint: watch::Receiver<u64>,
    /// The partners that are suspended by the configuration, and those suspended by the registry.
    pub(super) suspended: [watch::Receiver<BTreeSet<PartnerId>>; 2],
    /// The next entries, already read from the journal.
    pub(super) queued: VecDeque<Arc<LoggedEntry>>,
    /// The reader started with no versions at this sequence, so removals up to it are skipped. 0 if it may hold
    /// versions.
    pub(super) started_empty_at: u64,
}

/// The next step of a feed.
#[derive(Debug)]
pub enum Step {
    /// An event.
    Delivery(FeedEvent),
    /// No event: everything up to this cursor was read.
    Heartbeat(Cursor),
}

/// The input of [`Scan::run`], which runs on a blocking thread.
struct Scan {
    core: Arc<Core>,
    visibility: Arc<Visibility>,
    position: FeedPosition,
    queued: VecDeque<Arc<LoggedEntry>>,
    started_empty_at: u64,
}

/// The result of a [`Scan`].
struct ScanResult {
    event: Option<FeedEvent>,
    visibility: Arc<Visibility>,
    position: FeedPosition,
    queued: VecDeque<Arc<LoggedEntry>>,
}

impl Feed {
    /// Waits for the next event. Returns a heartbeat if there is none within `heartbeat`.
    ///
    /// Cancel safe: an event that was not returned is returned by the next call.
    pub async fn next(&mut self, heartbeat: Duration) -> Result<Step> {
        let deadline = tokio::time::sleep(heartbeat);
        tokio::pin!(deadline);
        loop {
            self.check_access()?;
            self.fill_queue().await?;
            if let Some(event) = self.next_event().await? {
                return Ok(Step::Delivery(event));
            }
            if self.has_more() {
                // With a filter that matches little, this loop runs for long: yield to other tasks, and send
                // heartbeats.
                tokio::task::yield_now().await;
                // The time is compared here, because the timer is not polled in this branch.
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
        while self.has_more() && tokio::time::Instant::now() < deadline {
            self.fill_queue().await?;
            if let Some(event) = self.next_event().await? {
                return Ok(Some(event));
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Moves back to a position inside the last event. The events after it are returned again.
    pub fn rewind(&mut self, position: FeedPosition) {
        self.position = position;
        self.queued.clear();
    }

    /// The next event, if it is a batch that can be computed from memory only.
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

    /// Puts back the items of a batch from index `first_item`. The next event starts with that item.
    pub fn put_back(&mut self, event: &BatchEvent, first_item: usize) {
        let entry = &event.logged.entry;
        let index = match &entry.body {
            Body::SubmissionBatch(batch) => {
                batch.items.get(first_item).map_or(0, |item| item.index)
            }
            _ => 0,
        };
        self.position = FeedPosition::before_item(Position::new(entry.sequence, index));
        self.queued.push_front(Arc::clone(&event.logged));
    }

    /// Whether the checkpoint is past the position.
    pub fn has_more(&self) -> bool {
        self.position.next_entry() <= *self.checkpoint.borrow()
    }

    /// The purpose of a liaison.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// The cursor after everything that was returned, or was not for the reader.
    pub fn cursor(&self) -> Cursor {
        self.core.cursor_at(self.position)
    }

    /// The next event of the queued entries. A batch in memory is computed here. Everything else may read from disk, so
    /// it runs on a blocking thread.
    async fn next_event(&mut self) -> Result<Option<FeedEvent>> {
        if let Some(batch) = self.next_batch_ready()? {
            return Ok(Some(FeedEvent::Batch(batch)));
        }
        if self.queued.is_empty() {
            return Ok(None);
        }
        // A copy, so that this feed is unchanged if the caller cancels this call.
        let scan = Scan {
            core: Arc::clone(&self.core),
            visibility: Arc::clone(&self.visibility),
            position: self.position,
            queued: self.queued.clone(),
            started_empty_at: self.started_empty_at,
        };
        let joined = tokio::task::spawn_blocking(move || scan.run()).await;
        let result = joined.map_err(|error| Error::internal("feed", error))??;
        self.visibility = result.visibility;
        self.position = result.position;
        self.queued = result.queued;
        Ok(result.event)
    }

    fn input<'a>(&'a self, view: &'a View<'a>, logged: &'a Arc<LoggedEntry>) -> Input<'a> {
        Input {
            logged,
            view,
            visibility: &self.visibility,
            after: self.position,
            started_empty_at: self.started_empty_at,
            now: self.core.clock.now(),
        }
    }

    /// Fails if the reader was suspended, or its purpose is no longer valid.
    fn check_access(&mut self) -> Result<()> {
        self.suspended.iter_mut().for_each(watch::Receiver::mark_unchanged);
        self.core.check_suspended(&self.partner)?;
        self.core.check_purpose_holds(&self.partner, self.purpose.as_ref())
    }

    /// Reads entries from the journal if the queue is empty.
    async fn fill_queue(&mut self) -> Result<()> {
        let Some((from, limit)) = self.missing_range() else { return Ok(()) };
        self.queued = self.core.entries(from, limit).await?.into();
        Ok(())
    }

    /// The entries to read: the first sequence, and the number. `None` if the queue is not empty or the feed is at the
    /// checkpoint.
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
    /// Finds the next event of the queued entries. Reads from disk.
    fn run(self) -> Result<ScanResult> {
        let Self { core, mut visibility, mut position, mut queued, started_empty_at } = self;
        while let Some(logged) = queued.front().map(Arc::clone) {
            let view = core.index.read()?;
            visibility = visibility.at(&view)?;
            let NextEvent { event, position: after } = next_event(&Input {
                logged: &logged,
                view: &view,
                visibility: &visibility,
                after: position,
                started_empty_at,
                now: core.clock.now(),
            })?;
            position = after;
            // The rest of the entry is the next step.
            let is_partial = after.next_entry() == logged.entry.sequence;
            if !is_partial {
                queued.pop_front();
            }
            if is_partial || event.is_some() {
                return Ok(ScanResult { event, visibility, position, queued });
            }
        }
        Ok(ScanResult { event: None, visibility, position, queued })
    }
}
