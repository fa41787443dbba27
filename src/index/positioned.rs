//! Secondary indexes ordered by position. The key of such an index is a position; its value is the key
//! of the record. An index entry is stale once the record has a newer version at another position.

use super::View;
use super::record;
use super::store::Snapshot;
use crate::domain::Position;
use crate::domain::accepted::{ContributionRecord, EnforcementRecord};
use crate::error::Result;

/// A record of which only the newest version is kept.
pub(super) trait Positioned: Sized {
    fn read(bytes: &[u8]) -> Result<Self>;
    /// Where the newest version was accepted.
    fn position(&self) -> Position;
}

impl Positioned for ContributionRecord {
    fn read(bytes: &[u8]) -> Result<Self> {
        Self::decode(bytes)
    }

    fn position(&self) -> Position {
        self.position
    }
}

impl Positioned for EnforcementRecord {
    fn read(bytes: &[u8]) -> Result<Self> {
        Self::decode(bytes)
    }

    fn position(&self) -> Position {
        self.position
    }
}

/// Parses the position of an index key, or names the damaged key.
type ReadPosition = fn(&[u8]) -> Result<Position>;

/// The record that an index entry points to, if its current version is at position `at`.
fn current_record<T: Positioned>(
    snapshot: &Snapshot,
    stored: &[u8],
    at: Position,
) -> Result<Option<T>> {
    let key: &[u8] = record::decode(stored, "the key of a record")?;
    let found = snapshot.get(key)?.map(|stored| T::read(&stored)).transpose()?;
    Ok(found.filter(|found| found.position() == at))
}

impl View<'_> {
    /// The record that an index key points to, if it is current.
    pub(super) fn record_at<T: Positioned>(&self, key: &[u8], at: Position) -> Result<Option<T>> {
        self.snapshot.get(key)?.map_or(Ok(None), |key| current_record(&self.snapshot, &key, at))
    }

    /// Current records in position order, starting at key `from`. Scans up to `limit` index entries.
    /// Returns the last scanned position if there may be more.
    pub(super) fn records_from<T: Positioned>(
        &self,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
        read: ReadPosition,
    ) -> Result<(Vec<T>, Option<Position>)> {
        let (mut found, mut last) = (Vec::new(), None);
        for (scanned, pair) in self.snapshot.scan_from(prefix, from).enumerate() {
            if scanned == limit {
                return Ok((found, last));
            }
            let (key, target) = pair?;
            let at = read(&key)?;
            last = Some(at);
            found.extend(current_record(&self.snapshot, &target, at)?);
        }
        Ok((found, None))
    }

    /// Current records in reverse position order, from just before `before` or from the end.
    pub(super) fn records_back<T: Positioned>(
        &self,
        prefix: &[u8],
        before: Option<&[u8]>,
        read: ReadPosition,
    ) -> impl Iterator<Item = Result<T>> + use<T> {
        let snapshot = self.snapshot.clone();
        self.snapshot.scan_back(prefix, before).filter_map(move |pair| {
            let record = || {
                let (key, target) = pair?;
                current_record(&snapshot, &target, read(&key)?)
            };
            record().transpose()
        })
    }
}
