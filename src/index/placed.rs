//! Records that stand in an order by where they were accepted: a place leads to the record's key, and holds
//! until a newer word takes the record over, which stands elsewhere in the order.

use super::View;
use super::record::{self, ContributionRecord, EnforcementRecord};
use super::store::Snapshot;
use crate::domain::Position;
use crate::error::Result;

/// A record of which the newest word counts.
pub(super) trait Positioned: Sized {
    fn read(bytes: &[u8]) -> Result<Self>;
    /// Where its newest word was accepted.
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

/// Reads the place of a key, or names what is damaged.
type ReadPlace = fn(&[u8]) -> Result<Position>;

/// The record of a stored key, while it stands at a place.
fn placed<T: Positioned>(snapshot: &Snapshot, stored: &[u8], at: Position) -> Result<Option<T>> {
    let key: &[u8] = record::decode(stored, "the key of a record")?;
    let kept = snapshot.get(key)?.map(|stored| T::read(&stored)).transpose()?;
    Ok(kept.filter(|kept| kept.position() == at))
}

impl View<'_> {
    /// The record to which a place leads.
    pub(super) fn placed_at<T: Positioned>(&self, place: &[u8], at: Position) -> Result<Option<T>> {
        self.snapshot.get(place)?.map_or(Ok(None), |key| placed(&self.snapshot, &key, at))
    }

    /// The records of an order from a place on, the oldest first: at most so many places are looked at. With
    /// the last of those, where there may be more.
    pub(super) fn placed_from<T: Positioned>(
        &self,
        prefix: &[u8],
        from: &[u8],
        most: usize,
        read: ReadPlace,
    ) -> Result<(Vec<T>, Option<Position>)> {
        let (mut found, mut last) = (Vec::new(), None);
        for (looked, pair) in self.snapshot.scan_from(prefix, from).enumerate() {
            if looked == most {
                return Ok((found, last));
            }
            let (place, key) = pair?;
            let at = read(&place)?;
            last = Some(at);
            found.extend(placed(&self.snapshot, &key, at)?);
        }
        Ok((found, None))
    }

    /// The records of an order, the newest first, before a place or before the end.
    pub(super) fn placed_back<T: Positioned>(
        &self,
        prefix: &[u8],
        before: Option<&[u8]>,
        read: ReadPlace,
    ) -> impl Iterator<Item = Result<T>> + use<T> {
        let snapshot = self.snapshot.clone();
        self.snapshot.scan_back(prefix, before).filter_map(move |pair| {
            let record = || {
                let (place, key) = pair?;
                placed(&snapshot, &key, read(&place)?)
            };
            record().transpose()
        })
    }
}
