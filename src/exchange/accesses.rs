//! What liaisons are given: written before it leaves, and listed for whose it is.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use uuid::Uuid;

use super::submit::refused;
use super::{Caller, Exchange};
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::{Accessed, AccessedVersions, AppendId, Body, Outcome};
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::sharing::SharingView;
use crate::domain::{CampaignId, Indicator, IndicatorId, PartnerId, Position, Timestamp, TipId};
use crate::error::Result;
use crate::index::View;
use crate::index::record::{AccessRecord, EntryVersions};
use crate::journal::Append;

/// The most accesses of a page, the objects behind which it ends, and the accesses that it looks at.
const MOST: usize = 1_000;
const OBJECTS: usize = 500;
const LOOKED_AT: usize = 2_000;
/// The accesses on a page when the caller does not say.
const DEFAULT: usize = 100;

/// The most objects of one message or page to a liaison: what one entry holds.
pub const GIVEN_AT_ONCE: usize = 1_000;

/// The objects of one message to a liaison, author by author: recorded as accessed before the message is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessedObjects {
    by: BTreeMap<(PartnerId, bool), BTreeSet<Position>>,
}

impl AccessedObjects {
    /// Adds a version. `view` is what the liaison knows of its sharing: its own releases.
    pub fn add(
        &mut self,
        author: &PartnerId,
        version: Position,
        view: &SharingView,
        purpose: &Purpose,
    ) {
        let named = view.releases.iter().any(|release| purpose.is_named_in(&release.basis));
        self.by.entry((author.clone(), named)).or_default().insert(version);
    }

    /// Adds a tip, or what a party added to one, by its entry. Who sent a tip gave no basis with it, so no
    /// reference is named there.
    pub fn add_of_tip(&mut self, author: &PartnerId, sequence: u64) {
        let versions = self.by.entry((author.clone(), false)).or_default();
        versions.insert(Position::new(sequence, 0));
    }

    /// Adds what is to leave with it.
    pub fn append(&mut self, other: AccessedObjects) {
        for (of, versions) in other.by {
            self.by.entry(of).or_default().extend(versions);
        }
    }

    /// Whether nothing is about to leave.
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }
}

/// What a liaison was given of a caller's at once, or a part of it.
#[derive(Clone, Debug)]
pub struct Access {
    /// The entry that it is on disk with.
    pub sequence: u64,
    /// Who, when, how and for what; the reference is there where the author may know it.
    pub kept: AccessRecord,
    /// What, and what each is about while that is known.
    pub objects: Vec<(Position, Option<AccessedObject>)>,
}

/// What a version is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessedObject {
    /// An indicator, and how its author writes it while it says anything of it to that audience.
    Indicator(IndicatorId, Option<Indicator>),
    /// A campaign.
    Campaign(CampaignId),
    /// What was done, by its author's id.
    Enforcement(EnforcementId),
    /// A tip that its author sent, or answered.
    Tip(TipId),
}

/// A page of accesses.
#[derive(Clone, Debug, Default)]
pub struct AccessPage {
    /// The accesses, the newest first.
    pub items: Vec<Access>,
    /// Behind which entry and part the next page begins; `None` on the last one.
    pub next: Option<(u64, u32)>,
}

impl Exchange {
    /// Writes down what a liaison is about to be given. Once this returns it is on disk and can be listed;
    /// after an error nothing may leave. Written again where the same is given again.
    pub async fn record_access(
        &self,
        liaison: &PartnerId,
        way: AccessWay,
        purpose: &Purpose,
        accessed: AccessedObjects,
    ) -> Result<()> {
        if accessed.is_empty() {
            return Ok(());
        }
        let given = accessed.by.into_iter().map(|((author, named), versions)| {
            let versions = versions.into_iter().collect();
            AccessedVersions { author, named, versions }
        });
        let body =
            Body::Accessed(Accessed { way, purpose: purpose.clone(), given: given.collect() });
        let id = AppendId::from_bytes(*Uuid::new_v4().as_bytes());
        let stamp = self.append(Append::new(id, Some(liaison.clone()), body)).await?;
        match &*self.index.outcome(stamp.sequence).await? {
            Outcome::Taken(_) => Ok(()),
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }

    /// What liaisons were given of a caller's own: the newest first, of one liaison where it is named, and
    /// no older than `since`. What a page costs does not depend on how many there are.
    pub fn list_accesses(
        &self,
        caller: &Caller,
        liaison: Option<&PartnerId>,
        since: Option<Timestamp>,
        behind: Option<(u64, u32)>,
        size: usize,
    ) -> Result<AccessPage> {
        let size = if size == 0 { DEFAULT } else { size.min(MOST) };
        let mut page = AccessPage::default();
        let (mut objects, mut last) = (0, behind);
        let mut brought = BTreeMap::new();
        let view = self.index.read()?;
        for (looked, found) in view.accesses(caller.partner(), behind).enumerate() {
            let (at, mut kept) = found?;
            if since.is_some_and(|since| kept.at < since) {
                return Ok(page);
            }
            if page.items.len() == size || objects >= OBJECTS || looked == LOOKED_AT {
                page.next = last;
                return Ok(page);
            }
            last = Some(at);
            if liaison.is_some_and(|liaison| *liaison != kept.liaison) {
                continue;
            }
            if !kept.given.named {
                kept.purpose.reference = "".into();
            }
            objects += kept.given.versions.len();
            let named = kept.given.versions.iter().map(|version| {
                let about =
                    known_as(&view, caller.partner(), &kept.liaison, *version, &mut brought)?;
                Ok((*version, about))
            });
            let named = named.collect::<Result<_>>()?;
            page.items.push(Access { sequence: at.0, kept, objects: named });
        }
        Ok(page)
    }
}

/// What a version of an author's is about.
fn known_as(
    view: &View<'_>,
    author: &PartnerId,
    liaison: &PartnerId,
    version: Position,
    brought: &mut BTreeMap<u64, Option<EntryVersions>>,
) -> Result<Option<AccessedObject>> {
    let sequence = version.sequence;
    let brought = match brought.entry(sequence) {
        btree_map::Entry::Occupied(found) => found.into_mut(),
        btree_map::Entry::Vacant(vacant) => vacant.insert(view.versions_of(sequence)?),
    };
    let mut targets = brought.iter().flat_map(|brought| brought.targets(sequence));
    let target = targets.find(|target| target.version == Some(version));
    let Some(target) = target else { return other_known_as(view, author, liaison, version) };
    let current = view.current(target.id, author, target.audience)?;
    let known = current.map(|current| current.assessment.indicator);
    Ok(Some(AccessedObject::Indicator(target.id, known)))
}

/// The same of what was added to a tip; and of what is said of a campaign, or was done, while it is what
/// its author says. What was done with an answer has the version of the answer: to who has not that in
/// its thread it is what was done.
fn other_known_as(
    view: &View<'_>,
    author: &PartnerId,
    liaison: &PartnerId,
    version: Position,
) -> Result<Option<AccessedObject>> {
    if let Some(id) = view.tip_at(version.sequence)?
        && view.tip(id)?.is_some_and(|tip| tip.concerns(liaison))
        && view.added(id, version.sequence)?.is_some_and(|one| one.stands_in(liaison))
    {
        return Ok(Some(AccessedObject::Tip(id)));
    }
    if let Some(kept) = view.contribution_at(version)? {
        return Ok((kept.author == *author).then_some(AccessedObject::Campaign(kept.campaign)));
    }
    let kept = view.enforcement_at(version)?.filter(|kept| kept.author == *author);
    Ok(kept.map(|kept| AccessedObject::Enforcement(kept.enforcement.id)))
}
