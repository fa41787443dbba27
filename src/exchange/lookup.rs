//! Is it known? Answers are computed from what the caller may see, and from nothing else.

use std::collections::HashMap;

use super::{Caller, Exchange};
use crate::domain::sharing::{Reader, SharingView};
use crate::domain::summary::{Summary, Visible};
use crate::domain::{Indicator, IndicatorId, PartnerId, Position, Timestamp, may_see};
use crate::error::{Error, Kind, Result};
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
    pub current: AssessmentRecord,
    /// The caller's own part of the sharing.
    pub view: SharingView,
}

impl Exchange {
    /// What a caller may see of each of these that is known to it, each author's newest alone.
    pub fn lookup_all(
        &self,
        caller: &Caller,
        indicators: &[IndicatorId],
    ) -> Result<HashMap<IndicatorId, IndicatorView>> {
        let (view, now) = (self.index.read()?, self.clock.now());
        let Some(reader) = view.registry().reader(caller.partner()) else {
            return Ok(HashMap::new());
        };
        let known = |id: &IndicatorId| {
            let known = self.known(&view, &reader, *id, (Keep::Newest, now)).transpose()?;
            Some(known.map(|known| (*id, known)))
        };
        indicators.iter().filter_map(known).collect()
    }

    /// What a caller may see of an indicator, or that there is no such thing.
    pub fn indicator(&self, caller: &Caller, id: IndicatorId) -> Result<IndicatorView> {
        let view = self.index.read()?;
        let known = match view.registry().reader(caller.partner()) {
            Some(reader) => self.known_to(&view, &reader, id)?,
            None => None,
        };
        known.ok_or_else(|| {
            Error::new(Kind::NotFound, "indicator_unknown", "nothing is known of this indicator")
        })
    }

    /// Waits until a version has been applied here.
    pub async fn wait_for(&self, version: Position) -> Result<()> {
        let mut checkpoint = self.index.watch();
        let applied = checkpoint.wait_for(|checkpoint| *checkpoint >= version.sequence);
        match tokio::time::timeout(self.settings.read_after_timeout, applied).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Error::stopping()),
            Err(_) => Err(Error::new(
                Kind::Unavailable,
                "read_after",
                format!("version {version} is not here yet: try again"),
            )),
        }
    }

    /// What a reader may see of an indicator.
    pub(super) fn known_to(
        &self,
        view: &View<'_>,
        reader: &Reader,
        id: IndicatorId,
    ) -> Result<Option<IndicatorView>> {
        self.known(view, reader, id, (Keep::All, self.clock.now()))
    }

    fn known(
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
