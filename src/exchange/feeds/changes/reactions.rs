//! Sightings and feedback.

use crate::domain::accepted::{FeedbackRecord, SightingRecord};
use crate::domain::entry::{Body, Feedback, Outcome, Sightings};
use crate::domain::filter::Filter;
use crate::domain::sharing::NO_RELEASE_EXPIRED;
use crate::domain::{Assessment, Position, may_see};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::FeedEvent;
use crate::exchange::visibility::reaction::{FeedbackView, SightingView};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};

/// The sightings or the feedback of an entry, as far as the reader may see them and its filter matches them.
pub fn changes(input: &Input<'_>) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let event = match &entry.body {
        Body::Sightings(sightings) => sighting_events(input, sightings)?,
        Body::Feedback(feedback) => feedback_event(input, feedback)?,
        _ => None,
    };
    // The outcome is read last, because that may read from disk.
    let Some(event) = event else { return Ok(None) };
    let outcome = input.view.outcome(entry.sequence)?;
    Ok(matches!(&*outcome, Outcome::Applied(_)).then_some(event))
}

/// Whether the reader may see the assessment that the feedback is about, and that version is still current.
fn sees_assessment(input: &Input<'_>, feedback: &Feedback, about: Position) -> Result<bool> {
    let target = &feedback.target;
    let current = input.view.current(target.id, &feedback.assessment_author, target.audience)?;
    Ok(current.filter(|current| current.version == about).is_some_and(|current| {
        let (author, sharing) = (&feedback.assessment_author, &current.sharing);
        let assessment = &current.assessment;
        Visibility::may_see_version(
            input.visibility.reader(),
            VersionMeta { author, version: about, sharing, assessment },
        )
    }))
}

/// Feedback always reaches the author of the assessment, whatever its filter. It reaches other readers if they may
/// see the feedback and the assessment, and have no filter.
fn feedback_event(input: &Input<'_>, feedback: &Feedback) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(giver) = &entry.author else { return Ok(None) };
    let reader = input.visibility.reader();
    let position = Position::new(entry.sequence, 0);
    let Some(about) = feedback.target.version else { return Ok(None) };
    if reader.id != feedback.assessment_author {
        let is_visible = may_see(reader, &feedback.sharing, giver, position, NO_RELEASE_EXPIRED);
        if !is_visible
            || !input.visibility.filter().is_empty()
            || !sees_assessment(input, feedback, about)?
        {
            return Ok(None);
        }
    }
    let sharing_view = feedback.sharing.view_for(reader, giver, position);
    let record = FeedbackRecord {
        position,
        accepted: entry.time,
        assessment_author: feedback.assessment_author.clone(),
        id: feedback.target.id,
        opinion: feedback.opinion,
        note: feedback.note.clone(),
        sharing: feedback.sharing.clone(),
    };
    let giver = giver.clone();
    Ok(Some(FeedEvent::Feedback(Box::new(FeedbackView {
        author: giver,
        version: about,
        record,
        sharing: sharing_view,
    }))))
}

fn sighting_events(input: &Input<'_>, sightings: &Sightings) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(author) = &entry.author else { return Ok(None) };
    let reader = input.visibility.reader();
    let first = Position::new(entry.sequence, 0);
    let sharing = &sightings.sharing;
    // A sighting has no labels, confidence, campaign, verdict or involvement, so a filter by one of these matches no
    // sighting.
    let Filter { labels, min_confidence, campaigns, verdicts, involvements, .. } =
        input.visibility.filter();
    if !may_see(reader, sharing, author, first, NO_RELEASE_EXPIRED)
        || !labels.is_empty()
        || min_confidence.is_some()
        || !campaigns.is_empty()
        || !verdicts.is_empty()
        || !involvements.is_empty()
    {
        return Ok(None);
    }
    let sharing_view = sharing.view_for(reader, author, first);
    let mut views = Vec::new();
    for sighting in &sightings.items {
        let position = Position::new(entry.sequence, sighting.index);
        let assessment = Assessment::of(sighting.indicator.clone());
        let version = VersionMeta { author, version: position, sharing, assessment: &assessment };
        if input.was_delivered(position)
            || !input.visibility.matches_filter(
                input.view,
                reader,
                AsOf::Now(input.now),
                version,
            )?
        {
            continue;
        }
        let record = SightingRecord {
            position,
            author: author.clone(),
            accepted: entry.time,
            sharing: sharing.clone(),
            sighting: sighting.clone(),
        };
        views.push(SightingView { position, record, sharing: sharing_view.clone() });
    }
    Ok((!views.is_empty()).then_some(FeedEvent::Sightings(views)))
}
