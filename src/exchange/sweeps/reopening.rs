//! Reopening of tips: new indicators in a campaign reopen its monitored or closed tips, if a party of the tip submitted
//! them and both sides may see them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::entry::{AppendId, Body, Target, TipsReopened};
use crate::domain::sharing::Reader;
use crate::domain::{CampaignId, PartnerId, Sharing, Timestamp, TipId, may_see};
use crate::error::Result;
use crate::exchange::sweeps::{Sweeps, log_result};
use crate::index::{MAX_REOPENED_PER_ENTRY, View};

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Batches that one round handles.
const BATCHES_PER_ROUND: usize = 64;

/// A thread to reopen, by tip and recipient, and the new version that both sides may see.
type ReopenedThread = (TipId, PartnerId, Target);

/// The current versions of a batch that name a campaign.
struct CampaignNews {
    author: PartnerId,
    versions: Vec<(Target, Sharing)>,
}

impl Sweeps {
    /// Runs the referrals of closed submissions and the reopenings until `stop`.
    pub async fn follow_up_tips(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("referral of tips", self.refer_due().await);
            log_result("reopening of tips", self.reopen_due().await);
        }
    }

    /// Reopens the waiting threads of campaigns with new versions, and returns the number of threads in its entries.
    ///
    /// Any node may run it: the id of an entry is derived from its content, so the entry is stored once. It has no
    /// effect on threads that no longer wait.
    pub async fn reopen_due(&self) -> Result<usize> {
        let mut reopened = 0;
        // The view is dropped before the first await, because a failed database is reopened only once it has no
        // readers.
        let news = self.core.index.read()?.campaign_news(BATCHES_PER_ROUND)?;
        for (campaign, batch) in news {
            let mut previous = Vec::new();
            // All entries follow without a pause, so that their timing does not reveal how many threads wait.
            loop {
                let (threads, is_last) = self.reopen(campaign, batch).await?;
                reopened += threads.len();
                if is_last || threads == previous {
                    break;
                }
                previous = threads;
            }
        }
        Ok(reopened)
    }

    /// Commits one entry that reopens threads. Returns them, and whether these were the last.
    async fn reopen(
        &self,
        campaign: CampaignId,
        batch: u64,
    ) -> Result<(Vec<ReopenedThread>, bool)> {
        let (author, threads, is_last) = self.threads_to_reopen(campaign, batch)?;
        let mut thread_keys = Vec::with_capacity(threads.len() * 80);
        for (tip, recipient, _) in &threads {
            thread_keys.extend_from_slice(tip.as_bytes());
            thread_keys.extend_from_slice(recipient.as_str().as_bytes());
        }
        let id = AppendId::derive(&[
            b"reopen",
            campaign.as_bytes(),
            &batch.to_be_bytes(),
            &thread_keys,
            &[u8::from(is_last)],
        ]);
        let body = Body::TipsReopened(TipsReopened {
            campaign,
            batch,
            author,
            threads: threads.clone(),
            last: is_last,
        });
        self.commit_own(id, body).await?;
        Ok((threads, is_last))
    }

    /// The author of the batch, the threads to reopen, and whether these are the last.
    fn threads_to_reopen(
        &self,
        campaign: CampaignId,
        batch: u64,
    ) -> Result<(PartnerId, Vec<ReopenedThread>, bool)> {
        let view = self.core.index.read()?;
        let news = read_news(&view, campaign, batch)?;
        let (threads, is_last) = self.waiting_threads(&view, campaign, &news)?;
        Ok((news.author, threads, is_last))
    }

    /// The waiting threads of a campaign that the new versions reopen, at most one per tip, and whether these are the
    /// last.
    fn waiting_threads(
        &self,
        view: &View<'_>,
        campaign: CampaignId,
        news: &CampaignNews,
    ) -> Result<(Vec<ReopenedThread>, bool)> {
        let mut threads = Vec::new();
        let mut tips = BTreeSet::new();
        let mut is_last = true;
        for thread in view.waiting_threads(campaign) {
            let (id, recipient) = thread?;
            if threads.len() == MAX_REOPENED_PER_ENTRY {
                is_last = false;
                break;
            }
            let Some(tip) = view.tip(id)? else { continue };
            let is_party = news.author == tip.sender || news.author == recipient;
            if !is_party {
                continue;
            }
            let parties = [&tip.sender, &recipient];
            let Some(target) = self.visible_to_both(view, campaign, news, parties)? else {
                continue;
            };
            if !tips.insert(id) {
                is_last = false;
                continue;
            }
            threads.push((id, recipient, target));
        }
        Ok((threads, is_last))
    }

    /// A new version that both sides of a tip may see, if both may see the same contribution to the campaign. Otherwise
    /// the reopened thread would reveal something that one side may not see.
    fn visible_to_both(
        &self,
        view: &View<'_>,
        campaign: CampaignId,
        news: &CampaignNews,
        parties: [&PartnerId; 2],
    ) -> Result<Option<Target>> {
        let now = self.core.clock.now();
        let mut readers = Vec::with_capacity(parties.len());
        for party in parties {
            let Some(reader) = view.registry().reader(party) else { return Ok(None) };
            readers.push(reader);
        }
        if !campaign_visible_to_all(view, campaign, &readers, now)? {
            return Ok(None);
        }
        let found = news.versions.iter().find(|(target, sharing)| {
            target.version.is_some_and(|version| {
                readers.iter().all(|reader| may_see(reader, sharing, &news.author, version, now))
            })
        });
        Ok(found.map(|(target, _)| *target))
    }
}

/// Reads the versions of a batch that are current and name a campaign.
fn read_news(view: &View<'_>, campaign: CampaignId, batch: u64) -> Result<CampaignNews> {
    let entry_versions = view.versions_of(batch)?;
    // A batch without versions has no record, so its author is unknown here. It reopens nothing.
    let author = entry_versions.as_ref().map(|versions| versions.author.clone());
    let mut news = CampaignNews {
        author: author.unwrap_or_else(|| PartnerId::from_stored("")),
        versions: Vec::new(),
    };
    for target in entry_versions.iter().flat_map(|versions| versions.targets(batch)) {
        let current = view.current(target.id, &news.author, target.audience)?;
        let Some(current) = current.filter(|current| Some(current.version) == target.version)
        else {
            continue;
        };
        if current.assessment.campaign == Some(campaign) {
            news.versions.push((target, current.sharing));
        }
    }
    Ok(news)
}

/// Whether all readers may see the same contribution to a campaign.
fn campaign_visible_to_all(
    view: &View<'_>,
    campaign: CampaignId,
    readers: &[Reader],
    now: Timestamp,
) -> Result<bool> {
    for contribution in view.contributions(campaign) {
        let contribution = contribution?;
        let (sharing, author) = (&contribution.sharing, &contribution.author);
        let sees = |reader: &Reader| may_see(reader, sharing, author, contribution.position, now);
        if readers.iter().all(sees) {
            return Ok(true);
        }
    }
    Ok(false)
}
