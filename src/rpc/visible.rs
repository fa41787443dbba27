//! Converts what a caller may see of assessments, contributions and enforcements into messages.

use crate::exchange::{AssessmentView, ContributionView, EnforcementView};
use crate::wire::{campaign, enforcement, known, pb};

/// The parts of an assessment that a message holds.
pub fn assessment_ref(view: &AssessmentView) -> known::AssessmentRef<'_> {
    known::AssessmentRef {
        author: &view.author,
        version: view.record.version,
        accepted: view.record.accepted,
        id: view.record.id,
        assessment: &view.record.assessment,
        view: &view.sharing,
    }
}

/// Converts an assessment.
pub fn assessment(view: &AssessmentView) -> pb::VisibleAssessment {
    known::visible_assessment(&assessment_ref(view))
}

/// Converts a contribution.
pub fn contribution(view: &ContributionView) -> pb::VisibleContribution {
    let record = &view.record;
    let meta = campaign::ContributionMeta {
        campaign: record.campaign,
        position: record.position,
        author: &record.author,
        accepted: record.accepted,
        founds: record.founded,
        replaces: view.replaces,
        view: &view.sharing,
    };
    campaign::visible(&record.contribution, &meta)
}

/// Converts an enforcement.
pub fn enforcement(view: &EnforcementView) -> pb::VisibleEnforcement {
    let record = &view.record;
    let meta = enforcement::EnforcementMeta {
        position: record.position,
        author: &record.author,
        accepted: record.accepted,
        replaces: view.replaces,
        view: &view.sharing,
    };
    enforcement::visible(&record.enforcement, &meta)
}
