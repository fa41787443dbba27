//! What a reader was given, as a STIX 2.1 bundle for other systems.
//!
//! Each version of an assessment is an `indicator` of its own; what is said of a campaign a `campaign`; what
//! was done a `note`; its author an `identity`; what its reader may do with it a TLP 2.0 marking. What STIX has no property for stands in an extension that
//! is defined in the bundle. Ids are derived from what they name, so that the same version is the same
//! object in every bundle.

mod campaign;
mod marking;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::domain::assessment::{Basis, Involvement, Severity, Technique, Verdict};
use crate::domain::label::Label;
use crate::domain::{
    Assessment, CampaignId, Kind, ReceivedAssessment, ReceivedEnforcement, Timestamp, Tlp,
};

/// When this mapping was fixed: objects that stand for themselves were made and changed then.
const FIXED_AT: &str = "2026-11-25T00:00:00.000Z";

/// A bundle that is being put together.
#[derive(Debug, Default)]
pub struct Bundle {
    /// What was put in before: authors, markings and campaigns stand in it once.
    known: BTreeSet<String>,
    objects: Vec<Value>,
    /// The objects that stand for each campaign: one for each word on it.
    campaigns: BTreeMap<CampaignId, Vec<String>>,
    /// The indicators that are said to belong to one, with when that was accepted.
    members: Vec<(String, CampaignId, Timestamp)>,
    /// What was done: it refers to campaigns that may come later.
    done: Vec<ReceivedEnforcement>,
}

impl Bundle {
    /// Adds a version, and before it who and what it refers to.
    pub fn add(&mut self, given: &ReceivedAssessment) {
        let author = self.identity(&given.author);
        let marking = self.marking(given.tlp);
        let extension = self.extension();
        self.objects.push(indicator(given, &author, marking, &extension));
        if let Some(campaign) = given.said.campaign {
            self.members.push((indicator_id(given), campaign, given.accepted));
        }
    }

    /// The bundle, as JSON. Its id is derived from its content.
    pub fn finish(mut self) -> Value {
        self.relate();
        let mut content = Sha256::new();
        for object in &self.objects {
            content.update(object["id"].as_str().unwrap_or_default());
        }
        // A bundle without objects has no list of them: the standard allows no empty list.
        let mut bundle = Map::new();
        bundle.insert("type".into(), "bundle".into());
        bundle.insert("id".into(), id_of("bundle", &[&content.finalize()]).into());
        if !self.objects.is_empty() {
            bundle.insert("objects".into(), self.objects.into());
        }
        bundle.into()
    }

    fn identity(&mut self, partner: &str) -> String {
        let id = id_of("identity", &[partner.as_bytes()]);
        self.once(&id, || {
            json!({
                "type": "identity", "spec_version": "2.1", "id": id,
                "created": FIXED_AT, "modified": FIXED_AT,
                "name": partner, "identity_class": "organization",
                "description": "A partner of a Tipoff exchange.",
            })
        });
        id
    }

    fn marking(&mut self, tlp: Tlp) -> &'static str {
        let id = marking::id(tlp);
        self.once(id, || marking::object(tlp));
        id
    }

    fn extension(&mut self) -> String {
        let maker = self.identity("tipoff");
        let id = id_of("extension-definition", &[b"assessment"]);
        self.once(&id, || {
            json!({
                "type": "extension-definition", "spec_version": "2.1", "id": id,
                "created": FIXED_AT, "modified": FIXED_AT, "created_by_ref": maker,
                "name": "Tipoff assessment", "version": "1.0.0",
                "description": "What a partner of a Tipoff exchange says of an indicator beyond what \
                                STIX has properties for: its version, kind and platform, the verdict, \
                                severity, involvement and basis.",
                "schema": schema().to_string(),
                "extension_types": ["property-extension"],
            })
        });
        id
    }

    fn once(&mut self, id: &str, object: impl FnOnce() -> Value) {
        if self.known.insert(id.to_owned()) {
            self.objects.push(object());
        }
    }
}

fn indicator(given: &ReceivedAssessment, author: &str, marking: &str, extension: &str) -> Value {
    let ReceivedAssessment { version, accepted, said, .. } = given;
    let about = &said.indicator;
    let (kind, value) = (about.kind(), about.value());
    let named = about.platform().map_or_else(String::new, |platform| format!("{platform}:"));
    let at = written_time(*accepted);
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": indicator_id(given),
        "created": at, "modified": at, "created_by_ref": author,
        "name": format!("{kind} {named}{value}"),
        "description": said.note.as_deref().map_or_else(
            || format!("Held to be {} by {}.", said.verdict(), given.author),
            str::to_owned,
        ),
        "indicator_types": [indicator_type(said.verdict())],
        "pattern": pattern::of(about), "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": written_time(said.first_seen.map_or(*accepted, |seen| seen.min(*accepted))),
        "valid_until": written_time(said.ends(*accepted)),
        "confidence": said.confidence().percent(),
        "object_marking_refs": [marking],
        "extensions": { extension: {
            "extension_type": "property-extension",
            "assessment_version": version.to_string(),
            "indicator_id": given.id.to_string(),
            "kind": kind.as_str(),
            "verdict": said.verdict().as_str(),
            "severity": said.severity().as_str(),
            "involvement": said.involvement().as_str(),
            "basis": said.basis().as_str(),
        }},
    });
    let mine = &mut object["extensions"][extension];
    if let Some(platform) = about.platform() {
        mine["platform"] = platform.as_str().into();
    }
    for (name, time) in [("first_seen", said.first_seen), ("last_seen", said.last_seen)] {
        if let Some(time) = time {
            mine[name] = written_time(time).into();
        }
    }
    if !said.labels.is_empty() {
        object["labels"] = said.labels.iter().map(Label::as_str).collect();
    }
    let references: Vec<_> = references(said).collect();
    if !references.is_empty() {
        object["external_references"] = references.into();
    }
    object
}

/// The id under which a version stands in a bundle.
pub fn indicator_id(given: &ReceivedAssessment) -> String {
    id_of(
        "indicator",
        &[
            given.author.as_bytes(),
            given.id.as_bytes(),
            given.version.to_string().as_bytes(),
            &given.accepted.as_millis().to_be_bytes(),
        ],
    )
}

/// What the extension holds, as JSON Schema.
fn schema() -> Value {
    let one_of = |words: Vec<&str>| json!({ "enum": words });
    let time = json!({ "type": "string", "format": "date-time" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tipoff assessment",
        "type": "object",
        "properties": {
            "extension_type": { "const": "property-extension" },
            "assessment_version": { "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" },
            "indicator_id": { "type": "string", "format": "uuid" },
            "kind": one_of(Kind::ALL.iter().map(|word| word.as_str()).collect()),
            "platform": { "type": "string" },
            "verdict": one_of(Verdict::ALL.iter().map(|word| word.as_str()).collect()),
            "severity": one_of(Severity::ALL.iter().map(|word| word.as_str()).collect()),
            "involvement": one_of(Involvement::ALL.iter().map(|word| word.as_str()).collect()),
            "basis": one_of(Basis::ALL.iter().map(|word| word.as_str()).collect()),
            "first_seen": time,
            "last_seen": time,
        },
        "required": ["extension_type", "assessment_version", "indicator_id", "kind", "verdict"],
    })
}

/// A time as the standard writes it, to the millisecond.
fn written_time(time: Timestamp) -> String {
    let millis = time.as_millis();
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.3}")
}

/// The word of STIX's open vocabulary `indicator-type-ov` for a verdict.
fn indicator_type(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NonMalicious => "benign",
        Verdict::Unknown => "unknown",
        Verdict::Suspicious => "anomalous-activity",
        Verdict::Malicious => "malicious-activity",
    }
}

/// Techniques by the framework that numbers them, and then the reports.
fn references(said: &Assessment) -> impl Iterator<Item = Value> {
    references_of(&said.techniques, &said.references)
}

fn references_of<'a>(
    techniques: &'a [Technique],
    reports: &'a [Box<str>],
) -> impl Iterator<Item = Value> + 'a {
    let technique = |technique: &Technique| {
        let (number, of) = (technique.as_str(), framework(technique));
        json!({ "source_name": of, "external_id": number })
    };
    // A `url` goes with a hash of the page, which nobody has taken; as an id its address stands alone.
    let report = |url: &str| json!({ "source_name": "report", "external_id": url });
    let reports = reports.iter().map(move |url| report(url));
    techniques.iter().map(technique).chain(reports)
}

/// Which framework numbers a technique.
fn framework(technique: &Technique) -> &'static str {
    if technique.as_str().starts_with('T') { "DISARM" } else { "meta-online-operations-kill-chain" }
}

/// An id that is derived from parts. Shaped as version 4, which the standard asks of domain objects:
/// the bits come from SHA-256 instead of a dice.
fn id_of(kind: &str, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tipoff stix 2.1");
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    format!("{kind}--{}", Builder::from_random_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests;
