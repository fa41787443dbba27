//! Assessments as accepted.

use crate::domain::sharing::Release;
use crate::domain::{Assessment, IndicatorId, PartnerId, Position, Sharing, Timestamp};

/// The current assessment of an indicator by one author to one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentRecord {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who receives it, with the releases in force.
    pub sharing: Sharing,
    /// The entry with which each release began, in the order of `sharing.releases`.
    pub released: Vec<u64>,
    /// The id of its indicator.
    pub id: IndicatorId,
    /// The content.
    pub assessment: Assessment,
}

impl AssessmentRecord {
    /// A liaison's release in force, and the sequence with which it began.
    pub fn release_to(&self, liaison: &PartnerId) -> Option<(&Release, u64)> {
        let mut all = self.sharing.releases.iter().zip(self.released.iter().copied());
        all.find(|(release, _)| release.liaison == *liaison)
    }
}
