//! What a reader may see of an indicator.

use crate::domain::accepted::AssessmentRecord;
use crate::domain::sharing::SharingView;
use crate::domain::summary::{Summary, VisibleAssessment};
use crate::domain::{Indicator, IndicatorId, PartnerId};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;

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
enum Keep {
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
    pub record: AssessmentRecord,
    /// The caller's own part of the sharing.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// All assessments of an indicator that the reader may see; `None` where there is none.
    pub fn indicator(&self, id: IndicatorId) -> Result<Option<IndicatorView>> {
        self.assessments_of(id, Keep::All)
    }

    /// Like [`ReaderView::indicator`], with the newest assessment of each author alone.
    pub fn indicator_summary(&self, id: IndicatorId) -> Result<Option<IndicatorView>> {
        self.assessments_of(id, Keep::Newest)
    }

    fn assessments_of(&self, id: IndicatorId, keep: Keep) -> Result<Option<IndicatorView>> {
        let mut assessments: Vec<AssessmentView> = Vec::new();
        for found in self.view.assessments(id) {
            let (author, mut current) = found?;
            if !self.may_see(&current.sharing, &author, current.version) {
                continue;
            }
            if self.reader.id != author {
                current.assessment.raw = None;
                if let Some(campaign) = current.assessment.campaign
                    && !self.sees_campaign(campaign)?
                {
                    current.assessment.campaign = None;
                }
            }
            let part = current.sharing.view_for(self.reader, &author, current.version);
            // They come author by author.
            match assessments.last_mut() {
                Some(last) if keep == Keep::Newest && last.author == author => {
                    if last.record.version < current.version {
                        *last = AssessmentView { author, record: current, sharing: part };
                    }
                }
                _ => assessments.push(AssessmentView { author, record: current, sharing: part }),
            }
        }
        assessments.sort_by_key(|sight| sight.record.version);
        let visible: Vec<_> = assessments.iter().map(AssessmentView::visible).collect();
        let platform = assessments.first().and_then(|sight| sight.indicator().platform());
        let owner = platform.and_then(|platform| self.view.registry().owner(platform));
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
        &self.record.assessment.indicator
    }

    fn visible(&self) -> VisibleAssessment<'_> {
        VisibleAssessment {
            author: &self.author,
            version: self.record.version,
            assessment: &self.record.assessment,
        }
    }
}
