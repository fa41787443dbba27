//! Campaigns and enforcements as STIX objects.

use serde_json::{Value, json};

use super::{Bundle, format_time, id_of, references_of};
use crate::domain::campaign::Attribution;
use crate::domain::enforcement::EnforcementSource;
use crate::domain::{ReceivedContribution, ReceivedEnforcement, Timestamp};

impl Bundle {
    /// Adds a contribution as a `campaign` of its author: other partners may describe the campaign
    /// differently. The attributed actor becomes a `threat-actor`.
    pub fn add_contribution(&mut self, given: &ReceivedContribution) {
        let ReceivedContribution { version, accepted, campaign, contribution: said, .. } = given;
        let author = self.identity(&given.author);
        let marking = self.marking(given.tlp);
        let (at, version) = (format_time(*accepted), version.to_string());
        let id = id_of(
            "campaign",
            &[given.author.as_bytes(), campaign.as_bytes(), version.as_bytes(), at.as_bytes()],
        );
        let mut object = json!({
            "type": "campaign", "spec_version": "2.1", "id": id,
            "created": at, "modified": at, "created_by_ref": author,
            "name": said.name, "object_marking_refs": [marking],
        });
        let targets = match said.targets.join("; ") {
            none if none.is_empty() => None,
            all => Some(format!("Aimed at: {all}.")),
        };
        let description: Vec<_> =
            said.description.as_deref().into_iter().chain(targets.as_deref()).collect();
        if !description.is_empty() {
            object["description"] = description.join("\n\n").into();
        }
        let references: Vec<_> = references_of(&said.techniques, &said.references).collect();
        if !references.is_empty() {
            object["external_references"] = references.into();
        }
        self.objects.push(object);
        if let Some(by) = &said.attribution {
            self.attribute(&id, by, &author, marking, *accepted);
        }
        self.campaigns.entry(*campaign).or_default().push(id);
    }

    /// Adds an enforcement as a `note` on the campaign, or on its author if it names no campaign.
    pub fn add_enforcement(&mut self, given: &ReceivedEnforcement) {
        self.enforcements.push(given.clone());
    }

    fn attribute(
        &mut self,
        campaign: &str,
        by: &Attribution,
        author: &str,
        marking: &str,
        accepted: Timestamp,
    ) {
        let country = by.country.as_deref().unwrap_or_default();
        let name = match by.actor.as_deref() {
            Some(actor) => actor.to_owned(),
            None if country.is_empty() => return,
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
        });
        let mut attributed = relationship(campaign, "attributed-to", &actor, accepted);
        (attributed["created_by_ref"], attributed["object_marking_refs"]) =
            (author.into(), json!([marking]));
        if let Some(confidence) = by.confidence {
            attributed["confidence"] = confidence.percent().into();
        }
        if let Some(basis) = &by.basis {
            attributed["description"] = (&**basis).into();
        }
        self.objects.push(attributed);
        if !country.is_empty() {
            let location = id_of("location", &[country.as_bytes()]);
            self.once(&location, || {
                json!({
                    "type": "location", "spec_version": "2.1", "id": location,
                    "created": super::FIXED_AT, "modified": super::FIXED_AT, "country": country,
                })
            });
            let located = relationship(&actor, "located-at", &location, accepted);
            let id = located["id"].as_str().unwrap_or_default().to_owned();
            self.once(&id, || located);
        }
    }

    /// Adds the relationships of indicators to campaigns, and the notes on enforcements.
    pub(super) fn relate(&mut self) {
        for (indicator, campaign, accepted) in std::mem::take(&mut self.members) {
            for one in self.campaigns.get(&campaign).into_iter().flatten() {
                self.objects.push(relationship(&indicator, "indicates", one, accepted));
            }
        }
        for given in std::mem::take(&mut self.enforcements) {
            let author = self.identity(&given.author);
            let marking = self.marking(given.tlp);
            let campaigns =
                given.enforcement.campaign.and_then(|campaign| self.campaigns.get(&campaign));
            let subjects = campaigns.cloned().unwrap_or_else(|| vec![author.clone()]);
            self.objects.push(note(&given, &author, marking, &subjects));
        }
    }
}

fn relationship(from: &str, kind: &str, to: &str, accepted: Timestamp) -> Value {
    let at = format_time(accepted);
    let id = id_of("relationship", &[from.as_bytes(), kind.as_bytes(), to.as_bytes()]);
    json!({
        "type": "relationship", "spec_version": "2.1", "id": id,
        "created": at, "modified": at,
        "relationship_type": kind, "source_ref": from, "target_ref": to,
    })
}

fn note(given: &ReceivedEnforcement, author: &str, marking: &str, subjects: &[String]) -> Value {
    let (at, done) = (format_time(given.accepted), &given.enforcement);
    let version = given.version.to_string();
    let id = id_of("note", &[given.author.as_bytes(), version.as_bytes(), at.as_bytes()]);
    let counts = done.counts.iter().map(|one| {
        let on =
            one.platform.as_ref().map_or_else(String::new, |platform| format!(" on {platform}"));
        let about = if one.approximate { "about " } else { "" };
        let before = match one.already_disabled {
            0 => String::new(),
            count => format!(", of which {count} were disabled before"),
        };
        format!("{}{on}: {about}{}{before}", one.asset.as_str(), one.count)
    });
    let whose = match done.source {
        EnforcementSource::Own => format!("{} removed", given.author),
        EnforcementSource::Reported => format!("{} reports as removed by others", given.author),
    };
    let mut content = format!("{whose}: {}.", counts.collect::<Vec<_>>().join("; "));
    if let Some(note) = &done.note {
        content.push_str("\n\n");
        content.push_str(note);
    }
    json!({
        "type": "note", "spec_version": "2.1", "id": id,
        "created": at, "modified": at, "created_by_ref": author,
        "abstract": format!("Enforcement {}", done.id), "content": content,
        "object_refs": subjects, "object_marking_refs": [marking],
    })
}
