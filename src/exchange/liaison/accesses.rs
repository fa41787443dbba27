//! The access log of an author: what liaisons received of its objects.

use std::collections::{BTreeMap, btree_map};

use crate::domain::accepted::AccessRecord;
use crate::domain::enforcement::EnforcementId;
use crate::domain::page::page_size;
use crate::domain::{CampaignId, Indicator, IndicatorId, PartnerId, Position, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::core::Caller;
use crate::exchange::liaison::Liaison;
use crate::index::View;
use crate::index::record::EntryVersions;

/// A page ends once it has this many objects.
const MAX_OBJECTS: usize = 500;

/// The most accesses that one page scans.
const MAX_SCANNED: usize = 2_000;

/// The objects of an author that a liaison received in one message, or a part of them.
#[derive(Clone, Debug)]
pub struct Access {
    /// The sequence of its entry.
    pub sequence: u64,
    /// Liaison, time, way and purpose. The reference is present if the author named it in a basis.
    pub kept: AccessRecord,
    /// The versions, and the object of each while it is known.
    pub objects: Vec<(Position, Option<AccessedObject>)>,
}

/// The object of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessedObject {
    /// An indicator, with the author's spelling while the assessment is current.
    Indicator(IndicatorId, Option<Indicator>),
    /// A campaign.
    Campaign(CampaignId),
    /// An enforcement, by its author's id.
    Enforcement(EnforcementId),
    /// A tip that the author sent or responded to.
    Tip(TipId),
}

/// A page of accesses.
#[derive(Clone, Debug, Default)]
pub struct AccessPage {
    /// The accesses, newest first.
    pub items: Vec<Access>,
    /// The entry and part after which the next page starts. `None` on the last page.
    pub next: Option<(u64, u32)>,
}

impl Liaison {
    /// A page of what liaisons received of the caller's objects, newest first: of one liaison, and not older than
    /// `since`, where these are set. The cost of a page does not depend on the size of the log.
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

/// The object of a version of the author.
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

/// The same for entries of tips, and for contributions and enforcements that are current. An enforcement in a tip
/// response has the version of the response: for a liaison without that thread it is the enforcement.
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
