//! Sightings and feedback.

use crate::domain::accepted::{FeedbackRecord, SightingRecord};
use crate::domain::entry::{Body, Feedback, Outcome, Sightings};
use crate::domain::filter::Filter;
use crate::domain::{Assessment, Position, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::FeedEvent;
use crate::exchange::visibility::reaction::{FeedbackView, SightingView};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};

/// The sightings or the feedback of an entry that the reader may see and its filter matches.
pub fn changes(input: &Input<'_>) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let delivery = match &entry.body {
        Body::Sightings(sightings) => sighting_events(input, sightings)?,
        Body::Feedback(feedback) => feedback_event(input, feedback)?,
        _ => None,
    };
    // The outcome comes last: reading it may need the disk.
    let Some(delivery) = delivery else { return Ok(None) };
    let outcome = input.view.outcome(entry.sequence)?;
    Ok(matches!(&*outcome, Outcome::Applied(_)).then_some(delivery))
}

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
        let shared = may_see(reader, &feedback.sharing, giver, position, Timestamp::default());
        if !shared
            || !input.visibility.filter().is_empty()
            || !sees_assessment(input, feedback, about)?
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

fn sighting_events(input: &Input<'_>, sightings: &Sightings) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(author) = &entry.author else { return Ok(None) };
    let reader = input.visibility.reader();
    let first = Position::new(entry.sequence, 0);
    let sharing = &sightings.sharing;
    // A sighting has no labels, confidence or campaign: a filter by those matches none.
    let Filter { labels, min_confidence, campaigns, .. } = input.visibility.filter();
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
        let assessment = Assessment::of(sighting.indicator.clone());
        let outline = VersionMeta { author, version: position, sharing, assessment: &assessment };
        if input.was_delivered(position)
            || !input.visibility.matches_filter(
                input.view,
                reader,
                AsOf::Now(input.now),
                outline,
            )?
        {
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
