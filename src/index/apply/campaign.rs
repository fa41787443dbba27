//! Applies campaign contributions, and indexes which versions name a campaign. Only the newest
//! contribution of an author to an audience is current.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Applier;
use crate::domain::accepted::{ContributionRecord, ReleaseState};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{
    Batch, CampaignPut, Entry, ItemOutcome, Outcome, Releasable, SubmissionId, VoidReason,
};
use crate::domain::{CampaignId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, CampaignVersions, EntryVersions, IdempotencyRecord};

impl Applier {
    pub(super) fn campaign(&mut self, entry: &Entry, put: &CampaignPut) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let request = keys::request(author, &put.request);
        if let Some(void) = self.check_idempotency(&request, put.digest)? {
            return Ok(Outcome::Void(void));
        }
        if !self.may_share(author, &put.sharing.audience) {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        }
        let position = Position::new(entry.sequence, 0);
        let audience = AudienceDigest::of(&put.sharing.audience);
        let key = keys::contribution(put.campaign, author, audience);
        let old = self.read(&key)?.map(|old| ContributionRecord::decode(&old)).transpose()?;
        let taken =
            IdempotencyRecord { digest: put.digest, sequence: entry.sequence, time: entry.time };
        self.put(request, taken.encode());
        let outcome = match &old {
            Some(old) if old.has_same_content(&put.sharing, &put.contribution) => {
                ItemOutcome::Unchanged(old.position)
            }
            old => {
                if let Some(old) = old {
                    self.remove(keys::contribution_at(old.position));
                    self.put_replaced(position, old.position, &old.sharing);
                }
                let old = old.as_ref();
                let record = ContributionRecord {
                    campaign: put.campaign,
                    position,
                    author: author.clone(),
                    accepted: entry.time,
                    first: old.map_or((position, entry.time), |old| old.first),
                    founded: old.map_or(put.founds, |old| old.founded),
                    replaced: old.map(|old| old.position),
                    sharing: put.sharing.clone(),
                    release_state: ReleaseState::new(&put.sharing, entry.sequence),
                    contribution: put.contribution.clone(),
                };
                let visibility = record::encode_campaign_visibility(author, &put.sharing);
                self.put(keys::contribution_at(position), record::encode(key.as_slice()));
                self.put(keys::visibility_at(put.campaign, position), visibility);
                self.put(key, record.encode());
                let object = Releasable::Contribution {
                    campaign: put.campaign,
                    audience,
                    version: position,
                };
                self.put_release_ends_of_batch(author, &put.sharing, entry.sequence, &[object]);
                self.put_campaigns_changed(entry.sequence);
                record.replaced.map_or(ItemOutcome::Created, ItemOutcome::Replaced)
            }
        };
        Ok(Outcome::Applied(vec![outcome]))
    }

    /// Indexes, for each campaign that a batch names, the versions that name it.
    pub(super) fn put_campaign_versions(
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
            let versions = CampaignVersions {
                submission,
                entry_versions: EntryVersions { author, audience, versions },
            };
            self.put(keys::naming_entry(campaign, sequence), versions.encode());
        }
    }
}

/// Hash that tells submissions apart without revealing their ids, which are private to their authors.
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
