//! Subscription filters: which of the visible items a reader wants.

use super::assessment::{Assessment, Confidence, Involvement, Verdict};
use super::campaign::CampaignId;
use super::entry::Position;
use super::indicator::Kind;
use super::label::Label;
use super::partner::{GroupId, PartnerId};
use super::platform::Platform;
use super::sharing::{Audience, Reader, Sharing};

/// A filter. All conditions that are set must match; a list matches if one of its values does. An
/// empty list sets no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The kinds.
    pub kinds: Vec<Kind>,
    /// The platforms and chains.
    pub platforms: Vec<Platform>,
    /// The harm labels.
    pub labels: Vec<Label>,
    /// The groups through which the reader sees the item.
    pub groups: Vec<GroupId>,
    /// The authors.
    pub authors: Vec<PartnerId>,
    /// The minimum confidence, compared with the assessment's confidence or its default.
    pub min_confidence: Option<Confidence>,
    /// The campaigns that items belong to. The caller must check that the reader may see them.
    pub campaigns: Vec<CampaignId>,
    /// The verdicts, compared with the assessment's verdict or its default.
    pub verdicts: Vec<Verdict>,
    /// The roles in the abuse, compared with the assessment's involvement or its default.
    pub involvements: Vec<Involvement>,
}

impl Filter {
    /// Whether no condition is set.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether an item that the reader may see matches.
    pub fn matches(
        &self,
        assessment: &Assessment,
        sharing: &Sharing,
        author: &PartnerId,
        position: Position,
        reader: &Reader,
    ) -> bool {
        any_matches(&self.kinds, |kind| *kind == assessment.indicator.kind())
            && any_matches(&self.platforms, |p| assessment.indicator.platform() == Some(p))
            && any_matches(&self.labels, |label| assessment.labels.contains(label))
            && any_matches(&self.authors, |id| id == author)
            && any_matches(&self.groups, |group| {
                is_shared_through(sharing, group, author, position, reader)
            })
            && self.min_confidence.is_none_or(|min| assessment.confidence() >= min)
            && any_matches(&self.campaigns, |campaign| assessment.campaign == Some(*campaign))
            && any_matches(&self.verdicts, |verdict| assessment.verdict() == *verdict)
            && any_matches(&self.involvements, |role| assessment.involvement() == *role)
    }

    /// Whether contributions to this campaign and enforcements against it match.
    pub fn matches_campaign(&self, campaign: Option<CampaignId>) -> bool {
        self.is_empty() || campaign.is_some_and(|campaign| self.campaigns.contains(&campaign))
    }
}

/// Whether a condition matches: one without values always does.
pub fn any_matches<T>(values: &[T], matches: impl FnMut(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(matches)
}

/// Whether the item is shared with the group, and the reader may know that. A filter must not
/// reveal groups that the reader does not see.
fn is_shared_through(
    sharing: &Sharing,
    group: &GroupId,
    author: &PartnerId,
    position: Position,
    reader: &Reader,
) -> bool {
    match &sharing.audience {
        Audience::Named { groups, .. } => {
            groups.contains(group) && (reader.id == *author || reader.sees_group(group, position))
        }
        Audience::Everyone | Audience::Public => false,
    }
}
