//! What joining or leaving a group comes to for a reader: the entry says who is in the group, and is
//! expanded when it is delivered, version by version.

use super::delivery::{Delivery, GroupChanged, RemovalReason, Removed, Shown};
use super::sight::{Outline, Sight};
use crate::domain::cursor::Place;
use crate::domain::entry::{Body, Entry};
use crate::domain::sharing::Reader;
use crate::domain::{GroupId, PartnerId, Position};
use crate::error::Result;
use crate::exchange::Exchange;
use crate::index::record::Part;

/// How many versions are told at once.
const AT_ONCE: usize = 200;
/// How many entries of a group are looked at, at once.
const ENTRIES_AT_ONCE: usize = 64;
/// How many versions are looked at, at once.
const LOOKED_AT_ONCE: usize = 512;

/// A part of what an entry is expanded to.
#[derive(Debug)]
pub enum Expanded {
    /// Nothing is left.
    Done,
    /// This, if anything, up to a place inside the entry.
    UpTo(Option<Box<Delivery>>, Place),
}

/// A reader's sight through one group, before and after an entry.
struct Turn<'a> {
    exchange: &'a Exchange,
    sight: &'a Sight,
    sequence: u64,
    before: &'a Reader,
    after: &'a Reader,
}

impl Exchange {
    /// The next part of what an entry is expanded to for a reader who has come up to a place.
    pub(super) fn expand(&self, sight: &Sight, entry: &Entry, behind: Place) -> Result<Expanded> {
        let group = match &entry.body {
            Body::GroupPut(definition) => &definition.id,
            Body::TermsConfirmed(confirmation) if confirmation.partner == sight.reader().id => {
                &confirmation.group
            }
            _ => return Ok(Expanded::Done),
        };
        let inside = behind.inside.filter(|_| behind.after.sequence == entry.sequence);
        let Some(last) = inside else {
            let place = Place::within(entry.sequence, Position::default());
            let told = announcement(sight, entry, group, place).map(Box::new);
            return Ok(Expanded::UpTo(told, place));
        };
        let (before, after) =
            (sight.reader_at(entry.sequence - 1), sight.reader_at(entry.sequence));
        let (Some(before), Some(after)) = (before, after) else { return Ok(Expanded::Done) };
        if before.groups.get(group) == after.groups.get(group) {
            return Ok(Expanded::Done);
        }
        let sequence = entry.sequence;
        Turn { exchange: self, sight, sequence, before: &before, after: &after }.go_on(group, last)
    }
}

impl Turn<'_> {
    /// The versions that were shared with the group before the entry, behind one of them.
    fn go_on(&self, group: &GroupId, last: Position) -> Result<Expanded> {
        let index = &self.exchange.index;
        let from = last.sequence + u64::from(last.index == u32::MAX);
        let entries = index.entries_for(group, from, self.sequence, ENTRIES_AT_ONCE)?;
        let Some(end) = entries.last() else { return Ok(Expanded::Done) };
        let (mut removed, mut shown, mut looked) = (Vec::new(), Vec::new(), 0);
        for sequence in &entries {
            for part in index.parts(*sequence)? {
                for target in part.targets(*sequence) {
                    let Some(version) = target.version.filter(|version| *version > last) else {
                        continue;
                    };
                    self.turn(&part, target.id, version, &mut removed, &mut shown)?;
                    looked += 1;
                    if removed.len() + shown.len() == AT_ONCE || looked == LOOKED_AT_ONCE {
                        let place = Place::within(self.sequence, version);
                        return Ok(Expanded::UpTo(delivery(removed, shown).map(Box::new), place));
                    }
                }
            }
        }
        // Behind an entry as a whole: the next scan begins with the one after it.
        let place = Place::within(self.sequence, Position::new(*end, u32::MAX));
        if delivery_is_empty(&removed, &shown) && entries.len() < ENTRIES_AT_ONCE {
            return Ok(Expanded::Done);
        }
        Ok(Expanded::UpTo(delivery(removed, shown).map(Box::new), place))
    }

    /// What the entry means for one version: it is lost, or gained, or neither.
    fn turn(
        &self,
        part: &Part,
        id: crate::domain::IndicatorId,
        version: Position,
        removed: &mut Vec<Removed>,
        shown: &mut Vec<Shown>,
    ) -> Result<()> {
        let place = Place::within(self.sequence, version);
        let author = &part.author;
        // In this order: a version that ends in between is found among the closed ones.
        let current = self.exchange.index.current(id, author, part.audience)?;
        let Some(mut current) = current.filter(|current| current.version == version) else {
            let closed = self.exchange.index.closed_version(version)?;
            // What ended before the entry was told then.
            let closed = closed.filter(|closed| closed.by.sequence > self.sequence);
            if let Some(closed) = closed
                && let Some(reason) = self.lost(Outline {
                    author,
                    version,
                    sharing: &closed.sharing,
                    said: &closed.outline,
                })
            {
                let author = author.clone();
                removed.push(Removed { place, version, id, author, reason });
            }
            return Ok(());
        };
        let outline =
            Outline { author, version, sharing: &current.sharing, said: &current.assessment };
        if let Some(reason) = self.lost(outline) {
            removed.push(Removed { place, version, id, author: author.clone(), reason });
        } else if self.gained(outline) {
            let reader = self.sight.reader();
            let view = current.sharing.seen_by(reader, author, version);
            if reader.id != *author {
                current.assessment.raw = None;
            }
            shown.push(Shown { place, author: author.clone(), current, view });
        }
        Ok(())
    }

    fn lost(&self, version: Outline<'_>) -> Option<RemovalReason> {
        if !self.sight.wants(self.before, version) || self.sight.wants(self.after, version) {
            return None;
        }
        Some(if Sight::sees(self.after, version) {
            RemovalReason::NoLongerMatches
        } else {
            RemovalReason::NoLongerShared
        })
    }

    /// Sight that was gained with the entry, and is still there.
    fn gained(&self, version: Outline<'_>) -> bool {
        !self.sight.wants(self.before, version)
            && self.sight.wants(self.after, version)
            && self.sight.wants(self.sight.reader(), version)
    }
}

fn delivery_is_empty(removed: &[Removed], shown: &[Shown]) -> bool {
    removed.is_empty() && shown.is_empty()
}

/// A reader joins a group or leaves it, so it loses or gains, and never both.
fn delivery(removed: Vec<Removed>, shown: Vec<Shown>) -> Option<Delivery> {
    if !removed.is_empty() {
        return Some(Delivery::Removals(removed));
    }
    (!shown.is_empty()).then_some(Delivery::Shown(shown))
}

/// Who joined and who left, for a reader who is in the group; for one that is not, its own leaving
/// and joining.
fn announcement(sight: &Sight, entry: &Entry, group: &GroupId, place: Place) -> Option<Delivery> {
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
    Some(Delivery::Changed(GroupChanged { place, group, joined, left, at }))
}
