//! Contributions to campaigns.

use serde_json::{Value, json};

use super::fields;
use crate::cli::text;
use crate::wire::pb;

/// A contribution as a line for people.
pub fn row(one: &pb::VisibleContribution) -> String {
    let contribution = one.contribution.clone().unwrap_or_default();
    let by = contribution.attribution.as_ref().map(attribution).unwrap_or_default();
    format!(
        "{}  {} {:<12} {:<13} {:<18} {} {}{}{by}",
        fields::accepted_at(one.accepted_at.as_ref()),
        fields::version(one.version.as_ref()),
        one.author,
        fields::tlp(one.sharing.as_ref()),
        if one.founds && one.replaces.is_none() { "creates a campaign" } else { "on a campaign" },
        one.campaign_id,
        text::one_line(&contribution.name),
        if by.is_empty() { "" } else { ": " },
    )
}

/// An attribution in one line: `a marketing firm (CN), confidence 70`.
pub fn attribution(by: &pb::Attribution) -> String {
    let actor = text::one_line(&by.actor);
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

/// A contribution as a JSON object.
pub fn object(one: &pb::VisibleContribution) -> Value {
    let contribution = one.contribution.clone().unwrap_or_default();
    let sharing = one.sharing.as_ref();
    json!({
        "campaign_id": one.campaign_id,
        "version": one.version.as_ref().map(text::version),
        "replaces": one.replaces.as_ref().map(text::version),
        "author": one.author,
        "accepted_at": text::time(one.accepted_at.as_ref()),
        "founds": one.founds,
        "name": contribution.name,
        "description": contribution.description,
        "attribution": contribution.attribution.map(|by| json!({
            "actor": by.actor,
            "country": by.country,
            "confidence": by.confidence,
            "basis": by.basis,
        })),
        "techniques": contribution.techniques,
        "targets": contribution.targets,
        "references": contribution.references,
        "tlp": fields::tlp(sharing),
        "audience": fields::audience(sharing.and_then(|sharing| sharing.audience.as_ref())),
    })
}
