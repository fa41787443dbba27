//! What is said of campaigns and what names them, read.

use super::record::{
    self, CampaignVersions, ContributionRecord, ReplacedVersion, read_campaign_sight,
};
use super::store::Slice;
use super::{View, corrupt, keys};
use crate::domain::audience::AudienceDigest;
use crate::domain::sharing::Reader;
use crate::domain::{CampaignId, PartnerId, Position, Timestamp, may_see};
use crate::error::Result;

impl View<'_> {
    /// What is said of a campaign, author by author.
    pub fn contributions(
        &self,
        campaign: CampaignId,
    ) -> impl Iterator<Item = Result<ContributionRecord>> + use<> {
        self.snapshot
            .scan(&keys::contributions(campaign))
            .map(|pair| ContributionRecord::decode(&pair?.1))
    }

    /// What an author says of a campaign to one audience.
    pub fn contribution(
        &self,
        campaign: CampaignId,
        author: &PartnerId,
        audience: AudienceDigest,
    ) -> Result<Option<ContributionRecord>> {
        let stored = self.snapshot.get(&keys::contribution(campaign, author, audience))?;
        stored.map(|stored| ContributionRecord::decode(&stored)).transpose()
    }

    /// What was said of a campaign at a place, while it is what its author says.
    pub fn contribution_at(&self, at: Position) -> Result<Option<ContributionRecord>> {
        self.placed_at(&keys::contribution_at(at), at)
    }

    /// What is said of any campaign, the newest first, before a place or before the end.
    pub fn contributions_back(
        &self,
        before: Option<Position>,
    ) -> impl Iterator<Item = Result<ContributionRecord>> + use<> {
        let before = before.map(keys::contribution_at);
        self.placed_back(keys::contributions_by_time(), before.as_deref(), read_place)
    }

    /// What is said of any campaign, the oldest first, behind a place: at most so many places are looked at.
    /// With the last of those, where there may be more.
    pub fn scan_contributions(
        &self,
        behind: Position,
        most: usize,
    ) -> Result<(Vec<ContributionRecord>, Option<Position>)> {
        let from = Position::new(behind.sequence, behind.index.saturating_add(1));
        let (prefix, from) = (keys::contributions_by_time(), keys::contribution_at(from));
        self.placed_from(prefix, &from, most, read_place)
    }

    /// What an entry put in the place of a version that was released: that one, and to whom it was.
    pub fn lost(&self, at: Position) -> Result<Option<ReplacedVersion>> {
        self.snapshot
            .get(&keys::lost(at))?
            .map(|stored| ReplacedVersion::decode(&stored))
            .transpose()
    }

    /// Whether a reader may see a campaign: one contribution to it suffices. What it may not see is not
    /// there.
    pub fn campaign_visible(
        &self,
        campaign: CampaignId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<bool> {
        for kept in self.contributions(campaign) {
            let kept = kept?;
            if may_see(reader, &kept.sharing, &kept.author, kept.position, now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same for a reader as it was once an entry had been applied, by what was said up to then. The
    /// clock ends releases, and liaisons follow no campaigns: it is not asked.
    pub fn campaign_visible_at(
        &self,
        campaign: CampaignId,
        reader: &Reader,
        sequence: u64,
    ) -> Result<bool> {
        for pair in self.snapshot.scan(&keys::sights_of(campaign)) {
            let (key, value) = pair?;
            let at = keys::read_sight_of(&key).ok_or_else(|| corrupt("the sight of a campaign"))?;
            if at.sequence > sequence {
                break;
            }
            let (author, sharing) = read_campaign_sight(&value)?;
            if may_see(reader, &sharing, &author, at, Timestamp::default()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last entry that changed who sees a campaign; 0 where none did. What was read of that holds until
    /// another entry does.
    pub fn campaigns_changed(&self) -> Result<u64> {
        let bytes = self.snapshot.get(keys::CAMPAIGNS_CHANGED)?;
        let read = |bytes: Slice| record::decode(&bytes, "the last entry on a campaign");
        bytes.map_or(Ok(0), read)
    }

    /// The versions that ever named a campaign, by the sequence of their entry, from one entry on.
    pub fn naming(
        &self,
        campaign: CampaignId,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, CampaignVersions)>> + use<> {
        let prefix = keys::naming(campaign);
        let found = self.snapshot.scan_from(&prefix, &keys::naming_entry(campaign, from));
        found.map(|pair| {
            let (key, value) = pair?;
            let sequence =
                keys::read_entry(&key).ok_or_else(|| corrupt("what names a campaign"))?;
            Ok((sequence, CampaignVersions::decode(&value)?))
        })
    }
}

fn read_place(key: &[u8]) -> Result<Position> {
    let place = keys::read_contribution_place(key);
    place.ok_or_else(|| corrupt("the order of what is said of campaigns"))
}
