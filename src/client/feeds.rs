//! The ways to read a feed, and the subscriptions that the exchange keeps.

use super::feed::{FeedStart, Subscription};
use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// Follows the feed, from wherever it is to begin. It is opened with the first item asked for.
    pub fn subscribe(&self, from: FeedStart, filter: Option<pb::Filter>) -> Subscription {
        Subscription::new(self.clone(), String::new(), from, filter)
    }

    /// Follows the feed under a name, under which the exchange keeps how far it has been
    /// [acknowledged](Subscription::acknowledge). `from` is where a new one begins; one that is there
    /// already goes on from its own place, and what was given out behind that comes again.
    ///
    /// The newest reader of a name holds it: the older one gets [`ClientError::TakenOver`].
    pub fn subscribe_named(
        &self,
        name: impl Into<String>,
        from: FeedStart,
        filter: Option<pb::Filter>,
    ) -> Subscription {
        Subscription::new(self.clone(), name.into(), from, filter)
    }

    /// Tells the exchange that everything up to a cursor has been dealt with, and gives where the
    /// subscription stands now, which never moves back. [`Subscription::acknowledge`] does it for who
    /// follows.
    pub async fn acknowledge(
        &self,
        name: &str,
        cursor: pb::Cursor,
    ) -> Result<Option<pb::Cursor>, ClientError> {
        let request = pb::AcknowledgeRequest { name: name.to_owned(), cursor: Some(cursor) };
        let acknowledged = self.call(request, |request| {
            let mut service = self.feed_service();
            async move { service.acknowledge(request).await }
        });
        Ok(acknowledged.await?.cursor)
    }

    /// A page of what [`Client::subscribe`] would give, for who asks instead of listening: up to
    /// `page_size`, where 0 is the exchange's own and 1,000 the most. [`super::events`] puts it in
    /// order; its cursor is where the next page begins.
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
        let (read_after, purpose) = (self.read_after, self.purpose());
        let request =
            pb::PullRequest { start: Some(start), filter, page_size, read_after, purpose };
        self.call(request, |request| {
            let mut service = self.feed_service();
            async move { service.pull(request).await }
        })
        .await
    }

    /// The subscriptions that the exchange keeps for this partner, by name.
    pub async fn subscriptions(&self) -> Result<Vec<pb::SubscriptionStatus>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListSubscriptionsRequest { page_size: PAGE_SIZE, page_token };
            let page = self.call(request, |request| {
                let mut service = self.feed_service();
                async move { service.list_subscriptions(request).await }
            });
            let page = page.await?;
            Ok((page.subscriptions, page.next_page_token))
        })
        .await
    }

    /// Has the exchange forget a subscription and its place; a reader that holds it is ended.
    /// `NotFound` where there is none: after a try that broke, that may be this one's own doing.
    pub async fn delete_subscription(&self, name: &str) -> Result<(), ClientError> {
        let request = pb::DeleteSubscriptionRequest { name: name.to_owned() };
        let deleted = self.call(request, |request| {
            let mut service = self.feed_service();
            async move { service.delete_subscription(request).await }
        });
        deleted.await.map(|pb::DeleteSubscriptionResponse {}| ())
    }
}
