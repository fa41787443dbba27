//! Commands: requests that change state. Each builds the body of an entry and commits it.

mod campaign;
mod enforcement;
mod enforcement_withdrawal;
mod feedback;
mod hold;
mod registry;
mod release;
mod revocation;
mod seed;
mod selection;
mod sighting;
mod submit;
mod tip;
mod tip_response;
mod tip_withdrawal;
mod withdraw;

use std::sync::Arc;

pub use self::campaign::{CampaignReceipt, CampaignRequest};
pub use self::enforcement::{EnforcementReceipt, EnforcementRequest};
pub use self::enforcement_withdrawal::EnforcementWithdrawalReceipt;
pub use self::feedback::FeedbackRequest;
pub use self::hold::{HoldRequest, PlacedHold};
pub use self::registry::PutReceipt;
pub use self::release::{ReleaseReceipt, ReleaseRequest};
pub use self::revocation::RevocationReceipt;
pub use self::seed::Seed;
pub use self::selection::Selection;
pub use self::sighting::SightingsRequest;
pub use self::tip::TipRequest;
pub use self::tip_response::ResponseRequest;
pub use self::withdraw::WithdrawalReceipt;
use crate::exchange::core::Core;

/// Handles requests that change state.
#[derive(Clone, Debug)]
pub struct Commands {
    core: Arc<Core>,
}

impl Commands {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}
