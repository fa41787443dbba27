//! Tips as people and scripts see them.

use serde_json::{Value, json};

use crate::cli::{deeds, output, words};
use crate::wire::pb;

/// How many characters of an id are shown to people; that many name it.
const SHORT: usize = 8;

/// The beginning of an id.
pub fn short(id: &str) -> String {
    id.chars().take(SHORT).collect()
}

/// The words of a state, which are those of --move and --state.
pub fn state(state: pb::TipState) -> String {
    words::name(state.as_str_name(), "TIP_STATE_")
}

/// A state that may not be there.
pub fn state_or_null(of: pb::TipState) -> Value {
    if of == pb::TipState::Unspecified { Value::Null } else { state(of).into() }
}

/// How soon a tip has to be acted upon.
pub fn urgency(tip: &pb::Tip) -> String {
    words::name(tip.urgency().as_str_name(), "TIP_URGENCY_")
}

/// Until when an answer is wanted, and whether it is overdue.
pub fn answer_by(tip: &pb::Tip, overdue: bool) -> String {
    let by = words::time(tip.respond_by.as_ref()).unwrap_or_default();
    if overdue { output::paint(output::BAD, &format!("OVERDUE {by}")) } else { by }
}

/// What a tip is about, in a line.
pub fn about(tip: &pb::Tip) -> String {
    if tip.referral {
        return format!("referral of submission {}", tip.submission_id).trim_end().to_owned();
    }
    if tip.subject.is_empty() { "tip".into() } else { words::one_line(&tip.subject) }
}

/// Whose an entry is.
pub fn author(entry: &pb::TipEntry) -> String {
    if entry.author.is_empty() { "the exchange".into() } else { entry.author.clone() }
}

/// What an entry is, in a few words.
pub fn what(entry: &pb::TipEntry) -> String {
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
        parts.push(words::count(entry.indicator_count.into(), "indicator"));
    }
    if let Some(done) = &entry.enforcement {
        parts.extend(done.counts.iter().map(deeds::count));
    }
    if entry.to_all {
        parts.push("to all".into());
    }
    if parts.is_empty() { "says".into() } else { parts.join(", ") }
}

/// What happened to a tip of a campaign, in a line.
pub fn step(step: &pb::TipStep) -> String {
    let tip = short(&step.tip_id);
    let about = match words::one_line(&step.subject) {
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

/// What happened to a tip of a campaign, as an object for scripts.
pub fn step_object(step: &pb::TipStep) -> Value {
    json!({
        "tip_id": step.tip_id,
        "sender": step.sender,
        "subject": step.subject,
        "action": words::name(step.action().as_str_name(), "TIP_ACTION_"),
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

/// A tip as an object for scripts, without its narrative.
pub fn tip_object(tip: &pb::Tip) -> Value {
    let threads = tip.threads.iter().map(|thread| {
        json!({
            "recipient": thread.recipient,
            "state": state(thread.state()),
            "changed_at": words::time(thread.changed_at.as_ref()),
            "overdue": thread.overdue,
        })
    });
    json!({
        "tip_id": tip.id,
        "version": tip.version.as_ref().map(words::version),
        "sender": tip.sender,
        "sent_at": words::time(tip.sent_at.as_ref()),
        "threads": threads.collect::<Vec<_>>(),
        "subject": tip.subject,
        "urgency": urgency(tip),
        "respond_by": words::time(tip.respond_by.as_ref()),
        "tlp": words::tlp(tip.tlp()),
        "campaign": tip.campaign,
        "submission": tip.submission_id,
        "referral": tip.referral,
    })
}

/// What was added to a tip, as an object for scripts.
pub fn entry_object(entry: &pb::TipEntry) -> Value {
    let moves = entry.moves.iter().map(move_object);
    json!({
        "version": entry.version.as_ref().map(words::version),
        "action": words::name(entry.action().as_str_name(), "TIP_ACTION_"),
        "author": entry.author,
        "accepted_at": words::time(entry.accepted_at.as_ref()),
        "recipient": entry.recipient,
        "to_all": entry.to_all,
        "moves": moves.collect::<Vec<_>>(),
        "message": entry.message,
        "enforcement": entry.enforcement.as_ref().map(deeds::enforcement),
        "indicator_count": entry.indicator_count,
        "indicators": entry.indicators.iter().map(indicator_object).collect::<Vec<_>>(),
    })
}

/// An indicator as an object for scripts.
pub fn indicator_object(indicator: &pb::Indicator) -> Value {
    json!({
        "kind": words::kind(indicator.kind()),
        "platform": indicator.platform,
        "value": indicator.value,
        "id": indicator.id,
    })
}

/// What was added to a tip, as the line of a feed.
pub fn row(event: &pb::TipEvent) -> String {
    let (tip, entry) =
        (event.tip.clone().unwrap_or_default(), event.entry.clone().unwrap_or_default());
    let message = words::one_line(&entry.message);
    let version = entry.version.as_ref().map(words::version).unwrap_or_default();
    let when = words::time(entry.accepted_at.as_ref()).unwrap_or_default();
    format!(
        "{}  {version:<9} {:<12} {:<13} {:<18} tip {}, {}{}{message}",
        output::paint(output::DIM, &when),
        author(&entry),
        words::tlp(tip.tlp()),
        what(&entry),
        short(&tip.id),
        about(&tip),
        if message.is_empty() { "" } else { ": " },
    )
}

/// The same as an object for scripts.
pub fn object(event: &pb::TipEvent) -> Value {
    json!({
        "tip": tip_object(&event.tip.clone().unwrap_or_default()),
        "entry": entry_object(&event.entry.clone().unwrap_or_default()),
        "cursor": event.cursor.as_ref().map(words::cursor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_to_a_tip_is_a_line() {
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
        let says = "→ no_violation, 2 indicators tip 01234567, a net: nothing [2J here";
        assert!(row.ends_with(says), "{row}");
        assert_eq!(object(&event)["entry"]["moves"][0]["to"], "no_violation");
    }
}
