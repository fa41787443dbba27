//! What a feed gives, as people and scripts see it.

use serde_json::{Value, json};

use super::{deeds, output, tip, words};
use crate::client::FeedEvent;
use crate::wire::pb;

/// Whether --count and --limit count an event: items and removals, which change what a reader holds.
/// How many changes of groups came before them is nothing that a script can know.
pub fn is_counted(event: &FeedEvent) -> bool {
    matches!(event, FeedEvent::Item(_) | FeedEvent::Removal(_))
}

/// An event as a line for people.
pub fn row(event: &FeedEvent) -> String {
    match event {
        FeedEvent::Item(item) => item_row(item),
        FeedEvent::Removal(removal) => {
            let (place, author) = (place(removal.version.as_ref()), &removal.author);
            let (what, id) = dropped(removal);
            format!(
                "dropped               {place} {author:<12} {:<32} {what:<16} {id}",
                reason(removal)
            )
        }
        FeedEvent::GroupChange(change) => change_row(change),
        FeedEvent::Sighting(event) => sighting_row(&event.sighting.clone().unwrap_or_default()),
        FeedEvent::Feedback(event) => feedback_row(&event.feedback.clone().unwrap_or_default()),
        FeedEvent::Campaign(event) => {
            deeds::said_row(&event.contribution.clone().unwrap_or_default())
        }
        FeedEvent::Enforcement(event) => {
            deeds::done_row(&event.enforcement.clone().unwrap_or_default())
        }
        FeedEvent::Tip(event) => tip::told::row(event),
    }
}

/// An event as an object for scripts. What is no item has no `value` of its own, so that what is
/// printed can be submitted.
pub fn object(event: &FeedEvent) -> Value {
    match event {
        FeedEvent::Item(item) => item_object(item),
        FeedEvent::Removal(removal) => json!({
            "removed": removal.version.as_ref().map(words::version),
            "cursor": removal.cursor.as_ref().map(words::cursor),
            "author": removal.author,
            "of": dropped(removal).0,
            "id": dropped(removal).1,
            "reason": reason(removal),
        }),
        FeedEvent::GroupChange(change) => json!({
            "group_change": {
                "group": change.group,
                "joined": change.joined,
                "left": change.left,
                "changed_at": words::time(change.changed_at.as_ref()),
            },
            "cursor": change.cursor.as_ref().map(words::cursor),
        }),
        FeedEvent::Sighting(event) => json!({
            "sighting": sighting_object(&event.sighting.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(words::cursor),
        }),
        FeedEvent::Feedback(event) => json!({
            "feedback": feedback_object(&event.feedback.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(words::cursor),
        }),
        FeedEvent::Campaign(event) => json!({
            "campaign": deeds::said(&event.contribution.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(words::cursor),
        }),
        FeedEvent::Enforcement(event) => json!({
            "enforcement": deeds::done(&event.enforcement.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(words::cursor),
        }),
        FeedEvent::Tip(event) => tip::told::object(event),
    }
}

/// What a version was of that is to be dropped, and the id of that.
fn dropped(removal: &pb::Removal) -> (&'static str, &str) {
    match removal {
        pb::Removal { campaign_id, .. } if !campaign_id.is_empty() => ("campaign", campaign_id),
        pb::Removal { enforcement_id, .. } if !enforcement_id.is_empty() => {
            ("enforcement", enforcement_id)
        }
        pb::Removal { indicator_id, .. } => ("indicator", indicator_id),
    }
}

/// Why a version is to be dropped.
pub fn reason(removal: &pb::Removal) -> String {
    words::name(removal.reason().as_str_name(), "REMOVAL_REASON_")
}

fn item_row(item: &pb::FeedItem) -> String {
    let indicator = item.indicator.clone().unwrap_or_default();
    let said = item.assessment.clone().unwrap_or_default();
    format!(
        "{}  {} {:<12} {:<13} {:<13} {:>3}  {:<16} {}",
        when(item.accepted_at.as_ref()),
        place(item.version.as_ref()),
        item.author,
        marking(item.sharing.as_ref()),
        words::verdict(&said),
        said.confidence.unwrap_or_default(),
        words::kind(indicator.kind()),
        words::value(&indicator.platform, &indicator.value),
    )
}

fn change_row(change: &pb::GroupChange) -> String {
    let when = when(change.changed_at.as_ref());
    let who = [("joined", &change.joined), ("left", &change.left)]
        .into_iter()
        .filter(|(_, who)| !who.is_empty())
        .map(|(what, who)| format!("{what}: {}", who.join(", ")));
    let who: Vec<_> = who.collect();
    format!("{when}  {:<9} {:<12} {}", "group", change.group, who.join("; "))
}

fn sighting_row(seen: &pb::VisibleSighting) -> String {
    let indicator = seen.indicator.clone().unwrap_or_default();
    format!(
        "{}  {} {:<12} {:<13} {:<18} {:<16} {}",
        when(seen.accepted_at.as_ref()),
        place(seen.version.as_ref()),
        seen.author,
        marking(seen.sharing.as_ref()),
        format!("seen {}", words::count(seen.count, "time")),
        words::kind(indicator.kind()),
        words::value(&indicator.platform, &indicator.value),
    )
}

fn feedback_row(given: &pb::VisibleFeedback) -> String {
    let note = words::one_line(&given.note);
    format!(
        "{}  {} {:<12} {:<13} {:<18} on {}{}{note}",
        when(given.accepted_at.as_ref()),
        place(given.version.as_ref()),
        given.author,
        marking(given.sharing.as_ref()),
        opinion(given.opinion()),
        given.about.as_ref().map(words::version).unwrap_or_default(),
        if note.is_empty() { "" } else { ": " },
    )
}

pub(super) fn when(time: Option<&prost_types::Timestamp>) -> String {
    output::paint(output::DIM, &words::time(time).unwrap_or_default())
}

pub(super) fn place(version: Option<&pb::Version>) -> String {
    format!("{:<9}", version.map(words::version).unwrap_or_default())
}

pub(super) fn marking(sharing: Option<&pb::Sharing>) -> &'static str {
    words::tlp(sharing.map(pb::Sharing::tlp).unwrap_or_default())
}

fn opinion(opinion: pb::Opinion) -> String {
    words::name(opinion.as_str_name(), "OPINION_").replace('_', "-")
}

fn sighting_object(seen: &pb::VisibleSighting) -> Value {
    let indicator = seen.indicator.clone().unwrap_or_default();
    json!({
        "version": seen.version.as_ref().map(words::version),
        "author": seen.author,
        "accepted_at": words::time(seen.accepted_at.as_ref()),
        "kind": words::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "id": indicator.id,
        "count": seen.count,
        "first_seen": words::time(seen.first_seen.as_ref()),
        "last_seen": words::time(seen.last_seen.as_ref()),
        "tlp": marking(seen.sharing.as_ref()),
        "audience": audience(seen.sharing.as_ref().and_then(|sharing| sharing.audience.as_ref())),
    })
}

fn feedback_object(given: &pb::VisibleFeedback) -> Value {
    json!({
        "version": given.version.as_ref().map(words::version),
        "author": given.author,
        "accepted_at": words::time(given.accepted_at.as_ref()),
        "about": given.about.as_ref().map(words::version),
        "id": given.indicator_id,
        "opinion": opinion(given.opinion()),
        "note": given.note,
        "tlp": marking(given.sharing.as_ref()),
        "audience": audience(given.sharing.as_ref().and_then(|sharing| sharing.audience.as_ref())),
    })
}

fn item_object(item: &pb::FeedItem) -> serde_json::Value {
    let indicator = item.indicator.clone().unwrap_or_default();
    let said = item.assessment.clone().unwrap_or_default();
    let sharing = item.sharing.clone().unwrap_or_default();
    let time = |time: &Option<prost_types::Timestamp>| words::time(time.as_ref());
    json!({
        "version": item.version.as_ref().map(words::version),
        "replaces": item.replaces.as_ref().map(words::version),
        "cursor": item.cursor.as_ref().map(words::cursor),
        "author": item.author,
        "accepted_at": time(&item.accepted_at),
        "kind": words::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "id": indicator.id,
        "raw": item.raw,
        "verdict": words::verdict(&said),
        "confidence": said.confidence,
        "severity": words::name(said.severity().as_str_name(), "SEVERITY_"),
        "involvement": words::name(said.involvement().as_str_name(), "INVOLVEMENT_"),
        "basis": words::name(said.basis().as_str_name(), "BASIS_"),
        "labels": said.labels,
        "techniques": said.techniques,
        "first_seen": time(&said.first_seen),
        "last_seen": time(&said.last_seen),
        "valid_until": time(&said.valid_until),
        "note": said.note,
        "references": said.references,
        "campaign": said.campaign,
        "tlp": words::tlp(sharing.tlp()),
        "audience": audience(sharing.audience.as_ref()),
        "released_to": sharing.releases.iter().map(|release| &release.liaison).collect::<Vec<_>>(),
    })
}

/// The reader's own part of the audience.
pub(super) fn audience(audience: Option<&pb::sharing::Audience>) -> serde_json::Value {
    use pb::sharing::Audience;
    match audience {
        Some(Audience::Named(named)) => {
            json!({ "groups": named.groups, "partners": named.partners })
        }
        Some(Audience::Everyone(_)) => json!("everyone"),
        Some(Audience::Public(_)) => json!("public"),
        None => json!(null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting() -> FeedEvent {
        let indicator = pb::Indicator {
            kind: pb::Kind::Account.into(),
            platform: "x".into(),
            value: "someone".into(),
            ..Default::default()
        };
        FeedEvent::Sighting(Box::new(pb::SightingEvent {
            cursor: Some(pb::Cursor { token: vec![1].into() }),
            sighting: Some(pb::VisibleSighting {
                author: "facegraph".into(),
                indicator: Some(indicator),
                count: 3,
                ..Default::default()
            }),
        }))
    }

    #[test]
    fn everything_that_a_feed_gives_is_a_line() {
        assert!(row(&sighting()).ends_with("seen 3 times       account          x:someone"));
        let change = pb::GroupChange {
            group: "core".into(),
            joined: vec!["tubeworks".into()],
            left: vec!["watcher".into(), "birdsite".into()],
            ..Default::default()
        };
        let change = row(&FeedEvent::GroupChange(change));
        let told = "group     core         joined: tubeworks; left: watcher, birdsite";
        assert!(change.ends_with(told), "{change}");
        let removal = pb::Removal {
            reason: pb::RemovalReason::Withdrawn.into(),
            indicator_id: "an-id".into(),
            ..Default::default()
        };
        let removal = row(&FeedEvent::Removal(removal));
        let told = "withdrawn                        indicator        an-id";
        assert!(removal.ends_with(told), "{removal}");
        let feedback = pb::VisibleFeedback {
            author: "facegraph".into(),
            about: Some(pb::Version { sequence: 17, index: 2 }),
            opinion: pb::Opinion::StronglyDisagree.into(),
            note: "ours\x1b[2J\nand well known".into(),
            ..Default::default()
        };
        let event = pb::FeedbackEvent { feedback: Some(feedback), cursor: None };
        let feedback = row(&FeedEvent::Feedback(Box::new(event)));
        assert!(
            feedback.ends_with("strongly-disagree  on 17.2: ours [2J and well known"),
            "a note moves no cursor: {feedback}"
        );
    }

    #[test]
    fn what_is_no_item_is_not_taken_for_one() {
        let seen = object(&sighting());
        assert_eq!(seen["sighting"]["value"], "someone");
        assert_eq!(seen["cursor"], "AQ");
        let others = [
            object(&FeedEvent::Removal(pb::Removal::default())),
            object(&FeedEvent::GroupChange(pb::GroupChange::default())),
            object(&FeedEvent::Feedback(Box::default())),
            object(&FeedEvent::Tip(Box::default())),
        ];
        let lines: String = [seen].iter().chain(&others).map(|one| format!("{one}\n")).collect();
        let records = crate::formats::read(lines.as_bytes(), Some(crate::formats::Format::Jsonl));
        let neither = crate::formats::Class::Neither(crate::formats::SkipReason::FeedEvent);
        assert!(records.unwrap().iter().all(|record| record.class == neither));
    }
}
