//! What a reader may see of enforcements.

use crate::domain::sharing::{Reader, SharingView};
use crate::domain::{Position, TipId, may_see};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::visibility::campaign::saw_before;
use crate::index::View;
use crate::index::record::EnforcementRecord;

/// An enforcement, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementView {
    /// The enforcement. Its campaign and its tip are blank where they are hidden from the reader.
    pub kept: EnforcementRecord,
    /// The version that it took the place of, where the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's own part of the sharing.
    pub view: SharingView,
}

impl Core {
    /// An enforcement that a reader may see, with what that reader may know of it.
    pub(in crate::exchange) fn deed(
        &self,
        view: &View<'_>,
        reader: &Reader,
        mut kept: EnforcementRecord,
    ) -> Result<EnforcementView> {
        let is_own = reader.id == kept.author;
        if let Some(campaign) = kept.enforcement.campaign
            && !is_own
            && !self.sees_campaign(view, reader, campaign)?
        {
            kept.enforcement.campaign = None;
        }
        if let Some(tip) = kept.enforcement.tip
            && !is_own
            && !sees_tip(view, reader, tip)?
        {
            kept.enforcement.tip = None;
        }
        let part = kept.sharing.seen_by(reader, &kept.author, kept.position);
        let (now, at) = (self.clock.now(), kept.position);
        let saw = |old: &Position| saw_before(reader, &kept.sharing, &kept.author, at, *old, now);
        let replaces = kept.replaced.filter(saw);
        Ok(EnforcementView { kept, replaces, view: part })
    }

    /// Whether a reader sees an enforcement, and no newer word of its author's on the same deed to another
    /// audience: each deed counts once.
    pub(in crate::exchange) fn is_newest_seen(
        &self,
        view: &View<'_>,
        reader: &Reader,
        kept: &EnforcementRecord,
    ) -> Result<bool> {
        let now = self.clock.now();
        let sees =
            |one: &EnforcementRecord| may_see(reader, &one.sharing, &one.author, one.position, now);
        if !sees(kept) {
            return Ok(false);
        }
        for other in view.enforcement_versions(&kept.author, &kept.enforcement.id) {
            let other = other?;
            if other.position > kept.position && sees(&other) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a tip is a reader's, as its sender or one of its recipients.
pub(in crate::exchange) fn sees_tip(
    view: &View<'_>,
    reader: &Reader,
    tip: [u8; 16],
) -> Result<bool> {
    let tip = view.tip(TipId::from_bytes(tip))?;
    Ok(tip.is_some_and(|tip| tip.concerns(&reader.id)))
}
