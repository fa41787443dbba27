//! Reading feeds, and the durable subscriptions of this partner.

use super::feed::{FeedStart, Subscription};
use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;
use pb::feed_service_client::FeedServiceClient;

impl Client {
    /// Follows the feed from `from`. Opens it when the first event is requested.
    pub fn subscribe(&self, from: FeedStart, filter: Option<pb::Filter>) -> Subscription {
        Subscription::new(self.clone(), String::new(), from, filter)
    }

    /// Follows the feed as the durable subscription `name`. The exchange stores the cursor that was
    /// [acknowledged](Subscription::acknowledge) last.
    ///
    /// `from` applies only to a new subscription. An existing one continues after its stored
    /// cursor, so events that were not acknowledged come again. The newest reader of a name owns
    /// it: the older one gets [`ClientError::TakenOver`].
    pub fn subscribe_named(
        &self,
        name: impl Into<String>,
        from: FeedStart,
        filter: Option<pb::Filter>,
    ) -> Subscription {
        Subscription::new(self.clone(), name.into(), from, filter)
    }

    /// Acknowledges everything up to `cursor`, and returns the stored cursor, which never moves
    /// back. A reader with an open feed uses [`Subscription::acknowledge`] instead.
    pub async fn acknowledge(
        &self,
        name: &str,
        cursor: pb::Cursor,
    ) -> Result<Option<pb::Cursor>, ClientError> {
        let request = pb::AcknowledgeRequest { name: name.to_owned(), cursor: Some(cursor) };
        let response = self.call(Self::feed_service, FeedServiceClient::acknowledge, request);
        Ok(response.await?.cursor)
    }

    /// Returns one page of what [`Client::subscribe`] would return, without keeping a stream open.
    ///
    /// `page_size` is at most 1,000; 0 means the default of the exchange. [`super::events`] brings
    /// the page into order. The next page starts at the page's cursor.
    pub async fn pull(
        &self,
        from: &FeedStart,
        filter: Option<pb::Filter>,
        page_size: u32,
    ) -> Result<pb::PullResponse, ClientError> {
        use pb::pull_request::Start;
        let start = match from {
            FeedStart::Beginning => Start::FromStart(pb::FromStart {}),
            FeedStart::Now => Start::FromNow(pb::FromNow {}),
            FeedStart::Cursor(cursor) => Start::Cursor(cursor.clone()),
        };
        let (read_after, purpose) = (self.read_after(), self.purpose());
        let request =
            pb::PullRequest { start: Some(start), filter, page_size, read_after, purpose };
        self.call(Self::feed_service, FeedServiceClient::pull, request).await
    }

    /// Returns the durable subscriptions of this partner, by name.
    pub async fn subscriptions(&self) -> Result<Vec<pb::SubscriptionStatus>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListSubscriptionsRequest { page_size: PAGE_SIZE, page_token };
            let page = self
                .call(Self::feed_service, FeedServiceClient::list_subscriptions, request)
                .await?;
            Ok((page.subscriptions, page.next_page_token))
        })
        .await
    }

    /// Deletes a durable subscription with its cursor, and disconnects its reader.
    ///
    /// `NotFound` if it does not exist. After a retry that may mean that the first attempt deleted
    /// it.
    pub async fn delete_subscription(&self, name: &str) -> Result<(), ClientError> {
        let request = pb::DeleteSubscriptionRequest { name: name.to_owned() };
        let deleted =
            self.call(Self::feed_service, FeedServiceClient::delete_subscription, request);
        deleted.await.map(|pb::DeleteSubscriptionResponse {}| ())
    }
}
