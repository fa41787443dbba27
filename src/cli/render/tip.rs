//! Tips and their entries.

use serde_json::{Value, json};

use super::enforcement;
use crate::cli::{output, text};
use crate::wire::pb;

/// Characters of an id that people see. They are enough to name the tip in a command.
const SHORT_ID_CHARS: usize = 8;

/// An abbreviated id.
pub fn short_id(id: &str) -> String {
    id.chars().take(SHORT_ID_CHARS).collect()
}

/// The state of a tip, as --move and --state take it.
pub fn state(state: pb::TipState) -> String {
    text::enum_name(state.as_str_name(), "TIP_STATE_")
}

/// A state in JSON, null if unspecified.
pub fn state_or_null(of: pb::TipState) -> Value {
    if of == pb::TipState::Unspecified { Value::Null } else { state(of).into() }
}

/// The urgency of a tip.
pub fn urgency(tip: &pb::Tip) -> String {
    text::enum_name(tip.urgency().as_str_name(), "TIP_URGENCY_")
}

/// When an answer is due, and whether it is overdue.
pub fn answer_by(tip: &pb::Tip, overdue: bool) -> String {
    let by = text::local_time(tip.respond_by.as_ref()).unwrap_or_default();
    if overdue { output::paint(output::BAD, &format!("OVERDUE {by}")) } else { by }
}

/// The subject of a tip in one line.
pub fn subject(tip: &pb::Tip) -> String {
    if tip.referral {
        return format!("referral of submission {}", tip.submission_id).trim_end().to_owned();
    }
    if tip.subject.is_empty() { "no subject".into() } else { text::one_line(&tip.subject) }
}

/// Whether the subject says more than the beginning of the narrative.
pub fn has_own_subject(tip: &pb::Tip) -> bool {
    tip.referral || !says_no_more(&tip.subject, &text::one_line(&tip.narrative))
}

fn says_no_more(subject: &str, narrative: &str) -> bool {
    narrative.starts_with(subject.trim_end_matches('…'))
}

/// The author of an entry.
pub fn entry_author(entry: &pb::TipEntry) -> String {
    if entry.author.is_empty() { "the exchange".into() } else { entry.author.clone() }
}

/// What an entry does, in a few words.
pub fn entry_summary(entry: &pb::TipEntry) -> String {
    let mut parts: Vec<String> = match entry.action() {
        pb::TipAction::Sent => vec!["sent".into()],
        pb::TipAction::Withdrawn => vec!["withdrawn".into()],
        pb::TipAction::Reopened => vec!["new in its campaign".into()],
        pb::TipAction::Responded | pb::TipAction::Unspecified => Vec::new(),
    };
    if matches!(entry.action(), pb::TipAction::Responded | pb::TipAction::Reopened) {
        let moved = |moved: &pb::TipMove| format!("→ {}", state(moved.to()));
        let mut moves: Vec<_> = entry.moves.iter().map(moved).collect();
        moves.dedup();
        parts.extend(moves);
    }
    if entry.indicator_count > 0 {
        parts.push(text::count(entry.indicator_count.into(), "indicator"));
    }
    if let Some(done) = &entry.enforcement {
        parts.extend(done.counts.iter().map(enforcement::count));
    }
    if entry.to_all {
        parts.push("to all".into());
    }
    if parts.is_empty() { "says".into() } else { parts.join(", ") }
}

/// A step of a tip in the timeline of its campaign, in one line.
pub fn step(step: &pb::TipStep) -> String {
    let tip = short_id(&step.tip_id);
    let about = match text::one_line(&step.subject) {
        about if about.is_empty() => about,
        about => format!(": {about}"),
    };
    let whom = |moves: &[&pb::TipMove]| {
        moves.iter().map(|moved| moved.recipient.as_str()).collect::<Vec<_>>().join(", ")
    };
    let all: Vec<_> = step.moves.iter().collect();
    match step.action() {
        pb::TipAction::Sent => format!("sends tip {tip} to {}{about}", whom(&all)),
        pb::TipAction::Withdrawn => format!("withdraws tip {tip}{about}"),
        pb::TipAction::Responded | pb::TipAction::Reopened | pb::TipAction::Unspecified => {
            let mut states: Vec<_> = all.iter().map(|moved| moved.to()).collect();
            states.dedup();
            let moved = states.into_iter().map(|to| {
                let moves: Vec<_> = all.iter().copied().filter(|one| one.to() == to).collect();
                format!("{} for {}", state(to), whom(&moves))
            });
            format!("moves tip {tip} to {}{about}", moved.collect::<Vec<_>>().join("; "))
        }
    }
}

/// A step of a tip in the timeline of its campaign, as a JSON object.
pub fn step_object(step: &pb::TipStep) -> Value {
    json!({
        "tip_id": step.tip_id,
        "sender": step.sender,
        "subject": step.subject,
        "action": text::enum_name(step.action().as_str_name(), "TIP_ACTION_"),
        "moves": step.moves.iter().map(move_object).collect::<Vec<_>>(),
    })
}

fn move_object(moved: &pb::TipMove) -> Value {
    json!({
        "recipient": moved.recipient,
        "from": state_or_null(moved.from()),
        "to": state(moved.to()),
    })
}

/// A tip as a JSON object, without its narrative.
pub fn tip_object(tip: &pb::Tip) -> Value {
    let threads = tip.threads.iter().map(|thread| {
        json!({
            "recipient": thread.recipient,
            "state": state(thread.state()),
            "changed_at": text::time(thread.changed_at.as_ref()),
            "overdue": thread.overdue,
        })
    });
    json!({
        "tip_id": tip.id,
        "version": tip.version.as_ref().map(text::version),
        "sender": tip.sender,
        "sent_at": text::time(tip.sent_at.as_ref()),
        "threads": threads.collect::<Vec<_>>(),
        "subject": tip.subject,
        "urgency": urgency(tip),
        "respond_by": text::time(tip.respond_by.as_ref()),
        "tlp": text::tlp(tip.tlp()),
        "campaign_id": tip.campaign,
        "submission_id": tip.submission_id,
        "referral": tip.referral,
    })
}

/// An entry of a tip as a JSON object.
pub fn entry_object(entry: &pb::TipEntry) -> Value {
    let moves = entry.moves.iter().map(move_object);
    json!({
        "version": entry.version.as_ref().map(text::version),
        "action": text::enum_name(entry.action().as_str_name(), "TIP_ACTION_"),
        "author": entry.author,
        "accepted_at": text::time(entry.accepted_at.as_ref()),
        "recipient": entry.recipient,
        "to_all": entry.to_all,
        "moves": moves.collect::<Vec<_>>(),
        "message": entry.message,
        "enforcement": entry.enforcement.as_ref().map(enforcement::response_object),
        "indicator_count": entry.indicator_count,
        "indicators": entry.indicators.iter().map(indicator_object).collect::<Vec<_>>(),
    })
}

/// An indicator as a JSON object.
pub fn indicator_object(indicator: &pb::Indicator) -> Value {
    json!({
        "kind": text::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "indicator_id": indicator.id,
    })
}

/// A tip event of a feed as a line for people.
pub fn row(event: &pb::TipEvent) -> String {
    let (tip, entry) =
        (event.tip.clone().unwrap_or_default(), event.entry.clone().unwrap_or_default());
    let message = text::one_line(&entry.message);
    let about = match subject(&tip) {
        subject if message.is_empty() => subject,
        _ if !tip.referral && says_no_more(&tip.subject, &message) => message,
        subject => format!("{subject}: {message}"),
    };
    let version = entry.version.as_ref().map(text::version).unwrap_or_default();
    let when = text::local_time(entry.accepted_at.as_ref()).unwrap_or_default();
    format!(
        "{}  {version:<9} {:<12} {:<13} {:<18} tip {}, {about}",
        output::paint(output::DIM, &when),
        entry_author(&entry),
        text::tlp(tip.tlp()),
        entry_summary(&entry),
        short_id(&tip.id),
    )
}

/// A tip event of a feed as a JSON object.
pub fn object(event: &pb::TipEvent) -> Value {
    json!({
        "tip": tip_object(&event.tip.clone().unwrap_or_default()),
        "entry": entry_object(&event.entry.clone().unwrap_or_default()),
        "cursor": event.cursor.as_ref().map(text::cursor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_event_is_a_line() {
        let moved = pb::TipMove {
            from: pb::TipState::Sent.into(),
            to: pb::TipState::NoViolation.into(),
            ..Default::default()
        };
        let entry = pb::TipEntry {
            author: "facegraph".into(),
            action: pb::TipAction::Responded.into(),
            moves: vec![moved],
            message: "nothing\x1b[2J\nhere".into(),
            indicator_count: 2,
            ..Default::default()
        };
        let tip =
            pb::Tip { id: "0123456789ab".into(), subject: "a net".into(), ..Default::default() };
        let event = pb::TipEvent { tip: Some(tip), entry: Some(entry), cursor: None };
        let row = row(&event);
        let says = "→ no_violation, 2 indicators tip 01234567, a net: nothing\\u{1b}[2J here";
        assert!(row.ends_with(says), "{row}");
        assert_eq!(object(&event)["entry"]["moves"][0]["to"], "no_violation");
    }
}
