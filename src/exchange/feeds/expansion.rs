//! Expansion of entries that change which older versions a reader may see: it joins or leaves a group, or gains or
//! loses access to a campaign. The entry is expanded version by version when it is delivered: newly visible versions
//! are delivered (backfill), and versions that are no longer visible are removed.

mod campaigns;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::Body;
use crate::domain::sharing::Reader;
use crate::domain::{GroupId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::feeds::changes::campaigns::campaign_event;
use crate::exchange::feeds::changes::{Input, NextEvent};
use crate::exchange::feeds::event::{
    FeedEvent, FeedItem, GroupChange, Removal, RemovalReason, RemovedObject,
};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};

/// Removals or items in one event. Bounds the size of a message.
const MAX_EVENTS_PER_STEP: usize = 200;
/// Entries that one step reads. Bounds how long a step takes.
const MAX_ENTRIES_PER_STEP: usize = 64;
/// Versions that one step compares. Bounds how long a step takes.
const MAX_VERSIONS_PER_STEP: usize = 512;

/// One step of an expansion.
#[derive(Debug)]
enum ExpansionStep {
    /// The expansion is complete.
    Done,
    /// An event, if there is one, and the position after it. The position is inside the entry.
    UpTo(Option<Box<FeedEvent>>, FeedPosition),
}

/// An entry, and the reader's rights before and after it.
struct Expansion<'a> {
    input: &'a Input<'a>,
    before: &'a Reader,
    after: &'a Reader,
}

/// Runs the next step of an expansion.
pub fn changes(input: &Input<'_>) -> Result<NextEvent> {
    Ok(match step(input)? {
        ExpansionStep::Done => {
            let position = FeedPosition::after_entry(input.entry().sequence);
            NextEvent { event: None, position }
        }
        ExpansionStep::UpTo(event, position) => {
            NextEvent { event: event.map(|event| *event), position }
        }
    })
}

fn step(input: &Input<'_>) -> Result<ExpansionStep> {
    let entry = input.entry();
    let expanded_up_to =
        input.after.inside.filter(|_| input.after.last_read.sequence == entry.sequence);
    let Some(last) = expanded_up_to else {
        // The first event is the change itself.
        let position = FeedPosition::in_expansion(entry.sequence, Position::default());
        let event = match &entry.body {
            Body::CampaignPut(put) => campaign_event(input, put, position)?,
            _ => group_of(input).and_then(|group| group_change(input, group, position)),
        };
        return Ok(ExpansionStep::UpTo(event.map(Box::new), position));
    };
    let (before, after) = (input.reader_before(), input.visibility.reader_at(entry.sequence));
    let (Some(before), Some(after)) = (before, after) else { return Ok(ExpansionStep::Done) };
    let expansion = Expansion { input, before: &before, after: &after };
    if let Body::CampaignPut(put) = &entry.body {
        return expansion.through_contribution(put.campaign, last);
    }
    let Some(group) = group_of(input) else { return Ok(ExpansionStep::Done) };
    if before.groups.get(group) == after.groups.get(group) {
        return Ok(ExpansionStep::Done);
    }
    // With a filter by campaign, the reader holds only versions that name these campaigns. A version that names a
    // campaign which the reader sees through the group may be shared with an audience other than the group.
    match input.visibility.filter().campaigns.as_slice() {
        [] => expansion.through_group(group, last),
        campaigns => expansion.through_campaigns(campaigns, last),
    }
}

/// The group whose members an entry may change.
fn group_of<'a>(input: &Input<'a>) -> Option<&'a GroupId> {
    match &input.entry().body {
        Body::GroupPut(definition) => Some(&definition.id),
        Body::TermsConfirmed(confirmation)
            if confirmation.partner == input.visibility.reader().id =>
        {
            Some(&confirmation.group)
        }
        _ => None,
    }
}

impl Expansion<'_> {
    fn sequence(&self) -> u64 {
        self.input.entry().sequence
    }

    fn should_deliver(
        &self,
        reader: &Reader,
        as_of: AsOf,
        version: VersionMeta<'_>,
    ) -> Result<bool> {
        self.input.visibility.should_deliver(self.input.view, reader, as_of, version)
    }

    /// Compares the versions after `last` that were shared with the group before the entry.
    fn through_group(&self, group: &GroupId, last: Position) -> Result<ExpansionStep> {
        let view = self.input.view;
        let from = last.sequence + u64::from(last.index == u32::MAX);
        let entries = view.entries_for(group, from, self.sequence(), MAX_ENTRIES_PER_STEP)?;
        let Some(end) = entries.last() else { return Ok(ExpansionStep::Done) };
        let (mut removals, mut items, mut compared) = (Vec::new(), Vec::new(), 0);
        for sequence in &entries {
            let Some(entry_versions) = view.versions_of(*sequence)? else { continue };
            for target in entry_versions.targets(*sequence) {
                let Some(version) = target.version.filter(|version| *version > last) else {
                    continue;
                };
                let key = (&entry_versions.author, entry_versions.audience, target.id);
                self.compare(key, version, &mut removals, &mut items)?;
                compared += 1;
                if removals.len() + items.len() == MAX_EVENTS_PER_STEP
                    || compared == MAX_VERSIONS_PER_STEP
                {
                    let position = FeedPosition::in_expansion(self.sequence(), version);
                    let event = event(removals, items).map(Box::new);
                    return Ok(ExpansionStep::UpTo(event, position));
                }
            }
        }
        // The last entry is read to its end, so the next step starts with the entry after it.
        let position = FeedPosition::in_expansion(self.sequence(), Position::new(*end, u32::MAX));
        if removals.is_empty() && items.is_empty() && entries.len() < MAX_ENTRIES_PER_STEP {
            return Ok(ExpansionStep::Done);
        }
        Ok(ExpansionStep::UpTo(event(removals, items).map(Box::new), position))
    }

    /// Compares the reader's access to one version before and after the entry. Adds a removal or an item if it changed.
    fn compare(
        &self,
        (author, audience, id): (&PartnerId, AudienceDigest, IndicatorId),
        version: Position,
        removals: &mut Vec<Removal>,
        items: &mut Vec<FeedItem>,
    ) -> Result<()> {
        let position = FeedPosition::in_expansion(self.sequence(), version);
        let object = RemovedObject::Assessment(id);
        let current = self.input.view.current(id, author, audience)?;
        let Some(mut current) = current.filter(|current| current.version == version) else {
            let closed = self.input.view.closed_version(version)?;
            // If the version ended before the entry, its removal was delivered with the entry that ended it.
            let closed = closed.filter(|closed| closed.ended_by.sequence > self.sequence());
            if let Some(closed) = closed
                && let Some(reason) = self.removal_reason(VersionMeta {
                    author,
                    version,
                    sharing: &closed.sharing,
                    assessment: &closed.metadata,
                })?
            {
                let author = author.clone();
                removals.push(Removal { position, version, object, author, reason });
            }
            return Ok(());
        };
        let meta = VersionMeta {
            author,
            version,
            sharing: &current.sharing,
            assessment: &current.assessment,
        };
        if let Some(reason) = self.removal_reason(meta)? {
            removals.push(Removal { position, version, object, author: author.clone(), reason });
        } else if self.is_gained(meta)? {
            let reader = self.input.visibility.reader();
            let sharing = current.sharing.view_for(reader, author, version);
            self.input.visibility.redact(
                self.input.view,
                author,
                &mut current.assessment,
                self.input.now,
            )?;
            items.push(FeedItem { position, author: author.clone(), record: current, sharing });
        }
        Ok(())
    }

    /// Why the version is removed; `None` if the entry did not end the reader's access to it.
    fn removal_reason(&self, version: VersionMeta<'_>) -> Result<Option<RemovalReason>> {
        if !self.delivered_before(version)? || self.delivered_after(version)? {
            return Ok(None);
        }
        Ok(Some(if Visibility::may_see_version(self.after, version) {
            RemovalReason::NoLongerMatches
        } else {
            RemovalReason::NoLongerShared
        }))
    }

    /// Whether the version became visible with the entry and is still visible.
    fn is_gained(&self, version: VersionMeta<'_>) -> Result<bool> {
        Ok(!self.delivered_before(version)?
            && self.delivered_after(version)?
            && self.should_deliver(
                self.input.visibility.reader(),
                AsOf::Now(self.input.now),
                version,
            )?)
    }

    fn delivered_before(&self, version: VersionMeta<'_>) -> Result<bool> {
        self.should_deliver(self.before, self.input.before(), version)
    }

    fn delivered_after(&self, version: VersionMeta<'_>) -> Result<bool> {
        self.should_deliver(self.after, AsOf::Sequence(self.sequence()), version)
    }
}

/// The event of a step; `None` if nothing changed. An entry lets a reader gain access or lose it, so one of the lists
/// is empty.
fn event(removals: Vec<Removal>, items: Vec<FeedItem>) -> Option<FeedEvent> {
    if !removals.is_empty() {
        return Some(FeedEvent::Removals(removals));
    }
    (!items.is_empty()).then_some(FeedEvent::Items(items))
}

/// The members that joined or left the group. A reader that is not a member receives only its own change.
fn group_change(input: &Input<'_>, group: &GroupId, position: FeedPosition) -> Option<FeedEvent> {
    let (entry, visibility) = (input.entry(), input.visibility);
    let (Body::GroupPut(_), Some(known)) = (&entry.body, visibility.registry().group(group)) else {
        return None;
    };
    let reader_id = &visibility.reader().id;
    let is_member =
        known.at(reader_id, entry.sequence).is_some() && known.current(reader_id).is_some();
    let (mut joined, mut left) = known.changes(entry.sequence);
    if !is_member {
        let is_own = |partner: &PartnerId| partner == reader_id;
        joined.retain(is_own);
        left.retain(is_own);
    }
    if joined.is_empty() && left.is_empty() {
        return None;
    }
    let (group, changed_at) = (group.clone(), entry.time);
    Some(FeedEvent::GroupChange(GroupChange { position, group, joined, left, changed_at }))
}
