//! The calls of `tipoff.v1.FeedService` about durable subscriptions.

use super::Services;
use crate::domain::{Invalid, SubscriptionName};
use crate::error::Error;
use crate::exchange::{Caller, SubscriptionState};
use crate::wire::{cursor, filter, pb, timestamp};

impl Services {
    pub(super) async fn acknowledge_subscription(
        &self,
        caller: &Caller,
        request: &pb::AcknowledgeRequest,
    ) -> Result<pb::AcknowledgeResponse, Error> {
        let name = SubscriptionName::parse(&request.name)?;
        let acknowledged = request.cursor.as_ref().ok_or(Invalid::new("cursor", "is missing"))?;
        let acknowledged = cursor::read(acknowledged)?;
        self.exchange.catch_up_to(acknowledged).await?;
        let stored = self.exchange.feeds.acknowledge(caller, &name, acknowledged)?;
        Ok(pb::AcknowledgeResponse { cursor: Some(cursor::write(stored)) })
    }

    pub(super) fn subscription_states(
        &self,
        caller: &Caller,
        request: &pb::ListSubscriptionsRequest,
    ) -> Result<pb::ListSubscriptionsResponse, Error> {
        let size = request.page_size as usize;
        let page = self.exchange.feeds.list_subscriptions(caller, &request.page_token, size)?;
        Ok(pb::ListSubscriptionsResponse {
            subscriptions: page.items.iter().map(write).collect(),
            next_page_token: page.next,
        })
    }

    pub(super) async fn forget_subscription(
        &self,
        caller: &Caller,
        request: &pb::DeleteSubscriptionRequest,
    ) -> Result<pb::DeleteSubscriptionResponse, Error> {
        let name = SubscriptionName::parse(&request.name)?;
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
