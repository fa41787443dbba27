//! What liaisons were given, listed for whose it is.

use std::collections::{BTreeMap, btree_map};

use crate::domain::enforcement::EnforcementId;
use crate::domain::page::page_size;
use crate::domain::{CampaignId, Indicator, IndicatorId, PartnerId, Position, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::core::Caller;
use crate::exchange::liaison::Liaison;
use crate::index::View;
use crate::index::record::{AccessRecord, EntryVersions};

/// A page ends once it has this many objects.
const MAX_OBJECTS: usize = 500;

/// The most accesses that one page scans.
const MAX_SCANNED: usize = 2_000;

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

impl Liaison {
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
        let size = page_size(size);
        let mut page = AccessPage::default();
        let (mut objects, mut last) = (0, behind);
        let mut brought = BTreeMap::new();
        let view = self.core.index.read()?;
        for (looked, found) in view.accesses(caller.partner(), behind).enumerate() {
            let (at, mut kept) = found?;
            if since.is_some_and(|since| kept.at < since) {
                return Ok(page);
            }
            if page.items.len() == size || objects >= MAX_OBJECTS || looked == MAX_SCANNED {
                page.next = last;
                return Ok(page);
            }
            last = Some(at);
            if liaison.is_some_and(|liaison| *liaison != kept.liaison) {
                continue;
            }
            if !kept.given.names_reference {
                kept.purpose.reference = "".into();
            }
            objects += kept.given.versions.len();
            let named = kept.given.versions.iter().map(|version| {
                let about = accessed_object(
                    &view,
                    caller.partner(),
                    &kept.liaison,
                    *version,
                    &mut brought,
                )?;
                Ok((*version, about))
            });
            let named = named.collect::<Result<_>>()?;
            page.items.push(Access { sequence: at.0, kept, objects: named });
        }
        Ok(page)
    }
}

/// What a version of an author's is about.
fn accessed_object(
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
    let Some(target) = target else { return other_accessed_object(view, author, liaison, version) };
    let current = view.current(target.id, author, target.audience)?;
    let known = current.map(|current| current.assessment.indicator);
    Ok(Some(AccessedObject::Indicator(target.id, known)))
}

/// The same of what was added to a tip; and of what is said of a campaign, or was done, while it is what
/// its author says. What was done with an answer has the version of the answer: to who has not that in
/// its thread it is what was done.
fn other_accessed_object(
    view: &View<'_>,
    author: &PartnerId,
    liaison: &PartnerId,
    version: Position,
) -> Result<Option<AccessedObject>> {
    if let Some(id) = view.tip_at(version.sequence)?
        && view.tip(id)?.is_some_and(|tip| tip.concerns(liaison))
        && view.tip_entry(id, version.sequence)?.is_some_and(|one| one.is_in_thread(liaison))
    {
        return Ok(Some(AccessedObject::Tip(id)));
    }
    if let Some(kept) = view.contribution_at(version)? {
        return Ok((kept.author == *author).then_some(AccessedObject::Campaign(kept.campaign)));
    }
    let kept = view.enforcement_at(version)?.filter(|kept| kept.author == *author);
    Ok(kept.map(|kept| AccessedObject::Enforcement(kept.enforcement.id)))
}
