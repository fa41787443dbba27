//! The pure core: the words and the rules of the exchange. No I/O, no async, no clock, no
//! randomness.

pub mod assessment;
pub mod audience;
pub mod campaign;
pub mod canonical;
pub mod cursor;
pub mod day;
pub mod enforcement;
pub mod entry;
pub mod feedback;
pub mod filter;
pub mod given;
pub mod indicator;
pub mod invalid;
pub mod label;
pub mod partner;
pub mod platform;
pub mod purpose;
pub mod reading;
pub mod refang;
pub mod sharing;
pub mod submission;
pub mod subscription;
pub mod summary;
pub mod time;
pub mod tip;

pub use assessment::Assessment;
pub use campaign::CampaignId;
pub use cursor::Cursor;
pub use day::Day;
pub use entry::{Entry, Position};
pub use given::{ReceivedAssessment, ReceivedContribution, ReceivedEnforcement};
pub use indicator::{Indicator, IndicatorId, Kind};
pub use invalid::Invalid;
pub use partner::{GroupId, PartnerId};
pub use platform::Platform;
pub use sharing::{Reader, Sharing, Tlp, may_see};
pub use subscription::SubscriptionName;
pub use time::Timestamp;
pub use tip::TipId;
