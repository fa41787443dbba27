//! What is new in a campaign takes up again the tips that wait in it: where it is of either side, and
//! both can see it.

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

/// How often what is left to do is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How many batches are looked at, at once.
const AT_ONCE: usize = 64;

/// A thread that is taken up again, and what both sides may see.
type ReopenedThread = (TipId, PartnerId, Target);

/// What a batch brought to a campaign.
struct CampaignNews {
    author: PartnerId,
    versions: Vec<(Target, Sharing)>,
}

impl Sweeps {
    /// Refers what submissions brought, and takes up tips again, until it is told to stop.
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

    /// Takes up again what waits in campaigns that have something new by now, and tells how many tips
    /// were named.
    ///
    /// Every node may do so: the entry's id is derived from what it does, so it is written once, and it
    /// is void for what no longer waits.
    pub async fn reopen_due(&self) -> Result<usize> {
        let mut reopened = 0;
        // Its view is gone before the first wait: a database that failed is opened again once nobody reads from it.
        let news = self.core.index.read()?.campaign_news(AT_ONCE)?;
        for (campaign, batch) in news {
            let mut before = Vec::new();
            // One after the other without a pause: how many wait is nothing that a party is to notice.
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

    /// Takes up what one entry holds, and gives back what that was, and whether it was all.
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

    /// Whose batch takes threads up again, which, and whether that is all of them.
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

    /// The threads that wait in a campaign and that the news take up, each tip once, and whether that is
    /// all of them.
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

    /// News that both sides of a tip may see, where both see the same word on the campaign: what one of
    /// them does not see moves nothing that it can.
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
    // Where the batch brought no version, it was nobody's.
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
