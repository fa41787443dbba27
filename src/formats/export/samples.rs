//! Assessments for the tests of the writers.

use crate::domain::account::{AccountNames, is_account};
use crate::domain::assessment::{
    Assessment, Basis, Confidence, Involvement, Severity, Technique, Verdict,
};
use crate::domain::label::Label;
use crate::domain::sharing::Audience;
use crate::domain::{
    CampaignId, GroupId, Indicator, Kind, Platform, Position, ReceivedAssessment, Timestamp, Tlp,
};

/// A value of each kind, in canonical form.
fn value_of(kind: Kind) -> (Option<&'static str>, &'static str) {
    match kind {
        Kind::Account => (Some("x"), "harbour"),
        Kind::AccountId => (Some("x"), "1234567890"),
        Kind::Page => (Some("facebook"), "1000"),
        Kind::Community => (Some("reddit"), "harbour"),
        Kind::Channel => (Some("telegram"), "+AbC"),
        Kind::Domain => (None, "a.example"),
        Kind::Url => (None, "https://a.example/it's?q=1,2"),
        Kind::Email => (None, "someone@mail.example"),
        Kind::Phone => (None, "+12025550143"),
        Kind::Ip => (None, "192.0.2.7"),
        Kind::Md5 => (None, "9e107d9d372bb6826bd81d3542a419d6"),
        Kind::Sha1 => (None, "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
        Kind::Sha256 => (None, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"),
        Kind::Pdq => (None, "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"),
        Kind::Tlsh => {
            (None, "6bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf16bf1a2")
        }
        Kind::Hashtag => (None, "#harbour"),
        Kind::AndroidPackage => (None, "com.example.Harbour"),
        Kind::IosAppId => (None, "1234567890"),
        Kind::CryptoAddress => (Some("bitcoin"), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        Kind::Network => (None, "192.0.2.0/24"),
        Kind::Asn => (None, "AS64496"),
        Kind::Sha512 => (
            None,
            "07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb642e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6",
        ),
        Kind::Ssdeep => (None, "96:aB/+cDeF0123:xYz/+789"),
    }
}

/// One assessment of each kind, with a value in every field.
pub fn every_kind() -> Vec<ReceivedAssessment> {
    Kind::ALL.iter().map(|kind| of_kind(*kind)).collect()
}

/// An assessment of this kind, with a value in every field.
pub fn of_kind(kind: Kind) -> ReceivedAssessment {
    let (platform, value) = value_of(kind);
    let indicator = Indicator::from_stored(kind, platform.map(Platform::from_stored), value);
    let stored = Indicator::parse(kind, platform, value).unwrap();
    assert_eq!(stored, indicator, "the sample is canonical");
    let account = if is_account(kind) {
        let account_id = (kind == Kind::Account).then(|| "1234567".into());
        AccountNames { account_id, former_handles: vec!["old_desk".into(), "older_desk".into()] }
    } else {
        AccountNames::default()
    };
    received(Assessment {
        verdict: Some(Verdict::Malicious),
        confidence: Some(Confidence::new(70).unwrap()),
        severity: Some(Severity::High),
        involvement: Some(Involvement::Attacker),
        basis: Some(Basis::Received),
        labels: vec![Label::from_stored("phishing"), Label::from_stored("spam")],
        techniques: vec![Technique::from_stored("0.9.4"), Technique::from_stored("T0090")],
        first_seen: Some(Timestamp::from_millis(1_764_000_000_000)),
        last_seen: Some(Timestamp::from_millis(1_764_000_000_500)),
        valid_until: Some(Timestamp::from_millis(1_765_000_000_000)),
        note: Some("said \"no\",\nand again".into()),
        references: vec!["https://report.example/1;a".into(), "https://report.example/2".into()],
        campaign: Some(CampaignId::from_bytes([7; 16])),
        account,
        ..Assessment::of(indicator)
    })
}

/// An assessment with nothing but a value.
pub fn sample(value: &str) -> ReceivedAssessment {
    received(Assessment::of(Indicator::read(value, None).unwrap()))
}

fn received(assessment: Assessment) -> ReceivedAssessment {
    ReceivedAssessment {
        version: Position::new(7, 3),
        author: "birdsite".into(),
        accepted: Timestamp::from_millis(1_764_057_600_123),
        id: assessment.indicator.id(),
        assessment,
        tlp: Tlp::Amber,
        audience: Audience::Named {
            groups: [GroupId::from_stored("core")].into(),
            partners: [].into(),
        },
    }
}
