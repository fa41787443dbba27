//! Writes received objects as a STIX 2.1 bundle.
//!
//! Each version of an assessment becomes an `indicator`, a contribution a `campaign`, an
//! enforcement a `note`, its author an `identity`, and its marking a TLP 2.0 marking. Fields
//! without a STIX property are in an extension, which the bundle defines. Ids are derived, so that
//! the same version is the same object in every bundle.

mod campaign;
mod marking;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::domain::assessment::{Basis, Involvement, Severity, Technique, Verdict};
use crate::domain::label::Label;
use crate::domain::{CampaignId, Kind, ReceivedAssessment, ReceivedEnforcement, Timestamp, Tlp};

/// The date of this mapping. Objects without a time of their own carry it.
const FIXED_AT: &str = "2026-11-25T00:00:00.000Z";

/// Builds a bundle.
#[derive(Debug, Default)]
pub struct Bundle {
    /// Ids of objects already added. Authors, markings and campaigns are added once.
    added_ids: BTreeSet<String>,
    objects: Vec<Value>,
    /// Object ids of each campaign: one per contribution.
    campaigns: BTreeMap<CampaignId, Vec<String>>,
    /// Indicators that name a campaign, with the time at which that was accepted.
    members: Vec<(String, CampaignId, Timestamp)>,
    /// Enforcements. They are written last, because their campaign may be added later.
    enforcements: Vec<ReceivedEnforcement>,
}

impl Bundle {
    /// Adds an assessment, after its author, marking and extension.
    pub fn add(&mut self, received: &ReceivedAssessment) {
        let author = self.identity(&received.author);
        let marking = self.marking(received.tlp);
        let extension = self.extension();
        self.objects.push(indicator(received, &author, marking, &extension));
        if let Some(campaign) = received.assessment.campaign {
            self.members.push((indicator_id(received), campaign, received.accepted));
        }
    }

    /// Returns the bundle as JSON. Its id is derived from its content.
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
        if self.added_ids.insert(id.to_owned()) {
            self.objects.push(object());
        }
    }
}

fn indicator(received: &ReceivedAssessment, author: &str, marking: &str, extension: &str) -> Value {
    let ReceivedAssessment { version, accepted, assessment, .. } = received;
    let asset = &assessment.indicator;
    let (kind, value) = (asset.kind(), asset.value());
    let prefix = asset.platform().map_or_else(String::new, |platform| format!("{platform}:"));
    let at = format_time(*accepted);
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": indicator_id(received),
        "created": at, "modified": at, "created_by_ref": author,
        "name": format!("{kind} {prefix}{value}"),
        "description": assessment.note.as_deref().map_or_else(
            || format!("Held to be {} by {}.", assessment.verdict(), received.author),
            str::to_owned,
        ),
        "indicator_types": [indicator_type(assessment.verdict())],
        "pattern": pattern::of(asset), "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": format_time(assessment.first_seen.map_or(*accepted, |time| time.min(*accepted))),
        "valid_until": format_time(assessment.expires_at(*accepted)),
        "confidence": assessment.confidence().percent(),
        "object_marking_refs": [marking],
        "extensions": { extension: {
            "extension_type": "property-extension",
            "assessment_version": version.to_string(),
            "indicator_id": received.id.to_string(),
            "kind": kind.as_str(),
            "verdict": assessment.verdict().as_str(),
            "severity": assessment.severity().as_str(),
            "involvement": assessment.involvement().as_str(),
            "basis": assessment.basis().as_str(),
        }},
    });
    let own_fields = &mut object["extensions"][extension];
    if let Some(platform) = asset.platform() {
        own_fields["platform"] = platform.as_str().into();
    }
    for (name, time) in [("first_seen", assessment.first_seen), ("last_seen", assessment.last_seen)]
    {
        if let Some(time) = time {
            own_fields[name] = format_time(time).into();
        }
    }
    if !assessment.labels.is_empty() {
        object["labels"] = assessment.labels.iter().map(Label::as_str).collect();
    }
    let references: Vec<_> =
        external_references(&assessment.techniques, &assessment.references).collect();
    if !references.is_empty() {
        object["external_references"] = references.into();
    }
    object
}

/// The STIX id of a version.
pub fn indicator_id(received: &ReceivedAssessment) -> String {
    id_of(
        "indicator",
        &[
            received.author.as_bytes(),
            received.id.as_bytes(),
            received.version.to_string().as_bytes(),
            &received.accepted.as_millis().to_be_bytes(),
        ],
    )
}

/// The JSON Schema of the extension.
fn schema() -> Value {
    let one_of = |names: Vec<&str>| json!({ "enum": names });
    let time = json!({ "type": "string", "format": "date-time" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tipoff assessment",
        "type": "object",
        "properties": {
            "extension_type": { "const": "property-extension" },
            "assessment_version": { "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" },
            "indicator_id": { "type": "string", "format": "uuid" },
            "kind": one_of(Kind::ALL.iter().map(|kind| kind.as_str()).collect()),
            "platform": { "type": "string" },
            "verdict": one_of(Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect()),
            "severity": one_of(Severity::ALL.iter().map(|severity| severity.as_str()).collect()),
            "involvement": one_of(Involvement::ALL.iter().map(|involvement| involvement.as_str()).collect()),
            "basis": one_of(Basis::ALL.iter().map(|basis| basis.as_str()).collect()),
            "first_seen": time,
            "last_seen": time,
        },
        "required": ["extension_type", "assessment_version", "indicator_id", "kind", "verdict"],
    })
}

/// A time as STIX writes it, in milliseconds.
fn format_time(time: Timestamp) -> String {
    let millis = time.as_millis();
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.3}")
}

/// The value of the STIX open vocabulary `indicator-type-ov` for a verdict.
fn indicator_type(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NonMalicious => "benign",
        Verdict::Unknown => "unknown",
        Verdict::Suspicious => "anomalous-activity",
        Verdict::Malicious => "malicious-activity",
    }
}

/// The STIX external references: techniques with their framework, followed by reports.
fn external_references<'a>(
    techniques: &'a [Technique],
    reports: &'a [Box<str>],
) -> impl Iterator<Item = Value> + 'a {
    let technique = |technique: &Technique| {
        let (number, framework) = (technique.as_str(), framework(technique));
        json!({ "source_name": framework, "external_id": number })
    };
    // STIX requires a hash for a `url`. There is none, so the URL is the external id.
    let report = |url: &str| json!({ "source_name": "report", "external_id": url });
    let reports = reports.iter().map(move |url| report(url));
    techniques.iter().map(technique).chain(reports)
}

/// The framework of a technique.
fn framework(technique: &Technique) -> &'static str {
    if technique.as_str().starts_with('T') { "DISARM" } else { "meta-online-operations-kill-chain" }
}

/// A derived id. It has the form of a version 4 UUID, which the standard requires for domain
/// objects; the bits come from SHA-256 instead of a random generator.
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
