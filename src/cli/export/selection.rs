//! Which assessments a list is made of.

use crate::domain::filter::any_matches;
use crate::domain::sharing::Audience;
use crate::domain::{CampaignId, ReceivedAssessment};
use crate::wire::pb;

/// The conditions of a filter that the command itself checks, because what is outside of them may speak against a value
/// of a list.
#[derive(Clone, Debug, Default)]
pub struct Selection(pb::Filter);

impl Selection {
    /// Splits a filter into what the exchange checks, the kinds and platforms, and the rest.
    pub fn split(filter: pb::Filter) -> (pb::Filter, Self) {
        let pb::Filter { kinds, platforms, .. } = filter.clone();
        let rest = pb::Filter { kinds: Vec::new(), platforms: Vec::new(), ..filter };
        (pb::Filter { kinds, platforms, ..pb::Filter::default() }, Self(rest))
    }

    /// Whether all conditions that are set match, as the exchange would decide.
    pub fn matches(&self, received: &ReceivedAssessment) -> bool {
        let (filter, assessment) = (&self.0, &received.assessment);
        let is_in_group = |group: &String| match &received.audience {
            Audience::Named { groups, .. } => groups.iter().any(|one| one.as_str() == group),
            Audience::Everyone | Audience::Public => false,
        };
        let has_label = |label: &String| assessment.labels.iter().any(|one| one.as_str() == label);
        let is_in_campaign =
            |campaign: &String| CampaignId::parse(campaign).ok() == assessment.campaign;
        let verdict = i32::from(pb::Verdict::from(assessment.verdict()));
        let involvement = i32::from(pb::Involvement::from(assessment.involvement()));
        any_matches(&filter.labels, has_label)
            && any_matches(&filter.groups, is_in_group)
            && any_matches(&filter.authors, |author| *author == received.author)
            && any_matches(&filter.campaigns, is_in_campaign)
            && any_matches(&filter.verdicts, |one| *one == verdict)
            && any_matches(&filter.involvements, |one| *one == involvement)
            && filter
                .min_confidence
                .is_none_or(|min| u32::from(assessment.confidence().percent()) >= min)
    }
}
