//! What ends without anything taking its place: taken back, or over.

use super::Applier;
use crate::domain::Position;
use crate::domain::entry::{Entry, Expiry, ItemOutcome, Outcome, Withdrawal};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, CurrentParts, Ended};
use crate::index::store::Slice;

/// How many targets of a withdrawal are one part. Each takes two operations.
const PART_TARGETS: usize = 64;

impl Applier {
    /// Each target that is still there ends.
    pub(super) fn withdrawal(&mut self, entry: &Entry, withdrawal: &Withdrawal) -> Result<Outcome> {
        let done = (self.head.items as usize).min(withdrawal.targets.len());
        for part in withdrawal.targets[done..].chunks(PART_TARGETS) {
            self.make_room(2 * part.len() + 1)?;
            let first = self.begun.len();
            for target in part {
                let by = self.next_item(entry);
                let key = keys::assessment(target.id, &withdrawal.partner, target.audience);
                let ended = self.end(key, target.version, by, Ended::Withdrawn)?;
                self.begun.push(ended.map_or(ItemOutcome::Nothing, ItemOutcome::Ended));
            }
            self.part_done(entry.sequence, first, None);
        }
        Ok(Outcome::Taken(std::mem::take(&mut self.begun)))
    }

    /// Each version that is still current ends. There are no more of them than a part of an entry has.
    pub(super) fn expiry(&mut self, entry: &Entry, expiry: &Expiry) -> Result<Outcome> {
        self.make_room(2 * expiry.versions.len() + 2)?;
        for (index, id) in &expiry.versions {
            let version = Position::new(expiry.part.sequence, *index);
            let key = keys::assessment(*id, &expiry.partner, expiry.audience);
            let by = self.next_item(entry);
            let ended = self.end(key, Some(version), by, Ended::Expired)?;
            self.begun.push(ended.map_or(ItemOutcome::Nothing, ItemOutcome::Ended));
        }
        self.remove(keys::ends(expiry.ends, expiry.part));
        self.part_done(entry.sequence, 0, None);
        Ok(Outcome::Taken(std::mem::take(&mut self.begun)))
    }

    /// Ends what stands under a key, where it is the version that is named.
    pub(super) fn end(
        &mut self,
        key: Vec<u8>,
        version: Option<Position>,
        by: Position,
        why: Ended,
    ) -> Result<Option<Position>> {
        let Some(stored) = self.read(&key)? else { return Ok(None) };
        let old = CurrentParts::of(&stored)?;
        if version.is_some_and(|version| version != old.version) {
            return Ok(None);
        }
        self.put_closed(by, why, &old)?;
        self.remove(Slice::from(key));
        Ok(Some(old.version))
    }

    /// Keeps of a version what filters and the rule of sight look at.
    pub(super) fn put_closed(
        &mut self,
        by: Position,
        why: Ended,
        old: &CurrentParts<'_>,
    ) -> Result<()> {
        let closed = record::closed(by, why, old.decode()?);
        self.put(keys::closed(old.version), closed);
        self.pending.closed.push(old.version);
        Ok(())
    }

    fn next_item(&self, entry: &Entry) -> Position {
        Position::new(entry.sequence, u32::try_from(self.begun.len()).unwrap_or(u32::MAX))
    }
}
