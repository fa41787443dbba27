//! Queries: read what a caller may see. They read from the disk and block: call them on a blocking thread.

mod account;
mod campaign;
mod campaigns;
mod enforcements;
mod holds;
mod indicator;
mod partners;
mod reactions;
mod tip;
mod tips;

use std::sync::Arc;

pub use self::account::{LinkedAccount, LinkedAccounts};
pub use self::campaign::{
    CampaignCounts, CampaignQuery, CampaignView, ClusterGraph, Edge, EdgeKind, EnforcementTotal,
    TimelineEvent, TimelineEventKind, TimelinePosition, TipStep,
};
pub use self::campaigns::CampaignSummary;
pub use self::enforcements::EnforcementQuery;
pub use self::holds::HoldPage;
pub use self::reactions::Reactions;
pub use self::tip::{TipDetailQuery, TipView};
pub use self::tips::{TipQuery, TipsPage};
use crate::exchange::core::Core;

/// Answers queries from the index. Every method may block on the disk.
#[derive(Clone, Debug)]
pub struct Queries {
    core: Arc<Core>,
}

impl Queries {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}
