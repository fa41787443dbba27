//! Assessments as accepted.

use crate::domain::sharing::Release;
use crate::domain::{Assessment, IndicatorId, PartnerId, Position, Sharing, Timestamp};

/// An author's current assessment of an indicator, for one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentRecord {
    /// The version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who receives it, with the releases in force.
    pub sharing: Sharing,
    /// The sequence with which each release began, in the order of `sharing.releases`.
    pub released: Vec<u64>,
    /// The id of the indicator.
    pub id: IndicatorId,
    /// The content.
    pub assessment: Assessment,
}

impl AssessmentRecord {
    /// The release to a liaison that is in force, and the sequence with which it began.
    pub fn release_to(&self, liaison: &PartnerId) -> Option<(&Release, u64)> {
        let mut releases = self.sharing.releases.iter().zip(self.released.iter().copied());
        releases.find(|(release, _)| release.liaison == *liaison)
    }
}
