//! What a reader may see of sightings and feedback.

use crate::domain::sharing::{Reader, SharingView};
use crate::domain::{IndicatorId, PartnerId, Position, may_see};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::index::View;
use crate::index::record::{FeedbackRecord, SightingRecord};

/// A sighting, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct SightingEvent {
    /// Where it was accepted; the place behind it too.
    pub position: Position,
    /// The sighting.
    pub kept: SightingRecord,
    /// The reader's own part of the sharing.
    pub view: SharingView,
}

/// Feedback, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackEvent {
    /// Who gives it.
    pub giver: PartnerId,
    /// The version that it is about.
    pub about: Position,
    /// The feedback.
    pub kept: FeedbackRecord,
    /// The reader's own part of the sharing.
    pub view: SharingView,
}

impl Core {
    /// The sightings of an indicator that a reader may see.
    pub(in crate::exchange) fn seen_of(
        &self,
        view: &View<'_>,
        reader: &Reader,
        id: IndicatorId,
    ) -> Result<Vec<SightingEvent>> {
        let now = self.clock.now();
        let mut all = Vec::new();
        for kept in view.sightings(id) {
            let kept = kept?;
            let position = kept.position;
            if may_see(reader, &kept.sharing, &kept.author, position, now) {
                let view = kept.sharing.seen_by(reader, &kept.author, position);
                all.push(SightingEvent { position, kept, view });
            }
        }
        Ok(all)
    }
}
