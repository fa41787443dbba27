//! Everything that is current, at once.

use super::retry::CallFailure;
use super::{Client, ClientError, FeedEvent};
use crate::wire::pb;

/// What a snapshot gives while it is taken.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotPart {
    /// It begins, or begins again: what came of it before is to be thrown away.
    Begin,
    /// Some of its items.
    Items(Vec<pb::FeedItem>),
    /// Of a liaison's: some of what is said of campaigns, and of what was done. Without cursors.
    Others(Vec<FeedEvent>),
}

/// Everything that was current for a reader.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Where to follow on from.
    pub cursor: pb::Cursor,
    /// The assessments.
    pub items: Vec<pb::FeedItem>,
    /// To a liaison: what is said of campaigns, and what was done. Without cursors.
    pub others: Vec<FeedEvent>,
}

impl Client {
    /// Every current version that this partner may see and that the filter asks for, and the cursor to
    /// follow from. It replaces what a reader holds: [`super::Replica::reset`].
    pub async fn snapshot(
        &self,
        filter: Option<pb::Filter>,
    ) -> Result<(pb::Cursor, Vec<pb::FeedItem>), ClientError> {
        let whole = self.whole_snapshot(filter).await?;
        Ok((whole.cursor, whole.items))
    }

    /// The same with what a liaison is given besides.
    pub async fn whole_snapshot(
        &self,
        filter: Option<pb::Filter>,
    ) -> Result<Snapshot, ClientError> {
        let mut all = Snapshot::default();
        let cursor = self.take_snapshot(filter, |part| match part {
            SnapshotPart::Begin => all = Snapshot::default(),
            SnapshotPart::Items(items) => all.items.extend(items),
            SnapshotPart::Others(others) => all.others.extend(others),
        });
        let cursor = cursor.await?;
        Ok(Snapshot { cursor, ..all })
    }

    /// The same for who does not want to hold it in memory: `take` gets the items as they come. A
    /// stream that breaks, or ends before it is complete, is asked for again from the beginning, which
    /// `take` is told. The cursor is handed out only for a whole snapshot, since what follows from it
    /// says nothing of what a part of one lacks.
    pub async fn take_snapshot(
        &self,
        filter: Option<pb::Filter>,
        mut take: impl FnMut(SnapshotPart),
    ) -> Result<pb::Cursor, ClientError> {
        let request =
            pb::SnapshotRequest { filter, read_after: self.read_after, purpose: self.purpose() };
        let mut retries = self.patience.retries();
        loop {
            take(SnapshotPart::Begin);
            match self.snapshot_once(request.clone(), &mut take).await {
                Ok(cursor) => return Ok(cursor),
                Err(failure) => retries.wait_after(failure).await?,
            }
        }
    }

    async fn snapshot_once(
        &self,
        request: pb::SnapshotRequest,
        take: &mut impl FnMut(SnapshotPart),
    ) -> Result<pb::Cursor, CallFailure> {
        let mut parts = self.feed_service().snapshot(request).await?.into_inner();
        let mut whole = Assembly::default();
        while let Some(part) = parts.message().await? {
            let (items, others) = whole.add(part);
            if !items.is_empty() {
                take(SnapshotPart::Items(items));
            }
            if !others.is_empty() {
                take(SnapshotPart::Others(others));
            }
        }
        Ok(whole.cursor()?)
    }
}

/// What is known of a snapshot while its parts come.
#[derive(Debug, Default)]
struct Assembly {
    cursor: Option<pb::Cursor>,
    complete: bool,
}

impl Assembly {
    fn add(&mut self, part: pb::SnapshotResponse) -> (Vec<pb::FeedItem>, Vec<FeedEvent>) {
        self.cursor = self.cursor.take().or(part.cursor);
        self.complete |= part.complete;
        let said = part.campaigns.into_iter().map(|contribution| {
            let contribution = Some(contribution);
            FeedEvent::Campaign(pb::CampaignEvent { cursor: None, contribution }.into())
        });
        let done = part.enforcements.into_iter().map(|enforcement| {
            let enforcement = Some(enforcement);
            FeedEvent::Enforcement(pb::EnforcementEvent { cursor: None, enforcement }.into())
        });
        (part.items, said.chain(done).collect())
    }

    fn cursor(self) -> Result<pb::Cursor, ClientError> {
        match self.cursor {
            _ if !self.complete => Err(ClientError::Unreachable(
                "it ended the snapshot before that was complete".into(),
            )),
            Some(cursor) => Ok(cursor),
            None => Err(ClientError::Fault("it sent a snapshot without a cursor".into())),
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
            assert!(error.is_transient(), "it is asked for again: {error}");
        }
        assert!(matches!(whole(vec![items, last]), Err(ClientError::Fault(_))));
    }
}
