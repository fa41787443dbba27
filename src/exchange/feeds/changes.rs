//! What one entry means to one reader.
//!
//! [`next_event`] depends only on its [`Input`]: the entry, one view of the index, the reader's access rights before
//! and after the entry, its filter, its position and the time. The same code serves replay and live feeds. Replay
//! leaves out versions that have ended since, so a reader may get fewer events than it would have got live, and ends
//! with the same versions.
//!
//! Two policies decide what a reader may see. For a partner it is the audience of an object, and what changes is
//! the reader's membership. For a liaison it is the release of each version, and what changes is the release: see
//! [`releases`]. What the policies share (batches, removals, group changes, tips) asks the
//! [`Visibility`], which knows both.

pub mod batch;
pub mod builder;
pub mod campaigns;
pub mod enforcement_withdrawal;
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

/// Everything that decides what an entry means to a reader.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The entry.
    pub logged: &'a Arc<LoggedEntry>,
    /// The index, at the entry or later. Versions that are no longer current in it are not delivered.
    pub view: &'a View<'a>,
    /// The reader's access rights, as of `view`, and its filter.
    pub visibility: &'a Visibility,
    /// The position up to which changes were delivered. Only later changes are returned.
    pub after: FeedPosition,
    /// The reader started with no versions at this sequence. It holds no version that ended by then.
    pub started_empty_at: u64,
    /// The current time. Releases that end by then are no longer in force.
    pub now: Timestamp,
}

/// The next event of an entry.
#[derive(Debug)]
pub struct NextEvent {
    /// The event; `None` if there is nothing for the reader.
    pub event: Option<FeedEvent>,
    /// The position after the event. It is inside the entry if the entry may have more events.
    pub position: FeedPosition,
}

/// The next event of an entry for a reader, and the position after it.
pub fn next_event(input: &Input<'_>) -> Result<NextEvent> {
    let position = FeedPosition::after_entry(input.entry().sequence);
    let last_event = |event| NextEvent { event, position };
    let is_liaison = input.visibility.is_liaison();
    match &input.entry().body {
        Body::SubmissionBatch(_) => Ok(last_event(batch::changes(input)?.map(FeedEvent::Batch))),
        Body::Withdrawal(_) | Body::Expiry(_) => Ok(last_event(removals::changes(input)?)),
        Body::EnforcementWithdrawal(withdrawal) => {
            Ok(last_event(enforcement_withdrawal::changes(input, withdrawal)?))
        }
        Body::TipSent(_)
        | Body::TipResponded(_)
        | Body::TipWithdrawn(_)
        | Body::TipsReopened(_)
        | Body::Referred(_) => tips::changes(input),
        // A liaison receives released objects, and tips that are addressed to it. Nothing else can be recorded in the
        // access log.
        Body::CampaignPut(_) | Body::Enforcements(_) | Body::Release(_) | Body::ReleaseEnd(_)
            if is_liaison =>
        {
            releases::changes(input)
        }
        Body::Sightings(_) | Body::Feedback(_) if is_liaison => Ok(last_event(None)),
        Body::Sightings(_) | Body::Feedback(_) => Ok(last_event(reactions::changes(input)?)),
        Body::GroupPut(_) | Body::TermsConfirmed(_) | Body::CampaignPut(_) => {
            expansion::changes(input)
        }
        Body::Enforcements(report) => Ok(last_event(campaigns::enforcement_events(input, report)?)),
        Body::SubmissionClosed(_)
        | Body::PartnerPut(_)
        | Body::PartnerSuspended(_)
        | Body::PartnerResumed(_)
        | Body::CertificatesRevoked(_)
        | Body::Release(_)
        | Body::ReleaseEnd(_)
        | Body::Accessed(_)
        | Body::AccessSweep(_)
        | Body::HoldPlaced(_)
        | Body::HoldChange(_)
        | Body::HoldSweep(_)
        | Body::WithdrawalSweep(_)
        | Body::Epoch(_) => Ok(last_event(None)),
    }
}

impl<'a> Input<'a> {
    /// The entry.
    pub fn entry(&self) -> &'a Entry {
        &self.logged.entry
    }

    /// Whether an item of the entry was delivered before.
    pub fn was_delivered(&self, item: Position) -> bool {
        item <= self.after.last_read
    }

    /// Whether the reader may hold versions that end with the entry.
    pub fn may_hold_versions(&self) -> bool {
        self.entry().sequence > self.started_empty_at
    }

    /// The point in time immediately before the entry.
    pub fn before(&self) -> AsOf {
        AsOf::Sequence(self.entry().sequence.saturating_sub(1))
    }

    /// The reader's rights immediately before the entry; `None` if it was not a partner then.
    pub fn reader_before(&self) -> Option<Arc<Reader>> {
        self.visibility.reader_at(self.entry().sequence.saturating_sub(1))
    }

    /// The part of the index that the reader may see now.
    pub fn reader_view(&self) -> ReaderView<'_> {
        ReaderView::new(self.view, self.visibility.reader(), self.now)
    }
}
