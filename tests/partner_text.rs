//! Texts that partners write: characters that steer a terminal or hide something are refused in each field.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::command::{Ran, Stage, done};
use support::{World, batch, domain};
use tipoff::client::{Client, ClientError};
use tipoff::clock::{Clock, SystemClock};
use tipoff::wire::pb;

/// Sets a clipboard (OSC 52), rings the bell, ends a string in C, colours by a C1 character, turns a file name round.
const HOSTILE: [&str; 5] =
    ["\u{1b}]52;c;aGk=\u{7}", "\u{7}", "a\0b", "\u{9b}31m", "\u{202e}gpj.exe"];

/// The field that a request is refused for.
fn field<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    match answer {
        Err(ClientError::Invalid { fields, .. }) => fields[0].0.clone(),
        answer => panic!("{answer:?}"),
    }
}

fn note(text: &str) -> pb::SubmittedIndicator {
    let assessment = pb::Assessment { note: text.into(), ..Default::default() };
    pb::SubmittedIndicator { assessment: Some(assessment), ..domain("a.example") }
}

fn keys() -> pb::IndicatorKeys {
    let key = pb::IndicatorKey { value: "a.example".into(), ..Default::default() };
    pb::IndicatorKeys { keys: vec![key], ..Default::default() }
}

fn contribution(change: impl Fn(&mut pb::Contribution)) -> pb::PutCampaignRequest {
    let mut contribution = pb::Contribution { name: "Lighthouse".into(), ..Default::default() };
    change(&mut contribution);
    pb::PutCampaignRequest {
        request_id: "c".into(),
        contribution: Some(contribution),
        ..Default::default()
    }
}

/// Each text that a member may write, with the field that is named.
async fn refused_for_a_member(client: &Client, text: &str) -> Vec<(&'static str, String)> {
    let text = || text.to_owned();
    let tip = |subject: String, narrative: String| pb::SendTipRequest {
        request_id: "t".into(),
        recipients: vec!["facegraph".into()],
        subject,
        narrative,
        ..Default::default()
    };
    let response = pb::RespondToTipRequest {
        request_id: "r".into(),
        tip_id: "01234567-89ab-4def-8123-456789abcdef".into(),
        message: text(),
        ..Default::default()
    };
    let feedback = pb::GiveFeedbackRequest {
        request_id: "f".into(),
        version: Some(pb::Version { sequence: 1, index: 0 }),
        opinion: pb::Opinion::Agree.into(),
        note: text(),
        ..Default::default()
    };
    let hold = pb::PlaceHoldRequest {
        request_id: "h".into(),
        what: Some(pb::place_hold_request::What::Indicators(keys())),
        reason: text(),
    };
    let release = pb::ReleaseIndicatorsRequest {
        request_id: "l".into(),
        what: Some(pb::release_indicators_request::What::Indicators(keys())),
        liaisons: vec!["cyber-unit".into()],
        basis: text(),
        ..Default::default()
    };
    let released = pb::Sharing {
        releases: vec![pb::Release { liaison: "cyber-unit".into(), basis: text(), until: None }],
        ..support::sharing(pb::Tlp::Amber, support::named(&["core"], &[]))
    };
    vec![
        ("subject", field(client.send_tip(tip(text(), "a narrative".into())).await)),
        ("narrative", field(client.send_tip(tip(String::new(), text())).await)),
        ("message", field(client.respond_to_tip(response).await)),
        ("note", field(client.give_feedback(feedback).await)),
        ("reason", field(client.place_hold(hold).await)),
        ("basis", field(client.release(release).await)),
        (
            "contribution.name",
            field(client.put_campaign(contribution(|it| it.name = text())).await),
        ),
        (
            "contribution.description",
            field(client.put_campaign(contribution(|it| it.description = text())).await),
        ),
        (
            "contribution.attribution.actor",
            field(
                client
                    .put_campaign(contribution(|it| {
                        let actor = text();
                        it.attribution = Some(pb::Attribution { actor, ..Default::default() });
                    }))
                    .await,
            ),
        ),
        (
            "contribution.attribution.basis",
            field(
                client
                    .put_campaign(contribution(|it| {
                        let (actor, basis) = ("somebody".into(), text());
                        it.attribution =
                            Some(pb::Attribution { actor, basis, ..Default::default() });
                    }))
                    .await,
            ),
        ),
        (
            "sharing.releases.basis",
            field(
                client
                    .submit(batch("released", 1, Some(released), vec![domain("a.example")]))
                    .await,
            ),
        ),
        (
            "contribution.targets",
            field(client.put_campaign(contribution(|it| it.targets = vec![text()])).await),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_with_a_hostile_character_is_refused_by_its_field() {
    let world = World::new();
    let node = world.start().await;
    let member = world.client(&node, "birdsite");
    let operator = world.client(&node, "exchange-ops");
    for (number, text) in (1..).zip(HOSTILE) {
        for (expected, named) in refused_for_a_member(&member, text).await {
            assert_eq!(named, expected, "{text:?}");
        }
        let enforcement = pb::Enforcement {
            id: "e".into(),
            source: pb::EnforcementSource::Reported.into(),
            note: text.into(),
            counts: vec![pb::EnforcementCount {
                asset: pb::AssetKind::Account.into(),
                platform: "x".into(),
                count: 3,
                ..Default::default()
            }],
            ..Default::default()
        };
        let request = pb::ReportEnforcementRequest {
            request_id: format!("e-{number}"),
            enforcements: vec![enforcement],
            ..Default::default()
        };
        let reported = member.report_enforcement(request).await.unwrap();
        assert_eq!(reported.items[0].field, "note", "{text:?}");
        let mut referring = domain("b.example");
        let references = vec![format!("https://blog.example/{text}")];
        referring.assessment = Some(pb::Assessment { references, ..Default::default() });
        let items = vec![note(text), referring, domain("good.example")];
        let receipt = member.submit(batch("s", number, None, items)).await.unwrap();
        let fields: Vec<&str> = receipt.items.iter().map(|item| item.field.as_str()).collect();
        assert_eq!(fields, ["note", "references", ""], "{text:?}");

        let partner = pb::Partner {
            id: "newcomer".into(),
            name: text.into(),
            role: pb::Role::Member.into(),
            ..Default::default()
        };
        let request = pb::PutPartnerRequest { partner: Some(partner), ..Default::default() };
        assert_eq!(field(operator.put_partner(request).await), "partner.name", "{text:?}");
        let group = |name: &str, terms: &str| pb::SharingGroup {
            id: "closed".into(),
            name: name.into(),
            restricted: true,
            terms: terms.into(),
            ..Default::default()
        };
        assert_eq!(field(operator.put_group(group(text, "terms")).await), "group.name");
        assert_eq!(field(operator.put_group(group("Closed", text)).await), "group.terms");
        let purpose = pb::Purpose {
            kind: pb::PurposeKind::Warrant.into(),
            reference: text.into(),
            jurisdiction: "GB".into(),
            until: Some(tipoff::wire::timestamp(
                SystemClock.now().plus(std::time::Duration::from_secs(60)),
            )),
        };
        let liaison = world.client(&node, "cyber-unit").with_purpose(purpose);
        assert_eq!(field(liaison.tips(pb::ListTipsRequest::default()).await), "purpose.reference");
        let certificates = pb::revoke_certificate_request::Certificates::Serial("7".into());
        let request =
            pb::RevokeCertificateRequest { certificates: Some(certificates), reason: text.into() };
        assert_eq!(field(operator.revoke_certificate(request).await), "reason");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invisible_character_is_refused_in_names_alone() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let hidden =
        ["Light\u{200b}house", "Light\u{2028}house", "Lighthouse\u{3164}", "\u{feff}Lighthouse"];
    for (number, text) in hidden.into_iter().enumerate() {
        let named = contribution(|it| it.name = text.into());
        assert_eq!(field(client.put_campaign(named).await), "contribution.name", "{text:?}");
        let described = pb::PutCampaignRequest {
            request_id: format!("d-{number}"),
            ..contribution(|it| it.description = text.into())
        };
        client.put_campaign(described).await.unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }
    // Letters of scripts that need joiners and marks are no such characters.
    let named = contribution(|it| {
        it.name = "\u{646}\u{645}\u{6cc}\u{200c}\u{62e} 👩\u{200d}💻 שלום\u{200f}".into();
    });
    client.put_campaign(named).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_as_it_was_sent_is_kept_without_hostile_characters_and_a_note_with_its_lines() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let sent = |value: &str| domain(&format!("\u{feff}{value}[.]example\u{202e}"));
    let noted = pb::SubmittedIndicator {
        assessment: note("Two lines:\none\ttwo\r\n").assessment,
        ..sent("noted")
    };
    client.submit(batch("s", 1, None, vec![sent("plain"), noted])).await.unwrap();
    for (value, note) in [("plain", ""), ("noted", "Two lines:\none\ttwo\r\n")] {
        let key = pb::IndicatorKey { value: format!("{value}.example"), ..Default::default() };
        let seen = client.indicator(key).await.unwrap();
        let assessment = &seen.assessments[0];
        assert_eq!(assessment.raw, format!("{value}[.]example"));
        assert_eq!(assessment.assessment.as_ref().unwrap().note, note);
    }
    node.stop().await;
}

#[test]
fn a_file_with_hostile_characters_in_its_notes_is_shared_without_them() {
    let stage = Stage::new();
    let table = "domain,note,campaign_note\na.example,\"seen \u{1b}[31mtwice\u{7}\u{202e}\",x\n";
    let file = stage.file("table.csv", table);
    done(stage.run("birdsite", &["submit", &file]));
    let pulled = done(stage.run("facegraph", &["pull", "--format", "csv"]));
    assert!(pulled.out.contains("seen [31mtwice"), "{pulled:?}");
    assert!(!pulled.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{pulled:?}");
}

#[test]
fn a_cell_is_no_formula_unless_it_is_asked_for_as_it_is() {
    let stage = Stage::new();
    let file = stage.file("phones.csv", "phone,note\n+12025550143,=1+1\n");
    done(stage.run("birdsite", &["submit", &file]));
    let pull = |options: &[&str]| -> Ran {
        done(stage.run("facegraph", &[&["pull", "--format", "csv"], options].concat()))
    };
    let export = |options: &[&str]| -> Ran {
        done(stage.run("facegraph", &[&["export", "--format", "csv"], options].concat()))
    };
    for safe in [pull(&[]), export(&[])] {
        assert!(safe.out.contains("tel:+12025550143"), "{safe:?}");
        assert!(safe.out.contains("\u{a0}=1+1"), "{safe:?}");
        let again = stage.file("again.csv", &safe.out);
        let read = done(stage.run("facegraph", &["submit", &again, "--dry-run"]));
        assert!(read.out.contains("phone") && read.out.contains(" +12025550143"), "{read:?}");
    }
    for raw in [pull(&["--raw"]), export(&["--raw"])] {
        assert!(
            raw.out.contains(",+12025550143,") || raw.out.contains("\n+12025550143,"),
            "{raw:?}"
        );
        assert!(raw.out.contains(",=1+1,"), "{raw:?}");
    }
    stage.run("facegraph", &["pull", "--raw"]).failed(2, "--format csv");
}
