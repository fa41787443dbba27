//! The calls of `tipoff.v1.FeedService` about durable subscriptions.

use super::Services;
use crate::domain::{Invalid, SubscriptionName};
use crate::error::Error;
use crate::exchange::{Caller, SubscriptionState};
use crate::wire::{cursor, filter, pb, timestamp};

impl Services {
    pub(super) fn acknowledge_subscription(
        &self,
        caller: &Caller,
        asked: &pb::AcknowledgeRequest,
    ) -> Result<pb::AcknowledgeResponse, Error> {
        let name = SubscriptionName::parse(&asked.name)?;
        let given = asked.cursor.as_ref().ok_or(Invalid::new("cursor", "is missing"))?;
        let stands = self.exchange.feeds.acknowledge(caller, &name, cursor::read(given)?)?;
        Ok(pb::AcknowledgeResponse { cursor: Some(cursor::write(stands)) })
    }

    pub(super) fn subscription_states(
        &self,
        caller: &Caller,
        asked: &pb::ListSubscriptionsRequest,
    ) -> Result<pb::ListSubscriptionsResponse, Error> {
        let size = asked.page_size as usize;
        let page = self.exchange.feeds.list_subscriptions(caller, &asked.page_token, size)?;
        Ok(pb::ListSubscriptionsResponse {
            subscriptions: page.items.iter().map(write).collect(),
            next_page_token: page.next,
        })
    }

    pub(super) async fn forget_subscription(
        &self,
        caller: &Caller,
        asked: &pb::DeleteSubscriptionRequest,
    ) -> Result<pb::DeleteSubscriptionResponse, Error> {
        let name = SubscriptionName::parse(&asked.name)?;
        self.exchange.feeds.delete_subscription(caller, &name).await?;
        Ok(pb::DeleteSubscriptionResponse {})
    }
}

fn write(state: &SubscriptionState) -> pb::SubscriptionStatus {
    let stored = &state.stored;
    pb::SubscriptionStatus {
        name: stored.name.to_string(),
        filter: Some(filter::write(&stored.filter)),
        cursor: Some(cursor::write(stored.cursor)),
        lag_entries: state.lag_entries,
        acknowledged_at: stored.acknowledged.map(timestamp),
        created_at: Some(timestamp(stored.created)),
        connected: state.connected,
    }
}
