//! Attributes: an assessment in the types, categories and tags of MISP.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::harmless;
use super::super::tags;
use super::super::text::{clean, seconds, time_in_millis};
use super::uuid_of;
use crate::domain::assessment::Verdict;
use crate::domain::{Indicator, Kind, Platform, ReceivedAssessment};

/// Begins a line of a comment that is a reference.
pub const REFERENCE: &str = "Reference: ";

/// What MISP calls a value.
#[derive(Debug, PartialEq, Eq)]
pub struct Naming {
    /// The attribute type.
    pub kind: &'static str,
    /// The category, one that MISP allows for the type.
    pub category: &'static str,
    /// The value as the type has it.
    pub value: String,
    /// Whether the type alone says the kind and the platform. If not, tags do.
    pub is_exact: bool,
}

/// The type that is nearest to the kind. What lives on a platform is a `text` with the platform in
/// front, since MISP has attribute types for few platforms.
pub fn naming(indicator: &Indicator) -> Naming {
    let value = indicator.value();
    let on_platform =
        || indicator.platform().map_or_else(|| value.to_owned(), |on| format!("{on}:{value}"));
    let exact = |kind, category| Naming { kind, category, value: value.to_owned(), is_exact: true };
    let near = |kind, category, value| Naming { kind, category, value, is_exact: false };
    let platform = indicator.platform().map(Platform::as_str);
    match (indicator.kind(), platform) {
        (Kind::Account, Some("github")) => exact("github-username", "Social network"),
        (Kind::Account, Some("x")) => near("twitter-id", "Social network", value.to_owned()),
        (Kind::Account | Kind::AccountId | Kind::Page | Kind::Community | Kind::Channel, _) => {
            near("text", "Social network", on_platform())
        }
        (Kind::Hashtag, _) => near("text", "Social network", value.to_owned()),
        (Kind::Domain, _) => exact("domain", "Network activity"),
        (Kind::Url, _) => exact("url", "Network activity"),
        (Kind::Email, _) => exact("email", "Social network"),
        (Kind::Phone, _) => exact("phone-number", "Other"),
        (Kind::Ip | Kind::Network, _) => exact("ip-dst", "Network activity"),
        (Kind::Asn, _) => exact("AS", "Network activity"),
        (Kind::Md5, _) => exact("md5", "Payload delivery"),
        (Kind::Sha1, _) => exact("sha1", "Payload delivery"),
        (Kind::Sha256, _) => exact("sha256", "Payload delivery"),
        (Kind::Sha512, _) => exact("sha512", "Payload delivery"),
        (Kind::Tlsh, _) => exact("tlsh", "Payload delivery"),
        (Kind::Ssdeep, _) => exact("ssdeep", "Payload delivery"),
        (Kind::Pdq, _) => near("other", "Payload delivery", value.to_owned()),
        (Kind::AndroidPackage | Kind::IosAppId, _) => {
            near("mobile-application-id", "Payload delivery", value.to_owned())
        }
        (Kind::CryptoAddress, Some("bitcoin")) => exact("btc", "Financial fraud"),
        (Kind::CryptoAddress, Some("monero")) => exact("xmr", "Financial fraud"),
        (Kind::CryptoAddress, _) => near("text", "Financial fraud", on_platform()),
    }
}

/// The attribute of a version.
pub fn attribute(received: &ReceivedAssessment, naming: &Naming) -> Value {
    let assessment = &received.assessment;
    let mut names = tags::of_judgement(received);
    if !naming.is_exact {
        names.extend(tags::of_kind(received));
    }
    names.extend(tags::of_assessment(received));
    let all_tags: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    let mut object = json!({
        "uuid": uuid(received).to_string(),
        "type": naming.kind,
        "category": naming.category,
        "value": naming.value,
        "to_ids": is_for_detection(received),
        "comment": comment(received),
        "timestamp": seconds(received.accepted).to_string(),
        // As the event.
        "distribution": "5",
        "disable_correlation": false,
        "deleted": false,
        "Tag": all_tags,
    });
    for (name, at) in [("first_seen", assessment.first_seen), ("last_seen", assessment.last_seen)] {
        if let Some(at) = at {
            object[name] = time_in_millis(at).into();
        }
    }
    object
}

/// The id of a version: the same in every export.
fn uuid(received: &ReceivedAssessment) -> Uuid {
    let version = received.version.to_string();
    let accepted = received.accepted.as_millis().to_string();
    uuid_of("attribute", &[&received.author, &received.id.to_string(), &version, &accepted])
}

/// MISP's `to_ids`: whether tools may alert on the value by themselves.
fn is_for_detection(received: &ReceivedAssessment) -> bool {
    harmless(received).is_none()
        && matches!(received.assessment.verdict(), Verdict::Suspicious | Verdict::Malicious)
}

/// The note, followed by a line for each reference.
fn comment(received: &ReceivedAssessment) -> String {
    let note = received.assessment.note.as_deref().map(clean);
    let references = received.assessment.references.iter();
    let references = references.map(|reference| format!("{REFERENCE}{}", clean(reference)).into());
    note.into_iter().chain(references).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{every_kind, of_kind, sample};
    use super::*;
    use crate::domain::assessment::Involvement;

    #[test]
    fn each_kind_has_a_type_and_what_the_type_does_not_say_is_tagged() {
        let table = [
            (Kind::Account, "twitter-id harbour", false),
            (Kind::AccountId, "text x:1234567890", false),
            (Kind::Page, "text facebook:1000", false),
            (Kind::Community, "text reddit:harbour", false),
            (Kind::Channel, "text telegram:+AbC", false),
            (Kind::Domain, "domain a.example", true),
            (Kind::Url, "url https://a.example/it's?q=1,2", true),
            (Kind::Email, "email someone@mail.example", true),
            (Kind::Phone, "phone-number +12025550143", true),
            (Kind::Ip, "ip-dst 192.0.2.7", true),
            (Kind::Network, "ip-dst 192.0.2.0/24", true),
            (Kind::Asn, "AS AS64496", true),
            (Kind::Hashtag, "text #harbour", false),
            (Kind::AndroidPackage, "mobile-application-id com.example.Harbour", false),
            (Kind::IosAppId, "mobile-application-id 1234567890", false),
            (Kind::CryptoAddress, "btc bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", true),
        ];
        for received in every_kind() {
            let indicator = &received.assessment.indicator;
            let kind = indicator.kind();
            let naming = naming(indicator);
            if let Some((_, line, is_exact)) = table.iter().find(|(of, ..)| *of == kind) {
                assert_eq!(format!("{} {}", naming.kind, naming.value), *line);
                assert_eq!(naming.is_exact, *is_exact, "{kind}");
            } else {
                // Digests have types of their own name.
                let expected = if kind == Kind::Pdq { "other" } else { kind.as_str() };
                assert_eq!((naming.kind, naming.is_exact), (expected, kind != Kind::Pdq));
            }
            let attribute = attribute(&received, &naming);
            let tags = attribute["Tag"].as_array().unwrap();
            let tag = json!({ "name": tags::tag("kind", kind.as_str()) });
            assert_eq!(tags.contains(&tag), !naming.is_exact, "{kind}");
        }
    }

    #[test]
    fn tools_alert_on_what_an_attacker_runs_and_on_nothing_else() {
        let is_for = |change: &dyn Fn(&mut ReceivedAssessment)| {
            let mut received = sample("a.example");
            change(&mut received);
            attribute(&received, &naming(&received.assessment.indicator))["to_ids"].clone()
        };
        assert_eq!(is_for(&|_| {}), true);
        for verdict in [Verdict::NonMalicious, Verdict::Unknown] {
            assert_eq!(is_for(&|one| one.assessment.verdict = Some(verdict)), false);
        }
        for involvement in
            [Involvement::Victim, Involvement::AbusedService, Involvement::ThirdParty]
        {
            assert_eq!(is_for(&|one| one.assessment.involvement = Some(involvement)), false);
        }
    }

    #[test]
    fn the_comment_is_the_note_and_the_references() {
        let received = of_kind(Kind::Domain);
        let attribute = attribute(&received, &naming(&received.assessment.indicator));
        let comment = "said \"no\",\nand again\nReference: https://report.example/1;a\nReference: \
                       https://report.example/2";
        assert_eq!(attribute["comment"], comment);
        assert_eq!(attribute["first_seen"], "2025-11-24T16:00:00.000Z");
    }
}
