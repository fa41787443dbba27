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
use crate::exchange::feeds::changes::releases::replaced_by_response;
use crate::exchange::feeds::event::{BatchEvent, FeedEvent};
use crate::exchange::feeds::expansion::ExpansionStep;
use crate::exchange::visibility::Visibility;
use crate::index::View;
use crate::journal::LoggedEntry;

/// How many entries a feed takes from the journal at once.
const ENTRIES_AT_ONCE: usize = 64;

/// One reader's way through the journal.
#[derive(Debug)]
pub struct Feed {
    pub(super) core: Arc<Core>,
    pub(super) partner: PartnerId,
    /// Of a liaison, for what it reads.
    pub(super) purpose: Option<Purpose>,
    pub(super) sight: Visibility,
    pub(super) place: FeedPosition,
    pub(super) checkpoint: watch::Receiver<u64>,
    pub(super) suspended: [watch::Receiver<BTreeSet<PartnerId>>; 2],
    pub(super) ahead: VecDeque<Arc<LoggedEntry>>,
    /// A reader that begins with nothing passes over what ended by then: it never gets it, and has
    /// nothing to drop.
    pub(super) empty_until: u64,
}

/// What a feed comes to next.
#[derive(Debug)]
pub enum Step {
    /// Something for the reader.
    Delivery(FeedEvent),
    /// Nothing for the reader up to here.
    Heartbeat(Cursor),
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
            if let Some(delivery) = self.next_event()? {
                return Ok(Step::Delivery(delivery));
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

    /// What comes next of what is there already, looked for until `deadline`; `None` where nothing was
    /// found by then.
    pub async fn next_available(
        &mut self,
        deadline: tokio::time::Instant,
    ) -> Result<Option<FeedEvent>> {
        self.check_access()?;
        while self.is_behind() && tokio::time::Instant::now() < deadline {
            self.read_ahead().await?;
            if let Some(delivery) = self.next_event()? {
                return Ok(Some(delivery));
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Goes back to a place inside what was returned last.
    pub fn rewind(&mut self, place: FeedPosition) {
        self.place = place;
        self.ahead.clear();
    }

    /// The next batch that can be delivered without waiting for the journal, before anything
    /// else for the reader and among the next [`ENTRIES_AT_ONCE`] entries.
    pub fn next_batch_ready(&mut self) -> Result<Option<BatchEvent>> {
        if let Some((from, most)) = self.missing_range()
            && let Some(recent) = self.core.log.recent(from, most)
        {
            self.ahead = recent.into();
        }
        while let Some(logged) = self.ahead.front().map(Arc::clone) {
            if !matches!(logged.entry.body, Body::SubmissionBatch(_) | Body::SubmissionClosed(_)) {
                return Ok(None);
            }
            let core = Arc::clone(&self.core);
            let view = core.index.read()?;
            self.sight.refresh(&view)?;
            let delivery = self.batch(&view, &logged)?;
            self.ahead.pop_front();
            self.place = FeedPosition::after_entry(logged.entry.sequence);
            if delivery.is_some() {
                return Ok(delivery);
            }
        }
        Ok(None)
    }

    /// Takes back the items of a delivery from one of them on: the next delivery begins with it.
    pub fn put_back(&mut self, delivery: &BatchEvent, first: usize) {
        let entry = &delivery.logged.entry;
        let index = match &entry.body {
            Body::SubmissionBatch(batch) => batch.items.get(first).map_or(0, |item| item.index),
            _ => 0,
        };
        self.place = FeedPosition::before_item(Position::new(entry.sequence, index));
        self.ahead.push_front(Arc::clone(&delivery.logged));
    }

    fn next_event(&mut self) -> Result<Option<FeedEvent>> {
        while let Some(logged) = self.ahead.front().map(Arc::clone) {
            let (delivery, place) = self.entry(&logged)?;
            self.place = place;
            if place.next_entry() == logged.entry.sequence {
                // There is more of it, and looking for it is a step of its own.
                return Ok(delivery);
            }
            self.ahead.pop_front();
            if delivery.is_some() {
                return Ok(delivery);
            }
        }
        Ok(None)
    }

    /// What there is for the reader in an entry, and the place behind it.
    fn entry(&mut self, logged: &Arc<LoggedEntry>) -> Result<(Option<FeedEvent>, FeedPosition)> {
        let entry = &logged.entry;
        let done = FeedPosition::after_entry(entry.sequence);
        let core = Arc::clone(&self.core);
        let view = &core.index.read()?;
        self.sight.refresh(view)?;
        let delivery = match &entry.body {
            Body::SubmissionBatch(_) => self.batch(view, logged)?.map(FeedEvent::Batch),
            Body::Withdrawal(_) | Body::Expiry(_) if entry.sequence > self.empty_until => {
                let removals = core.removals(view, &self.sight, entry, self.place)?;
                (!removals.is_empty()).then_some(FeedEvent::Removals(removals))
            }
            // Nothing else than what can be released, and tips that are addressed to it, leaves by a
            // liaison's lane, where each object that does is written down first.
            Body::Sightings(_) | Body::Feedback(_) if self.sight.is_liaison() => None,
            Body::CampaignPut(_)
            | Body::Enforcements(_)
            | Body::Release(_)
            | Body::ReleaseEnd(_)
                if self.sight.is_liaison() =>
            {
                let holds = entry.sequence > self.empty_until;
                return core.by_lane(view, &self.sight, entry, self.place, holds);
            }
            Body::GroupPut(_) | Body::TermsConfirmed(_) | Body::CampaignPut(_) => {
                match core.expand(view, &self.sight, entry, self.place)? {
                    ExpansionStep::Done => None,
                    ExpansionStep::UpTo(delivery, place) => {
                        return Ok((delivery.map(|told| *told), place));
                    }
                }
            }
            Body::Sightings(_) | Body::Feedback(_) => {
                core.reactions(view, &self.sight, entry, self.place)?
            }
            Body::Enforcements(enforcements) => {
                core.done(view, &self.sight, entry, enforcements, self.place)?
            }
            Body::TipSent(_)
            | Body::TipResponded(_)
            | Body::TipWithdrawn(_)
            | Body::TipsReopened(_)
            | Body::Referred(_) => {
                // A tip is never public.
                if self.purpose.as_ref().is_some_and(Purpose::is_public) {
                    return Ok((None, done));
                }
                let behind = self.place;
                let (told, place) = core.tip_events(view, &self.partner, entry, behind)?;
                let told = told.map(|told| FeedEvent::Tip(Box::new(told)));
                if place < done || !self.sight.is_liaison() {
                    return Ok((told, place));
                }
                let holds = entry.sequence > self.empty_until;
                let lost = replaced_by_response(view, &self.sight, entry, holds)?;
                return Ok(match (told, lost) {
                    // First the answer, and behind it what that took the place of.
                    (Some(told), Some(_)) => {
                        let last = Position::new(entry.sequence, u32::MAX - 1);
                        (Some(told), FeedPosition::after_item(last))
                    }
                    (told, lost) => (told.or(lost), done),
                });
            }
            Body::Withdrawal(_)
            | Body::Expiry(_)
            | Body::SubmissionClosed(_)
            | Body::PartnerPut(_)
            | Body::PartnerSuspended(_)
            | Body::PartnerResumed(_)
            | Body::Release(_)
            | Body::ReleaseEnd(_)
            | Body::Accessed(_)
            | Body::AccessSweep(_)
            | Body::HoldPlaced(_)
            | Body::HoldChange(_)
            | Body::HoldSweep(_)
            | Body::Epoch(_) => None,
        };
        Ok((delivery, done))
    }

    fn batch(&self, view: &View<'_>, logged: &Arc<LoggedEntry>) -> Result<Option<BatchEvent>> {
        self.core.batch_delivery(view, &self.sight, logged, self.place, self.empty_until)
    }

    /// Whether entries are there that the reader has not come to.
    pub fn is_behind(&self) -> bool {
        self.place.next_entry() <= *self.checkpoint.borrow()
    }

    /// Of a liaison, for what it reads.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// The place behind everything that was returned or passed over.
    pub fn cursor(&self) -> Cursor {
        self.core.cursor_at(self.place)
    }

    fn check_access(&mut self) -> Result<()> {
        self.suspended.iter_mut().for_each(watch::Receiver::mark_unchanged);
        self.core.check_suspended(&self.partner)?;
        self.core.check_purpose_holds(&self.partner, self.purpose.as_ref())
    }

    async fn read_ahead(&mut self) -> Result<()> {
        let Some((from, most)) = self.missing_range() else { return Ok(()) };
        self.ahead = self.core.entries(from, most).await?.into();
        Ok(())
    }

    /// The entries that are there and were not read ahead: the first, and at most how many.
    fn missing_range(&mut self) -> Option<(u64, usize)> {
        let checkpoint = *self.checkpoint.borrow_and_update();
        let from = self.place.next_entry();
        if !self.ahead.is_empty() || from > checkpoint {
            return None;
        }
        let there = usize::try_from(checkpoint - from + 1).unwrap_or(usize::MAX);
        Some((from, there.min(ENTRIES_AT_ONCE)))
    }
}
