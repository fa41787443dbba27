//! What a reader may see of enforcements.

use crate::domain::accepted::EnforcementRecord;
use crate::domain::sharing::SharingView;
use crate::domain::{Position, TipId};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;

/// An enforcement, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementView {
    /// The enforcement. Its campaign and its tip are blank where they are hidden from the reader.
    pub record: EnforcementRecord,
    /// The version that it took the place of, where the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's own part of the sharing.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// An enforcement that the reader may see, without the campaign and the tip that are hidden from it.
    pub fn enforcement(&self, mut kept: EnforcementRecord) -> Result<EnforcementView> {
        let is_own = self.reader.id == kept.author;
        if let Some(campaign) = kept.enforcement.campaign
            && !is_own
            && !self.sees_campaign(campaign)?
        {
            kept.enforcement.campaign = None;
        }
        if let Some(tip) = kept.enforcement.tip
            && !is_own
            && !self.is_party_of(tip)?
        {
            kept.enforcement.tip = None;
        }
        let view = kept.sharing.view_for(self.reader, &kept.author, kept.position);
        let (sharing, author) = (&kept.sharing, &kept.author);
        let saw = |old: &Position| self.saw_earlier_version(sharing, author, kept.position, *old);
        let replaces = kept.replaced.filter(saw);
        Ok(EnforcementView { record: kept, replaces, sharing: view })
    }

    /// Whether the reader may see an enforcement, and no newer version that its author shared with another
    /// audience. So each enforcement is listed and counted once.
    pub fn is_newest_visible(&self, kept: &EnforcementRecord) -> Result<bool> {
        let visible =
            |one: &EnforcementRecord| self.may_see(&one.sharing, &one.author, one.position);
        if !visible(kept) {
            return Ok(false);
        }
        for other in self.view.enforcement_versions(&kept.author, &kept.enforcement.id) {
            let other = other?;
            if other.position > kept.position && visible(&other) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the reader sent a tip or is one of its recipients.
    pub fn is_party_of(&self, tip: [u8; 16]) -> Result<bool> {
        let tip = self.view.tip(TipId::from_bytes(tip))?;
        Ok(tip.is_some_and(|tip| tip.concerns(&self.reader.id)))
    }
}
