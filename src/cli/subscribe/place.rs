//! Where the place of a feed that is followed is kept.

use std::time::Duration;

use super::super::failure::Failure;
use crate::client::{Client, ClientError, FeedState, Patience};
use crate::wire::pb;

/// How long keeping the place may hold up what is followed.
const WAIT: Duration = Duration::from_secs(2);

/// Who keeps the place.
pub enum PositionKeeper {
    /// Nobody.
    Nowhere,
    /// A file.
    File(FeedState),
    /// The exchange, under a name.
    Exchange(AcknowledgedPosition),
}

/// A place that the exchange keeps.
pub struct AcknowledgedPosition {
    client: Client,
    name: String,
    /// The last that it was told, or the one that the feed was to begin at: the exchange may hold an
    /// older one, and nothing behind that has been printed.
    told: Option<pb::Cursor>,
}

impl PositionKeeper {
    /// A place that the exchange keeps, of a feed that begins at `told`.
    pub fn exchange(client: Client, name: String, told: Option<pb::Cursor>) -> Self {
        PositionKeeper::Exchange(AcknowledgedPosition { client, name, told })
    }

    /// Keeps a place for good, before the command ends.
    pub async fn keep(&mut self, cursor: Option<&pb::Cursor>) -> Result<(), Failure> {
        match (self, cursor) {
            (PositionKeeper::File(state), Some(cursor)) => Ok(state.keep(cursor)?),
            (PositionKeeper::Exchange(place), Some(cursor)) => {
                let client = place.client.clone();
                Ok(place.tell(&client, cursor).await?)
            }
            (PositionKeeper::Nowhere, _) | (_, None) => Ok(()),
        }
    }

    /// Keeps a place on the way. Where the exchange is not there for the moment, another time does.
    pub async fn keep_if_possible(&mut self, cursor: Option<&pb::Cursor>) -> Result<(), Failure> {
        let (PositionKeeper::Exchange(place), Some(cursor)) = (&mut *self, cursor) else {
            return self.keep(cursor).await;
        };
        let patience = Patience { tries: Some(0), ..Patience::default() };
        let client = place.client.clone().with_patience(patience);
        match tokio::time::timeout(WAIT, place.tell(&client, cursor)).await {
            Ok(Err(error)) if !error.is_transient() => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl AcknowledgedPosition {
    async fn tell(&mut self, client: &Client, cursor: &pb::Cursor) -> Result<(), ClientError> {
        if self.told.as_ref() != Some(cursor) {
            client.acknowledge(&self.name, cursor.clone()).await?;
            self.told = Some(cursor.clone());
        }
        Ok(())
    }
}
