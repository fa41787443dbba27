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
    self, CurrentParts, InForce, KeptContribution, KeptEnforcement, TakenBatch, releases_fit,
};
use crate::index::store::Slice;

/// How many objects are one part, and how many pairs of an object and a liaison.
const PART_OBJECTS: usize = 64;
const PART_PAIRS: usize = 128;

/// The version that releases are on.
struct Standing {
    version: Position,
    /// Those in force.
    releases: Vec<InForce>,
    /// How large its record is without any.
    record_bytes: usize,
    record: Record,
}

enum Record {
    Assessment(Slice),
    Contribution(Box<KeptContribution>),
    Enforcement(Box<KeptEnforcement>),
}

impl Standing {
    fn read(object: &Releasable, stored: Slice) -> Result<Self> {
        let all = stored.len();
        let (version, releases, record) = match object {
            Releasable::Assessment(_) => {
                let parts = CurrentParts::of(&stored)?;
                let (version, releases) = (parts.version, record::read_releases(parts.releases)?);
                (version, releases, Record::Assessment(stored))
            }
            Releasable::Contribution { .. } => {
                let kept = KeptContribution::decode(&stored)?;
                let releases = kept.lane.in_force(&kept.sharing);
                (kept.position, releases, Record::Contribution(Box::new(kept)))
            }
            Releasable::Enforcement { .. } => {
                let kept = KeptEnforcement::decode(&stored)?;
                let releases = kept.lane.in_force(&kept.sharing);
                (kept.position, releases, Record::Enforcement(Box::new(kept)))
            }
        };
        let record_bytes = all - record::releases(&releases).len();
        Ok(Self { version, releases, record_bytes, record })
    }

    /// The record with other releases in force.
    fn released(self, all: Vec<InForce>) -> Result<Vec<u8>> {
        Ok(match self.record {
            Record::Assessment(stored) => {
                CurrentParts::of(&stored)?.with_releases(&record::releases(&all))
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
        let part_objects = part_objects(&release.liaisons);
        self.make_room(release.objects.len().min(part_objects) + 3)?;
        // Parts of it are applied: then it was decided to take it.
        if self.head.items == 0
            && let Some(void) = self.refuses_release(entry, author, release)?
        {
            return Ok(Outcome::Void(void));
        }
        let done = self.head.items as usize / release.liaisons.len().max(1);
        for part in release.objects[done.min(release.objects.len())..].chunks(part_objects) {
            let first = self.begun.len();
            if first > 0 {
                self.make_room(part.len() + 2)?;
            }
            for object in part {
                self.turn(author, object, &release.liaisons, |all, liaison, on| {
                    act(&release.act, all, liaison, on, entry.sequence)
                })?;
            }
            if let ReleaseAct::Release { until: Some(until), .. } = &release.act {
                let at = Position::new(entry.sequence, u32::try_from(first).unwrap_or(u32::MAX));
                let liaisons = release.liaisons.clone();
                self.put_release_ends(author, *until, at, liaisons, part.to_vec());
            }
            self.part_done(entry.sequence, first, None);
        }
        Ok(Outcome::Taken(std::mem::take(&mut self.begun)))
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
    pub(super) fn release_end(&mut self, entry: &Entry, end: &ReleaseEnd) -> Result<Outcome> {
        let part_objects = part_objects(&end.liaisons);
        let done = self.head.items as usize / end.liaisons.len().max(1);
        for part in end.objects[done.min(end.objects.len())..].chunks(part_objects) {
            self.make_room(part.len() + 3)?;
            let first = self.begun.len();
            for object in part {
                self.turn(&end.partner, object, &end.liaisons, |all, liaison, on| {
                    let is_over = |one: &InForce| {
                        one.release.liaison == *liaison
                            && one.since == end.part.sequence
                            && one.release.until == Some(end.ends)
                    };
                    drop_one(all, is_over, on.version)
                })?;
            }
            self.part_done(entry.sequence, first, None);
        }
        // A crash before this is committed goes on behind the parts that are done.
        self.remove(keys::release_ends(end.ends, end.part));
        Ok(Outcome::Taken(std::mem::take(&mut self.begun)))
    }

    /// Changes the releases of an object, liaison by liaison, and takes down what each comes to.
    fn turn(
        &mut self,
        author: &PartnerId,
        object: &Releasable,
        liaisons: &[PartnerId],
        mut change: impl FnMut(&mut Vec<InForce>, &PartnerId, &Standing) -> ItemOutcome,
    ) -> Result<()> {
        let (key, version) = place(author, object);
        let stored = self.read(&key)?;
        let read = |stored: Slice| Standing::read(object, stored);
        let standing = stored.map(read).transpose()?.filter(|one| one.version == version);
        let Some(standing) = standing else {
            self.begun.extend(liaisons.iter().map(|_| ItemOutcome::Nothing));
            return Ok(());
        };
        let mut all = standing.releases.clone();
        for liaison in liaisons {
            self.begun.push(change(&mut all, liaison, &standing));
        }
        if all != standing.releases {
            self.put(Slice::from(key), standing.released(all)?);
            // Who is told what is said of a campaign sees it.
            self.pending.campaigns |= matches!(object, Releasable::Contribution { .. });
        }
        Ok(())
    }

    /// Keeps to whom a version was released, where another takes its place: the feed tells them.
    pub(super) fn put_lost(&mut self, at: Position, version: Position, sharing: &Sharing) {
        if !sharing.releases.is_empty() {
            let liaisons = sharing.releases.iter().map(|one| one.liaison.clone()).collect();
            self.put(keys::lost(at), record::Lost { version, liaisons }.encode());
        }
    }

    /// Takes note of when releases of a part end.
    fn put_release_ends(
        &mut self,
        author: &PartnerId,
        ends: Timestamp,
        part: Position,
        liaisons: Vec<PartnerId>,
        objects: Vec<Releasable>,
    ) {
        let ending = record::Ending { author: author.clone(), liaisons, objects };
        self.put(keys::release_ends(ends, part), ending.encode());
    }

    /// The same of a batch that is released as it comes.
    pub(super) fn put_release_ends_of_batch(
        &mut self,
        author: &PartnerId,
        sharing: &Sharing,
        part: Position,
        objects: &[Releasable],
    ) {
        if objects.is_empty() {
            return;
        }
        for ends in release_times(sharing) {
            let until = |release: &&Release| release.until == Some(ends);
            let liaisons = sharing.releases.iter().filter(until).map(|one| one.liaison.clone());
            let liaisons = liaisons.collect();
            self.put_release_ends(author, ends, part, liaisons, objects.to_vec());
        }
    }
}

/// The times at which releases of what is shared so end.
pub fn release_times(sharing: &Sharing) -> BTreeSet<Timestamp> {
    sharing.releases.iter().filter_map(|release| release.until).collect()
}

fn part_objects(liaisons: &[PartnerId]) -> usize {
    (PART_PAIRS / liaisons.len().max(1)).clamp(1, PART_OBJECTS)
}

fn act(
    act: &ReleaseAct,
    all: &mut Vec<InForce>,
    liaison: &PartnerId,
    on: &Standing,
    since: u64,
) -> ItemOutcome {
    let version = on.version;
    let ReleaseAct::Release { basis, until } = act else {
        return drop_one(all, |one| one.release.liaison == *liaison, version);
    };
    let (liaison, basis, until) = (liaison.clone(), basis.clone(), *until);
    let new = InForce { release: Release { liaison, basis, until }, since };
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
    all: &mut Vec<InForce>,
    goes: impl Fn(&InForce) -> bool,
    version: Position,
) -> ItemOutcome {
    let before = all.len();
    all.retain(|one| !goes(one));
    if all.len() < before { ItemOutcome::Retracted(version) } else { ItemOutcome::Nothing }
}
