//! Values for the records in tests.

use proptest::prelude::*;

use super::super::*;
use crate::domain::accepted::{AssessmentRecord, ReleaseState};
use crate::domain::account::AccountNames;
use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Technique, Verdict};
use crate::domain::campaign::{Attribution, Contribution};
use crate::domain::enforcement::{
    AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementMethod, EnforcementSource,
};
use crate::domain::entry::{ItemOutcome, Outcome, RegistryRule, VoidReason};
use crate::domain::label::Label;
use crate::domain::list::ListName;
use crate::domain::sharing::{Audience, Release};
use crate::domain::tip::TipState;
use crate::domain::{
    Assessment, CampaignId, Day, GroupId, Indicator, IndicatorId, Kind, PartnerId, Platform,
    Position, Sharing, Tlp,
};

/// Values from which records are built.
#[derive(Clone, Debug)]
pub struct Parts {
    numbers: [u64; 8],
    texts: Vec<String>,
    pub id: [u8; 16],
}

pub fn any_parts() -> impl Strategy<Value = Parts> {
    let number = prop_oneof![0u64..300, any::<u64>()];
    let texts = proptest::collection::vec("\\PC{0,12}", 4);
    (proptest::array::uniform8(number), texts, any::<[u8; 16]>())
        .prop_map(|(numbers, texts, id)| Parts { numbers, texts, id })
}

impl Parts {
    /// Fixed values. `first` selects a set.
    pub fn fixed(first: u64) -> Self {
        let numbers = std::array::from_fn(|at| (first + at as u64) * 12_345_679);
        let texts = ["a", "", "ünïcode", "https://a.example/b"].map(str::to_owned).to_vec();
        Self { numbers, texts, id: std::array::from_fn(|at| u8::try_from(at).unwrap()) }
    }

    pub fn number(&self, at: usize) -> u64 {
        self.numbers[at % 8]
    }

    pub fn small(&self, at: usize) -> u32 {
        u32::try_from(self.number(at) % (1 << 32)).unwrap()
    }

    pub fn flag(&self, at: usize) -> bool {
        self.number(at).count_ones() % 2 == 1
    }

    pub fn maybe<T>(&self, at: usize, value: T) -> Option<T> {
        self.flag(at).then_some(value)
    }

    pub fn several<T: Clone>(&self, at: usize, value: &T) -> Vec<T> {
        vec![value.clone(); usize::try_from(self.number(at) % 4).unwrap()]
    }

    pub fn text(&self, at: usize) -> Box<str> {
        self.texts[at % 4].as_str().into()
    }

    pub fn word<T: Copy>(&self, at: usize, all: &[T]) -> T {
        all[usize::try_from(self.number(at) % all.len() as u64).unwrap()]
    }

    pub fn time(&self, at: usize) -> Timestamp {
        Timestamp::from_millis(self.number(at).cast_signed())
    }

    pub fn position(&self, at: usize) -> Position {
        Position::new(self.number(at), self.small(at + 1))
    }

    pub fn partner(&self, at: usize) -> PartnerId {
        PartnerId::from_stored(&self.texts[at % 4])
    }

    pub fn indicator_id(&self) -> IndicatorId {
        IndicatorId::from_bytes(self.id)
    }

    pub fn campaign(&self) -> CampaignId {
        CampaignId::from_bytes(self.id)
    }

    pub fn platform(&self, at: usize) -> Platform {
        Platform::from_stored(self.texts[at % 4].clone())
    }

    pub fn indicator(&self) -> Indicator {
        let platform = self.maybe(3, self.platform(3));
        Indicator::from_stored(self.word(2, Kind::ALL), platform, self.text(1))
    }

    pub fn release(&self) -> Release {
        let (liaison, basis) = (self.partner(1), self.text(2).into());
        Release { liaison, basis, until: self.maybe(5, self.time(4)) }
    }

    pub fn sharing(&self) -> Sharing {
        let audience = match self.number(6) % 3 {
            0 => Audience::Everyone,
            1 => Audience::Public,
            _ => Audience::Named {
                groups: (0..2).map(|at| GroupId::from_stored(&self.text(at))).collect(),
                partners: (1..4).map(|at| self.partner(at)).collect(),
            },
        };
        let releases = self.several(7, &self.release());
        Sharing { tlp: self.word(1, Tlp::ALL), audience, releases }
    }

    pub fn lane(&self) -> ReleaseState {
        ReleaseState {
            sent: self.several(2, &self.release()),
            since: self.several(7, &self.number(4)),
        }
    }

    pub fn assessment(&self) -> Assessment {
        Assessment {
            indicator: self.indicator(),
            raw: None,
            verdict: self.maybe(0, self.word(1, Verdict::ALL)),
            confidence: self.maybe(1, Confidence::new(self.small(2) % 101).unwrap()),
            severity: self.maybe(2, self.word(3, Severity::ALL)),
            involvement: self.maybe(3, self.word(4, Involvement::ALL)),
            basis: self.maybe(4, self.word(5, Basis::ALL)),
            labels: vec![Label::from_stored("phishing"), Label::from_stored(&self.text(0))],
            techniques: self.several(6, &Technique::from_stored(&self.text(2))),
            first_seen: self.maybe(5, self.time(0)),
            last_seen: self.maybe(6, self.time(1)),
            valid_until: self.maybe(7, self.time(2)),
            note: self.maybe(1, self.text(1)),
            references: self.several(0, &self.text(3)),
            campaign: self.maybe(2, self.campaign()),
            account: AccountNames {
                account_id: self.maybe(3, self.text(2)),
                former_handles: self.several(5, &self.text(0)),
            },
        }
    }

    pub fn enforcement(&self) -> Enforcement {
        let count = EnforcementCount {
            asset: self.word(3, AssetKind::ALL),
            platform: self.maybe(5, self.platform(2)),
            count: self.number(2),
            already_disabled: self.number(1),
            approximate: self.flag(4),
        };
        Enforcement {
            id: EnforcementId::from_stored(&self.text(0)),
            counts: self.several(4, &count),
            method: self.maybe(1, self.word(0, EnforcementMethod::ALL)),
            from: self.maybe(2, Day::from_number(self.small(3))),
            until: self.maybe(3, Day::from_number(self.small(4) % 40_000)),
            campaign: self.maybe(4, self.campaign()),
            tip: self.maybe(5, self.id),
            note: self.maybe(6, self.text(1)),
            source: self.word(2, EnforcementSource::ALL),
        }
    }

    pub fn contribution(&self) -> Contribution {
        let attribution = Attribution {
            actor: self.maybe(0, self.text(1)),
            country: self.maybe(1, self.text(2)),
            confidence: self.maybe(2, Confidence::new(self.small(1) % 101).unwrap()),
            basis: self.maybe(3, self.text(3)),
        };
        Contribution {
            name: self.text(2),
            description: self.maybe(4, self.text(0)),
            attribution: self.maybe(5, attribution),
            techniques: self.several(1, &Technique::from_stored(&self.text(1))),
            targets: self.several(2, &self.text(2)),
            references: self.several(3, &self.text(3)),
        }
    }

    pub fn outcome(&self) -> Outcome {
        let (version, other) = (self.position(1), self.position(4));
        let (from, to) = (self.word(2, TipState::ALL), self.word(3, TipState::ALL));
        let reasons = [
            VoidReason::Repeats(self.number(0)),
            VoidReason::Conflicts(self.number(0)),
            VoidReason::SubmissionClosed,
            VoidReason::BatchMissing(self.small(1)),
            VoidReason::BatchesBeyond(self.small(1)),
            VoidReason::SubmissionUnknown,
            VoidReason::AudienceGone,
            VoidReason::Registry(self.word(2, RegistryRule::ALL)),
            VoidReason::VersionGone,
            VoidReason::Suspended,
            VoidReason::HoldGone,
            VoidReason::TipUnknown,
            VoidReason::TipWithdrawn,
            VoidReason::TransitionRefused { from, to },
            VoidReason::AlreadyApplied,
            VoidReason::ListShrinks {
                list: ListName::from_stored(&self.text(2)),
                would_withdraw: self.number(0),
                size: self.number(1),
            },
        ];
        let items = [
            ItemOutcome::Created,
            ItemOutcome::Replaced(version),
            ItemOutcome::Unchanged(version),
            ItemOutcome::Moved {
                from: version,
                over: self.maybe(5, other),
                withdrawn: self.maybe(6, self.time(3)),
            },
            ItemOutcome::Merged { from: version, current: other },
            ItemOutcome::Ended(version),
            ItemOutcome::NoCurrentVersion,
            ItemOutcome::Released(version),
            ItemOutcome::Retracted(version),
            ItemOutcome::Full(version),
            ItemOutcome::Recreated(self.time(2)),
            ItemOutcome::VerdictConflict,
        ];
        let reason = usize::try_from(self.number(6) % 30).unwrap();
        reasons
            .get(reason)
            .map_or(Outcome::Applied(items.to_vec()), |one| Outcome::Void(one.clone()))
    }

    pub fn current(&self) -> AssessmentRecord {
        let sharing = self.sharing();
        let released = vec![self.number(3); sharing.releases.len()];
        let assessment = Assessment { raw: self.maybe(4, self.text(2)), ..self.assessment() };
        let (version, accepted, id) = (self.position(2), self.time(5), self.indicator_id());
        AssessmentRecord { version, accepted, sharing, released, id, assessment }
    }
}
