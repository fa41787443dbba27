//! Sightings of an indicator, and feedback on its assessments.

use crate::domain::Position;
use crate::error::Result;
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::indicator::IndicatorView;
use crate::exchange::visibility::reaction::{FeedbackView, SightingView};

/// The most sightings, and the most feedback, in one answer: the newest.
const MAX_REACTIONS: usize = 100;

/// Sightings and feedback that a reader may see.
#[derive(Clone, Debug, Default)]
pub struct Reactions {
    /// The sum of the counts of all visible sightings.
    pub seen_count: u64,
    /// The newest sightings, oldest first.
    pub sightings: Vec<SightingView>,
    /// The newest feedback on visible assessments, oldest first.
    pub feedback: Vec<FeedbackView>,
}

impl Queries {
    /// The visible sightings of an indicator, and the visible feedback on its visible assessments.
    pub fn reactions_to(&self, caller: &Caller, indicator: &IndicatorView) -> Result<Reactions> {
        let view = self.core.index.read()?;
        let reader = rights_of(view.registry(), caller.partner())?;
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        let mut reactions = Reactions::default();
        sightings_of(reader_view, indicator, &mut reactions)?;
        feedback_on(reader_view, indicator, &mut reactions)?;
        Ok(reactions)
    }
}

fn sightings_of(
    reader_view: ReaderView<'_>,
    indicator: &IndicatorView,
    reactions: &mut Reactions,
) -> Result<()> {
    reactions.sightings = reader_view.sightings(indicator.strongest().record.id)?;
    let counts = reactions.sightings.iter().map(|sighting| sighting.record.sighting.count);
    reactions.seen_count = counts.fold(0, u64::saturating_add);
    keep_newest(&mut reactions.sightings, |sighting| sighting.position);
    Ok(())
}

fn feedback_on(
    reader_view: ReaderView<'_>,
    indicator: &IndicatorView,
    reactions: &mut Reactions,
) -> Result<()> {
    for assessment in &indicator.assessments {
        for found in reader_view.view.feedback(assessment.record.version) {
            let (giver, record) = found?;
            let is_visible = reader_view.reader.id == assessment.author
                || reader_view.may_see(&record.sharing, &giver, record.position);
            if is_visible {
                let sharing = record.sharing.view_for(reader_view.reader, &giver, record.position);
                let about = assessment.record.version;
                reactions.feedback.push(FeedbackView {
                    author: giver,
                    version: about,
                    record,
                    sharing,
                });
            }
        }
    }
    keep_newest(&mut reactions.feedback, |feedback| feedback.record.position);
    Ok(())
}

/// Keeps the newest `MAX_REACTIONS`, oldest first.
fn keep_newest<T>(all: &mut Vec<T>, position: impl Fn(&T) -> Position) {
    all.sort_by_key(position);
    let excess = all.len().saturating_sub(MAX_REACTIONS);
    all.drain(..excess);
}
