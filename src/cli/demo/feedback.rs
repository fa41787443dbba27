//! Word that reaches the contributor.

use super::super::failure::Failure;
use super::super::words;
use super::reader::Reader;
use super::stage::Stage;
use super::{SAMPLE_VICTIM, heading, say};
use crate::client::{FeedEvent, FeedStart};
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// facegraph strongly disagrees with what birdsite says of one value, and birdsite hears it in its feed.
pub async fn give(stage: &Stage, wrong: &pb::FeedItem) -> Result<(), Failure> {
    heading("facegraph objects to one of them, and birdsite hears it")?;
    let about = wrong.version.unwrap_or_default();
    let indicator = wrong.indicator.clone().unwrap_or_default();
    let note = if indicator.value == SAMPLE_VICTIM {
        "the site of a public library"
    } else {
        "a victim's, for the sake of the story"
    };
    let (facegraph, birdsite) =
        (stage.connected("facegraph").await?, stage.connected("birdsite").await?);
    let here = birdsite.pull(&FeedStart::Now, None, 1).await?.cursor.unwrap_or_default();
    let mut author = Reader::of("birdsite", birdsite.subscribe(FeedStart::Cursor(here), None));
    let request = pb::GiveFeedbackRequest {
        request_id: "not-theirs".into(),
        version: Some(about),
        opinion: pb::Opinion::StronglyDisagree.into(),
        note: note.into(),
        sharing: None,
    };
    let is_it = |event: &FeedEvent| match event {
        FeedEvent::Feedback(event) => event.feedback.as_ref().is_some_and(|given| {
            given.author == "facegraph"
                && given.about == Some(about)
                && given.opinion() == pb::Opinion::StronglyDisagree
                && given.note == note
        }),
        _ => false,
    };
    let clock = SystemClock;
    let begun = clock.instant();
    let giving = async { Ok(facegraph.give_feedback(request).await?) };
    let (_, came) = tokio::try_join!(giving, author.wait_for("the feedback", is_it))?;
    say(&format!(
        "facegraph on {}, version {}: strongly disagree, {note:?}",
        words::value(&indicator.platform, &indicator.value),
        words::version(&about)
    ))?;
    say(&format!("in birdsite's feed after {} ms", came.duration_since(begun).as_millis()))
}
