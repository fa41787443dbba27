//! What a reader may see of an indicator.

use crate::domain::sharing::{Reader, SharingView};
use crate::domain::summary::{Summary, Visible};
use crate::domain::{Indicator, IndicatorId, PartnerId, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::index::View;
use crate::index::record::AssessmentRecord;

/// Everything that a caller may see of one indicator; at least one assessment.
#[derive(Clone, Debug)]
pub struct IndicatorView {
    /// The assessments, oldest first.
    pub assessments: Vec<AssessmentView>,
    /// The place among them of the one that stands for the indicator.
    pub strongest: usize,
    /// Whether some call it harmless and others worse.
    pub disputed: bool,
    /// How many authors speak of it.
    pub authors: u32,
}

/// Which assessments an answer needs. An author may have one for each audience that it ever named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Keep {
    All,
    /// The newest of each author: what a summary is made of.
    Newest,
}

/// One assessment as a caller may see it.
#[derive(Clone, Debug)]
pub struct AssessmentView {
    /// Whose it is.
    pub author: PartnerId,
    /// The assessment; its raw spelling is there for its author alone.
    pub current: AssessmentRecord,
    /// The caller's own part of the sharing.
    pub view: SharingView,
}

impl Core {
    /// What a reader may see of an indicator.
    pub(in crate::exchange) fn known_to(
        &self,
        view: &View<'_>,
        reader: &Reader,
        id: IndicatorId,
    ) -> Result<Option<IndicatorView>> {
        self.known(view, reader, id, (Keep::All, self.clock.now()))
    }

    pub(in crate::exchange) fn known(
        &self,
        view: &View<'_>,
        reader: &Reader,
        id: IndicatorId,
        (keep, now): (Keep, Timestamp),
    ) -> Result<Option<IndicatorView>> {
        let mut assessments: Vec<AssessmentView> = Vec::new();
        for found in view.assessments(id) {
            let (author, mut current) = found?;
            if !may_see(reader, &current.sharing, &author, current.version, now) {
                continue;
            }
            if reader.id != author {
                current.assessment.raw = None;
                if let Some(campaign) = current.assessment.campaign
                    && !self.sees_campaign(view, reader, campaign)?
                {
                    current.assessment.campaign = None;
                }
            }
            let part = current.sharing.seen_by(reader, &author, current.version);
            // They come author by author.
            match assessments.last_mut() {
                Some(last) if keep == Keep::Newest && last.author == author => {
                    if last.current.version < current.version {
                        *last = AssessmentView { author, current, view: part };
                    }
                }
                _ => assessments.push(AssessmentView { author, current, view: part }),
            }
        }
        assessments.sort_by_key(|sight| sight.current.version);
        let visible: Vec<_> = assessments.iter().map(AssessmentView::visible).collect();
        let platform = assessments.first().and_then(|sight| sight.indicator().platform());
        let owner = platform.and_then(|platform| view.registry().owner(platform));
        let Some(summary) = Summary::of(&visible, owner) else { return Ok(None) };
        let stands = summary.strongest.version;
        let strongest = visible.iter().position(|one| one.version == stands).unwrap_or(0);
        let (disputed, authors) = (summary.disputed, summary.authors);
        Ok(Some(IndicatorView { assessments, strongest, disputed, authors }))
    }
}

impl IndicatorView {
    /// The assessment that stands for the indicator.
    pub fn strongest(&self) -> &AssessmentView {
        &self.assessments[self.strongest]
    }
}

impl AssessmentView {
    /// The indicator, in the author's spelling.
    pub fn indicator(&self) -> &Indicator {
        &self.current.assessment.indicator
    }

    fn visible(&self) -> Visible<'_> {
        Visible {
            author: &self.author,
            version: self.current.version,
            assessment: &self.current.assessment,
        }
    }
}
