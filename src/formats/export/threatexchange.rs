//! Threat descriptors, as Meta's ThreatExchange returns them.
//! <https://developers.facebook.com/docs/threat-exchange/reference/apis/threat-descriptor>

use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::json::ArrayWriter;
use super::text::{clean, seconds};
use super::{LeftOut, Lost, Tally, Writer, tags};
use crate::domain::assessment::{Severity, Verdict};
use crate::domain::sharing::Audience;
use crate::domain::{Indicator, Kind, ReceivedAssessment, Timestamp, Tlp};

/// Writes a response of `threat_descriptors`: `{"data":[…],"paging":{}}`.
#[derive(Debug)]
pub struct DescriptorWriter<W> {
    data: ArrayWriter<W>,
}

impl<W: Write> DescriptorWriter<W> {
    /// Descriptors on this output.
    pub fn new(out: W) -> Self {
        Self { data: ArrayWriter::new(out, "", "data") }
    }
}

impl<W: Write> Writer for DescriptorWriter<W> {
    fn add(&mut self, received: &ReceivedAssessment, tally: &mut Tally) -> io::Result<()> {
        let Some((kind, value)) = type_and_value(&received.assessment.indicator) else {
            tally.leave_out(LeftOut::NoType);
            return Ok(());
        };
        self.data.push(&descriptor(received, kind, &value))?;
        tally.written += 1;
        if received.assessment.references.len() > 1 {
            tally.lose(Lost::References);
        }
        Ok(())
    }

    fn finish(&mut self, _tally: &mut Tally) -> io::Result<()> {
        self.data.finish(",\"paging\":{}")
    }
}

/// The `IndicatorType` and the value. What lives on a platform is a `URI`, by its address. `None` if
/// ThreatExchange has no type for the kind.
fn type_and_value(indicator: &Indicator) -> Option<(&'static str, String)> {
    let kind = match indicator.kind() {
        Kind::Domain => "DOMAIN",
        Kind::Url => "URI",
        Kind::Email => "EMAIL_ADDRESS",
        Kind::Phone => "TELEPHONE",
        Kind::Ip => "IP_ADDRESS",
        Kind::Network => "IP_SUBNET",
        Kind::Asn => {
            return Some(("AS_NUMBER", indicator.value().trim_start_matches("AS").to_owned()));
        }
        Kind::Md5 => "HASH_MD5",
        Kind::Sha1 => "HASH_SHA1",
        Kind::Sha256 => "HASH_SHA256",
        Kind::Ssdeep => "HASH_SSDEEP",
        Kind::Pdq => "HASH_PDQ",
        Kind::Account
        | Kind::AccountId
        | Kind::Page
        | Kind::Community
        | Kind::Channel
        | Kind::AndroidPackage => return Some(("URI", indicator.web_address()?)),
        // HASH_TEXT_TLSH is of normalised text, TEXT_STRING is matched by similarity: a reader would
        // find what was not meant.
        Kind::Sha512 | Kind::Tlsh | Kind::Hashtag | Kind::IosAppId | Kind::CryptoAddress => {
            return None;
        }
    };
    Some((kind, indicator.value().to_owned()))
}

fn descriptor(received: &ReceivedAssessment, kind: &str, value: &str) -> Value {
    let assessment = &received.assessment;
    let (privacy_type, privacy_members) = privacy(&received.audience);
    let version = received.version.to_string();
    let id = number(&[b"descriptor", received.author.as_bytes(), version.as_bytes()]);
    let mut object = json!({
        "id": id,
        "type": kind,
        "raw_indicator": value,
        "indicator": {
            "id": number(&[b"indicator", received.id.as_bytes()]),
            "indicator": value,
            "type": kind,
        },
        "owner": { "id": number(&[b"owner", received.author.as_bytes()]), "name": received.author },
        "status": status(assessment.verdict()),
        "severity": severity(assessment.severity()),
        "share_level": share_level(received.tlp),
        "confidence": assessment.confidence().percent(),
        "description": assessment.note.as_deref().map(clean).unwrap_or_default(),
        "privacy_type": privacy_type,
        "tags": tags_of(received),
        "added_on": time(received.accepted),
        "last_updated": time(received.accepted),
        "expired_on": seconds(assessment.expires_at(received.accepted)),
    });
    if !privacy_members.is_empty() {
        object["privacy_members"] = privacy_members.into();
    }
    for (name, at) in
        [("first_active", assessment.first_seen), ("last_active", assessment.last_seen)]
    {
        if let Some(at) = at {
            object[name] = time(at).into();
        }
    }
    if let Some(reference) = assessment.references.first() {
        object["source_uri"] = clean(reference).into();
    }
    object
}

/// What the fields cannot say: the exact marking, the audience, kind and platform, the campaign.
fn tags_of(received: &ReceivedAssessment) -> Vec<String> {
    let mut all = vec![tags::tlp(received)];
    all.extend(tags::audience(&received.audience));
    all.extend(tags::of_kind(received));
    all.extend(received.assessment.campaign.map(|id| tags::tag("campaign", &id.to_string())));
    all.extend(tags::of_assessment(received));
    all
}

/// `StatusType`.
fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NonMalicious => "NON_MALICIOUS",
        Verdict::Unknown => "UNKNOWN",
        Verdict::Suspicious => "SUSPICIOUS",
        Verdict::Malicious => "MALICIOUS",
    }
}

/// `SeverityType`, which has as many steps.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFO",
        Severity::Low => "WARNING",
        Severity::Medium => "SUSPICIOUS",
        Severity::High => "SEVERE",
        Severity::Critical => "APOCALYPSE",
    }
}

/// `ShareLevelType`, the markings of TLP 1.0: AMBER+STRICT is a tag, CLEAR was called WHITE.
fn share_level(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Red => "RED",
        Tlp::AmberStrict | Tlp::Amber => "AMBER",
        Tlp::Green => "GREEN",
        Tlp::Clear => "WHITE",
    }
}

/// `privacy_type` and `privacy_members`. The members have their names of this exchange.
fn privacy(audience: &Audience) -> (&'static str, String) {
    let Audience::Named { groups, partners } = audience else {
        return ("VISIBLE", String::new());
    };
    let privacy_type = match (groups.is_empty(), partners.is_empty()) {
        (false, true) => "HAS_PRIVACY_GROUP",
        (false, false) => "HAS_PRIVACY_GROUP_AND_WHITELIST",
        (true, _) => "HAS_WHITELIST",
    };
    let groups = groups.iter().map(ToString::to_string);
    let members: Vec<_> = groups.chain(partners.iter().map(ToString::to_string)).collect();
    (privacy_type, members.join(","))
}

/// A time as the Graph API writes it.
fn time(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_second(seconds(time)).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// A derived id. Ids of ThreatExchange are decimal numbers of 63 bits.
fn number(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new_with_prefix("tipoff threatexchange");
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let bytes = hash.finalize();
    let number = bytes[..8].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    (number >> 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{every_kind, of_kind, sample};
    use super::*;
    use crate::domain::PartnerId;

    fn written(all: &[ReceivedAssessment]) -> (Vec<Value>, Tally) {
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        let mut descriptors = DescriptorWriter::new(&mut out);
        for received in all {
            descriptors.add(received, &mut tally).unwrap();
        }
        descriptors.finish(&mut tally).unwrap();
        let mut response: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(response["paging"], json!({}));
        (response["data"].as_array_mut().unwrap().drain(..).collect(), tally)
    }

    #[test]
    fn each_kind_has_a_type_or_is_counted() {
        let table = [
            (Kind::Account, "URI https://x.com/harbour"),
            (Kind::AccountId, "URI https://x.com/i/user/1234567890"),
            (Kind::Page, "URI https://facebook.com/pg/1000"),
            (Kind::Community, "URI https://reddit.com/r/harbour"),
            (Kind::Channel, "URI https://t.me/+AbC"),
            (Kind::Domain, "DOMAIN a.example"),
            (Kind::Url, "URI https://a.example/it's?q=1,2"),
            (Kind::Email, "EMAIL_ADDRESS someone@mail.example"),
            (Kind::Phone, "TELEPHONE +12025550143"),
            (Kind::Ip, "IP_ADDRESS 192.0.2.7"),
            (Kind::Network, "IP_SUBNET 192.0.2.0/24"),
            (Kind::Asn, "AS_NUMBER 64496"),
            (Kind::Md5, "HASH_MD5 9e107d9d372bb6826bd81d3542a419d6"),
            (Kind::Sha1, "HASH_SHA1 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
            (
                Kind::Sha256,
                "HASH_SHA256 d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592",
            ),
            (
                Kind::Pdq,
                "HASH_PDQ f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22",
            ),
            (Kind::Ssdeep, "HASH_SSDEEP 96:aB/+cDeF0123:xYz/+789"),
            (
                Kind::AndroidPackage,
                "URI https://play.google.com/store/apps/details?id=com.example.Harbour",
            ),
        ];
        for kind in Kind::ALL {
            let (descriptors, tally) = written(&[of_kind(*kind)]);
            let line = descriptors.first().map(|one| {
                let of = |name: &str| one[name].as_str().unwrap().to_owned();
                assert_eq!(one["indicator"]["indicator"], one["raw_indicator"]);
                format!("{} {}", of("type"), of("raw_indicator"))
            });
            let expected = table.iter().find(|(of, _)| of == kind).map(|(_, line)| *line);
            assert_eq!(line.as_deref(), expected, "{kind}");
            let counted = tally.left_out.get(&LeftOut::NoType).copied().unwrap_or_default();
            assert_eq!(tally.written + counted, 1);
        }
    }

    #[test]
    fn a_descriptor_has_the_fields_of_its_assessment() {
        let (descriptors, tally) = written(&[of_kind(Kind::Page), sample("a.example")]);
        let page = &descriptors[0];
        let expected = [
            ("status", json!("MALICIOUS")),
            ("severity", json!("SEVERE")),
            ("share_level", json!("AMBER")),
            ("confidence", json!(70)),
            ("description", json!("said \"no\",\nand again")),
            ("privacy_type", json!("HAS_PRIVACY_GROUP")),
            ("privacy_members", json!("core")),
            ("added_on", json!("2025-11-25T08:00:00+0000")),
            ("expired_on", json!(1_765_000_000)),
            ("source_uri", json!("https://report.example/1;a")),
        ];
        for (name, value) in expected {
            assert_eq!(page[name], value, "{name}");
        }
        let all_tags = page["tags"].as_array().unwrap();
        for tag in ["tlp:amber", "phishing", "tipoff:kind=\"page\"", "tipoff:technique=\"T0090\""] {
            assert!(all_tags.contains(&json!(tag)), "{tag} is not in {all_tags:?}");
        }
        assert_eq!(tally.lost[&Lost::References], 1);
        let domain = &descriptors[1];
        assert_eq!(domain["description"], "");
        assert!(domain.get("source_uri").is_none() && domain.get("first_active").is_none());
        // Ids are decimal numbers, as the API has them.
        let id: u64 = page["id"].as_str().unwrap().parse().unwrap();
        assert!(id < 1 << 63);
        assert_eq!(written(&every_kind()).0, written(&every_kind()).0);
    }

    #[test]
    fn the_audience_is_the_privacy_of_a_descriptor() {
        let partners = [PartnerId::from_stored("facegraph")];
        let named = |groups: &[&str], partners: &[PartnerId]| Audience::Named {
            groups: groups.iter().map(|id| crate::domain::GroupId::from_stored(id)).collect(),
            partners: partners.iter().cloned().collect(),
        };
        let table = [
            (Audience::Public, ("VISIBLE", "")),
            (Audience::Everyone, ("VISIBLE", "")),
            (named(&["a", "b"], &[]), ("HAS_PRIVACY_GROUP", "a,b")),
            (named(&["a"], &partners), ("HAS_PRIVACY_GROUP_AND_WHITELIST", "a,facegraph")),
            (named(&[], &partners), ("HAS_WHITELIST", "facegraph")),
            // Released to its reader alone: nobody else may see it.
            (named(&[], &[]), ("HAS_WHITELIST", "")),
        ];
        for (audience, (privacy_type, members)) in table {
            assert_eq!(privacy(&audience), (privacy_type, members.to_owned()));
        }
    }
}
