//! Enforcements, read.

use super::keys::{self, ListedBy};
use super::record::KeptEnforcement;
use super::{Index, corrupt};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::{PartnerId, Position};
use crate::error::Result;

impl Index {
    /// An author's enforcement under an id, to one audience.
    pub fn enforcement(
        &self,
        author: &PartnerId,
        id: &EnforcementId,
        audience: AudienceDigest,
    ) -> Result<Option<KeptEnforcement>> {
        let stored = self.store.get(&keys::enforcement(author, id, audience))?;
        stored.map(|stored| KeptEnforcement::decode(&stored)).transpose()
    }

    /// What was done, as told at a place, while it is what its author says.
    pub fn enforcement_at(&self, at: Position) -> Result<Option<KeptEnforcement>> {
        let Some(key) = self.store.get(&keys::enforcement_at(ListedBy::All, at))? else {
            return Ok(None);
        };
        let kept = self.store.get(&key)?;
        let kept = kept.map(|stored| KeptEnforcement::decode(&stored)).transpose()?;
        Ok(kept.filter(|kept| kept.position == at))
    }

    /// An author's enforcements under an id, to every audience.
    pub fn enforcement_versions(
        &self,
        author: &PartnerId,
        id: &EnforcementId,
    ) -> impl Iterator<Item = Result<KeptEnforcement>> {
        let found = self.store.scan(&keys::enforcement_versions(author, id));
        found.map(|pair| KeptEnforcement::decode(&pair?.1))
    }

    /// All enforcements, the oldest first, behind a place: at most so many, and the place of the last that
    /// was looked at where there may be more.
    pub fn scan_enforcements(
        &self,
        behind: Position,
        most: usize,
    ) -> Result<(Vec<KeptEnforcement>, Option<Position>)> {
        let by = ListedBy::All;
        let from = Position::new(behind.sequence, behind.index.saturating_add(1));
        let (mut found, mut last) = (Vec::new(), None);
        let places = self.store.scan_from(&keys::enforcements(by), &keys::enforcement_at(by, from));
        for (looked, pair) in places.enumerate() {
            if looked == most {
                return Ok((found, last));
            }
            let (place, key) = pair?;
            let at = keys::read_enforcement_place(&place);
            last = Some(at.ok_or_else(|| corrupt("a list of enforcements"))?);
            let kept = self.store.get(&key)?;
            let kept = kept.map(|stored| KeptEnforcement::decode(&stored)).transpose()?;
            found.extend(kept.filter(|kept| Some(kept.position) == last));
        }
        Ok((found, None))
    }

    /// The enforcements of a list, the newest first, before a place or before the end.
    pub fn enforcements_back(
        &self,
        by: ListedBy<'_>,
        before: Option<Position>,
    ) -> impl Iterator<Item = Result<KeptEnforcement>> {
        let before = before.map(|at| keys::enforcement_at(by, at));
        let found = self.store.scan_back(&keys::enforcements(by), before.as_deref());
        found.filter_map(|pair| {
            let (place, key) = match pair {
                Ok(pair) => pair,
                Err(error) => return Some(Err(error)),
            };
            let read = || {
                let at = keys::read_enforcement_place(&place)
                    .ok_or_else(|| corrupt("a list of enforcements"))?;
                let kept = self.store.get(&key)?;
                let kept = kept.map(|stored| KeptEnforcement::decode(&stored)).transpose()?;
                // A correction took its place meanwhile, which stands elsewhere in the list.
                Ok(kept.filter(|kept| kept.position == at))
            };
            read().transpose()
        })
    }
}
