//! What one entry means to one reader.
//!
//! [`changes`] is a pure function of [`Input`]: the entry, one view of the index, the reader's access rights before
//! and after the entry, its filter, its position and the time. It has no clock and no state, so a feed that is
//! replayed delivers what it would have delivered live.
//!
//! Two policies decide what a reader may see. For a partner it is the audience of an object, and what changes is
//! the reader's membership. For a liaison it is the release of each version, and what changes is the release: see
//! [`releases`]. What the policies share (batches, removals, group changes, tips) asks the
//! [`Visibility`], which knows both.

pub mod batch;
pub mod builder;
pub mod campaigns;
pub mod reactions;
pub mod releases;
pub mod removals;
pub mod tips;

use std::sync::Arc;

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry};
use crate::domain::sharing::Reader;
use crate::domain::{Position, Timestamp};
use crate::error::Result;
use crate::exchange::feeds::event::FeedEvent;
use crate::exchange::feeds::expansion;
use crate::exchange::visibility::{AsOf, ReaderView, Visibility};
use crate::index::View;
use crate::journal::LoggedEntry;

/// What the changes of an entry for a reader depend on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The entry.
    pub logged: &'a Arc<LoggedEntry>,
    /// The index after the entry, or later. What is no longer current in it is not delivered.
    pub view: &'a View<'a>,
    /// The reader's access rights and filter, with the rights of `view`.
    pub visibility: &'a Visibility,
    /// What was delivered before: only what follows it is a change.
    pub after: FeedPosition,
    /// The reader started with nothing at this sequence. It holds no version that ended by then.
    pub holds_nothing_until: u64,
    /// The time. Releases that end by then are over.
    pub now: Timestamp,
}

/// What an entry means to a reader, from a position on.
#[derive(Debug)]
pub struct Changes {
    /// The event; `None` if there is nothing for the reader.
    pub event: Option<FeedEvent>,
    /// The position after the event. Inside the entry if there may be more.
    pub position: FeedPosition,
}

/// The next event of an entry for a reader, and the position after it.
pub fn changes(input: &Input<'_>) -> Result<Changes> {
    let position = FeedPosition::after_entry(input.entry().sequence);
    let all = |event| Changes { event, position };
    let is_liaison = input.visibility.is_liaison();
    match &input.entry().body {
        Body::SubmissionBatch(_) => Ok(all(batch::changes(input)?.map(FeedEvent::Batch))),
        Body::Withdrawal(_) | Body::Expiry(_) => Ok(all(removals::changes(input)?)),
        Body::TipSent(_)
        | Body::TipResponded(_)
        | Body::TipWithdrawn(_)
        | Body::TipsReopened(_)
        | Body::Referred(_) => tips::changes(input),
        // A liaison receives what can be released, and tips that are addressed to it: nothing else can be
        // recorded in the access log.
        Body::CampaignPut(_) | Body::Enforcements(_) | Body::Release(_) | Body::ReleaseEnd(_)
            if is_liaison =>
        {
            releases::changes(input)
        }
        Body::Sightings(_) | Body::Feedback(_) if is_liaison => Ok(all(None)),
        Body::Sightings(_) | Body::Feedback(_) => Ok(all(reactions::changes(input)?)),
        Body::GroupPut(_) | Body::TermsConfirmed(_) | Body::CampaignPut(_) => {
            expansion::changes(input)
        }
        Body::Enforcements(report) => Ok(all(campaigns::enforcement_events(input, report)?)),
        Body::SubmissionClosed(_)
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
        | Body::Epoch(_) => Ok(all(None)),
    }
}

impl<'a> Input<'a> {
    /// The entry.
    pub fn entry(&self) -> &'a Entry {
        &self.logged.entry
    }

    /// Whether an item of the entry was delivered before.
    pub fn was_delivered(&self, item: Position) -> bool {
        item <= self.after.after
    }

    /// Whether the reader may hold versions that end with the entry.
    pub fn may_hold_versions(&self) -> bool {
        self.entry().sequence > self.holds_nothing_until
    }

    /// The moment immediately before the entry.
    pub fn before(&self) -> AsOf {
        AsOf::Sequence(self.entry().sequence.saturating_sub(1))
    }

    /// The reader's rights immediately before the entry; `None` if it was no partner then.
    pub fn reader_before(&self) -> Option<Arc<Reader>> {
        self.visibility.reader_at(self.entry().sequence.saturating_sub(1))
    }

    /// The index as the reader may see it now.
    pub fn seen(&self) -> ReaderView<'_> {
        ReaderView::new(self.view, self.visibility.reader(), self.now)
    }
}
