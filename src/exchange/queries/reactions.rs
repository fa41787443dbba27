//! Sightings of an indicator, and feedback on what is said of it.

use crate::domain::sharing::Reader;
use crate::domain::{Position, may_see};
use crate::error::Result;
use crate::exchange::core::{Caller, reader};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::indicator::IndicatorView;
use crate::exchange::visibility::reaction::{FeedbackEvent, SightingEvent};
use crate::index::View;

/// The most sightings, and the most feedback, in one answer: the newest.
const MOST_SHOWN: usize = 100;

/// What a reader may see of how others met an indicator.
#[derive(Clone, Debug, Default)]
pub struct Reactions {
    /// How often it was seen.
    pub seen_count: u64,
    /// The newest sightings, oldest first.
    pub sightings: Vec<SightingEvent>,
    /// The newest feedback on what the reader may see, oldest first.
    pub feedback: Vec<FeedbackEvent>,
}

impl Queries {
    /// What a reader may see of sightings of an indicator that it knows, and of feedback on it.
    pub fn reactions_to(&self, caller: &Caller, known: &IndicatorView) -> Result<Reactions> {
        let view = self.core.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let mut reactions = Reactions::default();
        self.sightings_of(&view, &reader, known, &mut reactions)?;
        self.feedback_on(&view, &reader, known, &mut reactions)?;
        Ok(reactions)
    }

    fn sightings_of(
        &self,
        view: &View<'_>,
        reader: &Reader,
        known: &IndicatorView,
        reactions: &mut Reactions,
    ) -> Result<()> {
        reactions.sightings = self.core.seen_of(view, reader, known.strongest().current.id)?;
        let counts = reactions.sightings.iter().map(|seen| seen.kept.sighting.count);
        reactions.seen_count = counts.fold(0, u64::saturating_add);
        newest(&mut reactions.sightings, |seen| seen.position);
        Ok(())
    }

    fn feedback_on(
        &self,
        view: &View<'_>,
        reader: &Reader,
        known: &IndicatorView,
        reactions: &mut Reactions,
    ) -> Result<()> {
        let now = self.core.clock.now();
        for sight in &known.assessments {
            for found in view.feedback(sight.current.version) {
                let (giver, kept) = found?;
                let concerns = reader.id == sight.author
                    || may_see(reader, &kept.sharing, &giver, kept.position, now);
                if concerns {
                    let part = kept.sharing.seen_by(reader, &giver, kept.position);
                    let about = sight.current.version;
                    reactions.feedback.push(FeedbackEvent { giver, about, kept, view: part });
                }
            }
        }
        newest(&mut reactions.feedback, |one| one.kept.position);
        Ok(())
    }
}

/// The newest of them, oldest first.
fn newest<T>(all: &mut Vec<T>, position: impl Fn(&T) -> Position) {
    all.sort_by_key(position);
    let older = all.len().saturating_sub(MOST_SHOWN);
    all.drain(..older);
}
