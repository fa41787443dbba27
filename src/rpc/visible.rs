//! Contributions to campaigns and enforcements, as messages.

use crate::exchange::{ContributionView, EnforcementView};
use crate::wire::{campaign, enforcement, pb};

/// A contribution as a reader may see it.
pub fn contribution(one: &ContributionView) -> pb::VisibleContribution {
    let kept = &one.record;
    let meta = campaign::ContributionMeta {
        campaign: kept.campaign,
        position: kept.position,
        author: &kept.author,
        accepted: kept.accepted,
        founds: kept.founded,
        replaces: one.replaces,
        view: &one.sharing,
    };
    campaign::visible(&kept.contribution, &meta)
}

/// An enforcement as a reader may see it.
pub fn enforcement(deed: &EnforcementView) -> pb::VisibleEnforcement {
    let kept = &deed.record;
    let meta = enforcement::EnforcementMeta {
        position: kept.position,
        author: &kept.author,
        accepted: kept.accepted,
        replaces: deed.replaces,
        view: &deed.sharing,
    };
    enforcement::visible(&kept.enforcement, &meta)
}
