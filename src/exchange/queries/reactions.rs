//! Sightings of an indicator, and feedback on its assessments.

use crate::domain::Position;
use crate::error::Result;
use crate::exchange::core::{Caller, reader};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::indicator::IndicatorView;
use crate::exchange::visibility::reaction::{FeedbackView, SightingView};

/// The most sightings and the most feedback in one answer: the newest.
const MAX_SHOWN: usize = 100;

/// Sightings and feedback that a reader may see.
#[derive(Clone, Debug, Default)]
pub struct Reactions {
    /// How often the indicator was seen, by all visible sightings.
    pub seen_count: u64,
    /// The newest sightings, oldest first.
    pub sightings: Vec<SightingView>,
    /// The newest feedback on visible assessments, oldest first.
    pub feedback: Vec<FeedbackView>,
}

impl Queries {
    /// The visible sightings of an indicator, and the visible feedback on its visible assessments.
    pub fn reactions_to(&self, caller: &Caller, known: &IndicatorView) -> Result<Reactions> {
        let view = self.core.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let seen = ReaderView::new(&view, &reader, self.core.clock.now());
        let mut reactions = Reactions::default();
        sightings_of(seen, known, &mut reactions)?;
        feedback_on(seen, known, &mut reactions)?;
        Ok(reactions)
    }
}

fn sightings_of(
    seen: ReaderView<'_>,
    known: &IndicatorView,
    reactions: &mut Reactions,
) -> Result<()> {
    reactions.sightings = seen.sightings(known.strongest().record.id)?;
    let counts = reactions.sightings.iter().map(|seen| seen.record.sighting.count);
    reactions.seen_count = counts.fold(0, u64::saturating_add);
    newest(&mut reactions.sightings, |seen| seen.position);
    Ok(())
}

fn feedback_on(
    seen: ReaderView<'_>,
    known: &IndicatorView,
    reactions: &mut Reactions,
) -> Result<()> {
    for sight in &known.assessments {
        for found in seen.view.feedback(sight.record.version) {
            let (giver, kept) = found?;
            let concerns = seen.reader.id == sight.author
                || seen.may_see(&kept.sharing, &giver, kept.position);
            if concerns {
                let part = kept.sharing.view_for(seen.reader, &giver, kept.position);
                let about = sight.record.version;
                reactions.feedback.push(FeedbackView { giver, about, record: kept, sharing: part });
            }
        }
    }
    newest(&mut reactions.feedback, |one| one.record.position);
    Ok(())
}

/// Keeps the newest, oldest first.
fn newest<T>(all: &mut Vec<T>, position: impl Fn(&T) -> Position) {
    all.sort_by_key(position);
    let older = all.len().saturating_sub(MAX_SHOWN);
    all.drain(..older);
}
