//! Applies releases to liaisons and their retraction. A release changes who may read a version; it never
//! changes the version.

use std::collections::BTreeSet;

use super::Applier;
use crate::domain::accepted::{ActiveRelease, ContributionRecord, EnforcementRecord};
use crate::domain::entry::{
    Entry, ItemOutcome, Outcome, Releasable, ReleaseAction, ReleaseEnd, ReleaseEntry, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::sharing::{Directory, Release, Sharing};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, IdempotencyRecord, RawAssessment, releases_fit};
use crate::index::store::Slice;

/// The current version of an object, with its releases.
struct CurrentVersion {
    version: Position,
    /// The releases in force.
    releases: Vec<ActiveRelease>,
    /// The size of its record without releases, in bytes.
    record_bytes: usize,
    record: Record,
}

enum Record {
    Assessment(Slice),
    Contribution(Box<ContributionRecord>),
    Enforcement(Box<EnforcementRecord>),
}

impl CurrentVersion {
    fn read(object: &Releasable, stored: Slice) -> Result<Self> {
        let stored_bytes = stored.len();
        let (version, releases, record) = match object {
            Releasable::Assessment(_) => {
                let parts = RawAssessment::of(&stored)?;
                let (version, releases) = (parts.version, record::read_releases(parts.releases)?);
                (version, releases, Record::Assessment(stored))
            }
            Releasable::Contribution { .. } => {
                let record = ContributionRecord::decode(&stored)?;
                let releases = record.release_state.in_force(&record.sharing);
                (record.position, releases, Record::Contribution(Box::new(record)))
            }
            Releasable::Enforcement { .. } => {
                let record = EnforcementRecord::decode(&stored)?;
                let releases = record.release_state.in_force(&record.sharing);
                (record.position, releases, Record::Enforcement(Box::new(record)))
            }
        };
        let record_bytes = stored_bytes - record::releases(&releases).len();
        Ok(Self { version, releases, record_bytes, record })
    }

    /// The encoded record with other releases in force.
    fn with_releases(self, releases: Vec<ActiveRelease>) -> Result<Vec<u8>> {
        Ok(match self.record {
            Record::Assessment(stored) => {
                RawAssessment::of(&stored)?.with_releases(&record::releases(&releases))
            }
            Record::Contribution(mut record) => {
                record.release_state.set_in_force(&mut record.sharing, releases);
                record.encode()
            }
            Record::Enforcement(mut record) => {
                record.release_state.set_in_force(&mut record.sharing, releases);
                record.encode()
            }
        })
    }
}

/// The key of an author's object, and the version that the request names.
fn locate(author: &PartnerId, object: &Releasable) -> (Vec<u8>, Position) {
    match object {
        Releasable::Assessment(target) => {
            let key = keys::assessment(target.id, author, target.audience);
            (key, target.version.unwrap_or_default())
        }
        Releasable::Contribution { campaign, audience, version } => {
            (keys::contribution(*campaign, author, *audience), *version)
        }
        Releasable::Enforcement { id, audience, version } => {
            (keys::enforcement(author, id, *audience), *version)
        }
    }
}

impl Applier {
    /// Releases each object to each liaison, or retracts the release. Objects whose named version is no
    /// longer current are unchanged.
    pub(super) fn release(&mut self, entry: &Entry, release: &ReleaseEntry) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        if let Some(void) = self.check_release(entry, author, release)? {
            return Ok(Outcome::Void(void));
        }
        let mut outcomes = Vec::with_capacity(release.objects.len() * release.liaisons.len());
        for object in &release.objects {
            let per_liaison = self.change_releases(
                author,
                object,
                &release.liaisons,
                |releases, liaison, current| {
                    apply_action(&release.action, releases, liaison, current, entry.sequence)
                },
            )?;
            outcomes.extend(per_liaison);
        }
        if let ReleaseAction::Release { until: Some(until), .. } = &release.action {
            let (liaisons, objects) = (release.liaisons.clone(), release.objects.clone());
            self.put_release_ends(author, *until, entry.sequence, liaisons, objects);
        }
        Ok(Outcome::Applied(outcomes))
    }

    fn check_release(
        &mut self,
        entry: &Entry,
        author: &PartnerId,
        release: &ReleaseEntry,
    ) -> Result<Option<VoidReason>> {
        let key = keys::request(author, &release.request);
        if let Some(void) = self.check_idempotency(&key, release.digest)? {
            return Ok(Some(void));
        }
        let is_liaison = |partner| self.registry.role(partner) == Some(Role::Liaison);
        if !release.liaisons.iter().all(is_liaison) {
            return Ok(Some(VoidReason::AudienceGone));
        }
        if release.last.is_some() {
            let (digest, sequence) = (release.digest, entry.sequence);
            self.put(key, IdempotencyRecord { digest, sequence, time: entry.time }.encode());
        }
        Ok(None)
    }

    /// Ends each listed release that was not renewed or replaced since.
    pub(super) fn release_end(&mut self, end: &ReleaseEnd) -> Result<Outcome> {
        let released = end.sequence;
        let mut outcomes = Vec::with_capacity(end.objects.len() * end.liaisons.len());
        for object in &end.objects {
            let per_liaison = self.change_releases(
                &end.partner,
                object,
                &end.liaisons,
                |releases, liaison, current| {
                    let is_over = |active: &ActiveRelease| {
                        active.release.liaison == *liaison
                            && active.since == released
                            && active.release.until == Some(end.ends)
                    };
                    retract(releases, is_over, current.version)
                },
            )?;
            outcomes.extend(per_liaison);
        }
        self.remove(keys::release_ends(end.ends, released));
        Ok(Outcome::Applied(outcomes))
    }

    /// Changes the releases of one object. Returns one outcome per liaison.
    fn change_releases(
        &mut self,
        author: &PartnerId,
        object: &Releasable,
        liaisons: &[PartnerId],
        mut change: impl FnMut(&mut Vec<ActiveRelease>, &PartnerId, &CurrentVersion) -> ItemOutcome,
    ) -> Result<Vec<ItemOutcome>> {
        let (key, version) = locate(author, object);
        let stored = self.read(&key)?;
        let read = |stored: Slice| CurrentVersion::read(object, stored);
        let current = stored.map(read).transpose()?.filter(|current| current.version == version);
        let Some(current) = current else {
            return Ok(vec![ItemOutcome::NoCurrentVersion; liaisons.len()]);
        };
        let mut changed = current.releases.clone();
        let outcomes = liaisons.iter().map(|liaison| change(&mut changed, liaison, &current));
        let outcomes = outcomes.collect();
        if changed != current.releases {
            self.put(Slice::from(key), current.with_releases(changed)?);
            // A liaison with the contribution sees the campaign.
            if matches!(object, Releasable::Contribution { .. }) {
                self.put_campaigns_changed(self.next_sequence());
            }
        }
        Ok(outcomes)
    }

    /// Records to which liaisons a replaced version was released, so that feeds can send them a removal.
    pub(super) fn put_replaced(&mut self, at: Position, version: Position, sharing: &Sharing) {
        if !sharing.releases.is_empty() {
            let liaisons = sharing.releases.iter().map(|release| release.liaison.clone()).collect();
            self.put(keys::replaced(at), record::ReplacedVersion { version, liaisons }.encode());
        }
    }

    /// Indexes when releases of an entry expire.
    fn put_release_ends(
        &mut self,
        author: &PartnerId,
        ends: Timestamp,
        sequence: u64,
        liaisons: Vec<PartnerId>,
        objects: Vec<Releasable>,
    ) {
        let ending = record::ExpiringReleases { author: author.clone(), liaisons, objects };
        self.put(keys::release_ends(ends, sequence), ending.encode());
    }

    /// Indexes the expiry of releases that were sent together with their objects.
    pub(super) fn put_release_ends_of_batch(
        &mut self,
        author: &PartnerId,
        sharing: &Sharing,
        sequence: u64,
        objects: &[Releasable],
    ) {
        if objects.is_empty() {
            return;
        }
        for ends in release_times(sharing) {
            let ends_then = |release: &&Release| release.until == Some(ends);
            let liaisons =
                sharing.releases.iter().filter(ends_then).map(|release| release.liaison.clone());
            let liaisons = liaisons.collect();
            self.put_release_ends(author, ends, sequence, liaisons, objects.to_vec());
        }
    }
}

/// The distinct expiry times of the releases.
fn release_times(sharing: &Sharing) -> BTreeSet<Timestamp> {
    sharing.releases.iter().filter_map(|release| release.until).collect()
}

fn apply_action(
    action: &ReleaseAction,
    releases: &mut Vec<ActiveRelease>,
    liaison: &PartnerId,
    current: &CurrentVersion,
    since: u64,
) -> ItemOutcome {
    let version = current.version;
    let ReleaseAction::Release { basis, until } = action else {
        return retract(releases, |existing| existing.release.liaison == *liaison, version);
    };
    let (liaison, basis, until) = (liaison.clone(), basis.clone(), *until);
    let new = ActiveRelease { release: Release { liaison, basis, until }, since };
    let existing =
        releases.iter().position(|existing| existing.release.liaison == new.release.liaison);
    if existing.is_some_and(|index| releases[index].release == new.release) {
        return ItemOutcome::Unchanged(version);
    }
    let mut changed = releases.clone();
    match existing {
        Some(index) => changed[index] = new,
        None => changed.push(new),
    }
    if !releases_fit(&changed, current.record_bytes) {
        return ItemOutcome::Full(version);
    }
    *releases = changed;
    ItemOutcome::Released(version)
}

fn retract(
    releases: &mut Vec<ActiveRelease>,
    is_retracted: impl Fn(&ActiveRelease) -> bool,
    version: Position,
) -> ItemOutcome {
    let before = releases.len();
    releases.retain(|release| !is_retracted(release));
    if releases.len() < before {
        ItemOutcome::Retracted(version)
    } else {
        ItemOutcome::NoCurrentVersion
    }
}
