//! Applies enforcements. For each author, id and audience, only the newest version is current.

use super::Applier;
use crate::domain::accepted::{EnforcementRecord, ReleaseState};
use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{
    EnforcementWithdrawal, Enforcements, Entry, ItemOutcome, Outcome, Releasable, VoidReason,
};
use crate::domain::{PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::keys::ListedBy;
use crate::index::record::{self, IdempotencyRecord, WithdrawnEnforcement};

impl Applier {
    pub(super) fn enforcements(
        &mut self,
        entry: &Entry,
        enforcements: &Enforcements,
    ) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let key = keys::request(author, &enforcements.request);
        if let Some(void) = self.check_idempotency(&key, enforcements.digest)? {
            return Ok(Outcome::Void(void));
        }
        if !self.may_share(author, &enforcements.sharing.audience) {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        }
        let (digest, sequence, time) = (enforcements.digest, entry.sequence, entry.time);
        self.put(key, IdempotencyRecord { digest, sequence, time }.encode());
        let mut outcomes = Vec::with_capacity(enforcements.items.len());
        for (index, enforcement) in &enforcements.items {
            let position = Position::new(entry.sequence, *index);
            let sharing = &enforcements.sharing;
            outcomes.push(self.put_enforcement_version(
                position,
                entry.time,
                author,
                enforcement,
                sharing,
            )?);
        }
        self.put_enforcement_release_ends(entry, author, enforcements, &outcomes);
        Ok(Outcome::Applied(outcomes))
    }

    /// Ends the current version of each target. Stores what a removal asks of it, and not its content.
    pub(super) fn enforcement_withdrawal(
        &mut self,
        entry: &Entry,
        withdrawal: &EnforcementWithdrawal,
    ) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let mut outcomes = Vec::with_capacity(withdrawal.targets.len());
        for (target, index) in withdrawal.targets.iter().zip(0..) {
            let key = keys::enforcement(author, &target.id, target.audience);
            let Some(stored) = self.read(&key)? else {
                outcomes.push(ItemOutcome::NoCurrentVersion);
                continue;
            };
            let EnforcementRecord { position: version, sharing, enforcement, .. } =
                EnforcementRecord::decode(&stored)?;
            for by in lists(author, &enforcement) {
                self.remove(keys::enforcement_at(by, version));
            }
            self.remove(key);
            let withdrawn =
                WithdrawnEnforcement { version, campaign: enforcement.campaign, sharing };
            let by = Position::new(entry.sequence, index);
            self.put(keys::withdrawn_enforcement(by), withdrawn.encode());
            outcomes.push(ItemOutcome::Ended(version));
        }
        Ok(Outcome::Applied(outcomes))
    }

    /// Indexes when the releases that came with the enforcements expire.
    fn put_enforcement_release_ends(
        &mut self,
        entry: &Entry,
        author: &PartnerId,
        enforcements: &Enforcements,
        outcomes: &[ItemOutcome],
    ) {
        let sharing = &enforcements.sharing;
        if sharing.releases.is_empty() {
            return;
        }
        let audience = AudienceDigest::of(&sharing.audience);
        let items = enforcements.items.iter().zip(outcomes);
        let made = items.filter(|(_, one)| one.makes_version());
        let objects: Vec<_> = made
            .map(|((index, done), _)| Releasable::Enforcement {
                id: done.id.clone(),
                audience,
                version: Position::new(entry.sequence, *index),
            })
            .collect();
        self.put_release_ends_of_batch(author, sharing, entry.sequence, &objects);
    }

    /// Stores an enforcement that is part of another entry. Returns the version that it replaced.
    ///
    /// If the content equals the current version, nothing is stored at `position`.
    pub fn put_enforcement(
        &mut self,
        position: Position,
        accepted: Timestamp,
        author: &PartnerId,
        enforcement: &Enforcement,
        sharing: &Sharing,
    ) -> Result<Option<Position>> {
        match self.put_enforcement_version(position, accepted, author, enforcement, sharing)? {
            ItemOutcome::Replaced(old) => Ok(Some(old)),
            _ => Ok(None),
        }
    }

    fn put_enforcement_version(
        &mut self,
        position: Position,
        accepted: Timestamp,
        author: &PartnerId,
        enforcement: &Enforcement,
        sharing: &Sharing,
    ) -> Result<ItemOutcome> {
        let audience = AudienceDigest::of(&sharing.audience);
        let key = keys::enforcement(author, &enforcement.id, audience);
        let mut replaced = None;
        if let Some(stored) = self.read(&key)? {
            let old = EnforcementRecord::decode(&stored)?;
            if old.has_same_content(sharing, enforcement) {
                return Ok(ItemOutcome::Unchanged(old.position));
            }
            for by in lists(author, &old.enforcement) {
                self.remove(keys::enforcement_at(by, old.position));
            }
            self.put_replaced(position, old.position, &old.sharing);
            replaced = Some(old.position);
        }
        for by in lists(author, enforcement) {
            self.put(keys::enforcement_at(by, position), record::encode(key.as_slice()));
        }
        let record = EnforcementRecord {
            position,
            author: author.clone(),
            accepted,
            replaced,
            sharing: sharing.clone(),
            release_state: ReleaseState::new(sharing, position.sequence),
            enforcement: enforcement.clone(),
        };
        self.put(key, record.encode());
        Ok(replaced.map_or(ItemOutcome::Created, ItemOutcome::Replaced))
    }
}

/// The lists that contain an enforcement.
fn lists<'a>(
    author: &'a PartnerId,
    enforcement: &Enforcement,
) -> impl Iterator<Item = ListedBy<'a>> {
    let always = [ListedBy::All, ListedBy::Author(author)];
    let campaign = enforcement.campaign.map(ListedBy::Campaign);
    let tip = enforcement.tip.map(ListedBy::Tip);
    always.into_iter().chain(campaign).chain(tip)
}
