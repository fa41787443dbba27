//! Where the cursor of a followed feed is stored.

use std::time::Duration;

use super::super::failure::Failure;
use crate::client::{Client, ClientError, FeedState, RetryPolicy};
use crate::wire::pb;

/// How long storing a cursor may delay the feed.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Stores the cursor of a feed.
pub enum CursorStore {
    /// Not stored.
    None,
    /// In a file.
    File(FeedState),
    /// At the exchange, under a name.
    Exchange(AcknowledgedCursor),
}

/// A cursor that the exchange stores.
pub struct AcknowledgedCursor {
    client: Client,
    name: String,
    /// The cursor that was acknowledged last, or the one that the feed started at. The exchange may
    /// hold an older one, but nothing after that has been printed.
    last: Option<pb::Cursor>,
}

impl CursorStore {
    /// A cursor at the exchange, of a feed that starts at `last`.
    pub fn exchange(client: Client, name: String, last: Option<pb::Cursor>) -> Self {
        CursorStore::Exchange(AcknowledgedCursor { client, name, last })
    }

    /// Stores the cursor before the command ends.
    pub async fn save(&mut self, cursor: Option<&pb::Cursor>) -> Result<(), Failure> {
        match (self, cursor) {
            (CursorStore::File(state), Some(cursor)) => Ok(state.save(cursor)?),
            (CursorStore::Exchange(stored), Some(cursor)) => {
                let client = stored.client.clone();
                Ok(stored.acknowledge(&client, cursor).await?)
            }
            (CursorStore::None, _) | (_, None) => Ok(()),
        }
    }

    /// Stores the cursor while the feed runs. If the exchange cannot be reached, does nothing: the
    /// next call stores it.
    pub async fn try_save(&mut self, cursor: Option<&pb::Cursor>) -> Result<(), Failure> {
        let (CursorStore::Exchange(stored), Some(cursor)) = (&mut *self, cursor) else {
            return self.save(cursor).await;
        };
        let retry_policy = RetryPolicy { max_retries: Some(0), ..RetryPolicy::default() };
        let client = stored.client.clone().with_retry_policy(retry_policy);
        match tokio::time::timeout(SAVE_TIMEOUT, stored.acknowledge(&client, cursor)).await {
            Ok(Err(error)) if !error.is_transient() => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl AcknowledgedCursor {
    async fn acknowledge(
        &mut self,
        client: &Client,
        cursor: &pb::Cursor,
    ) -> Result<(), ClientError> {
        if self.last.as_ref() != Some(cursor) {
            client.acknowledge(&self.name, cursor.clone()).await?;
            self.last = Some(cursor.clone());
        }
        Ok(())
    }
}
