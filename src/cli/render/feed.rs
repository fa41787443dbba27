//! Feed events.

use serde_json::{Value, json};

use super::{campaign, enforcement, fields, tip};
use crate::cli::text;
use crate::client::FeedEvent;
use crate::wire::pb;

/// Whether --count and --limit count an event. Only items and removals count: they change what a
/// reader holds. A script cannot know how many other events come between them.
pub fn is_counted(event: &FeedEvent) -> bool {
    matches!(event, FeedEvent::Item(_) | FeedEvent::Removal(_))
}

/// A feed event as a line for people.
pub fn row(event: &FeedEvent) -> String {
    match event {
        FeedEvent::Item(item) => item_row(item),
        FeedEvent::Removal(removal) => {
            let (version, author) = (fields::version(removal.version.as_ref()), &removal.author);
            let (kind, id) = removed_object(removal);
            format!(
                "dropped               {version} {author:<12} {:<32} {kind:<16} {id}",
                removal_reason(removal)
            )
        }
        FeedEvent::GroupChange(change) => change_row(change),
        FeedEvent::Sighting(event) => sighting_row(&event.sighting.clone().unwrap_or_default()),
        FeedEvent::Feedback(event) => feedback_row(&event.feedback.clone().unwrap_or_default()),
        FeedEvent::Campaign(event) => {
            campaign::row(&event.contribution.clone().unwrap_or_default())
        }
        FeedEvent::Enforcement(event) => {
            enforcement::row(&event.enforcement.clone().unwrap_or_default())
        }
        FeedEvent::Tip(event) => tip::row(event),
    }
}

/// A feed event as a JSON object. Only items have a `value` at the top level, so that the output
/// can be submitted again.
pub fn object(event: &FeedEvent) -> Value {
    match event {
        FeedEvent::Item(item) => item_object(item),
        FeedEvent::Removal(removal) => json!({
            "removed": removal.version.as_ref().map(text::version),
            "cursor": removal.cursor.as_ref().map(text::cursor),
            "author": removal.author,
            "of": removed_object(removal).0,
            "indicator_id": removed_object(removal).1,
            "reason": removal_reason(removal),
        }),
        FeedEvent::GroupChange(change) => json!({
            "group_change": {
                "group": change.group,
                "joined": change.joined,
                "left": change.left,
                "changed_at": text::time(change.changed_at.as_ref()),
            },
            "cursor": change.cursor.as_ref().map(text::cursor),
        }),
        FeedEvent::Sighting(event) => json!({
            "sighting": sighting_object(&event.sighting.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(text::cursor),
        }),
        FeedEvent::Feedback(event) => json!({
            "feedback": feedback_object(&event.feedback.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(text::cursor),
        }),
        FeedEvent::Campaign(event) => json!({
            "campaign": campaign::object(&event.contribution.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(text::cursor),
        }),
        FeedEvent::Enforcement(event) => json!({
            "enforcement": enforcement::object(&event.enforcement.clone().unwrap_or_default()),
            "cursor": event.cursor.as_ref().map(text::cursor),
        }),
        FeedEvent::Tip(event) => tip::object(event),
    }
}

/// The kind and id of the object whose version is removed.
fn removed_object(removal: &pb::Removal) -> (&'static str, &str) {
    match removal {
        pb::Removal { campaign_id, .. } if !campaign_id.is_empty() => ("campaign", campaign_id),
        pb::Removal { enforcement_id, .. } if !enforcement_id.is_empty() => {
            ("enforcement", enforcement_id)
        }
        pb::Removal { indicator_id, .. } => ("indicator", indicator_id),
    }
}

/// Why a version is removed.
pub fn removal_reason(removal: &pb::Removal) -> String {
    text::enum_name(removal.reason().as_str_name(), "REMOVAL_REASON_")
}

fn item_row(item: &pb::FeedItem) -> String {
    let indicator = item.indicator.clone().unwrap_or_default();
    let assessment = item.assessment.clone().unwrap_or_default();
    format!(
        "{}  {} {:<12} {:<13} {:<13} {:>3}  {:<16} {}{}",
        fields::accepted_at(item.accepted_at.as_ref()),
        fields::version(item.version.as_ref()),
        item.author,
        fields::tlp(item.sharing.as_ref()),
        text::verdict_and_role(&assessment),
        assessment.confidence.unwrap_or_default(),
        text::kind(indicator.kind()),
        text::value(&indicator.platform, &indicator.value),
        other_names(&assessment),
    )
}

/// The other names of an account, in brackets behind its value: ` (id 1234567, formerly old_desk)`.
fn other_names(assessment: &pb::Assessment) -> String {
    let pb::Assessment { account_id, former_handles, .. } = assessment;
    let id = (!account_id.is_empty()).then(|| format!("id {}", text::one_line(account_id)));
    let handles = former_handles.iter().map(|handle| text::one_line(handle));
    let handles: Vec<_> = handles.collect();
    let formerly = (!handles.is_empty()).then(|| format!("formerly {}", handles.join(", ")));
    let names: Vec<_> = id.into_iter().chain(formerly).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

fn change_row(change: &pb::GroupChange) -> String {
    let changed_at = fields::accepted_at(change.changed_at.as_ref());
    let changes = [("joined", &change.joined), ("left", &change.left)]
        .into_iter()
        .filter(|(_, partners)| !partners.is_empty())
        .map(|(change, partners)| format!("{change}: {}", partners.join(", ")));
    let changes: Vec<_> = changes.collect();
    format!("{changed_at}  {:<9} {:<12} {}", "group", change.group, changes.join("; "))
}

fn sighting_row(sighting: &pb::VisibleSighting) -> String {
    let indicator = sighting.indicator.clone().unwrap_or_default();
    format!(
        "{}  {} {:<12} {:<13} {:<18} {:<16} {}",
        fields::accepted_at(sighting.accepted_at.as_ref()),
        fields::version(sighting.version.as_ref()),
        sighting.author,
        fields::tlp(sighting.sharing.as_ref()),
        format!("seen {}", text::count(sighting.count, "time")),
        text::kind(indicator.kind()),
        text::value(&indicator.platform, &indicator.value),
    )
}

fn feedback_row(feedback: &pb::VisibleFeedback) -> String {
    let note = text::one_line(&feedback.note);
    format!(
        "{}  {} {:<12} {:<13} {:<18} on {}{}{note}",
        fields::accepted_at(feedback.accepted_at.as_ref()),
        fields::version(feedback.version.as_ref()),
        feedback.author,
        fields::tlp(feedback.sharing.as_ref()),
        opinion(feedback.opinion()),
        feedback.about.as_ref().map(text::version).unwrap_or_default(),
        if note.is_empty() { "" } else { ": " },
    )
}

pub fn opinion(opinion: pb::Opinion) -> String {
    text::enum_name(opinion.as_str_name(), "OPINION_").replace('_', "-")
}

pub fn sighting_object(sighting: &pb::VisibleSighting) -> Value {
    let indicator = sighting.indicator.clone().unwrap_or_default();
    json!({
        "version": sighting.version.as_ref().map(text::version),
        "author": sighting.author,
        "accepted_at": text::time(sighting.accepted_at.as_ref()),
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "indicator_id": indicator.id,
        "count": sighting.count,
        "first_seen": text::time(sighting.first_seen.as_ref()),
        "last_seen": text::time(sighting.last_seen.as_ref()),
        "tlp": fields::tlp(sighting.sharing.as_ref()),
        "audience": fields::audience(sighting.sharing.as_ref().and_then(|sharing| sharing.audience.as_ref())),
    })
}

pub fn feedback_object(feedback: &pb::VisibleFeedback) -> Value {
    json!({
        "version": feedback.version.as_ref().map(text::version),
        "author": feedback.author,
        "accepted_at": text::time(feedback.accepted_at.as_ref()),
        "about": feedback.about.as_ref().map(text::version),
        "indicator_id": feedback.indicator_id,
        "opinion": opinion(feedback.opinion()),
        "note": feedback.note,
        "tlp": fields::tlp(feedback.sharing.as_ref()),
        "audience": fields::audience(feedback.sharing.as_ref().and_then(|sharing| sharing.audience.as_ref())),
    })
}

pub fn item_object(item: &pb::FeedItem) -> serde_json::Value {
    let indicator = item.indicator.clone().unwrap_or_default();
    let assessment = item.assessment.clone().unwrap_or_default();
    let sharing = item.sharing.clone().unwrap_or_default();
    let time = |time: &Option<prost_types::Timestamp>| text::time(time.as_ref());
    json!({
        "version": item.version.as_ref().map(text::version),
        "replaces": item.replaces.as_ref().map(text::version),
        "cursor": item.cursor.as_ref().map(text::cursor),
        "author": item.author,
        "accepted_at": time(&item.accepted_at),
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "indicator_id": indicator.id,
        "raw": item.raw,
        "verdict": text::verdict(&assessment),
        "confidence": assessment.confidence,
        "severity": text::enum_name(assessment.severity().as_str_name(), "SEVERITY_"),
        "involvement": text::enum_name(assessment.involvement().as_str_name(), "INVOLVEMENT_"),
        "basis": text::enum_name(assessment.basis().as_str_name(), "BASIS_"),
        "labels": assessment.labels,
        "techniques": assessment.techniques,
        "first_seen": time(&assessment.first_seen),
        "last_seen": time(&assessment.last_seen),
        "valid_until": time(&assessment.valid_until),
        "note": assessment.note,
        "references": assessment.references,
        "campaign_id": assessment.campaign,
        "account_id": assessment.account_id,
        "former_handles": assessment.former_handles,
        "tlp": text::tlp(sharing.tlp()),
        "audience": fields::audience(sharing.audience.as_ref()),
        "released_to": sharing.releases.iter().map(|release| &release.liaison).collect::<Vec<_>>(),
    })
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
    fn every_event_is_a_line() {
        assert!(row(&sighting()).ends_with("seen 3 times       account          x:someone"));
        let change = pb::GroupChange {
            group: "core".into(),
            joined: vec!["tubeworks".into()],
            left: vec!["watcher".into(), "birdsite".into()],
            ..Default::default()
        };
        let change = row(&FeedEvent::GroupChange(change));
        let expected = "group     core         joined: tubeworks; left: watcher, birdsite";
        assert!(change.ends_with(expected), "{change}");
        let removal = pb::Removal {
            reason: pb::RemovalReason::Withdrawn.into(),
            indicator_id: "an-id".into(),
            ..Default::default()
        };
        let removal = row(&FeedEvent::Removal(removal));
        let expected = "withdrawn                        indicator        an-id";
        assert!(removal.ends_with(expected), "{removal}");
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
            feedback.ends_with("strongly-disagree  on 17.2: ours\\u{1b}[2J and well known"),
            "a note moves no cursor: {feedback}"
        );
    }

    #[test]
    fn an_event_that_is_no_item_cannot_be_submitted() {
        let event = object(&sighting());
        assert_eq!(event["sighting"]["value"], "someone");
        assert_eq!(event["cursor"], "AQ");
        let others = [
            object(&FeedEvent::Removal(pb::Removal::default())),
            object(&FeedEvent::GroupChange(pb::GroupChange::default())),
            object(&FeedEvent::Feedback(Box::default())),
            object(&FeedEvent::Tip(Box::default())),
        ];
        let lines: String = [event].iter().chain(&others).map(|one| format!("{one}\n")).collect();
        let records = crate::formats::read(lines.as_bytes(), Some(crate::formats::Format::Jsonl));
        let neither = crate::formats::Class::Neither(crate::formats::SkipReason::FeedEvent);
        assert!(records.unwrap().iter().all(|record| record.class == neither));
    }
}
