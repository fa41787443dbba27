//! Sightings and feedback, as a reader is told of them.

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry, Feedback, Outcome, Sightings};
use crate::domain::filter::Filter;
use crate::domain::{Assessment, Position, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::event::FeedEvent;
use crate::exchange::visibility::reaction::{FeedbackView, SightingView};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;
use crate::index::record::{FeedbackRecord, SightingRecord};

impl Core {
    /// What there is for a reader in an entry of either kind, behind a place.
    pub(in crate::exchange) fn reactions(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        behind: FeedPosition,
    ) -> Result<Option<FeedEvent>> {
        let delivery = match &entry.body {
            Body::Sightings(sightings) => seen(view, sight, entry, sightings, behind)?,
            Body::Feedback(feedback) => opined(view, sight, entry, feedback)?,
            _ => None,
        };
        // Whether it was taken is asked last: it may be read from the disk.
        let Some(delivery) = delivery else { return Ok(None) };
        let outcome = self.index.applied_outcome(entry.sequence)?;
        Ok(matches!(&*outcome, Outcome::Applied(_)).then_some(delivery))
    }
}

fn sees_assessment(
    view: &View<'_>,
    sight: &Visibility,
    feedback: &Feedback,
    about: Position,
) -> Result<bool> {
    let target = &feedback.target;
    let current = view.current(target.id, &feedback.assessment_author, target.audience)?;
    Ok(current.filter(|current| current.version == about).is_some_and(|current| {
        let (author, sharing) = (&feedback.assessment_author, &current.sharing);
        let said = &current.assessment;
        Visibility::may_see_version(
            sight.reader(),
            VersionMeta { author, version: about, sharing, assessment: said },
        )
    }))
}

/// Feedback reaches the assessment's author whatever it asks for: nobody's feedback is to get lost.
/// Others are told who see it, and what it is about, and everything else that comes.
fn opined(
    view: &View<'_>,
    sight: &Visibility,
    entry: &Entry,
    feedback: &Feedback,
) -> Result<Option<FeedEvent>> {
    let Some(giver) = &entry.author else { return Ok(None) };
    let reader = sight.reader();
    let position = Position::new(entry.sequence, 0);
    let Some(about) = feedback.target.version else { return Ok(None) };
    if reader.id != feedback.assessment_author {
        let shared = may_see(reader, &feedback.sharing, giver, position, Timestamp::default());
        if !shared || !sight.filter().is_empty() || !sees_assessment(view, sight, feedback, about)?
        {
            return Ok(None);
        }
    }
    let part = feedback.sharing.view_for(reader, giver, position);
    let kept = FeedbackRecord {
        position,
        accepted: entry.time,
        of: feedback.assessment_author.clone(),
        id: feedback.target.id,
        opinion: feedback.opinion,
        note: feedback.note.clone(),
        sharing: feedback.sharing.clone(),
    };
    let giver = giver.clone();
    Ok(Some(FeedEvent::Feedback(Box::new(FeedbackView {
        giver,
        about,
        record: kept,
        sharing: part,
    }))))
}

fn seen(
    view: &View<'_>,
    sight: &Visibility,
    entry: &Entry,
    sightings: &Sightings,
    behind: FeedPosition,
) -> Result<Option<FeedEvent>> {
    let Some(author) = &entry.author else { return Ok(None) };
    let reader = sight.reader();
    let first = Position::new(entry.sequence, 0);
    let sharing = &sightings.sharing;
    // A sighting carries no labels, no confidence and no campaign: who asks for those is told of none.
    let Filter { labels, min_confidence, campaigns, .. } = sight.filter();
    if !may_see(reader, sharing, author, first, Timestamp::default())
        || !labels.is_empty()
        || min_confidence.is_some()
        || !campaigns.is_empty()
    {
        return Ok(None);
    }
    let part = sharing.view_for(reader, author, first);
    let mut wanted = Vec::new();
    for sighting in &sightings.items {
        let position = Position::new(entry.sequence, sighting.index);
        let said = Assessment::of(sighting.indicator.clone());
        let outline = VersionMeta { author, version: position, sharing, assessment: &said };
        if position <= behind.after || !sight.matches_filter(view, reader, AsOf::Now, outline)? {
            continue;
        }
        let kept = SightingRecord {
            position,
            author: author.clone(),
            accepted: entry.time,
            sharing: sharing.clone(),
            sighting: sighting.clone(),
        };
        wanted.push(SightingView { position, record: kept, sharing: part.clone() });
    }
    Ok((!wanted.is_empty()).then_some(FeedEvent::Sightings(wanted)))
}
