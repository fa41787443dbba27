//! Enforcements, as a reader may see them.

use crate::domain::accepted::EnforcementRecord;
use crate::domain::sharing::SharingView;
use crate::domain::{Position, TipId};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;

/// An enforcement, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementView {
    /// The enforcement, without a campaign or tip that is hidden from the reader.
    pub record: EnforcementRecord,
    /// The version that it replaced, if the reader could see that version.
    pub replaces: Option<Position>,
    /// The part of the sharing that the reader may see.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// An enforcement that the reader may see, without a campaign or tip that is hidden from the reader.
    pub fn enforcement(&self, mut record: EnforcementRecord) -> Result<EnforcementView> {
        let is_own = self.reader.id == record.author;
        if let Some(campaign) = record.enforcement.campaign
            && !is_own
            && !self.sees_campaign(campaign)?
        {
            record.enforcement.campaign = None;
        }
        if let Some(tip) = record.enforcement.tip
            && !is_own
            && !self.is_party_of(tip)?
        {
            record.enforcement.tip = None;
        }
        let sharing = record.sharing.view_for(self.reader, &record.author, record.position);
        let saw = |earlier: &Position| {
            self.saw_earlier_version(&record.sharing, &record.author, record.position, *earlier)
        };
        let replaces = record.replaced.filter(saw);
        Ok(EnforcementView { record, replaces, sharing })
    }

    /// Whether the reader may see a version of an enforcement, and no newer version for another audience. So each
    /// enforcement is listed and counted once.
    pub fn is_newest_visible(&self, record: &EnforcementRecord) -> Result<bool> {
        let visible = |version: &EnforcementRecord| {
            self.may_see(&version.sharing, &version.author, version.position)
        };
        if !visible(record) {
            return Ok(false);
        }
        for other in self.view.enforcement_versions(&record.author, &record.enforcement.id) {
            let other = other?;
            if other.position > record.position && visible(&other) {
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
