//! Entry bodies of every kind.

use proptest::prelude::*;
use tipoff::domain::assessment::{Confidence, Technique, Verdict};
use tipoff::domain::audience::AudienceDigest;
use tipoff::domain::entry::{
    Batch, Body, Close, ClosedSubmission, Confirmation, Expiry, Feedback, Item, Rejection,
    Sighting, Sightings, SubmissionId, Target, Withdrawal,
};
use tipoff::domain::feedback::Opinion;
use tipoff::domain::label::Label;
use tipoff::domain::list::{ListName, ShrinkPolicy};
use tipoff::domain::partner::{GroupDefinition, HourlyLimits, Partner, Role, Terms};
use tipoff::domain::purpose::PurposeKind;
use tipoff::domain::revocation::{Certificates, Revocation, Serial};
use tipoff::domain::sharing::{Audience, Release};
use tipoff::domain::{
    Assessment, CampaignId, GroupId, Indicator, IndicatorId, Invalid, Kind, PartnerId, Platform,
    Position, Sharing, Timestamp, Tlp,
};

use crate::campaign_bodies::any_campaign_body;

prop_compose! {
    fn any_assessment()(
        kind in 0usize..19,
        value in "[a-z]{1,20}\\.example",
        platform in proptest::option::of("[a-z]{1,9}"),
        verdict in proptest::option::of(0usize..4),
        confidence in proptest::option::of(0u32..=100),
        times in proptest::collection::vec(proptest::option::of(any::<i64>()), 3),
        labels in proptest::collection::vec("[a-z]{2,9}", 0..3),
        texts in proptest::collection::vec(proptest::option::of("\\PC{1,30}"), 3),
    ) -> Assessment {
        let platform = platform.map(Platform::from_stored);
        let text = |at: usize| texts[at].as_deref().map(Into::into);
        let time = |at: usize| times[at].map(Timestamp::from_millis);
        Assessment {
            raw: text(0),
            verdict: verdict.map(|at| Verdict::ALL[at]),
            confidence: confidence.map(|percent| Confidence::new(percent).unwrap()),
            labels: labels.iter().map(|label| Label::from_stored(label)).collect(),
            techniques: vec![Technique::from_stored("0.9.4")],
            first_seen: time(0),
            last_seen: time(1),
            valid_until: time(2),
            note: text(1),
            campaign: times[0].map(|of| CampaignId::from_bytes(i128::from(of).to_be_bytes())),
            references: vec!["https://a.example/b".into()],
            ..Assessment::of(Indicator::from_stored(Kind::ALL[kind], platform, value))
        }
    }
}

prop_compose! {
    fn any_sharing()(
        tlp in 0usize..5,
        which in 0u8..3,
        groups in proptest::collection::btree_set("[a-z]{2,9}", 0..3),
        partners in proptest::collection::btree_set("[a-z]{2,9}", 1..3),
        until in proptest::option::of(any::<i64>()),
    ) -> Sharing {
        let audience = match which {
            0 => Audience::Everyone,
            1 => Audience::Public,
            _ => Audience::Named {
                groups: groups.iter().map(|id| GroupId::from_stored(id)).collect(),
                partners: partners.iter().map(|id| PartnerId::from_stored(id)).collect(),
            },
        };
        let release = Release {
            liaison: PartnerId::from_stored("cyber-unit"),
            basis: "warrant".into(),
            until: until.map(Timestamp::from_millis),
        };
        Sharing { tlp: Tlp::ALL[tlp], audience, releases: vec![release] }
    }
}

pub fn any_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        any_campaign_body(any_sharing()),
        any_batch(),
        any_partner(),
        any_group(),
        any_close(),
        any_ending(),
        any_reaction(),
        any_partner_change(),
    ]
}

fn any_batch() -> impl Strategy<Value = Body> {
    let batch =
        (any_sharing(), proptest::collection::vec(any_assessment(), 0..6), any::<[u8; 32]>());
    batch.prop_map(|(sharing, assessments, digest)| {
        let items = assessments.into_iter().zip(0u32..).map(|(assessment, index)| Item {
            index: index * 2,
            id: assessment.indicator.id(),
            assessment,
        });
        Body::SubmissionBatch(Batch {
            submission: SubmissionId::from_stored("a:b"),
            number: 3,
            digest,
            replaces: (digest[0] > 127).then(|| AudienceDigest::of(&sharing.audience)),
            list: (digest[1] > 127).then(|| ListName::from_stored("phishing")),
            sharing,
            items: items.collect(),
            rejected: vec![Rejection { index: 1, invalid: Invalid::new("value", "is empty") }],
        })
    })
}

fn any_partner() -> impl Strategy<Value = Body> {
    let partner = (0usize..4, 0usize..5, proptest::option::of("[a-z]{2,9}"));
    partner.prop_map(|(role, tlp, group)| {
        Body::PartnerPut(Partner {
            id: PartnerId::from_stored("birdsite"),
            name: "Birdsite".into(),
            role: Role::ALL[role],
            platforms: vec![Platform::from_stored("x")],
            jurisdiction: group.clone(),
            default_group: group.map(|id| GroupId::from_stored(&id)),
            default_tlp: Tlp::ALL[tlp],
            purposes: PurposeKind::ALL.to_vec(),
            referrals_off: false,
            limits: HourlyLimits { submitted: None, withdrawn: Some(5_000) },
        })
    })
}

fn any_group() -> impl Strategy<Value = Body> {
    let group = (any::<bool>(), proptest::option::of("[a-z]{1,9}"));
    group.prop_map(|(history_all, terms)| {
        Body::GroupPut(GroupDefinition {
            id: GroupId::from_stored("core"),
            name: "Core".into(),
            history_all,
            restricted: terms.map(|terms| Terms::from_stored(&terms)),
            members: vec![PartnerId::from_stored("birdsite")],
        })
    })
}

fn any_close() -> impl Strategy<Value = Body> {
    let close = (proptest::option::of(any::<u32>()), any::<bool>(), any::<u64>());
    close.prop_map(|(batches, shrink, unreadable)| {
        Body::SubmissionClosed(Close {
            partner: PartnerId::from_stored("birdsite"),
            submission: SubmissionId::from_stored("s"),
            batches,
            policy: ShrinkPolicy { shrink, unreadable },
        })
    })
}

/// A partner is suspended or resumed, its certificates are revoked, or it confirms the terms of a group.
fn any_partner_change() -> impl Strategy<Value = Body> {
    (0u8..5).prop_map(|which| {
        let partner = PartnerId::from_stored("birdsite");
        match which {
            0 => Body::PartnerSuspended(partner),
            1 => Body::PartnerResumed(partner),
            2 => Body::CertificatesRevoked(Revocation {
                certificates: Certificates::OfPartner(partner),
                reason: "a laptop was stolen".into(),
            }),
            3 => Body::CertificatesRevoked(Revocation {
                certificates: Certificates::Serial(Serial::from_stored("2a07")),
                reason: "a test".into(),
            }),
            _ => Body::TermsConfirmed(Confirmation {
                partner,
                group: GroupId::from_stored("closed"),
            }),
        }
    })
}

fn any_ending() -> impl Strategy<Value = Body> {
    let version = (any::<u64>(), any::<u32>()).prop_map(|(s, i)| Position::new(s, i));
    let target = (any::<[u8; 16]>(), any::<[u8; 8]>(), proptest::option::of(version)).prop_map(
        |(id, audience, version)| Target {
            id: IndicatorId::from_bytes(id),
            audience: AudienceDigest(audience),
            version,
        },
    );
    let targets = proptest::collection::vec(target, 1..5);
    (targets, any::<bool>(), any::<i64>()).prop_map(|(targets, expires, ends)| {
        let partner = PartnerId::from_stored("birdsite");
        if !expires {
            let closed = (ends > 0).then(|| ClosedSubmission {
                submission: SubmissionId::from_stored("s"),
                close: ends.unsigned_abs(),
            });
            return Body::Withdrawal(Withdrawal { partner, targets, closed });
        }
        Body::Expiry(Expiry {
            partner,
            audience: targets[0].audience,
            ends: Timestamp::from_millis(ends),
            sequence: targets[0].version.unwrap_or_default().sequence,
            versions: (0u32..).zip(&targets).map(|(index, target)| (index, target.id)).collect(),
        })
    })
}

fn any_reaction() -> impl Strategy<Value = Body> {
    let sightings =
        (any_sharing(), any::<[u8; 32]>(), proptest::collection::vec(any_assessment(), 0..4));
    (sightings, any::<u64>(), proptest::option::of(any::<i64>()), any::<bool>()).prop_map(
        |((sharing, digest, seen), count, time, is_feedback)| {
            let request = SubmissionId::from_stored("r:1");
            let time = time.map(Timestamp::from_millis);
            if is_feedback {
                let target = Target {
                    id: IndicatorId::from_bytes([7; 16]),
                    audience: AudienceDigest([1; 8]),
                    version: Some(Position::new(count, 3)),
                };
                let assessment_author = PartnerId::from_stored("facegraph");
                let note = time.map(|_| "why".into());
                return Body::Feedback(Feedback {
                    request,
                    digest,
                    assessment_author,
                    target,
                    opinion: Opinion::Disagree,
                    note,
                    sharing,
                });
            }
            let items = seen.into_iter().zip(0u32..).map(|(assessment, index)| Sighting {
                index,
                id: assessment.indicator.id(),
                indicator: assessment.indicator,
                count,
                first_seen: time,
                last_seen: None,
            });
            let items = items.collect();
            let rejected =
                vec![Rejection { index: 9, invalid: Invalid::new("count", "is missing") }];
            Body::Sightings(Sightings { request, digest, sharing, items, rejected })
        },
    )
}
