//! What partners say of campaigns: the newest word of each to an audience counts. And which versions name
//! one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Applier;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{
    Batch, CampaignPut, Entry, ItemOutcome, Outcome, Releasable, SubmissionId, VoidReason,
};
use crate::domain::{CampaignId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{
    self, CampaignVersions, ContributionRecord, EntryVersions, ReleaseState, TakenBatch,
};

impl Applier {
    pub(super) fn campaign(&mut self, entry: &Entry, put: &CampaignPut) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let request = keys::request(author, &put.request);
        if let Some(void) = self.taken_before(&request, put.digest)? {
            return Ok(Outcome::Void(void));
        }
        if !self.may_share(author, &put.sharing.audience) {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        }
        let position = Position::new(entry.sequence, 0);
        let audience = AudienceDigest::of(&put.sharing.audience);
        let key = keys::contribution(put.campaign, author, audience);
        let old = self.read(&key)?.map(|old| ContributionRecord::decode(&old)).transpose()?;
        let taken = TakenBatch { digest: put.digest, sequence: entry.sequence, time: entry.time };
        self.put(request, taken.encode());
        let outcome = match &old {
            Some(old) if old.says(&put.sharing, &put.contribution) => {
                ItemOutcome::Unchanged(old.position)
            }
            old => {
                if let Some(old) = old {
                    self.remove(keys::contribution_at(old.position));
                    self.put_lost(position, old.position, &old.sharing);
                }
                let old = old.as_ref();
                let kept = ContributionRecord {
                    campaign: put.campaign,
                    position,
                    author: author.clone(),
                    accepted: entry.time,
                    first: old.map_or((position, entry.time), |old| old.first),
                    founded: old.map_or(put.founds, |old| old.founded),
                    replaced: old.map(|old| old.position),
                    sharing: put.sharing.clone(),
                    lane: ReleaseState::begun(&put.sharing, entry.sequence),
                    contribution: put.contribution.clone(),
                };
                let sight = record::campaign_sight(author, &put.sharing);
                self.put(keys::contribution_at(position), record::encode(key.as_slice()));
                self.put(keys::sight_of(put.campaign, position), sight);
                self.put(key, kept.encode());
                let object = Releasable::Contribution {
                    campaign: put.campaign,
                    audience,
                    version: position,
                };
                self.put_release_ends_of_batch(author, &put.sharing, entry.sequence, &[object]);
                self.put_campaigns_changed(entry.sequence);
                kept.replaced.map_or(ItemOutcome::Created, ItemOutcome::Replaced)
            }
        };
        Ok(Outcome::Taken(vec![outcome]))
    }

    /// Records, for each campaign that a batch names, the versions that name it.
    pub(super) fn put_named(
        &mut self,
        author: &PartnerId,
        audience: AudienceDigest,
        batch: &Batch,
        sequence: u64,
        outcomes: &[ItemOutcome],
    ) {
        let mut named: BTreeMap<CampaignId, Vec<(u32, IndicatorId)>> = BTreeMap::new();
        for (item, outcome) in batch.items.iter().zip(outcomes) {
            if let (Some(campaign), true) = (item.assessment.campaign, outcome.makes_version()) {
                named.entry(campaign).or_default().push((item.index, item.id));
            }
        }
        for (campaign, versions) in named {
            let submission = submission_mark(author, &batch.submission);
            let author = author.clone();
            let kept = CampaignVersions {
                submission,
                brought: EntryVersions { author, audience, versions },
            };
            self.put(keys::naming_entry(campaign, sequence), kept.encode());
        }
    }
}

/// What tells submissions apart without naming them: their ids are their authors' alone.
fn submission_mark(author: &PartnerId, submission: &SubmissionId) -> [u8; 8] {
    let mut hash = Sha256::new();
    for text in [author.as_str(), submission.as_str()] {
        hash.update(text);
        hash.update([0]);
    }
    let mut mark = [0; 8];
    mark.copy_from_slice(&hash.finalize()[..8]);
    mark
}
