//! Reads of enforcements.

use super::keys::{self, ListedBy};
use super::record::WithdrawnEnforcement;
use super::{View, corrupt};
use crate::domain::accepted::EnforcementRecord;
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::{PartnerId, Position};
use crate::error::Result;

impl View<'_> {
    /// An author's enforcement with an id, for one audience.
    pub fn enforcement(
        &self,
        author: &PartnerId,
        id: &EnforcementId,
        audience: AudienceDigest,
    ) -> Result<Option<EnforcementRecord>> {
        let stored = self.snapshot.get(&keys::enforcement(author, id, audience))?;
        stored.map(|stored| EnforcementRecord::decode(&stored)).transpose()
    }

    /// The enforcement accepted at a position, if that version is current.
    pub fn enforcement_at(&self, at: Position) -> Result<Option<EnforcementRecord>> {
        self.record_at(&keys::enforcement_at(ListedBy::All, at), at)
    }

    /// An author's enforcement with an id, one per audience.
    pub fn enforcement_versions(
        &self,
        author: &PartnerId,
        id: &EnforcementId,
    ) -> impl Iterator<Item = Result<EnforcementRecord>> + use<> {
        let found = self.snapshot.scan(&keys::enforcement_versions(author, id));
        found.map(|pair| EnforcementRecord::decode(&pair?.1))
    }

    /// What the target at a position of a withdrawal ended.
    pub fn withdrawn_enforcement(&self, by: Position) -> Result<Option<WithdrawnEnforcement>> {
        let stored = self.snapshot.get(&keys::withdrawn_enforcement(by))?;
        stored.map(|stored| WithdrawnEnforcement::decode(&stored)).transpose()
    }

    /// All current enforcements after a position, the oldest first. Looks at up to `limit` positions.
    /// Returns the last one if there may be more.
    pub fn scan_enforcements(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<(Vec<EnforcementRecord>, Option<Position>)> {
        let by = ListedBy::All;
        let from = Position::new(after.sequence, after.index.saturating_add(1));
        let (prefix, from) = (keys::enforcements(by), keys::enforcement_at(by, from));
        self.records_from(&prefix, &from, limit, read_position)
    }

    /// The enforcements of a list, the newest first, from just before `before` or from the end.
    pub fn enforcements_back(
        &self,
        by: ListedBy<'_>,
        before: Option<Position>,
    ) -> impl Iterator<Item = Result<EnforcementRecord>> + use<> {
        let before = before.map(|at| keys::enforcement_at(by, at));
        self.records_back(&keys::enforcements(by), before.as_deref(), read_position)
    }
}

fn read_position(key: &[u8]) -> Result<Position> {
    keys::read_enforcement_position(key).ok_or_else(|| corrupt("a list of enforcements"))
}
