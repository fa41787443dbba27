//! Encoded requests of every kind, with most fields set: the corpus of `read_request`.

use prost::Message;
use tipoff::wire::pb;

const TIME: Option<prost_types::Timestamp> =
    Some(prost_types::Timestamp { seconds: 1_790_000_000, nanos: 7 });

pub fn requests() -> Vec<Vec<u8>> {
    let groups = [submissions(), reactions(), campaigns(), tips(), registry(), readers()];
    groups.into_iter().flatten().collect()
}

fn key() -> pb::IndicatorKey {
    pb::IndicatorKey { value: "a.example".into(), ..Default::default() }
}

fn sharing() -> pb::Sharing {
    let named =
        pb::NamedAudience { groups: vec!["core".into()], partners: vec!["facegraph".into()] };
    let release =
        pb::Release { liaison: "cyber-unit".into(), basis: "warrant 7".into(), until: TIME };
    pb::Sharing {
        tlp: pb::Tlp::Green.into(),
        audience: Some(pb::sharing::Audience::Named(named)),
        releases: vec![release],
    }
}

fn submissions() -> Vec<Vec<u8>> {
    let assessment = pb::Assessment {
        verdict: pb::Verdict::Malicious.into(),
        confidence: Some(80),
        labels: vec!["phishing".into()],
        techniques: vec!["0.9.4".into()],
        first_seen: TIME,
        valid_until: TIME,
        note: "a note\nof two lines".into(),
        references: vec!["https://blog.example/1".into()],
        account_id: "123".into(),
        former_handles: vec!["old".into()],
        ..Default::default()
    };
    let item = |kind: pb::Kind, platform: &str, value: &str| pb::SubmittedIndicator {
        kind: kind.into(),
        platform: platform.into(),
        value: value.into(),
        assessment: Some(assessment.clone()),
    };
    let items = vec![
        item(pb::Kind::Account, "x", "someone"),
        item(pb::Kind::Url, "", "hxxps://a[.]example/b?c=d"),
        item(pb::Kind::Network, "", "192.0.2.0/24"),
        item(pb::Kind::Unspecified, "", "a@mail.example"),
    ];
    let batch = pb::SubmissionBatch {
        number: 1,
        sharing: Some(sharing()),
        items,
        list: "phishing".into(),
        ..Default::default()
    };
    let request = pb::SubmitIndicatorsRequest {
        submission_id: "s-1".into(),
        batch: Some(batch),
        close: Some(pb::SubmissionClose { batches: 1, shrink: true, unreadable: 2 }),
    };
    vec![request.encode_to_vec()]
}

fn reactions() -> Vec<Vec<u8>> {
    let sighting =
        pb::Sighting { indicator: Some(key()), count: 3, last_seen: TIME, ..Default::default() };
    let sightings = pb::ReportSightingsRequest {
        request_id: "g-1".into(),
        sightings: vec![sighting],
        sharing: Some(sharing()),
    };
    let feedback = pb::GiveFeedbackRequest {
        request_id: "f-1".into(),
        version: Some(pb::Version { sequence: 7, index: 1 }),
        opinion: pb::Opinion::Agree.into(),
        note: "yes".into(),
        sharing: Some(sharing()),
    };
    vec![sightings.encode_to_vec(), feedback.encode_to_vec()]
}

fn campaigns() -> Vec<Vec<u8>> {
    let contribution = pb::Contribution {
        name: "Lighthouse".into(),
        description: "what is known".into(),
        techniques: vec!["0.9.4".into()],
        targets: vec!["voters".into()],
        references: vec!["https://blog.example/2".into()],
        ..Default::default()
    };
    let put = pb::PutCampaignRequest {
        request_id: "c-1".into(),
        contribution: Some(contribution),
        sharing: Some(sharing()),
        ..Default::default()
    };
    let count = pb::EnforcementCount {
        asset: pb::AssetKind::Account.into(),
        platform: "x".into(),
        count: 30,
        ..Default::default()
    };
    let enforcement = pb::Enforcement {
        id: "e-1".into(),
        counts: vec![count],
        from: "2026-08-19".into(),
        until: "2026-08-20".into(),
        note: "took them down".into(),
        source: pb::EnforcementSource::Reported.into(),
        ..Default::default()
    };
    let report = pb::ReportEnforcementRequest {
        request_id: "e-1".into(),
        sharing: Some(sharing()),
        enforcements: vec![enforcement],
    };
    vec![put.encode_to_vec(), report.encode_to_vec()]
}

fn tips() -> Vec<Vec<u8>> {
    let sent = pb::SendTipRequest {
        request_id: "t-1".into(),
        recipients: vec!["facegraph".into(), "cyber-unit".into()],
        subject: "a net".into(),
        narrative: "what we saw".into(),
        indicators: vec![key()],
        respond_by: TIME,
        ..Default::default()
    };
    let response = pb::RespondToTipRequest {
        request_id: "r-1".into(),
        tip_id: "01234567-89ab-4def-8123-456789abcdef".into(),
        state: pb::TipState::Actioned.into(),
        message: "done".into(),
        indicators: vec![key()],
        ..Default::default()
    };
    vec![sent.encode_to_vec(), response.encode_to_vec()]
}

fn registry() -> Vec<Vec<u8>> {
    let partner = pb::Partner {
        id: "tubeworks".into(),
        name: "Tube Works".into(),
        role: pb::Role::Member.into(),
        platforms: vec!["youtube".into()],
        jurisdiction: "GB".into(),
        ..Default::default()
    };
    let group = pb::SharingGroup {
        id: "closed".into(),
        name: "Closed".into(),
        members: vec!["birdsite".into()],
        restricted: true,
        terms: "terms 1".into(),
        ..Default::default()
    };
    let serial = pb::revoke_certificate_request::Certificates::Serial("2a:07".into());
    let revoke = pb::RevokeCertificateRequest {
        certificates: Some(serial),
        reason: "a laptop was stolen".into(),
    };
    vec![
        pb::PutPartnerRequest { partner: Some(partner), ..Default::default() }.encode_to_vec(),
        pb::PutGroupRequest { group: Some(group) }.encode_to_vec(),
        revoke.encode_to_vec(),
    ]
}

fn readers() -> Vec<Vec<u8>> {
    let filter = pb::Filter {
        kinds: vec![pb::Kind::Domain.into()],
        platforms: vec!["x".into()],
        labels: vec!["phishing".into()],
        groups: vec!["core".into()],
        authors: vec!["birdsite".into()],
        ..Default::default()
    };
    let purpose = pb::Purpose {
        kind: pb::PurposeKind::Warrant.into(),
        reference: "7/2026".into(),
        jurisdiction: "GB".into(),
        until: TIME,
    };
    let keys = pb::IndicatorKeys { keys: vec![key(), key()], ..Default::default() };
    vec![
        pb::SubscribeRequest { filter: Some(filter), ..Default::default() }.encode_to_vec(),
        purpose.encode_to_vec(),
        keys.encode_to_vec(),
        key().encode_to_vec(),
    ]
}
