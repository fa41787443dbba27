//! Accepted objects: the content that an entry brought, with its author, audience, position and time.
//!
//! The index stores them and the exchange answers with them. Each is the state after some entry: it
//! changes with releases, responses and replacements, always by a later entry.

mod access;
mod assessment;
mod campaign;
mod enforcement;
mod hold;
mod reaction;
mod release;
mod tip;

pub use self::access::AccessRecord;
pub use self::assessment::AssessmentRecord;
pub use self::campaign::ContributionRecord;
pub use self::enforcement::EnforcementRecord;
pub use self::hold::HoldRecord;
pub use self::reaction::{FeedbackRecord, SightingRecord};
pub use self::release::{ActiveRelease, ReleaseState};
pub use self::tip::{ThreadRecord, TipAction, TipEntryRecord, TipMove, TipRecord};
