//! Campaigns and enforcements as STIX objects.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{BundleWriter, clean, external_references, format_time, id_of};
use crate::domain::campaign::Attribution;
use crate::domain::enforcement::EnforcementSource;
use crate::domain::{ReceivedContribution, ReceivedEnforcement, Timestamp};

impl<W: Write> BundleWriter<W> {
    /// Writes a contribution as a `campaign` of its author: other partners may describe the campaign
    /// differently. The attributed actor becomes a `threat-actor`.
    pub fn add_contribution(&mut self, received: &ReceivedContribution) -> io::Result<()> {
        let ReceivedContribution { version, accepted, campaign, contribution, .. } = received;
        let author = self.identity(&received.author)?;
        let marking = self.marking(received.tlp)?;
        let (at, version) = (format_time(*accepted), version.to_string());
        let id = id_of(
            "campaign",
            &[received.author.as_bytes(), campaign.as_bytes(), version.as_bytes(), at.as_bytes()],
        );
        let mut object = json!({
            "type": "campaign", "spec_version": "2.1", "id": id,
            "created": at, "modified": at, "created_by_ref": author,
            "name": clean(&contribution.name), "object_marking_refs": [marking],
        });
        let targets = match contribution.targets.join("; ") {
            targets if targets.is_empty() => None,
            targets => Some(format!("Aimed at: {targets}.")),
        };
        let description: Vec<_> =
            contribution.description.as_deref().into_iter().chain(targets.as_deref()).collect();
        if !description.is_empty() {
            object["description"] = clean(&description.join("\n\n")).into();
        }
        let references: Vec<_> =
            external_references(&contribution.techniques, &contribution.references).collect();
        if !references.is_empty() {
            object["external_references"] = references.into();
        }
        self.push(&object)?;
        if let Some(attribution) = &contribution.attribution {
            self.attribute(&id, attribution, &author, marking, *accepted)?;
        }
        self.campaigns.entry(*campaign).or_default().push(id);
        Ok(())
    }

    /// Writes an enforcement as a `note` on its campaign, or on its author if it names no campaign.
    pub fn add_enforcement(&mut self, received: &ReceivedEnforcement) -> io::Result<()> {
        let author = self.identity(&received.author)?;
        let marking = self.marking(received.tlp)?;
        let campaigns =
            received.enforcement.campaign.and_then(|campaign| self.campaigns.get(&campaign));
        let subjects = campaigns.cloned().unwrap_or_else(|| vec![author.clone()]);
        self.push(&note(received, &author, marking, &subjects))
    }

    fn attribute(
        &mut self,
        campaign: &str,
        attribution: &Attribution,
        author: &str,
        marking: &str,
        accepted: Timestamp,
    ) -> io::Result<()> {
        let country = attribution.country.as_deref().unwrap_or_default();
        let name = match attribution.actor.as_deref() {
            Some(actor) => clean(actor).into_owned(),
            None if country.is_empty() => return Ok(()),
            None => format!("somebody in {country}"),
        };
        let at = format_time(accepted);
        let actor =
            id_of("threat-actor", &[author.as_bytes(), name.as_bytes(), country.as_bytes()]);
        self.once(&actor, || {
            json!({
                "type": "threat-actor", "spec_version": "2.1", "id": actor,
                "created": at, "modified": at, "created_by_ref": author,
                "name": name, "threat_actor_types": ["unknown"],
                "object_marking_refs": [marking],
            })
        })?;
        let origin = Origin { author, marking, accepted };
        let mut attributed_to = relationship(campaign, "attributed-to", &actor, origin);
        if let Some(confidence) = attribution.confidence {
            attributed_to["confidence"] = confidence.percent().into();
        }
        if let Some(basis) = &attribution.basis {
            attributed_to["description"] = clean(basis).into();
        }
        self.push(&attributed_to)?;
        if !country.is_empty() {
            let location = id_of("location", &[country.as_bytes()]);
            self.once(&location, || {
                json!({
                    "type": "location", "spec_version": "2.1", "id": location,
                    "created": super::FIXED_AT, "modified": super::FIXED_AT, "country": country,
                })
            })?;
            let located_at = relationship(&actor, "located-at", &location, origin);
            let id = located_at["id"].as_str().unwrap_or_default().to_owned();
            self.once(&id, || located_at)?;
        }
        Ok(())
    }
}

/// Where an object comes from: the ids of its author and marking, and when the exchange accepted it.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub author: &'a str,
    pub marking: &'a str,
    pub accepted: Timestamp,
}

/// A relationship between two objects.
pub(super) fn relationship(from: &str, kind: &str, to: &str, origin: Origin<'_>) -> Value {
    let at = format_time(origin.accepted);
    let id = id_of("relationship", &[from.as_bytes(), kind.as_bytes(), to.as_bytes()]);
    json!({
        "type": "relationship", "spec_version": "2.1", "id": id,
        "created": at, "modified": at,
        "relationship_type": kind, "source_ref": from, "target_ref": to,
        "created_by_ref": origin.author, "object_marking_refs": [origin.marking],
    })
}

fn note(received: &ReceivedEnforcement, author: &str, marking: &str, subjects: &[String]) -> Value {
    let (at, enforcement) = (format_time(received.accepted), &received.enforcement);
    let version = received.version.to_string();
    let id = id_of("note", &[received.author.as_bytes(), version.as_bytes(), at.as_bytes()]);
    let counts = enforcement.counts.iter().map(|count| {
        let on =
            count.platform.as_ref().map_or_else(String::new, |platform| format!(" on {platform}"));
        let about = if count.approximate { "about " } else { "" };
        let before = match count.already_disabled {
            0 => String::new(),
            disabled => format!(", of which {disabled} were disabled before"),
        };
        format!("{}{on}: {about}{}{before}", count.asset.as_str(), count.count)
    });
    let subject = match enforcement.source {
        EnforcementSource::Own => format!("{} removed", received.author),
        EnforcementSource::Reported => format!("{} reports as removed by others", received.author),
    };
    let mut content = format!("{subject}: {}.", counts.collect::<Vec<_>>().join("; "));
    if let Some(note) = &enforcement.note {
        content.push_str("\n\n");
        content.push_str(&clean(note));
    }
    json!({
        "type": "note", "spec_version": "2.1", "id": id,
        "created": at, "modified": at, "created_by_ref": author,
        "abstract": format!("Enforcement {}", enforcement.id), "content": content,
        "object_refs": subjects, "object_marking_refs": [marking],
    })
}
