//! Feedback reaches the author of an assessment.

use super::super::failure::Failure;
use super::super::text;
use super::reader::Reader;
use super::stage::Stage;
use super::{SAMPLE_VICTIM, heading, say};
use crate::client::{FeedEvent, FeedStart};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// facegraph strongly disagrees with one assessment, and birdsite receives that in its feed.
pub async fn give(stage: &Stage, wrong: &pb::FeedItem) -> Result<(), Failure> {
    heading("facegraph disagrees with one assessment, and birdsite receives that")?;
    let about = wrong.version.unwrap_or_default();
    let indicator = wrong.indicator.clone().unwrap_or_default();
    let note = if indicator.value == SAMPLE_VICTIM {
        "the site of a public library"
    } else {
        "belongs to a victim, for this demo"
    };
    let (facegraph, birdsite) =
        (stage.connected("facegraph").await?, stage.connected("birdsite").await?);
    let now = birdsite.pull(&FeedStart::Now, None, 1).await?.cursor.unwrap_or_default();
    let mut author = Reader::of("birdsite", birdsite.subscribe(FeedStart::Cursor(now), None));
    let request = pb::GiveFeedbackRequest {
        request_id: "not-theirs".into(),
        version: Some(about),
        opinion: pb::Opinion::StronglyDisagree.into(),
        note: note.into(),
        sharing: None,
    };
    let is_feedback = |event: &FeedEvent| match event {
        FeedEvent::Feedback(event) => event.feedback.as_ref().is_some_and(|feedback| {
            feedback.author == "facegraph"
                && feedback.about == Some(about)
                && feedback.opinion() == pb::Opinion::StronglyDisagree
                && feedback.note == note
        }),
        _ => false,
    };
    let clock = SystemClock;
    let started = clock.instant();
    let sending = async { Ok(facegraph.give_feedback(request).await?) };
    let (_, received) = tokio::try_join!(sending, author.wait_for("the feedback", is_feedback))?;
    say(&format!(
        "facegraph on {}, version {}: strongly disagree, {note:?}",
        text::value(&indicator.platform, &indicator.value),
        text::version(&about)
    ))?;
    say(&format!("in birdsite's feed after {} ms", received.duration_since(started).as_millis()))
}
