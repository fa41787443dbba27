//! What is released to liaisons, and no longer: the version stays, and so does the entry that brought it;
//! who may read it changes with the entry that says so.

use std::collections::BTreeSet;

use super::Applier;
use crate::domain::entry::{
    Entry, ItemOutcome, Outcome, Releasable, ReleaseAct, ReleaseEnd, ReleaseEntry, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::sharing::{Community, Release, Sharing};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{
    self, ActiveRelease, ContributionRecord, EnforcementRecord, RawAssessment, TakenBatch,
    releases_fit,
};
use crate::index::store::Slice;

/// The version that releases are on.
struct Standing {
    version: Position,
    /// Those in force.
    releases: Vec<ActiveRelease>,
    /// How large its record is without any.
    record_bytes: usize,
    record: Record,
}

enum Record {
    Assessment(Slice),
    Contribution(Box<ContributionRecord>),
    Enforcement(Box<EnforcementRecord>),
}

impl Standing {
    fn read(object: &Releasable, stored: Slice) -> Result<Self> {
        let all = stored.len();
        let (version, releases, record) = match object {
            Releasable::Assessment(_) => {
                let parts = RawAssessment::of(&stored)?;
                let (version, releases) = (parts.version, record::read_releases(parts.releases)?);
                (version, releases, Record::Assessment(stored))
            }
            Releasable::Contribution { .. } => {
                let kept = ContributionRecord::decode(&stored)?;
                let releases = kept.lane.in_force(&kept.sharing);
                (kept.position, releases, Record::Contribution(Box::new(kept)))
            }
            Releasable::Enforcement { .. } => {
                let kept = EnforcementRecord::decode(&stored)?;
                let releases = kept.lane.in_force(&kept.sharing);
                (kept.position, releases, Record::Enforcement(Box::new(kept)))
            }
        };
        let record_bytes = all - record::releases(&releases).len();
        Ok(Self { version, releases, record_bytes, record })
    }

    /// The record with other releases in force.
    fn released(self, all: Vec<ActiveRelease>) -> Result<Vec<u8>> {
        Ok(match self.record {
            Record::Assessment(stored) => {
                RawAssessment::of(&stored)?.with_releases(&record::releases(&all))
            }
            Record::Contribution(mut kept) => {
                kept.lane.put(&mut kept.sharing, all);
                kept.encode()
            }
            Record::Enforcement(mut kept) => {
                kept.lane.put(&mut kept.sharing, all);
                kept.encode()
            }
        })
    }
}

/// Where an author's object stands in the index, and the version that is meant.
fn place(author: &PartnerId, object: &Releasable) -> (Vec<u8>, Position) {
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
    /// Each object that still stands in the version that is named is released, or no longer.
    pub(super) fn release(&mut self, entry: &Entry, release: &ReleaseEntry) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        if let Some(void) = self.refuses_release(entry, author, release)? {
            return Ok(Outcome::Void(void));
        }
        let mut outcomes = Vec::with_capacity(release.objects.len() * release.liaisons.len());
        for object in &release.objects {
            let turned = self.turn(author, object, &release.liaisons, |all, liaison, on| {
                act(&release.act, all, liaison, on, entry.sequence)
            })?;
            outcomes.extend(turned);
        }
        if let ReleaseAct::Release { until: Some(until), .. } = &release.act {
            let (liaisons, objects) = (release.liaisons.clone(), release.objects.clone());
            self.put_release_ends(author, *until, entry.sequence, liaisons, objects);
        }
        Ok(Outcome::Taken(outcomes))
    }

    fn refuses_release(
        &mut self,
        entry: &Entry,
        author: &PartnerId,
        release: &ReleaseEntry,
    ) -> Result<Option<VoidReason>> {
        let key = keys::request(author, &release.request);
        if let Some(void) = self.taken_before(&key, release.digest)? {
            return Ok(Some(void));
        }
        let is_liaison = |one| self.registry.role(one) == Some(Role::Liaison);
        if !release.liaisons.iter().all(is_liaison) {
            return Ok(Some(VoidReason::AudienceGone));
        }
        if release.last.is_some() {
            let (digest, sequence) = (release.digest, entry.sequence);
            self.put(key, TakenBatch { digest, sequence, time: entry.time }.encode());
        }
        Ok(None)
    }

    /// Each release that still is the one that was to end then ends.
    pub(super) fn release_end(&mut self, end: &ReleaseEnd) -> Result<Outcome> {
        let released = end.sequence;
        let mut outcomes = Vec::with_capacity(end.objects.len() * end.liaisons.len());
        for object in &end.objects {
            let turned = self.turn(&end.partner, object, &end.liaisons, |all, liaison, on| {
                let is_over = |one: &ActiveRelease| {
                    one.release.liaison == *liaison
                        && one.since == released
                        && one.release.until == Some(end.ends)
                };
                drop_one(all, is_over, on.version)
            })?;
            outcomes.extend(turned);
        }
        self.remove(keys::release_ends(end.ends, released));
        Ok(Outcome::Taken(outcomes))
    }

    /// Changes the releases of an object, liaison by liaison, and gives what each comes to.
    fn turn(
        &mut self,
        author: &PartnerId,
        object: &Releasable,
        liaisons: &[PartnerId],
        mut change: impl FnMut(&mut Vec<ActiveRelease>, &PartnerId, &Standing) -> ItemOutcome,
    ) -> Result<Vec<ItemOutcome>> {
        let (key, version) = place(author, object);
        let stored = self.read(&key)?;
        let read = |stored: Slice| Standing::read(object, stored);
        let standing = stored.map(read).transpose()?.filter(|one| one.version == version);
        let Some(standing) = standing else {
            return Ok(vec![ItemOutcome::Nothing; liaisons.len()]);
        };
        let mut all = standing.releases.clone();
        let outcomes = liaisons.iter().map(|liaison| change(&mut all, liaison, &standing));
        let outcomes = outcomes.collect();
        if all != standing.releases {
            self.put(Slice::from(key), standing.released(all)?);
            // Who is told what is said of a campaign sees it.
            if matches!(object, Releasable::Contribution { .. }) {
                self.put_campaigns_changed(self.next_sequence());
            }
        }
        Ok(outcomes)
    }

    /// Keeps to whom a version was released, where another takes its place: the feed tells them.
    pub(super) fn put_lost(&mut self, at: Position, version: Position, sharing: &Sharing) {
        if !sharing.releases.is_empty() {
            let liaisons = sharing.releases.iter().map(|one| one.liaison.clone()).collect();
            self.put(keys::lost(at), record::ReplacedVersion { version, liaisons }.encode());
        }
    }

    /// Records when releases of an entry end.
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

    /// The same of a batch that is released as it comes.
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
            let until = |release: &&Release| release.until == Some(ends);
            let liaisons = sharing.releases.iter().filter(until).map(|one| one.liaison.clone());
            let liaisons = liaisons.collect();
            self.put_release_ends(author, ends, sequence, liaisons, objects.to_vec());
        }
    }
}

/// The times at which releases of what is shared so end.
fn release_times(sharing: &Sharing) -> BTreeSet<Timestamp> {
    sharing.releases.iter().filter_map(|release| release.until).collect()
}

fn act(
    act: &ReleaseAct,
    all: &mut Vec<ActiveRelease>,
    liaison: &PartnerId,
    on: &Standing,
    since: u64,
) -> ItemOutcome {
    let version = on.version;
    let ReleaseAct::Release { basis, until } = act else {
        return drop_one(all, |one| one.release.liaison == *liaison, version);
    };
    let (liaison, basis, until) = (liaison.clone(), basis.clone(), *until);
    let new = ActiveRelease { release: Release { liaison, basis, until }, since };
    let standing = all.iter().position(|one| one.release.liaison == new.release.liaison);
    if standing.is_some_and(|at| all[at].release == new.release) {
        return ItemOutcome::Unchanged(version);
    }
    let mut changed = all.clone();
    match standing {
        Some(at) => changed[at] = new,
        None => changed.push(new),
    }
    if !releases_fit(&changed, on.record_bytes) {
        return ItemOutcome::Full(version);
    }
    *all = changed;
    ItemOutcome::Released(version)
}

fn drop_one(
    all: &mut Vec<ActiveRelease>,
    goes: impl Fn(&ActiveRelease) -> bool,
    version: Position,
) -> ItemOutcome {
    let before = all.len();
    all.retain(|one| !goes(one));
    if all.len() < before { ItemOutcome::Retracted(version) } else { ItemOutcome::Nothing }
}
