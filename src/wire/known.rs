//! What is known of an indicator, as its reader may see it.

use super::{assessment, indicator, pb, sharing, timestamp};
use crate::domain::sharing::SharingView;
use crate::domain::{Assessment, Indicator, IndicatorId, Invalid, PartnerId, Position, Timestamp};

/// One visible assessment, borrowed from wherever it is held.
#[derive(Clone, Copy, Debug)]
pub struct AssessmentRef<'a> {
    /// Whose it is.
    pub author: &'a PartnerId,
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The indicator's id.
    pub id: IndicatorId,
    /// What it says; with its raw spelling only for its author.
    pub assessment: &'a Assessment,
    /// The reader's own part of the sharing.
    pub view: &'a SharingView,
}

/// The summary over visible assessments.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The one that stands for the indicator.
    pub strongest: AssessmentRef<'a>,
    /// Whether some call it harmless and others worse.
    pub disputed: bool,
    /// How many authors speak of it.
    pub authors: u32,
}

/// Writes a summary.
pub fn summary(summary: &Summary<'_>) -> pb::IndicatorSummary {
    let stands = &summary.strongest;
    pb::IndicatorSummary {
        indicator: Some(indicator::write(&stands.assessment.indicator, stands.id)),
        disputed: summary.disputed,
        strongest: Some(sight(stands)),
        authors: summary.authors,
    }
}

/// Writes one visible assessment.
pub fn sight(sight: &AssessmentRef<'_>) -> pb::VisibleAssessment {
    pb::VisibleAssessment {
        version: Some(indicator::version(sight.version)),
        author: sight.author.to_string(),
        accepted_at: Some(timestamp(sight.accepted)),
        indicator: Some(indicator::write(&sight.assessment.indicator, sight.id)),
        assessment: Some(assessment::write(sight.assessment, sight.accepted)),
        sharing: Some(sharing::write(sight.view)),
        raw: sight.assessment.raw.as_deref().unwrap_or_default().to_owned(),
    }
}

/// Writes that a value is known.
pub fn found(of: &Summary<'_>) -> pb::LookupResult {
    result(pb::lookup_result::Result::Known(summary(of)))
}

/// Writes that nothing visible is known of an indicator.
pub fn unknown(asked: Indicator, id: IndicatorId) -> pb::LookupResult {
    let indicator = Some(indicator::given(asked, id));
    result(pb::lookup_result::Result::Unknown(pb::UnknownValue { indicator }))
}

/// Writes that a value could not be read.
pub fn unreadable(invalid: &Invalid) -> pb::LookupResult {
    result(pb::lookup_result::Result::Unreadable(pb::UnreadableValue {
        field: invalid.field.to_string(),
        reason: invalid.reason.to_string(),
    }))
}

fn result(result: pb::lookup_result::Result) -> pb::LookupResult {
    pb::LookupResult { result: Some(result) }
}
