//! Sightings and feedback, as a reader may see them.

use crate::domain::accepted::{FeedbackRecord, SightingRecord};
use crate::domain::sharing::SharingView;
use crate::domain::{IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;

/// A sighting, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct SightingView {
    /// The position of the sighting.
    pub position: Position,
    /// The sighting.
    pub record: SightingRecord,
    /// The part of the sharing that the reader may see.
    pub sharing: SharingView,
}

/// Feedback, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackView {
    /// The partner that gave it.
    pub author: PartnerId,
    /// The version of the assessment that it is about.
    pub version: Position,
    /// The feedback.
    pub record: FeedbackRecord,
    /// The part of the sharing that the reader may see.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// The sightings of an indicator that the reader may see.
    pub fn sightings(&self, id: IndicatorId) -> Result<Vec<SightingView>> {
        let mut visible = Vec::new();
        for record in self.view.sightings(id) {
            let record = record?;
            let position = record.position;
            if self.may_see(&record.sharing, &record.author, position) {
                let sharing = record.sharing.view_for(self.reader, &record.author, position);
                visible.push(SightingView { position, record, sharing });
            }
        }
        Ok(visible)
    }
}
