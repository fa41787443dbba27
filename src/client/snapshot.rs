//! Snapshots: every version that is current for a reader.

use super::connection::Route;
use super::retry::{CallFailure, Retries};
use super::{Client, ClientError, FeedEvent};
use crate::wire::pb;

/// A part of a snapshot that is being streamed.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotPart {
    /// The snapshot starts or restarts. Discard the parts received before.
    Begin,
    /// Some of the items.
    Items(Vec<pb::FeedItem>),
    /// Liaisons only: campaign contributions and enforcements. Without cursors.
    Events(Vec<FeedEvent>),
}

/// A complete snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Cursor from which to follow the feed afterwards.
    pub cursor: pb::Cursor,
    /// The assessments.
    pub items: Vec<pb::FeedItem>,
    /// Liaisons only: campaign contributions and enforcements. Without cursors.
    pub events: Vec<FeedEvent>,
}

impl Client {
    /// Returns all current visible versions that match the filter, and the cursor from which to
    /// follow the feed. Load them with [`super::Replica::reset`].
    pub async fn snapshot(
        &self,
        filter: Option<pb::Filter>,
    ) -> Result<(pb::Cursor, Vec<pb::FeedItem>), ClientError> {
        let whole = self.full_snapshot(filter).await?;
        Ok((whole.cursor, whole.items))
    }

    /// Like [`Client::snapshot`], with the campaigns and enforcements that a liaison receives.
    pub async fn full_snapshot(&self, filter: Option<pb::Filter>) -> Result<Snapshot, ClientError> {
        self.counted_snapshot(filter, |_| ()).await
    }

    /// Like [`Client::full_snapshot`]. Calls `progress` with the number of items that were received.
    pub async fn counted_snapshot(
        &self,
        filter: Option<pb::Filter>,
        mut progress: impl FnMut(u64),
    ) -> Result<Snapshot, ClientError> {
        let mut all = Snapshot::default();
        let cursor = self.stream_snapshot(filter, |part| -> Result<(), ClientError> {
            match part {
                SnapshotPart::Begin => all = Snapshot::default(),
                SnapshotPart::Items(items) => all.items.extend(items),
                SnapshotPart::Events(events) => all.events.extend(events),
            }
            progress(all.items.len() as u64);
            Ok(())
        });
        let cursor = cursor.await?;
        Ok(Snapshot { cursor, ..all })
    }

    /// Like [`Client::full_snapshot`], but passes the parts to `take` as they arrive instead of
    /// collecting them in memory.
    ///
    /// If the stream breaks or ends early, requests the snapshot again and passes
    /// [`SnapshotPart::Begin`]. Returns the cursor only for a complete snapshot: the feed after it
    /// does not repeat what is missing from a part. An error of `take` ends the stream and is
    /// returned.
    pub async fn stream_snapshot<E: From<ClientError>>(
        &self,
        filter: Option<pb::Filter>,
        mut take: impl FnMut(SnapshotPart) -> Result<(), E>,
    ) -> Result<pb::Cursor, E> {
        let request =
            pb::SnapshotRequest { filter, read_after: self.read_after(), purpose: self.purpose() };
        let mut retries = self.retries();
        loop {
            take(SnapshotPart::Begin)?;
            let route = self.connection.route();
            let server = route.server;
            let once = self.snapshot_once(request.clone(), route, &mut retries, &mut take);
            match Box::pin(once).await {
                Ok(cursor) => return Ok(cursor),
                Err(StreamFailure::Call(failure)) => {
                    self.fail_over(&mut retries, server, failure).await?;
                }
                Err(StreamFailure::Consumer(error)) => return Err(error),
            }
        }
    }

    async fn snapshot_once<E>(
        &self,
        request: pb::SnapshotRequest,
        route: Route,
        retries: &mut Retries,
        take: &mut impl FnMut(SnapshotPart) -> Result<(), E>,
    ) -> Result<pb::Cursor, StreamFailure<E>> {
        let mut service = Self::feed_service(route.channel);
        let opening = async { Ok(service.snapshot(request).await?.into_inner()) };
        let mut parts = retries.limit(opening).await.map_err(StreamFailure::Call)?;
        let mut assembly = Assembly::default();
        loop {
            let part = async { Ok(parts.message().await?) };
            let Some(part) = retries.limit(part).await.map_err(StreamFailure::Call)? else { break };
            let (items, events) = assembly.add(part);
            if !items.is_empty() {
                take(SnapshotPart::Items(items)).map_err(StreamFailure::Consumer)?;
            }
            if !events.is_empty() {
                take(SnapshotPart::Events(events)).map_err(StreamFailure::Consumer)?;
            }
        }
        assembly.cursor().map_err(|error| StreamFailure::Call(error.into()))
    }
}

/// Why a stream ended early.
enum StreamFailure<E> {
    /// The call failed.
    Call(CallFailure),
    /// The consumer of the parts failed.
    Consumer(E),
}

/// State of a snapshot while its parts arrive.
#[derive(Debug, Default)]
struct Assembly {
    cursor: Option<pb::Cursor>,
    complete: bool,
}

impl Assembly {
    fn add(&mut self, part: pb::SnapshotResponse) -> (Vec<pb::FeedItem>, Vec<FeedEvent>) {
        self.cursor = self.cursor.take().or(part.cursor);
        self.complete |= part.complete;
        let campaigns = part.campaigns.into_iter().map(|contribution| {
            let contribution = Some(contribution);
            FeedEvent::Campaign(pb::CampaignEvent { cursor: None, contribution }.into())
        });
        let enforcements = part.enforcements.into_iter().map(|enforcement| {
            let enforcement = Some(enforcement);
            FeedEvent::Enforcement(pb::EnforcementEvent { cursor: None, enforcement }.into())
        });
        (part.items, campaigns.chain(enforcements).collect())
    }

    fn cursor(self) -> Result<pb::Cursor, ClientError> {
        match self.cursor {
            _ if !self.complete => Err(ClientError::Unreachable(
                "the exchange ended the snapshot before it was complete".into(),
            )),
            Some(cursor) => Ok(cursor),
            None => Err(ClientError::Fault("the snapshot has no cursor".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(parts: Vec<pb::SnapshotResponse>) -> Result<pb::Cursor, ClientError> {
        let mut assembly = Assembly::default();
        for part in parts {
            assembly.add(part);
        }
        assembly.cursor()
    }

    #[test]
    fn a_snapshots_cursor_is_that_of_its_first_part_and_only_a_whole_one_has_it() {
        let cursor = pb::Cursor { token: vec![7].into() };
        let first = pb::SnapshotResponse { cursor: Some(cursor.clone()), ..Default::default() };
        let items =
            pb::SnapshotResponse { items: vec![pb::FeedItem::default()], ..Default::default() };
        let last = pb::SnapshotResponse { complete: true, ..Default::default() };
        let parts = vec![first.clone(), items.clone(), last.clone()];
        assert_eq!(whole(parts).unwrap(), cursor);
        for broken in [vec![], vec![first], vec![items.clone()]] {
            let error = whole(broken).unwrap_err();
            assert!(error.is_transient(), "it is retried: {error}");
        }
        assert!(matches!(whole(vec![items, last]), Err(ClientError::Fault(_))));
    }
}
