//! Campaigns and enforcements, as people and scripts see them.

use serde_json::{Value, json};

use super::{shown, words};
use crate::wire::pb;

/// What is said of a campaign, as a line for people.
pub fn said_row(one: &pb::VisibleContribution) -> String {
    let said = one.contribution.clone().unwrap_or_default();
    let by = said.attribution.as_ref().map(attribution).unwrap_or_default();
    format!(
        "{}  {} {:<12} {:<13} {:<18} {} {}{}{by}",
        shown::when(one.accepted_at.as_ref()),
        shown::place(one.version.as_ref()),
        one.author,
        shown::marking(one.sharing.as_ref()),
        if one.founds && one.replaces.is_none() { "founds a campaign" } else { "of a campaign" },
        one.campaign_id,
        words::one_line(&said.name),
        if by.is_empty() { "" } else { ": " },
    )
}

/// Who is behind it, in a line: `a marketing firm (CN), confidence 70`.
pub fn attribution(by: &pb::Attribution) -> String {
    let actor = words::one_line(&by.actor);
    let who = match (actor.as_str(), by.country.as_str()) {
        (actor, "") => actor.to_owned(),
        ("", country) => country.to_owned(),
        (actor, country) => format!("{actor} ({country})"),
    };
    match by.confidence {
        Some(percent) => format!("{who}, confidence {percent}"),
        None => who,
    }
}

/// What was done, as a line for people.
pub fn done_row(one: &pb::VisibleEnforcement) -> String {
    let done = one.enforcement.clone().unwrap_or_default();
    let counts: Vec<_> = done.counts.iter().map(count).collect();
    let how = method(&done).map(|method| format!(", {}", method.replace('_', " ")));
    format!(
        "{}  {} {:<12} {:<13} {:<18} {}{}",
        shown::when(one.accepted_at.as_ref()),
        shown::place(one.version.as_ref()),
        one.author,
        shown::marking(one.sharing.as_ref()),
        if done.source() == pb::EnforcementSource::Reported { "reports removals" } else { "acted" },
        counts.join(", "),
        how.unwrap_or_default(),
    )
}

/// A count in words: `about 7 pages on facebook (2 disabled before)`.
pub fn count(one: &pb::EnforcementCount) -> String {
    let about = if one.approximate { "about " } else { "" };
    let on = if one.platform.is_empty() { "" } else { " on " };
    let before = match one.already_disabled {
        0 => String::new(),
        disabled => format!(" ({disabled} disabled before)"),
    };
    let what = words::count(one.count, &asset(one.asset()));
    format!("{about}{what}{on}{}{before}", one.platform)
}

/// The word for a kind of asset.
pub fn asset(asset: pb::AssetKind) -> String {
    words::name(asset.as_str_name(), "ASSET_KIND_")
}

/// The word for how its author came to act, where that is said.
pub fn method(done: &pb::Enforcement) -> Option<String> {
    let method = done.method();
    (method != pb::EnforcementMethod::Unspecified)
        .then(|| words::name(method.as_str_name(), "ENFORCEMENT_METHOD_"))
}

/// The word for whose deed it is.
pub fn source(source: pb::EnforcementSource) -> String {
    words::name(source.as_str_name(), "ENFORCEMENT_SOURCE_")
}

/// What is said of a campaign, as an object for scripts.
pub fn said(one: &pb::VisibleContribution) -> Value {
    let said = one.contribution.clone().unwrap_or_default();
    let sharing = one.sharing.as_ref();
    json!({
        "campaign": one.campaign_id,
        "version": one.version.as_ref().map(words::version),
        "replaces": one.replaces.as_ref().map(words::version),
        "author": one.author,
        "accepted_at": words::time(one.accepted_at.as_ref()),
        "founds": one.founds,
        "name": said.name,
        "description": said.description,
        "attribution": said.attribution.map(|by| json!({
            "actor": by.actor,
            "country": by.country,
            "confidence": by.confidence,
            "basis": by.basis,
        })),
        "techniques": said.techniques,
        "targets": said.targets,
        "references": said.references,
        "tlp": shown::marking(sharing),
        "audience": shown::audience(sharing.and_then(|sharing| sharing.audience.as_ref())),
    })
}

/// What was done, as an object for scripts.
pub fn done(one: &pb::VisibleEnforcement) -> Value {
    let done = one.enforcement.clone().unwrap_or_default();
    let sharing = one.sharing.as_ref();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "enforcement": done.id,
        "version": one.version.as_ref().map(words::version),
        "replaces": one.replaces.as_ref().map(words::version),
        "author": one.author,
        "accepted_at": words::time(one.accepted_at.as_ref()),
        "source": source(done.source()),
        "counts": counts(&done),
        "method": method(&done),
        "from": text(&done.from),
        "until": text(&done.until),
        "campaign": text(&done.campaign),
        "tip": text(&done.tip),
        "note": done.note,
        "tlp": shown::marking(sharing),
        "audience": shown::audience(sharing.and_then(|sharing| sharing.audience.as_ref())),
    })
}

/// What was done, as an object within that of a tip's answer.
pub fn enforcement(done: &pb::Enforcement) -> Value {
    json!({ "enforcement": done.id, "counts": counts(done), "method": method(done) })
}

fn counts(done: &pb::Enforcement) -> Vec<Value> {
    let counts = done.counts.iter().map(|one| {
        json!({
            "asset": asset(one.asset()),
            "platform": one.platform,
            "count": one.count,
            "already_disabled": one.already_disabled,
            "approximate": one.approximate,
        })
    });
    counts.collect()
}
