//! What a reader asks of a feed, among what it may see.

use super::assessment::{Assessment, Confidence};
use super::campaign::CampaignId;
use super::entry::Position;
use super::indicator::Kind;
use super::label::Label;
use super::partner::{GroupId, PartnerId};
use super::platform::Platform;
use super::sharing::{Audience, Reader, Sharing};

/// Which items a reader wants. An empty list asks for nothing in particular: each condition that
/// is set must hold, and one value of its list suffices.
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
    /// The least confidence, of the assessment with its default.
    pub min_confidence: Option<Confidence>,
    /// The campaigns that are named, as long as the reader may see them: who asks a filter sees to
    /// that.
    pub campaigns: Vec<CampaignId>,
}

impl Filter {
    /// Whether the filter asks for anything at all in particular.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether the reader wants an item that it may see.
    pub fn matches(
        &self,
        assessment: &Assessment,
        sharing: &Sharing,
        author: &PartnerId,
        position: Position,
        reader: &Reader,
    ) -> bool {
        one_of(&self.kinds, |kind| *kind == assessment.indicator.kind())
            && one_of(&self.platforms, |p| assessment.indicator.platform() == Some(p))
            && one_of(&self.labels, |label| assessment.labels.contains(label))
            && one_of(&self.authors, |id| id == author)
            && one_of(&self.groups, |group| through(sharing, group, author, position, reader))
            && self.min_confidence.is_none_or(|least| assessment.confidence() >= least)
            && one_of(&self.campaigns, |campaign| assessment.campaign == Some(*campaign))
    }

    /// Whether the filter asks for what is said of a campaign and done against it.
    pub fn follows(&self, campaign: Option<CampaignId>) -> bool {
        self.is_empty() || campaign.is_some_and(|campaign| self.campaigns.contains(&campaign))
    }
}

fn one_of<T>(wanted: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(holds)
}

/// Whether the item is shared with a group that the reader knows it to be shared with: a filter
/// must not tell of groups that the reader does not see.
fn through(
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
