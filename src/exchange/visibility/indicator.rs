//! Assessments of an indicator, as a reader may see them.

use crate::domain::accepted::AssessmentRecord;
use crate::domain::sharing::SharingView;
use crate::domain::summary::{Summary, VisibleAssessment};
use crate::domain::{Indicator, IndicatorId, PartnerId};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;

/// One indicator with the assessments that a caller may see: at least one.
#[derive(Clone, Debug)]
pub struct IndicatorView {
    /// The assessments, oldest first.
    pub assessments: Vec<AssessmentView>,
    /// The index of the strongest assessment, which decides the indicator's verdict.
    pub strongest: usize,
    /// Whether some authors call it harmless and others do not.
    pub disputed: bool,
    /// The number of authors.
    pub authors: u32,
}

/// Which assessments to return. An author may have one for each audience that it shared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AssessmentScope {
    All,
    /// The newest of each author.
    NewestPerAuthor,
}

/// One assessment as a caller may see it.
#[derive(Clone, Debug)]
pub struct AssessmentView {
    /// The author.
    pub author: PartnerId,
    /// The assessment. Only its author gets the raw spelling.
    pub record: AssessmentRecord,
    /// The part of the sharing that the caller may see.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// All assessments of an indicator that the reader may see; `None` if there is none.
    pub fn indicator(&self, id: IndicatorId) -> Result<Option<IndicatorView>> {
        self.assessments_of(id, AssessmentScope::All)
    }

    /// Like [`ReaderView::indicator`], but only the newest assessment of each author.
    pub fn indicator_summary(&self, id: IndicatorId) -> Result<Option<IndicatorView>> {
        self.assessments_of(id, AssessmentScope::NewestPerAuthor)
    }

    fn assessments_of(
        &self,
        id: IndicatorId,
        scope: AssessmentScope,
    ) -> Result<Option<IndicatorView>> {
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
            let sharing = current.sharing.view_for(self.reader, &author, current.version);
            // The index returns them grouped by author.
            match assessments.last_mut() {
                Some(last)
                    if scope == AssessmentScope::NewestPerAuthor && last.author == author =>
                {
                    if last.record.version < current.version {
                        *last = AssessmentView { author, record: current, sharing };
                    }
                }
                _ => assessments.push(AssessmentView { author, record: current, sharing }),
            }
        }
        assessments.sort_by_key(|view| view.record.version);
        let visible: Vec<_> = assessments.iter().map(AssessmentView::visible).collect();
        let platform = assessments.first().and_then(|view| view.indicator().platform());
        let owner = platform.and_then(|platform| self.view.registry().owner(platform));
        let Some(summary) = Summary::of(&visible, owner) else { return Ok(None) };
        let strongest = summary.strongest.version;
        let strongest = visible.iter().position(|view| view.version == strongest).unwrap_or(0);
        let (disputed, authors) = (summary.disputed, summary.authors);
        Ok(Some(IndicatorView { assessments, strongest, disputed, authors }))
    }
}

impl IndicatorView {
    /// The strongest assessment.
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
