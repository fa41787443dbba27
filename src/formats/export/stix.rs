//! Writes received objects as a STIX 2.1 bundle.
//!
//! Each version of an assessment becomes an `indicator`, a contribution a `campaign`, an
//! enforcement a `note`, its author an `identity`, and its marking a TLP 2.0 marking. Fields
//! without a STIX property are in an extension, which the bundle defines. Ids are derived, so that
//! the same version is the same object in every bundle.

mod campaign;
mod extension;
mod marking;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Builder;

pub use self::marking::id as marking_id;
use super::json::ArrayWriter;
use super::text::{clean, time_in_millis as format_time};
use super::{Tally, Writer, audience_keywords};

use crate::domain::assessment::{Technique, Verdict};
use crate::domain::label::Label;
use crate::domain::{CampaignId, ReceivedAssessment, Tlp};

/// The date of this mapping. Objects without a time of their own carry it.
const FIXED_AT: &str = "2026-11-25T00:00:00.000Z";

/// Writes a bundle, object by object.
///
/// Contributions come before the assessments and enforcements of their campaigns, which refer to them.
#[derive(Debug)]
pub struct BundleWriter<W> {
    objects: ArrayWriter<W>,
    /// Digest of the ids of all objects. The id of the bundle is derived from it.
    content: Sha256,
    /// Ids of objects that are written once: authors, markings, actors, locations.
    written_once: BTreeSet<String>,
    /// Object ids of each campaign: one per contribution.
    campaigns: BTreeMap<CampaignId, Vec<String>>,
}

impl<W: Write> BundleWriter<W> {
    /// A bundle on this output.
    pub fn new(out: W) -> Self {
        Self {
            objects: ArrayWriter::new(out, "\"type\":\"bundle\",", "objects"),
            content: Sha256::new(),
            written_once: BTreeSet::new(),
            campaigns: BTreeMap::new(),
        }
    }

    /// Writes an assessment after its author, marking and extension, and what campaign it indicates.
    pub fn add_assessment(&mut self, received: &ReceivedAssessment) -> io::Result<()> {
        let author = self.identity(&received.author)?;
        let marking = self.marking(received.tlp)?;
        let extension = self.extension()?;
        self.push(&indicator(received, &author, marking, &extension))?;
        let Some(campaign) = received.assessment.campaign else { return Ok(()) };
        let id = indicator_id(received);
        for campaign in self.campaigns.get(&campaign).cloned().unwrap_or_default() {
            let origin = campaign::Origin { author: &author, marking, accepted: received.accepted };
            let indicates = campaign::relationship(&id, "indicates", &campaign, origin);
            self.push(&indicates)?;
        }
        Ok(())
    }

    /// Writes the end of the bundle.
    pub fn close(&mut self) -> io::Result<()> {
        let id = id_of("bundle", &[&self.content.clone().finalize()]);
        if self.objects.is_empty() {
            // The standard allows no empty list of objects.
            let out = self.objects.output();
            writeln!(out, "{{\"type\":\"bundle\",\"id\":\"{id}\"}}")?;
            return out.flush();
        }
        self.objects.finish(&format!(",\"id\":\"{id}\""))
    }

    fn push(&mut self, object: &Value) -> io::Result<()> {
        self.content.update(object["id"].as_str().unwrap_or_default());
        self.objects.push(object)
    }

    fn identity(&mut self, partner: &str) -> io::Result<String> {
        let id = id_of("identity", &[partner.as_bytes()]);
        self.once(&id, || {
            json!({
                "type": "identity", "spec_version": "2.1", "id": id,
                "created": FIXED_AT, "modified": FIXED_AT,
                "name": partner, "identity_class": "organization",
                "description": "A partner of a Tipoff exchange.",
            })
        })?;
        Ok(id)
    }

    fn marking(&mut self, tlp: Tlp) -> io::Result<&'static str> {
        let id = marking::id(tlp);
        self.once(id, || marking::object(tlp))?;
        Ok(id)
    }

    fn extension(&mut self) -> io::Result<String> {
        let maker = self.identity("tipoff")?;
        let id = id_of("extension-definition", &[b"assessment"]);
        self.once(&id, || extension::definition(&id, &maker))?;
        Ok(id)
    }

    fn once(&mut self, id: &str, object: impl FnOnce() -> Value) -> io::Result<()> {
        if self.written_once.insert(id.to_owned()) { self.push(&object()) } else { Ok(()) }
    }
}

impl<W: Write> Writer for BundleWriter<W> {
    fn add(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        tally.written += 1;
        self.add_assessment(received)
    }

    fn finish(&mut self, _tally: &mut Tally) -> io::Result<()> {
        self.close()
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
            || default_description(assessment.verdict().as_str(), &received.author),
            |note| clean(note).into_owned(),
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
    let audience = audience_keywords(&received.audience);
    if !audience.is_empty() {
        // The standard allows no empty list.
        own_fields["audience"] = audience.into();
    }
    for (name, time) in [("first_seen", assessment.first_seen), ("last_seen", assessment.last_seen)]
    {
        if let Some(time) = time {
            own_fields[name] = format_time(time).into();
        }
    }
    if let Some(id) = &assessment.account.account_id {
        own_fields["account_id"] = (**id).into();
    }
    if !assessment.account.former_handles.is_empty() {
        own_fields["former_handles"] =
            assessment.account.former_handles.iter().map(|one| &**one).collect();
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

/// The description of an indicator without a note. Many readers expect one.
pub fn default_description(verdict: &str, author: &str) -> String {
    format!("Held to be {verdict} by {author}.")
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
    let report = |url: &str| json!({ "source_name": "report", "external_id": clean(url) });
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
