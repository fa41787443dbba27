//! What joining or leaving a group comes to for a reader: the entry says who is in the group, and is
//! expanded when it is delivered, version by version.

mod campaigns;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry};
use crate::domain::sharing::Reader;
use crate::domain::{GroupId, IndicatorId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::event::{
    FeedEvent, FeedItem, GroupChange, Removal, RemovalReason, RemovedObject,
};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;

/// How many versions are told at once.
pub(in crate::exchange) const AT_ONCE: usize = 200;

/// How many entries of a group are looked at, at once.
pub(in crate::exchange) const ENTRIES_AT_ONCE: usize = 64;

/// How many versions are looked at, at once.
pub(in crate::exchange) const MAX_VERSIONS_PER_STEP: usize = 512;

/// A part of what an entry is expanded to.
#[derive(Debug)]
pub enum ExpansionStep {
    /// Nothing is left.
    Done,
    /// This, if anything, up to a place inside the entry.
    UpTo(Option<Box<FeedEvent>>, FeedPosition),
}

/// A reader's sight before and after an entry.
pub(in crate::exchange) struct Expansion<'a> {
    pub view: &'a View<'a>,
    pub sight: &'a Visibility,
    pub sequence: u64,
    pub before: &'a Reader,
    pub after: &'a Reader,
}

impl Core {
    /// The next part of what an entry is expanded to for a reader who has come up to a place.
    pub(in crate::exchange) fn expand(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        behind: FeedPosition,
    ) -> Result<ExpansionStep> {
        let inside = behind.inside.filter(|_| behind.after.sequence == entry.sequence);
        let Some(last) = inside else {
            let place = FeedPosition::in_expansion(entry.sequence, Position::default());
            let told = match &entry.body {
                Body::CampaignPut(put) => self.said(view, sight, entry, put, place)?,
                _ => group_of(sight, entry)
                    .and_then(|group| announcement(sight, entry, group, place)),
            };
            return Ok(ExpansionStep::UpTo(told.map(Box::new), place));
        };
        let (before, after) =
            (sight.reader_at(entry.sequence - 1), sight.reader_at(entry.sequence));
        let (Some(before), Some(after)) = (before, after) else { return Ok(ExpansionStep::Done) };
        let sequence = entry.sequence;
        let turn = Expansion { view, sight, sequence, before: &before, after: &after };
        if let Body::CampaignPut(put) = &entry.body {
            return turn.through_contribution(put.campaign, last);
        }
        let Some(group) = group_of(sight, entry) else { return Ok(ExpansionStep::Done) };
        if before.groups.get(group) == after.groups.get(group) {
            return Ok(ExpansionStep::Done);
        }
        // Who asks for campaigns holds nothing else: a campaign that is seen through the group alone
        // may be named by what is not shared with it.
        match sight.filter().campaigns.as_slice() {
            [] => turn.go_on(group, last),
            campaigns => turn.through_campaigns(campaigns, last),
        }
    }
}

/// The group through which an entry may change what a reader sees.
fn group_of<'a>(sight: &Visibility, entry: &'a Entry) -> Option<&'a GroupId> {
    match &entry.body {
        Body::GroupPut(definition) => Some(&definition.id),
        Body::TermsConfirmed(confirmation) if confirmation.partner == sight.reader().id => {
            Some(&confirmation.group)
        }
        _ => None,
    }
}

impl Expansion<'_> {
    /// The versions that were shared with the group before the entry, behind one of them.
    fn go_on(&self, group: &GroupId, last: Position) -> Result<ExpansionStep> {
        let view = self.view;
        let from = last.sequence + u64::from(last.index == u32::MAX);
        let entries = view.entries_for(group, from, self.sequence, ENTRIES_AT_ONCE)?;
        let Some(end) = entries.last() else { return Ok(ExpansionStep::Done) };
        let (mut removed, mut shown, mut looked) = (Vec::new(), Vec::new(), 0);
        for sequence in &entries {
            let Some(brought) = view.versions_of(*sequence)? else { continue };
            for target in brought.targets(*sequence) {
                let Some(version) = target.version.filter(|version| *version > last) else {
                    continue;
                };
                let of = (&brought.author, brought.audience, target.id);
                self.turn(of, version, &mut removed, &mut shown)?;
                looked += 1;
                if removed.len() + shown.len() == AT_ONCE || looked == MAX_VERSIONS_PER_STEP {
                    let place = FeedPosition::in_expansion(self.sequence, version);
                    return Ok(ExpansionStep::UpTo(delivery(removed, shown).map(Box::new), place));
                }
            }
        }
        // Behind an entry as a whole: the next scan begins with the one after it.
        let place = FeedPosition::in_expansion(self.sequence, Position::new(*end, u32::MAX));
        if delivery_is_empty(&removed, &shown) && entries.len() < ENTRIES_AT_ONCE {
            return Ok(ExpansionStep::Done);
        }
        Ok(ExpansionStep::UpTo(delivery(removed, shown).map(Box::new), place))
    }

    /// What the entry means for one version: it is lost, or gained, or neither.
    pub(in crate::exchange) fn turn(
        &self,
        (author, audience, id): (&PartnerId, AudienceDigest, IndicatorId),
        version: Position,
        removed: &mut Vec<Removal>,
        shown: &mut Vec<FeedItem>,
    ) -> Result<()> {
        let place = FeedPosition::in_expansion(self.sequence, version);
        let what = RemovedObject::Assessment(id);
        let current = self.view.current(id, author, audience)?;
        let Some(mut current) = current.filter(|current| current.version == version) else {
            let closed = self.view.closed_version(version)?;
            // What ended before the entry was told then.
            let closed = closed.filter(|closed| closed.by.sequence > self.sequence);
            if let Some(closed) = closed
                && let Some(reason) = self.lost(VersionMeta {
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
        if let Some(reason) = self.lost(outline)? {
            removed.push(Removal { place, version, what, author: author.clone(), reason });
        } else if self.gained(outline)? {
            let reader = self.sight.reader();
            let view = current.sharing.view_for(reader, author, version);
            self.sight.redact(self.view, author, &mut current.assessment)?;
            shown.push(FeedItem { place, author: author.clone(), record: current, view });
        }
        Ok(())
    }

    fn lost(&self, version: VersionMeta<'_>) -> Result<Option<RemovalReason>> {
        if !self.delivered_before(version)? || self.delivered_after(version)? {
            return Ok(None);
        }
        Ok(Some(if Visibility::may_see_version(self.after, version) {
            RemovalReason::NoLongerMatches
        } else {
            RemovalReason::NoLongerShared
        }))
    }

    /// Sight that was gained with the entry, and is still there.
    fn gained(&self, version: VersionMeta<'_>) -> Result<bool> {
        Ok(!self.delivered_before(version)?
            && self.delivered_after(version)?
            && self.sight.should_deliver(self.view, self.sight.reader(), AsOf::Now, version)?)
    }

    fn delivered_before(&self, version: VersionMeta<'_>) -> Result<bool> {
        self.sight.should_deliver(
            self.view,
            self.before,
            AsOf::Sequence(self.sequence - 1),
            version,
        )
    }

    fn delivered_after(&self, version: VersionMeta<'_>) -> Result<bool> {
        self.sight.should_deliver(self.view, self.after, AsOf::Sequence(self.sequence), version)
    }
}

pub(in crate::exchange) fn delivery_is_empty(removed: &[Removal], shown: &[FeedItem]) -> bool {
    removed.is_empty() && shown.is_empty()
}

/// A reader joins a group or leaves it, so it loses or gains, and never both.
pub(in crate::exchange) fn delivery(
    removed: Vec<Removal>,
    shown: Vec<FeedItem>,
) -> Option<FeedEvent> {
    if !removed.is_empty() {
        return Some(FeedEvent::Removals(removed));
    }
    (!shown.is_empty()).then_some(FeedEvent::Items(shown))
}

/// Who joined and who left, for a reader who is in the group; for one that is not, its own leaving
/// and joining.
fn announcement(
    sight: &Visibility,
    entry: &Entry,
    group: &GroupId,
    place: FeedPosition,
) -> Option<FeedEvent> {
    let (Body::GroupPut(_), Some(known)) = (&entry.body, sight.registry().group(group)) else {
        return None;
    };
    let own = &sight.reader().id;
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
