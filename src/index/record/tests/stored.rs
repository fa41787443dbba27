//! One interface to the encoding of all records.

use std::fmt::Debug;

use super::super::*;
use crate::domain::accepted::{
    AccessRecord, AssessmentRecord, ContributionRecord, EnforcementRecord, FeedbackRecord,
    HoldRecord, ReleaseState, SightingRecord, TipEntryRecord, TipRecord,
};
use crate::domain::activity::{Activity, HourlyActivity};
use crate::domain::entry::{Item, Outcome, TipIndicator};
use crate::domain::partner::Group;
use crate::domain::revocation::Revoked;
use crate::domain::{PartnerId, Sharing};
use crate::error::Result;

/// Encoding and decoding of a record.
pub trait Stored: PartialEq + Debug + Sized {
    fn bytes(&self) -> Vec<u8>;
    fn of(bytes: &[u8]) -> Result<Self>;
}

macro_rules! stored {
    ($($name:ident),+) => {
        $(impl Stored for $name {
            fn bytes(&self) -> Vec<u8> {
                self.encode()
            }

            fn of(bytes: &[u8]) -> Result<Self> {
                Self::decode(bytes)
            }
        })+
    };
}

stored!(
    TipEntryRecord,
    ClosedVersion,
    ExpiringReleases,
    AccessRecord,
    ContributionRecord,
    EnforcementRecord,
    FeedbackRecord
);
stored!(
    HoldRecord,
    SightingRecord,
    TipRecord,
    ReplacedVersion,
    WithdrawnEnforcement,
    CampaignVersions,
    ReferralProgress,
    SubmissionState,
    IdempotencyRecord
);
stored!(ListRecord, ListMemberships, SubmissionLists, WithdrawalRecord, Activity, HourlyActivity);

impl Stored for Checkpoint {
    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        Self::decode(bytes).ok_or_else(|| corrupt("a checkpoint"))
    }
}

/// An outcome with the versions that the entry created.
impl Stored for (Outcome, Option<EntryVersions>) {
    fn bytes(&self) -> Vec<u8> {
        outcome(&self.0, self.1.as_ref())
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        Ok((read_outcome(bytes)?, read_versions(bytes)?))
    }
}

impl Stored for PartnerRecord {
    fn bytes(&self) -> Vec<u8> {
        partner(self)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        read_partner(bytes)
    }
}

impl Stored for Revoked {
    fn bytes(&self) -> Vec<u8> {
        revoked(self)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        read_revoked(bytes)
    }
}

impl Stored for Group {
    fn bytes(&self) -> Vec<u8> {
        group(self)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        read_group(bytes)
    }
}

impl Stored for AssessmentRecord {
    fn bytes(&self) -> Vec<u8> {
        let all =
            ReleaseState { since: self.released.clone(), sent: Vec::new() }.in_force(&self.sharing);
        let (id, assessment) = (self.id, self.assessment.clone());
        let raw = assessment.raw.clone();
        let statement =
            encode_statement(&encode_sharing(&self.sharing), &Item { index: 7, id, assessment });
        encode_assessment(
            self.version,
            self.accepted,
            self.version.sequence,
            raw.as_deref(),
            &releases(&all),
            &statement,
        )
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        RawAssessment::of(bytes)?.decode()
    }
}

impl Stored for (PartnerId, Sharing) {
    fn bytes(&self) -> Vec<u8> {
        encode_campaign_visibility(&self.0, &self.1)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        read_campaign_visibility(bytes)
    }
}

impl Stored for Vec<TipIndicator> {
    fn bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        read_indicators(bytes)
    }
}
