//! Lists the access log of an author: which of its objects liaisons received.

use std::collections::{BTreeMap, btree_map};

use crate::domain::accepted::AccessRecord;
use crate::domain::enforcement::EnforcementId;
use crate::domain::page::page_size;
use crate::domain::{
    CampaignId, Indicator, IndicatorId, Invalid, PartnerId, Position, Timestamp, TipId,
};
use crate::error::Result;
use crate::exchange::core::Caller;
use crate::exchange::liaison::Liaison;
use crate::index::View;
use crate::index::record::EntryVersions;

/// A page ends once it has this many objects, since each is looked up.
const MAX_OBJECTS: usize = 500;

/// The most accesses that one page scans.
const MAX_SCANNED: usize = 2_000;

/// The objects of an author that a liaison received in one message, or a part of them.
#[derive(Clone, Debug)]
pub struct Access {
    /// The sequence of the entry that recorded it.
    pub sequence: u64,
    /// Liaison, time, way and purpose. The reference is blank unless the author named it in a basis.
    pub record: AccessRecord,
    /// The versions, each with its object. `None` for an object that can no longer be found.
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
    /// The sequence and part after which the next page starts. `None` on the last page.
    pub next: Option<(u64, u32)>,
}

impl Liaison {
    /// A page of accesses to the caller's objects, newest first. `liaison` selects one liaison; `since` leaves out older
    /// accesses. The cost of a page does not depend on the size of the log.
    pub fn list_accesses(
        &self,
        caller: &Caller,
        liaison: Option<&PartnerId>,
        since: Option<Timestamp>,
        after: Option<(u64, u32)>,
        size: usize,
    ) -> Result<AccessPage> {
        if let Some(unknown) = liaison.filter(|id| self.core.registry().partner(id).is_none()) {
            let reason = format!("there is no partner `{unknown}`");
            return Err(Invalid::new("liaison", reason).into());
        }
        let size = page_size(size);
        let mut page = AccessPage::default();
        let (mut object_count, mut last) = (0, after);
        let mut entry_versions = BTreeMap::new();
        let view = self.core.index.read()?;
        for (scanned, found) in view.accesses(caller.partner(), after).enumerate() {
            let (position, mut record) = found?;
            if since.is_some_and(|since| record.at < since) {
                return Ok(page);
            }
            if page.items.len() == size || object_count >= MAX_OBJECTS || scanned == MAX_SCANNED {
                page.next = last;
                return Ok(page);
            }
            last = Some(position);
            if liaison.is_some_and(|liaison| *liaison != record.liaison) {
                continue;
            }
            if !record.accessed.names_reference {
                record.purpose.reference = "".into();
            }
            object_count += record.accessed.versions.len();
            let objects = record.accessed.versions.iter().map(|version| {
                let object = accessed_object(
                    &view,
                    caller.partner(),
                    &record.liaison,
                    *version,
                    &mut entry_versions,
                )?;
                Ok((*version, object))
            });
            let objects = objects.collect::<Result<_>>()?;
            page.items.push(Access { sequence: position.0, record, objects });
        }
        Ok(page)
    }
}

/// Finds the object of a version. `entry_versions` caches the versions of each entry.
fn accessed_object(
    view: &View<'_>,
    author: &PartnerId,
    liaison: &PartnerId,
    version: Position,
    entry_versions: &mut BTreeMap<u64, Option<EntryVersions>>,
) -> Result<Option<AccessedObject>> {
    let sequence = version.sequence;
    let entry_versions = match entry_versions.entry(sequence) {
        btree_map::Entry::Occupied(found) => found.into_mut(),
        btree_map::Entry::Vacant(vacant) => vacant.insert(view.versions_of(sequence)?),
    };
    let mut targets = entry_versions.iter().flat_map(|versions| versions.targets(sequence));
    let target = targets.find(|target| target.version == Some(version));
    let Some(target) = target else { return other_accessed_object(view, author, liaison, version) };
    let current = view.current(target.id, author, target.audience)?;
    let indicator = current.map(|current| current.assessment.indicator);
    Ok(Some(AccessedObject::Indicator(target.id, indicator)))
}

/// Finds a version among entries of tips, current contributions and current enforcements. An enforcement in a response
/// to a tip has the version of that response: the object is the tip only if the liaison has the thread.
fn other_accessed_object(
    view: &View<'_>,
    author: &PartnerId,
    liaison: &PartnerId,
    version: Position,
) -> Result<Option<AccessedObject>> {
    if let Some(id) = view.tip_at(version.sequence)?
        && view.tip(id)?.is_some_and(|tip| tip.concerns(liaison))
        && view.tip_entry(id, version.sequence)?.is_some_and(|entry| entry.is_in_thread(liaison))
    {
        return Ok(Some(AccessedObject::Tip(id)));
    }
    if let Some(contribution) = view.contribution_at(version)? {
        let is_own = contribution.author == *author;
        return Ok(is_own.then_some(AccessedObject::Campaign(contribution.campaign)));
    }
    let record = view.enforcement_at(version)?.filter(|record| record.author == *author);
    Ok(record.map(|record| AccessedObject::Enforcement(record.enforcement.id)))
}
