//! Expansion for a reader with a filter by campaign that gains or loses sight of one: the versions that name it.

use std::collections::BTreeMap;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::{CampaignId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::feeds::expansion::{
    Expansion, ExpansionStep, MAX_ENTRIES_PER_STEP, MAX_EVENTS_PER_STEP, MAX_VERSIONS_PER_STEP,
    delivery, delivery_is_empty,
};
use crate::exchange::visibility::AsOf;

/// The keys of versions in the index, by version.
type Versions = BTreeMap<Position, (PartnerId, AudienceDigest, IndicatorId)>;

impl Expansion<'_> {
    /// Expands a contribution to a campaign, after a version.
    pub(super) fn through_contribution(
        &self,
        campaign: CampaignId,
        last: Position,
    ) -> Result<ExpansionStep> {
        if !self.input.visibility.filter().campaigns.contains(&campaign) {
            return Ok(ExpansionStep::Done);
        }
        let visibility = self.input.visibility;
        let sees =
            |reader, as_of| visibility.sees_campaign(self.input.view, reader, as_of, campaign);
        let before = sees(self.before, self.input.before())?;
        let after = sees(self.after, AsOf::Sequence(self.sequence()))?;
        if before == after {
            return Ok(ExpansionStep::Done);
        }
        self.through_campaigns(&[campaign], last)
    }

    /// Compares the versions before the entry that name one of the campaigns, after a version.
    pub(super) fn through_campaigns(
        &self,
        campaigns: &[CampaignId],
        last: Position,
    ) -> Result<ExpansionStep> {
        let Some((versions, end, more)) = self.named(campaigns, last)? else {
            return Ok(ExpansionStep::Done);
        };
        let (mut removed, mut shown) = (Vec::new(), Vec::new());
        for (looked, (version, (author, audience, id))) in (1..).zip(&versions) {
            self.compare((author, *audience, *id), *version, &mut removed, &mut shown)?;
            if removed.len() + shown.len() == MAX_EVENTS_PER_STEP || looked == MAX_VERSIONS_PER_STEP
            {
                let place = FeedPosition::in_expansion(self.sequence(), *version);
                return Ok(ExpansionStep::UpTo(delivery(removed, shown).map(Box::new), place));
            }
        }
        if delivery_is_empty(&removed, &shown) && !more {
            return Ok(ExpansionStep::Done);
        }
        let place = FeedPosition::in_expansion(self.sequence(), Position::new(end, u32::MAX));
        Ok(ExpansionStep::UpTo(delivery(removed, shown).map(Box::new), place))
    }

    /// The next versions that name one of the campaigns, of a bounded number of entries; the last of these entries,
    /// and whether there may be more after it.
    fn named(
        &self,
        campaigns: &[CampaignId],
        last: Position,
    ) -> Result<Option<(Versions, u64, bool)>> {
        let from = last.sequence + u64::from(last.index == u32::MAX);
        let (mut versions, mut end, mut more) = (Versions::new(), u64::MAX, false);
        for campaign in campaigns {
            let mut last_read = 0;
            for (read, named) in self.input.view.campaign_versions(*campaign, from).enumerate() {
                let (sequence, named) = named?;
                if sequence > self.sequence() {
                    break;
                }
                if read == MAX_ENTRIES_PER_STEP {
                    // All of them together go no further than the first that has more.
                    (end, more) = (end.min(last_read), true);
                    break;
                }
                last_read = sequence;
                for (index, id) in &named.entry_versions.versions {
                    let of =
                        (named.entry_versions.author.clone(), named.entry_versions.audience, *id);
                    versions.insert(Position::new(sequence, *index), of);
                }
            }
        }
        versions.retain(|version, _| *version > last && version.sequence <= end);
        let last_looked = versions.last_key_value().map(|(version, _)| version.sequence);
        let end = if more { Some(end) } else { last_looked };
        Ok(end.map(|end| (versions, end, more)))
    }
}
