//! Reopening of tips: new indicators in a campaign reopen its monitored or closed tips, if they come from a party of the
//! tip and both sides see them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::entry::{AppendId, Body, Target, TipsReopened};
use crate::domain::sharing::Reader;
use crate::domain::{CampaignId, PartnerId, Sharing, Timestamp, TipId, may_see};
use crate::error::Result;
use crate::exchange::sweeps::Sweeps;
use crate::index::{MAX_REOPENED_PER_ENTRY, View};

/// How often the sweep runs.
const EVERY: Duration = Duration::from_secs(1);

/// Batches that one round handles.
const AT_ONCE: usize = 64;

/// A thread to reopen, and the new version that both sides see.
type ReopenedThread = (TipId, PartnerId, Target);

/// The versions of a batch that name a campaign.
struct CampaignNews {
    author: PartnerId,
    versions: Vec<(Target, Sharing)>,
}

impl Sweeps {
    /// Runs the referrals of closed submissions and the reopenings until `stop`.
    pub async fn follow_up_tips(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let (referred, reopened) = (self.refer_due().await, self.reopen_due().await);
            for (what, done) in [("referred", referred), ("reopened", reopened)] {
                match done {
                    Ok(0) => {}
                    Ok(count) => debug!(count, "tips are {what}"),
                    Err(error) => {
                        let source = error.source_text();
                        warn!(label = error.label(), source, "tips are not {what}: {error}");
                    }
                }
            }
        }
    }

    /// Reopens the threads that wait in campaigns with news, and returns how many its entries name.
    ///
    /// Any node may: the id of an entry is derived from what it does, so it is stored once. For threads that no longer
    /// wait it has no effect.
    pub async fn reopen_due(&self) -> Result<usize> {
        let mut reopened = 0;
        // The view is dropped before the first wait: a failed database is reopened once nobody reads from it.
        let news = self.core.index.read()?.campaign_news(AT_ONCE)?;
        for (campaign, batch) in news {
            let mut before = Vec::new();
            // Without a pause, so that a party cannot notice how many threads wait.
            loop {
                let (threads, last) = self.reopen(campaign, batch).await?;
                reopened += threads.len();
                if last || threads == before {
                    break;
                }
                before = threads;
            }
        }
        Ok(reopened)
    }

    /// Reopens the threads of one entry. Returns them, and whether these were the last.
    async fn reopen(
        &self,
        campaign: CampaignId,
        batch: u64,
    ) -> Result<(Vec<ReopenedThread>, bool)> {
        let (author, threads, last) = self.to_reopen(campaign, batch)?;
        let mut named = Vec::with_capacity(threads.len() * 80);
        for (tip, recipient, _) in &threads {
            named.extend_from_slice(tip.as_bytes());
            named.extend_from_slice(recipient.as_str().as_bytes());
        }
        let id = AppendId::derive(&[
            b"reopen",
            campaign.as_bytes(),
            &batch.to_be_bytes(),
            &named,
            &[u8::from(last)],
        ]);
        let body = Body::TipsReopened(TipsReopened {
            campaign,
            batch,
            author,
            threads: threads.clone(),
            last,
        });
        self.core.commit(id, None, body).await?;
        Ok((threads, last))
    }

    /// The author of the batch, the threads to reopen, and whether these are the last.
    fn to_reopen(
        &self,
        campaign: CampaignId,
        batch: u64,
    ) -> Result<(PartnerId, Vec<ReopenedThread>, bool)> {
        let view = self.core.index.read()?;
        let news = news(&view, campaign, batch)?;
        let (threads, last) = self.waiting(&view, campaign, &news)?;
        Ok((news.author, threads, last))
    }

    /// The waiting threads of a campaign that the news reopen, one per tip, and whether these are the last.
    fn waiting(
        &self,
        view: &View<'_>,
        campaign: CampaignId,
        news: &CampaignNews,
    ) -> Result<(Vec<ReopenedThread>, bool)> {
        let mut threads = Vec::new();
        let mut tips = BTreeSet::new();
        let mut last = true;
        for found in view.waiting_threads(campaign) {
            let (id, recipient) = found?;
            if threads.len() == MAX_REOPENED_PER_ENTRY {
                last = false;
                break;
            }
            let Some(tip) = view.tip(id)? else { continue };
            let is_party = news.author == tip.sender || news.author == recipient;
            if !is_party {
                continue;
            }
            let parties = [&tip.sender, &recipient];
            let Some(target) = self.seen_by_both(view, campaign, news, parties)? else {
                continue;
            };
            if !tips.insert(id) {
                last = false;
                continue;
            }
            threads.push((id, recipient, target));
        }
        Ok((threads, last))
    }

    /// A new version that both sides of a tip see, if both see the same contribution to the campaign. So nothing that
    /// one side cannot see moves a thread that it can.
    fn seen_by_both(
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
        if !campaign_seen_by_all(view, campaign, &readers, now)? {
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

/// The versions of a batch that are current and name a campaign.
fn news(view: &View<'_>, campaign: CampaignId, batch: u64) -> Result<CampaignNews> {
    let brought = view.versions_of(batch)?;
    // A batch without versions has no author here.
    let author = brought.as_ref().map(|brought| brought.author.clone());
    let mut news = CampaignNews {
        author: author.unwrap_or_else(|| PartnerId::from_stored("")),
        versions: Vec::new(),
    };
    for target in brought.iter().flat_map(|brought| brought.targets(batch)) {
        let current = view.current(target.id, &news.author, target.audience)?;
        let Some(current) = current.filter(|one| Some(one.version) == target.version) else {
            continue;
        };
        if current.assessment.campaign == Some(campaign) {
            news.versions.push((target, current.sharing));
        }
    }
    Ok(news)
}

fn campaign_seen_by_all(
    view: &View<'_>,
    campaign: CampaignId,
    readers: &[Reader],
    now: Timestamp,
) -> Result<bool> {
    for kept in view.contributions(campaign) {
        let kept = kept?;
        let sees =
            |reader: &Reader| may_see(reader, &kept.sharing, &kept.author, kept.position, now);
        if readers.iter().all(sees) {
            return Ok(true);
        }
    }
    Ok(false)
}
