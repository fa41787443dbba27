//! Reads of campaigns: their contributions, and the versions that name them.

use super::record::{self, CampaignVersions, ReplacedVersion, read_campaign_visibility};
use super::store::Slice;
use super::{View, corrupt, keys};
use crate::domain::accepted::ContributionRecord;
use crate::domain::audience::AudienceDigest;
use crate::domain::sharing::Reader;
use crate::domain::{CampaignId, PartnerId, Position, Timestamp, may_see};
use crate::error::Result;

impl View<'_> {
    /// The contributions to a campaign, ordered by author.
    pub fn contributions(
        &self,
        campaign: CampaignId,
    ) -> impl Iterator<Item = Result<ContributionRecord>> + use<> {
        self.snapshot
            .scan(&keys::contributions(campaign))
            .map(|pair| ContributionRecord::decode(&pair?.1))
    }

    /// An author's contribution to a campaign, for one audience.
    pub fn contribution(
        &self,
        campaign: CampaignId,
        author: &PartnerId,
        audience: AudienceDigest,
    ) -> Result<Option<ContributionRecord>> {
        let stored = self.snapshot.get(&keys::contribution(campaign, author, audience))?;
        stored.map(|stored| ContributionRecord::decode(&stored)).transpose()
    }

    /// The contribution accepted at a position, if that version is current.
    pub fn contribution_at(&self, at: Position) -> Result<Option<ContributionRecord>> {
        self.record_at(&keys::contribution_at(at), at)
    }

    /// Contributions to any campaign, the newest first, from just before `before` or from the end.
    pub fn contributions_back(
        &self,
        before: Option<Position>,
    ) -> impl Iterator<Item = Result<ContributionRecord>> + use<> {
        let before = before.map(keys::contribution_at);
        self.records_back(keys::contributions_by_time(), before.as_deref(), read_position)
    }

    /// Contributions to any campaign after a position, the oldest first. Looks at up to `limit`
    /// positions. Returns the last one if there may be more.
    pub fn scan_contributions(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<(Vec<ContributionRecord>, Option<Position>)> {
        let from = Position::new(after.sequence, after.index.saturating_add(1));
        let (prefix, from) = (keys::contributions_by_time(), keys::contribution_at(from));
        self.records_from(prefix, &from, limit, read_position)
    }

    /// The released version that the version at `at` replaced, and to which liaisons it was released.
    pub fn replaced_version(&self, at: Position) -> Result<Option<ReplacedVersion>> {
        self.snapshot
            .get(&keys::replaced(at))?
            .map(|stored| ReplacedVersion::decode(&stored))
            .transpose()
    }

    /// Whether a reader may see a campaign. It may if it sees at least one contribution.
    pub fn campaign_visible(
        &self,
        campaign: CampaignId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<bool> {
        for contribution in self.contributions(campaign) {
            let contribution = contribution?;
            if may_see(
                reader,
                &contribution.sharing,
                &contribution.author,
                contribution.position,
                now,
            ) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Like [`View::campaign_visible`], as of an entry: for the reader's rights then and the
    /// contributions up to then. Ignores the clock, which only ends releases to liaisons; liaisons do
    /// not follow campaigns.
    pub fn campaign_visible_at(
        &self,
        campaign: CampaignId,
        reader: &Reader,
        sequence: u64,
    ) -> Result<bool> {
        for pair in self.snapshot.scan(&keys::visibilities(campaign)) {
            let (key, value) = pair?;
            let at = keys::read_visibility_position(&key)
                .ok_or_else(|| corrupt("the visibility of a campaign"))?;
            if at.sequence > sequence {
                break;
            }
            let (author, sharing) = read_campaign_visibility(&value)?;
            if may_see(reader, &sharing, &author, at, Timestamp::default()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last entry that changed the visibility of any campaign; 0 if none did. Cached answers are
    /// valid until it changes.
    pub fn campaigns_changed(&self) -> Result<u64> {
        let bytes = self.snapshot.get(keys::CAMPAIGNS_CHANGED)?;
        let read = |bytes: Slice| record::decode(&bytes, "the last entry on a campaign");
        bytes.map_or(Ok(0), read)
    }

    /// All versions that ever named a campaign, by sequence, starting at sequence `from`.
    pub fn campaign_versions(
        &self,
        campaign: CampaignId,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, CampaignVersions)>> + use<> {
        let prefix = keys::naming(campaign);
        let found = self.snapshot.scan_from(&prefix, &keys::naming_entry(campaign, from));
        found.map(|pair| {
            let (key, value) = pair?;
            let sequence =
                keys::read_entry(&key).ok_or_else(|| corrupt("a version that names a campaign"))?;
            Ok((sequence, CampaignVersions::decode(&value)?))
        })
    }
}

fn read_position(key: &[u8]) -> Result<Position> {
    let position = keys::read_contribution_position(key);
    position.ok_or_else(|| corrupt("the position of a contribution"))
}
