//! Enforcements, read.

use super::keys::{self, ListedBy};
use super::record::EnforcementRecord;
use super::{View, corrupt};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::{PartnerId, Position};
use crate::error::Result;

impl View<'_> {
    /// An author's enforcement under an id, to one audience.
    pub fn enforcement(
        &self,
        author: &PartnerId,
        id: &EnforcementId,
        audience: AudienceDigest,
    ) -> Result<Option<EnforcementRecord>> {
        let stored = self.snapshot.get(&keys::enforcement(author, id, audience))?;
        stored.map(|stored| EnforcementRecord::decode(&stored)).transpose()
    }

    /// What was done, as told at a place, while it is what its author says.
    pub fn enforcement_at(&self, at: Position) -> Result<Option<EnforcementRecord>> {
        self.placed_at(&keys::enforcement_at(ListedBy::All, at), at)
    }

    /// An author's enforcements under an id, to every audience.
    pub fn enforcement_versions(
        &self,
        author: &PartnerId,
        id: &EnforcementId,
    ) -> impl Iterator<Item = Result<EnforcementRecord>> + use<> {
        let found = self.snapshot.scan(&keys::enforcement_versions(author, id));
        found.map(|pair| EnforcementRecord::decode(&pair?.1))
    }

    /// All enforcements, the oldest first, behind a place: at most so many places are looked at. With the
    /// last of those, where there may be more.
    pub fn scan_enforcements(
        &self,
        behind: Position,
        most: usize,
    ) -> Result<(Vec<EnforcementRecord>, Option<Position>)> {
        let by = ListedBy::All;
        let from = Position::new(behind.sequence, behind.index.saturating_add(1));
        let (prefix, from) = (keys::enforcements(by), keys::enforcement_at(by, from));
        self.placed_from(&prefix, &from, most, read_place)
    }

    /// The enforcements of a list, the newest first, before a place or before the end.
    pub fn enforcements_back(
        &self,
        by: ListedBy<'_>,
        before: Option<Position>,
    ) -> impl Iterator<Item = Result<EnforcementRecord>> + use<> {
        let before = before.map(|at| keys::enforcement_at(by, at));
        self.placed_back(&keys::enforcements(by), before.as_deref(), read_place)
    }
}

fn read_place(key: &[u8]) -> Result<Position> {
    keys::read_enforcement_place(key).ok_or_else(|| corrupt("a list of enforcements"))
}
