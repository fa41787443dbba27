//! Enforcements.

use serde_json::{Value, json};

use super::fields;
use crate::cli::text;
use crate::wire::pb;

/// An enforcement as a line for people.
pub fn row(one: &pb::VisibleEnforcement) -> String {
    let enforcement = one.enforcement.clone().unwrap_or_default();
    let counts: Vec<_> = enforcement.counts.iter().map(count).collect();
    let how = method(&enforcement).map(|method| format!(", {}", method.replace('_', " ")));
    format!(
        "{}  {} {:<12} {:<13} {:<18} {}{}",
        fields::accepted_at(one.accepted_at.as_ref()),
        fields::version(one.version.as_ref()),
        one.author,
        fields::tlp(one.sharing.as_ref()),
        if enforcement.source() == pb::EnforcementSource::Reported {
            "reports removals"
        } else {
            "acted"
        },
        counts.join(", "),
        how.unwrap_or_default(),
    )
}

/// A count of assets: `about 7 pages on facebook (2 disabled before)`.
pub fn count(one: &pb::EnforcementCount) -> String {
    let about = if one.approximate { "about " } else { "" };
    let on = if one.platform.is_empty() { "" } else { " on " };
    let before = match one.already_disabled {
        0 => String::new(),
        disabled => format!(" ({disabled} disabled before)"),
    };
    let what = text::count(one.count, &asset(one.asset()));
    format!("{about}{what}{on}{}{before}", one.platform)
}

/// The name of a kind of asset.
pub fn asset(asset: pb::AssetKind) -> String {
    text::enum_name(asset.as_str_name(), "ASSET_KIND_")
}

/// How the author came to act, if known.
pub fn method(enforcement: &pb::Enforcement) -> Option<String> {
    let method = enforcement.method();
    (method != pb::EnforcementMethod::Unspecified)
        .then(|| text::enum_name(method.as_str_name(), "ENFORCEMENT_METHOD_"))
}

/// Whether the author acted itself or reports another.
pub fn source(source: pb::EnforcementSource) -> String {
    text::enum_name(source.as_str_name(), "ENFORCEMENT_SOURCE_")
}

/// An enforcement as a JSON object.
pub fn object(one: &pb::VisibleEnforcement) -> Value {
    let enforcement = one.enforcement.clone().unwrap_or_default();
    let sharing = one.sharing.as_ref();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "enforcement_id": enforcement.id,
        "version": one.version.as_ref().map(text::version),
        "replaces": one.replaces.as_ref().map(text::version),
        "author": one.author,
        "accepted_at": text::time(one.accepted_at.as_ref()),
        "source": source(enforcement.source()),
        "counts": counts(&enforcement),
        "method": method(&enforcement),
        "from": text(&enforcement.from),
        "until": text(&enforcement.until),
        "campaign_id": text(&enforcement.campaign),
        "tip_id": text(&enforcement.tip),
        "note": enforcement.note,
        "tlp": fields::tlp(sharing),
        "audience": fields::audience(sharing.and_then(|sharing| sharing.audience.as_ref())),
    })
}

/// An enforcement inside the JSON object of a response to a tip.
pub fn response_object(enforcement: &pb::Enforcement) -> Value {
    json!({ "enforcement_id": enforcement.id, "counts": counts(enforcement), "method": method(enforcement) })
}

fn counts(enforcement: &pb::Enforcement) -> Vec<Value> {
    let counts = enforcement.counts.iter().map(|one| {
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
