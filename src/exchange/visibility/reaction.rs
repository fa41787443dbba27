//! What a reader may see of sightings and feedback.

use crate::domain::accepted::{FeedbackRecord, SightingRecord};
use crate::domain::sharing::SharingView;
use crate::domain::{IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;

/// A sighting, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct SightingView {
    /// Where it was accepted; the place behind it too.
    pub position: Position,
    /// The sighting.
    pub record: SightingRecord,
    /// The reader's own part of the sharing.
    pub sharing: SharingView,
}

/// Feedback, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackView {
    /// Who gives it.
    pub giver: PartnerId,
    /// The version that it is about.
    pub about: Position,
    /// The feedback.
    pub record: FeedbackRecord,
    /// The reader's own part of the sharing.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// The sightings of an indicator that the reader may see.
    pub fn sightings(&self, id: IndicatorId) -> Result<Vec<SightingView>> {
        let mut all = Vec::new();
        for kept in self.view.sightings(id) {
            let kept = kept?;
            let position = kept.position;
            if self.may_see(&kept.sharing, &kept.author, position) {
                let view = kept.sharing.view_for(self.reader, &kept.author, position);
                all.push(SightingView { position, record: kept, sharing: view });
            }
        }
        Ok(all)
    }
}
