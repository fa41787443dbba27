//! Entries that change what a reader may see of older objects: it joins or leaves a group, or gains or loses sight
//! of a campaign. The entry is expanded version by version when it is delivered: newly visible versions are
//! delivered (backfill), versions that are no longer visible are removed.

mod campaigns;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::Body;
use crate::domain::sharing::Reader;
use crate::domain::{GroupId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::feeds::changes::campaigns::campaign_event;
use crate::exchange::feeds::changes::{Changes, Input};
use crate::exchange::feeds::event::{
    FeedEvent, FeedItem, GroupChange, Removal, RemovalReason, RemovedObject,
};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};

/// Versions in one event. Bounds the size of a message.
const MAX_EVENTS_PER_STEP: usize = 200;
/// Entries of a group that one step reads. Bounds how long a step takes.
const MAX_ENTRIES_PER_STEP: usize = 64;
/// Versions that one step compares. Bounds how long a step takes.
const MAX_VERSIONS_PER_STEP: usize = 512;

/// One step of an expansion.
#[derive(Debug)]
enum ExpansionStep {
    /// The expansion is complete.
    Done,
    /// An event, if there is one, and the position after it, inside the entry.
    UpTo(Option<Box<FeedEvent>>, FeedPosition),
}

/// An entry, and the reader's rights before and after it.
struct Expansion<'a> {
    input: &'a Input<'a>,
    before: &'a Reader,
    after: &'a Reader,
}

/// The next event of an entry that is expanded, and the position after it.
pub fn changes(input: &Input<'_>) -> Result<Changes> {
    Ok(match step(input)? {
        ExpansionStep::Done => {
            let position = FeedPosition::after_entry(input.entry().sequence);
            Changes { event: None, position }
        }
        ExpansionStep::UpTo(event, position) => {
            Changes { event: event.map(|event| *event), position }
        }
    })
}

fn step(input: &Input<'_>) -> Result<ExpansionStep> {
    let entry = input.entry();
    let inside = input.after.inside.filter(|_| input.after.after.sequence == entry.sequence);
    let Some(last) = inside else {
        let place = FeedPosition::in_expansion(entry.sequence, Position::default());
        let event = match &entry.body {
            Body::CampaignPut(put) => campaign_event(input, put, place)?,
            _ => group_of(input).and_then(|group| group_change(input, group, place)),
        };
        return Ok(ExpansionStep::UpTo(event.map(Box::new), place));
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
    // With a filter by campaign, the reader holds nothing else. Versions that name a campaign which it sees through
    // the group may be shared with others than the group.
    match input.visibility.filter().campaigns.as_slice() {
        [] => expansion.through_group(group, last),
        campaigns => expansion.through_campaigns(campaigns, last),
    }
}

/// The group through which an entry may change what the reader sees.
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

    /// The versions that were shared with the group before the entry, after one of them.
    fn through_group(&self, group: &GroupId, last: Position) -> Result<ExpansionStep> {
        let view = self.input.view;
        let from = last.sequence + u64::from(last.index == u32::MAX);
        let entries = view.entries_for(group, from, self.sequence(), MAX_ENTRIES_PER_STEP)?;
        let Some(end) = entries.last() else { return Ok(ExpansionStep::Done) };
        let (mut removed, mut shown, mut looked) = (Vec::new(), Vec::new(), 0);
        for sequence in &entries {
            let Some(brought) = view.versions_of(*sequence)? else { continue };
            for target in brought.targets(*sequence) {
                let Some(version) = target.version.filter(|version| *version > last) else {
                    continue;
                };
                let of = (&brought.author, brought.audience, target.id);
                self.compare(of, version, &mut removed, &mut shown)?;
                looked += 1;
                if removed.len() + shown.len() == MAX_EVENTS_PER_STEP
                    || looked == MAX_VERSIONS_PER_STEP
                {
                    let place = FeedPosition::in_expansion(self.sequence(), version);
                    return Ok(ExpansionStep::UpTo(delivery(removed, shown).map(Box::new), place));
                }
            }
        }
        // After a whole entry: the next scan starts with the one after it.
        let place = FeedPosition::in_expansion(self.sequence(), Position::new(*end, u32::MAX));
        if delivery_is_empty(&removed, &shown) && entries.len() < MAX_ENTRIES_PER_STEP {
            return Ok(ExpansionStep::Done);
        }
        Ok(ExpansionStep::UpTo(delivery(removed, shown).map(Box::new), place))
    }

    /// Compares what the reader may see of one version before and after the entry.
    fn compare(
        &self,
        (author, audience, id): (&PartnerId, AudienceDigest, IndicatorId),
        version: Position,
        removed: &mut Vec<Removal>,
        shown: &mut Vec<FeedItem>,
    ) -> Result<()> {
        let place = FeedPosition::in_expansion(self.sequence(), version);
        let what = RemovedObject::Assessment(id);
        let current = self.input.view.current(id, author, audience)?;
        let Some(mut current) = current.filter(|current| current.version == version) else {
            let closed = self.input.view.closed_version(version)?;
            // The end of a version that ended before the entry was delivered then.
            let closed = closed.filter(|closed| closed.by.sequence > self.sequence());
            if let Some(closed) = closed
                && let Some(reason) = self.removal_reason(VersionMeta {
                    author,
                    version,
                    sharing: &closed.sharing,
                    assessment: &closed.metadata,
                })?
            {
                let author = author.clone();
                removed.push(Removal { place, version, what, author, reason });
            }
            return Ok(());
        };
        let outline = VersionMeta {
            author,
            version,
            sharing: &current.sharing,
            assessment: &current.assessment,
        };
        if let Some(reason) = self.removal_reason(outline)? {
            removed.push(Removal { place, version, what, author: author.clone(), reason });
        } else if self.is_gained(outline)? {
            let reader = self.input.visibility.reader();
            let view = current.sharing.view_for(reader, author, version);
            self.input.visibility.redact(
                self.input.view,
                author,
                &mut current.assessment,
                self.input.now,
            )?;
            shown.push(FeedItem { place, author: author.clone(), record: current, view });
        }
        Ok(())
    }

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

    /// Whether the version became visible with the entry and still is.
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

fn delivery_is_empty(removed: &[Removal], shown: &[FeedItem]) -> bool {
    removed.is_empty() && shown.is_empty()
}

/// A reader joins a group or leaves it: an event has removals or items, never both.
fn delivery(removed: Vec<Removal>, shown: Vec<FeedItem>) -> Option<FeedEvent> {
    if !removed.is_empty() {
        return Some(FeedEvent::Removals(removed));
    }
    (!shown.is_empty()).then_some(FeedEvent::Items(shown))
}

/// Who joined and who left the group. A reader that is not a member learns of its own joining and leaving only.
fn group_change(input: &Input<'_>, group: &GroupId, place: FeedPosition) -> Option<FeedEvent> {
    let (entry, visibility) = (input.entry(), input.visibility);
    let (Body::GroupPut(_), Some(known)) = (&entry.body, visibility.registry().group(group)) else {
        return None;
    };
    let own = &visibility.reader().id;
    let is_member = known.at(own, entry.sequence).is_some() && known.current(own).is_some();
    let (mut joined, mut left) = known.changes(entry.sequence);
    if !is_member {
        let is_own = |partner: &PartnerId| partner == own;
        joined.retain(is_own);
        left.retain(is_own);
    }
    if joined.is_empty() && left.is_empty() {
        return None;
    }
    let (group, at) = (group.clone(), entry.time);
    Some(FeedEvent::GroupChange(GroupChange { place, group, joined, left, at }))
}
