//! The encoding of accepted objects, which are types of the domain.

use super::codec::record;
use crate::domain::accepted::{
    AccessRecord, ContributionRecord, EnforcementRecord, FeedbackRecord, HoldRecord,
    SightingRecord, TipEntryRecord, TipRecord,
};

record!(AccessRecord, "an access");
record!(HoldRecord, "a hold");
record!(ContributionRecord, "a contribution to a campaign");
record!(EnforcementRecord, "an enforcement");
record!(SightingRecord, "a sighting");
record!(FeedbackRecord, "feedback");
record!(TipRecord, "a tip");
record!(TipEntryRecord, "an entry of a tip");
