use super::*;
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Technique, Verdict};
use crate::domain::enforcement::{AssetKind, EnforcementId, EnforcementMethod, EnforcementSource};
use crate::domain::entry::{
    AccessSweep, Accessed, AccessedVersions, Batch, EnforcementTarget, EnforcementWithdrawal,
    HoldAction, HoldChange, HoldId, HoldPlaced, HoldSweep, Item, LastPart, Releasable,
    ReleaseAction, ReleaseEnd, ReleaseEntry, RequestId, Target, WithdrawalSweep,
};
use crate::domain::label::Label;
use crate::domain::list::ListName;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::sharing::Audience;
use crate::domain::{Assessment, CampaignId, Indicator, Kind, Position, Sharing};

fn numbered<T: ToString>(words: &[T]) -> String {
    let numbered = words.iter().zip(1..).map(|(word, n)| format!("{n} {}", word.to_string()));
    numbered.collect::<Vec<_>>().join(", ")
}

/// Later versions read what is on disk: a number never changes its meaning, and new values come last.
#[test]
fn the_numbers_on_disk_are_what_they_always_were() {
    assert_eq!(
        numbered(Kind::ALL),
        "1 account, 2 account_id, 3 page, 4 community, 5 channel, 6 domain, 7 url, 8 email, \
         9 phone, 10 ip, 11 md5, 12 sha1, 13 sha256, 14 pdq, 15 tlsh, 16 hashtag, \
         17 android_package, 18 ios_app_id, 19 crypto_address, 20 network, 21 asn, 22 sha512, 23 ssdeep"
    );
    assert_eq!(numbered(Tlp::ALL), "1 RED, 2 AMBER+STRICT, 3 AMBER, 4 GREEN, 5 CLEAR");
    assert_eq!(numbered(Role::ALL), "1 member, 2 liaison, 3 observer, 4 operator");
    assert_eq!(numbered(Verdict::ALL), "1 non_malicious, 2 unknown, 3 suspicious, 4 malicious");
    assert_eq!(numbered(Severity::ALL), "1 info, 2 low, 3 medium, 4 high, 5 critical");
    assert_eq!(numbered(Involvement::ALL), "1 attacker, 2 victim, 3 abused_service, 4 third_party");
    assert_eq!(numbered(Basis::ALL), "1 own, 2 received, 3 public");
    assert_eq!(
        numbered(AssetKind::ALL),
        "1 account, 2 page, 3 group, 4 channel, 5 bot, 6 post, 7 event, 8 ad, 9 domain, \
         10 website, 11 app, 12 asset, 13 other"
    );
    assert_eq!(
        numbered(EnforcementMethod::ALL),
        "1 proactive_automated, 2 after_tip, 3 after_investigation"
    );
    assert_eq!(numbered(EnforcementSource::ALL), "1 own, 2 reported");
}

/// A batch is encoded field by field, to the same bytes as its message.
#[test]
fn a_batch_is_written_as_its_message_would_be() {
    let domain = Indicator::from_stored(Kind::Domain, None, "a.example");
    let handle =
        Indicator::from_stored(Kind::Account, Some(Platform::from_stored("x")), "b".repeat(200));
    let full = Assessment {
        raw: Some("B".repeat(130).into()),
        verdict: Some(Verdict::ALL[3]),
        confidence: Some(Confidence::new(0).unwrap()),
        severity: Some(Severity::ALL[0]),
        involvement: Some(Involvement::ALL[2]),
        basis: Some(Basis::ALL[1]),
        labels: vec![Label::from_stored("spam"), Label::from_stored("scam")],
        techniques: vec![Technique::from_stored("0.9.4")],
        first_seen: Some(Timestamp::from_millis(i64::MIN)),
        last_seen: Some(Timestamp::from_millis(0)),
        valid_until: Some(Timestamp::from_millis(i64::MAX)),
        note: Some("n".repeat(20_000).into()),
        campaign: Some(CampaignId::from_bytes([6; 16])),
        references: vec!["https://a.example/b".into(), "https://a.example/c".into()],
        account: AccountNames {
            account_id: Some("1234567".into()),
            former_handles: vec!["c".into(), "d".repeat(130).into()],
        },
        ..Assessment::of(handle)
    };
    let assessments =
        [Assessment::of(domain), full.clone(), Assessment { valid_until: None, ..full }];
    let items = (0u32..).zip(assessments).map(|(index, assessment)| Item {
        index: index * 300,
        id: assessment.indicator.id(),
        assessment,
    });
    let rejection = |index| Rejection { index, invalid: Invalid::new("value", "is empty") };
    let batch = |items: Vec<Item>, rejected, replaces| {
        Body::SubmissionBatch(Batch {
            submission: SubmissionId::from_stored("s:1"),
            number: 7,
            digest: [8; 32],
            sharing: Sharing {
                tlp: Tlp::Green,
                audience: Audience::Everyone,
                releases: Vec::new(),
            },
            replaces,
            list: Some(ListName::from_stored("phishing")),
            items,
            rejected,
        })
    };
    let bodies = [
        batch(Vec::new(), vec![rejection(0)], None),
        batch(items.collect(), vec![rejection(5), rejection(0)], Some(AudienceDigest([9; 8]))),
    ];
    for body in bodies {
        for author in [None, Some(PartnerId::from_stored("birdsite"))] {
            let id = AppendId::derive(&[b"a"]);
            let written = encode_entry(id, author.as_ref(), &body);
            assert_eq!(pb::Entry::decode(&*written).unwrap().encode_to_vec(), written);
            let read = decode_entry(3, Timestamp::default(), &written).unwrap();
            assert_eq!((read.author, &read.body), (author, &body));
        }
    }
}

#[test]
fn a_batch_of_older_rules_of_reading_is_refused_by_name() {
    for rules in [0, CANONICAL_RULES_VERSION - 1, CANONICAL_RULES_VERSION + 1] {
        let stored = pb::Batch { canonical_rules: rules, ..pb::Batch::default() };
        let error = batch::read_batch(stored).unwrap_err();
        assert!(error.to_string().contains(&format!("version {rules} of the rules")), "{error}");
    }
}

#[test]
fn an_audience_that_is_not_known_is_an_error_and_never_a_wider_one() {
    for audience in [0, 4] {
        let stored = pb::Sharing { tlp: 3, audience, ..pb::Sharing::default() };
        let read = sharing::read_sharing(stored);
        assert!(matches!(read, Err(DecodeError::Unknown("audience", _))), "{audience}");
    }
}

#[test]
fn releases_come_back_from_the_journal_as_they_were_written() {
    let partner = PartnerId::from_stored("birdsite");
    let release = |act, last| {
        let (request, objects) = (RequestId::from_stored("r"), objects());
        let liaisons = vec![partner.clone()];
        Body::Release(ReleaseEntry {
            request,
            digest: [1; 32],
            last,
            objects,
            liaisons,
            action: act,
        })
    };
    let until = Some(Timestamp::from_millis(77));
    come_back(&[
        release(ReleaseAction::Release { basis: "b".into(), until }, None),
        release(ReleaseAction::Release { basis: "b".into(), until: None }, Some(last_part())),
        release(ReleaseAction::Retract, Some(last_part())),
        Body::ReleaseEnd(ReleaseEnd {
            partner: partner.clone(),
            ends: Timestamp::from_millis(5),
            sequence: 7,
            objects: objects(),
            liaisons: vec![partner.clone()],
        }),
    ]);
}

#[test]
fn accesses_come_back_from_the_journal_as_they_were_written() {
    let author = PartnerId::from_stored("birdsite");
    let purpose = Purpose {
        kind: PurposeKind::Subpoena,
        reference: "S:1".into(),
        jurisdiction: "GB".into(),
        until: Timestamp::from_millis(-5),
    };
    let given =
        AccessedVersions { author: author.clone(), names_reference: true, versions: versions() };
    come_back(&[
        Body::Accessed(Accessed { way: AccessWay::Snapshot, purpose, accessed: vec![given] }),
        Body::AccessSweep(AccessSweep { records: vec![(5, author, 1 << 16)] }),
        Body::WithdrawalSweep(WithdrawalSweep { targets: versions() }),
        Body::EnforcementWithdrawal(EnforcementWithdrawal {
            targets: vec![EnforcementTarget {
                id: EnforcementId::from_stored("takedown:1"),
                audience: AudienceDigest([5; 8]),
            }],
        }),
    ]);
    let numbered_kinds = "1 warrant, 2 subpoena, 3 emergency, 4 voluntary, 5 public";
    assert_eq!(numbered(PurposeKind::ALL), numbered_kinds);
    assert_eq!(
        AccessWay::ALL,
        [AccessWay::Subscribe, AccessWay::Pull, AccessWay::Snapshot, AccessWay::Tip]
    );
}

#[test]
fn holds_and_epochs_come_back_from_the_journal_as_they_were_written() {
    let hold = HoldId::from_bytes([9; 16]);
    come_back(&[
        Body::HoldPlaced(HoldPlaced {
            hold,
            request: RequestId::from_stored("r"),
            digest: [2; 32],
            last: Some(last_part()),
            reason: "a case".into(),
            objects: objects(),
        }),
        Body::HoldChange(HoldChange { hold, action: HoldAction::Renewed }),
        Body::HoldChange(HoldChange { hold, action: HoldAction::Lifted }),
        Body::HoldSweep(HoldSweep {
            partner: PartnerId::from_stored("birdsite"),
            hold,
            ended: Timestamp::from_millis(5),
            versions: versions(),
            is_last: true,
        }),
        Body::Epoch(EpochId([1, 2, 3, 4, 5, 6, 7, 0])),
    ]);
}

fn come_back(bodies: &[Body]) {
    let author = PartnerId::from_stored("birdsite");
    for body in bodies {
        let bytes = encode_entry(AppendId::derive(&[b"x"]), Some(&author), body);
        let entry = decode_entry(3, Timestamp::from_millis(4), &bytes).unwrap();
        assert_eq!(entry.body, *body);
    }
}

/// One object of each kind.
fn objects() -> Vec<Releasable> {
    let (id, audience) = (IndicatorId::from_bytes([3; 16]), AudienceDigest([4; 8]));
    let target = Target { id, audience, version: Some(Position::new(7, 1)) };
    let (id, audience) = (EnforcementId::from_stored("takedown:1"), AudienceDigest([5; 8]));
    let campaign = CampaignId::from_bytes([6; 16]);
    vec![
        Releasable::Assessment(target),
        Releasable::Contribution { campaign, audience, version: Position::new(8, 0) },
        Releasable::Enforcement { id, audience, version: Position::new(9, 3) },
    ]
}

fn last_part() -> LastPart {
    let rejected = vec![Rejection { index: 2, invalid: Invalid::new("tlp", "is RED") }];
    LastPart { earlier: vec![4, 5], rejected, left_out: 9 }
}

/// Their deltas are within an entry, across entries, and of the largest possible size.
fn versions() -> Vec<Position> {
    let at = Position::new;
    vec![at(0, 3), at(7, 1), at(7, 9), at(8, 0), at(u64::MAX, u32::MAX)]
}
