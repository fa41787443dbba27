//! Campaigns and enforcements, for the formats that describe them.

use super::super::failure::Failure;
use super::spool::{Spool, unreadable};
use crate::client::{Client, ClientError};
use crate::domain::{CampaignId, ReceivedContribution, ReceivedEnforcement};
use crate::formats::export::{Rules, Tally};
use crate::wire::{pb, received};

/// What may be exported of campaigns and enforcements.
#[derive(Debug, Default)]
pub struct Campaigns {
    pub contributions: Vec<ReceivedContribution>,
    pub enforcements: Vec<ReceivedEnforcement>,
}

impl Campaigns {
    /// Takes those of a liaison from its snapshot, and asks for those of others. With a filter, the
    /// campaigns that exported assessments name, and enforcements of the campaigns that it names.
    pub async fn fetch(
        client: &Client,
        spool: &mut Spool,
        filter: &pb::Filter,
        is_liaison: bool,
    ) -> Result<Self, Failure> {
        if !is_liaison {
            spool.contributions = contributions(client, spool, filter).await?;
            let all = client.enforcements(&pb::ListEnforcementsRequest::default()).await?;
            let is_wanted = |one: &pb::VisibleEnforcement| {
                let campaign = one.enforcement.as_ref().map(|one| &one.campaign);
                *filter == pb::Filter::default()
                    || campaign.is_some_and(|campaign| filter.campaigns.contains(campaign))
            };
            spool.enforcements = all.into_iter().filter(is_wanted).collect();
        }
        let contributions = spool.contributions.iter().map(received::contribution);
        let enforcements = spool.enforcements.iter().map(received::enforcement);
        Ok(Self {
            contributions: contributions
                .collect::<Result<_, _>>()
                .map_err(|invalid| unreadable(&invalid))?,
            enforcements: enforcements
                .collect::<Result<_, _>>()
                .map_err(|invalid| unreadable(&invalid))?,
        })
    }

    /// Leaves out what may not be exported, and brings the rest into the order of its versions.
    pub fn apply(&mut self, rules: Rules, tally: &mut Tally) {
        let mut may_leave = |tlp| {
            let refusal = rules.refusal_by_marking(tlp);
            if let Some(reason) = refusal {
                tally.leave_out(reason);
            }
            refusal.is_none()
        };
        self.contributions.retain(|received| may_leave(received.tlp));
        self.enforcements.retain(|received| may_leave(received.tlp));
        self.contributions.sort_by_key(|received| received.version);
        self.enforcements.sort_by_key(|received| received.version);
    }
}

async fn contributions(
    client: &Client,
    spool: &Spool,
    filter: &pb::Filter,
) -> Result<Vec<pb::VisibleContribution>, Failure> {
    let mut ids = spool.campaigns.clone();
    if *filter == pb::Filter::default() {
        for summary in client.campaigns().await? {
            ids.insert(CampaignId::parse(&summary.id).map_err(|invalid| unreadable(&invalid))?);
        }
    }
    let mut all = Vec::new();
    for id in ids {
        let request = pb::GetCampaignRequest { id: id.to_string(), ..Default::default() };
        match client.campaign(request).await {
            Ok(campaign) => all.extend(campaign.contributions),
            // It was withdrawn since.
            Err(ClientError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}
