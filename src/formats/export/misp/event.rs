//! Events: what one partner shared on one day, with one marking, audience and campaign.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::tags;
use super::super::text::seconds;
use super::uuid_of;
use crate::domain::assessment::Severity;
use crate::domain::sharing::Audience;
use crate::domain::{CampaignId, Day, ReceivedAssessment, Timestamp, Tlp};

/// The event to which a version belongs for as long as it is current: it depends on nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    author: String,
    day: Day,
    tlp: Tlp,
    audience: Audience,
    campaign: Option<CampaignId>,
}

impl EventKey {
    /// The event of a version.
    pub fn of(received: &ReceivedAssessment) -> Self {
        Self {
            author: received.author.clone(),
            day: Day::of(received.accepted),
            tlp: received.tlp,
            audience: received.audience.clone(),
            campaign: received.assessment.campaign,
        }
    }

    /// The tags of the event.
    pub fn tags(&self) -> Vec<Value> {
        let name = format!("tlp:{}", self.tlp.as_str().to_ascii_lowercase());
        let mut all = vec![json!({ "name": name, "colour": colour(self.tlp) })];
        let campaign = self.campaign.map(|campaign| tags::tag("campaign", &campaign.to_string()));
        let own = [tags::tag("author", &self.author)].into_iter();
        let own = own.chain(tags::audience(&self.audience)).chain(campaign);
        all.extend(own.map(|name| json!({ "name": name, "colour": OWN_COLOUR })));
        all
    }

    /// The id of the event, or of one part of it.
    pub fn uuid(&self, part: &str) -> Uuid {
        let audience = tags::audience(&self.audience).join(" ");
        let campaign = self.campaign.map(|campaign| campaign.to_string()).unwrap_or_default();
        let day = self.day.to_string();
        uuid_of("event", &[&self.author, &day, self.tlp.as_str(), &audience, &campaign, part])
    }

    /// The members that the event has in its own file and in the manifest. `part` is empty if the
    /// event is whole, else the first digits of the ids of its indicators.
    pub fn summary(&self, part: &str, newest: Timestamp, severity: Severity) -> Value {
        let mut info = format!("Shared by {} on {}", self.author, self.day);
        if let Some(campaign) = self.campaign {
            info = format!("{info}, campaign {campaign}");
        }
        if !part.is_empty() {
            info = format!("{info}, part {part}");
        }
        json!({
            "info": info,
            "date": self.day.to_string(),
            "analysis": "2",
            "threat_level_id": threat_level(severity),
            "timestamp": seconds(newest).to_string(),
            "Orgc": {
                "name": self.author,
                "uuid": uuid_of("organisation", &[&self.author]).to_string(),
            },
            "Tag": self.tags(),
        })
    }

    /// The members of the event in its own file, without its attributes.
    pub fn event(&self, part: &str, newest: Timestamp, severity: Severity) -> Value {
        let mut event = self.summary(part, newest, severity);
        event["uuid"] = self.uuid(part).to_string().into();
        event["published"] = true.into();
        event["publish_timestamp"] = event["timestamp"].clone();
        event["distribution"] = distribution(self.tlp).into();
        event
    }
}

/// How far a MISP server may pass an event on.
fn distribution(tlp: Tlp) -> &'static str {
    match tlp {
        // Your organisation only.
        Tlp::Red | Tlp::AmberStrict | Tlp::Amber => "0",
        // This community only.
        Tlp::Green => "1",
        // All communities.
        Tlp::Clear => "3",
    }
}

/// The threat level of MISP for the highest severity in an event.
fn threat_level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "1",
        Severity::Medium => "2",
        Severity::Low => "3",
        Severity::Info => "4",
    }
}

/// The colours that TLP 2.0 prescribes.
fn colour(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Red => "#FF2B2B",
        Tlp::AmberStrict | Tlp::Amber => "#FFC000",
        Tlp::Green => "#33FF00",
        Tlp::Clear => "#FFFFFF",
    }
}

const OWN_COLOUR: &str = "#3B5573";

#[cfg(test)]
mod tests {
    use super::super::super::samples::sample;
    use super::*;

    #[test]
    fn a_version_stays_in_its_event_and_what_differs_in_sharing_is_apart() {
        let first = sample("a.example");
        let key = EventKey::of(&first);
        assert_eq!(EventKey::of(&sample("b.example")), key);
        let mut uuids = vec![key.uuid(""), key.uuid("0"), key.uuid("1")];
        let changes: [&dyn Fn(&mut ReceivedAssessment); 5] = [
            &|one| one.tlp = Tlp::Green,
            &|one| one.audience = Audience::Everyone,
            &|one| one.author = "facegraph".into(),
            &|one| one.assessment.campaign = Some(CampaignId::from_bytes([1; 16])),
            &|one| one.accepted = Timestamp::from_millis(one.accepted.as_millis() + 86_400_000),
        ];
        for change in changes {
            let mut other = first.clone();
            change(&mut other);
            uuids.push(EventKey::of(&other).uuid(""));
        }
        let count = uuids.len();
        uuids.sort();
        uuids.dedup();
        assert_eq!(uuids.len(), count);
    }

    #[test]
    fn an_event_is_distributed_no_further_than_its_marking_allows() {
        let far = Tlp::ALL.iter().map(|tlp| distribution(*tlp)).collect::<Vec<_>>();
        assert_eq!(far, ["0", "0", "0", "1", "3"]);
    }
}
