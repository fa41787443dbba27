//! Expansion for a reader whose filter names campaigns. When it gains or loses access to one of them, the versions that
//! name the campaign are compared.

use std::collections::BTreeMap;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::{CampaignId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::feeds::expansion::{
    Expansion, ExpansionStep, MAX_ENTRIES_PER_STEP, MAX_EVENTS_PER_STEP, MAX_VERSIONS_PER_STEP,
    event,
};
use crate::exchange::visibility::AsOf;

/// The keys of versions in the index, by version.
type Versions = BTreeMap<Position, (PartnerId, AudienceDigest, IndicatorId)>;

impl Expansion<'_> {
    /// Expands an entry that contributes to a campaign, after version `last`.
    pub(super) fn through_contribution(
        &self,
        campaign: CampaignId,
        last: Position,
    ) -> Result<ExpansionStep> {
        if !self.input.visibility.filter().campaigns.contains(&campaign) {
            return Ok(ExpansionStep::Done);
        }
        let visibility = self.input.visibility;
        let sees_campaign =
            |reader, as_of| visibility.sees_campaign(self.input.view, reader, as_of, campaign);
        let before = sees_campaign(self.before, self.input.before())?;
        let after = sees_campaign(self.after, AsOf::Sequence(self.sequence()))?;
        if before == after {
            return Ok(ExpansionStep::Done);
        }
        self.through_campaigns(&[campaign], last)
    }

    /// Compares the versions after `last` that name one of the campaigns and are older than the entry.
    pub(super) fn through_campaigns(
        &self,
        campaigns: &[CampaignId],
        last: Position,
    ) -> Result<ExpansionStep> {
        let Some((versions, end, more)) = self.next_versions(campaigns, last)? else {
            return Ok(ExpansionStep::Done);
        };
        let (mut removals, mut items) = (Vec::new(), Vec::new());
        for (compared, (version, (author, audience, id))) in (1..).zip(&versions) {
            self.compare((author, *audience, *id), *version, &mut removals, &mut items)?;
            if removals.len() + items.len() == MAX_EVENTS_PER_STEP
                || compared == MAX_VERSIONS_PER_STEP
            {
                let position = FeedPosition::in_expansion(self.sequence(), *version);
                return Ok(ExpansionStep::UpTo(event(removals, items).map(Box::new), position));
            }
        }
        if removals.is_empty() && items.is_empty() && !more {
            return Ok(ExpansionStep::Done);
        }
        let position = FeedPosition::in_expansion(self.sequence(), Position::new(end, u32::MAX));
        Ok(ExpansionStep::UpTo(event(removals, items).map(Box::new), position))
    }

    /// Reads the next versions that name one of the campaigns, from a bounded number of entries. Returns them, the
    /// sequence of the last of these entries, and whether there may be more after it.
    fn next_versions(
        &self,
        campaigns: &[CampaignId],
        last: Position,
    ) -> Result<Option<(Versions, u64, bool)>> {
        let from = last.sequence + u64::from(last.index == u32::MAX);
        let (mut versions, mut end, mut more) = (Versions::new(), u64::MAX, false);
        for campaign in campaigns {
            let mut last_sequence = 0;
            for (entries_read, named) in
                self.input.view.campaign_versions(*campaign, from).enumerate()
            {
                let (sequence, named) = named?;
                if sequence > self.sequence() {
                    break;
                }
                if entries_read == MAX_ENTRIES_PER_STEP {
                    // All campaigns stop at the first one that has more entries.
                    (end, more) = (end.min(last_sequence), true);
                    break;
                }
                last_sequence = sequence;
                for (index, id) in &named.entry_versions.versions {
                    let key =
                        (named.entry_versions.author.clone(), named.entry_versions.audience, *id);
                    versions.insert(Position::new(sequence, *index), key);
                }
            }
        }
        versions.retain(|version, _| *version > last && version.sequence <= end);
        let last_version = versions.last_key_value().map(|(version, _)| version.sequence);
        let end = if more { Some(end) } else { last_version };
        Ok(end.map(|end| (versions, end, more)))
    }
}
