//! What happened of a campaign, in the order of time, by what a reader may see.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::accepted::{TipAction, TipMove};
use crate::domain::{Day, PartnerId, Position, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::queries::campaign::Member;
use crate::exchange::queries::campaign::tips::CampaignTip;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::ContributionView;
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::reaction::SightingView;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct TimelineEvent {
    /// When, and where it stands among what happened then.
    pub place: TimelinePosition,
    /// Who says so; `None` for what the exchange did by itself.
    pub author: Option<PartnerId>,
    /// What.
    pub occurrence: TimelineEventKind,
}

/// The place of an event: when, of which sort, and which one. Events are in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelinePosition {
    /// When.
    pub at: Timestamp,
    /// The sort.
    pub sort: u8,
    /// The entry and the item by which it is known.
    pub position: Position,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum TimelineEventKind {
    /// A partner said what the campaign is, or founded it.
    Contributed {
        /// Whether it founded it.
        founds: bool,
        /// What it calls it by now.
        name: Box<str>,
    },
    /// Indicators of an author on one day.
    Indicators {
        /// How many were submitted, and still stand.
        submitted: u64,
        /// How many were first seen.
        first_seen: u64,
        /// How many were last seen.
        last_seen: u64,
    },
    /// An indicator was seen.
    Seen(Box<SightingView>),
    /// Something was done.
    Done(Box<EnforcementView>),
    /// A tip was sent, moved or withdrawn.
    Tip(Box<TipStep>),
}

/// What happened to a tip of the reader's, in the threads that it may see.
#[derive(Clone, Debug)]
pub struct TipStep {
    /// The tip.
    pub tip: TipId,
    /// The entry that brought it.
    pub sent: u64,
    /// Whose it is.
    pub sender: PartnerId,
    /// What it is about, in a line.
    pub subject: Option<Box<str>>,
    /// What was done.
    pub what: TipAction,
    /// The threads that were moved, and how: at least one.
    pub moves: Vec<TipMove>,
}

/// Everything that happened, in order.
pub fn timeline_events(
    seen: ReaderView<'_>,
    contributions: &[ContributionView],
    members: &[Member],
    deeds: &[EnforcementView],
    tips: &[CampaignTip],
) -> Result<Vec<TimelineEvent>> {
    let contributed = contributions.iter().map(|one| {
        let (position, at) = one.record.first;
        let name = one.record.contribution.name.clone();
        let occurrence = TimelineEventKind::Contributed { founds: one.record.founded, name };
        happened(at, 0, position, Some(&one.record.author), occurrence)
    });
    let mut all: Vec<_> = contributed.chain(days(members)).collect();
    let indicators: BTreeSet<_> = members.iter().map(|one| one.sight.record.id).collect();
    for id in indicators {
        all.extend(seen.sightings(id)?.into_iter().map(|sighting| {
            let kept = &sighting.record;
            let at = kept.sighting.last_seen.or(kept.sighting.first_seen);
            let (at, author) = (at.unwrap_or(kept.accepted), kept.author.clone());
            happened(
                at,
                2,
                sighting.position,
                Some(&author),
                TimelineEventKind::Seen(Box::new(sighting)),
            )
        }));
    }
    all.extend(deeds.iter().map(|deed| {
        let at = deed.record.enforcement.days(deed.record.accepted).0.start();
        let done = TimelineEventKind::Done(Box::new(deed.clone()));
        happened(at, 3, deed.record.position, Some(&deed.record.author), done)
    }));
    all.extend(tips.iter().flat_map(steps));
    all.sort_by_key(|one| one.place);
    Ok(all)
}

/// What happened to indicators, by day and author. The place of a day is that of the oldest version that
/// it is known by.
fn days(members: &[Member]) -> Vec<TimelineEvent> {
    let mut days: BTreeMap<(Day, &PartnerId), (Position, [u64; 3])> = BTreeMap::new();
    for Member { sight, .. } in members {
        let assessment = &sight.record.assessment;
        let times = [Some(sight.record.accepted), assessment.first_seen, assessment.last_seen];
        for (which, time) in times.into_iter().enumerate() {
            let Some(time) = time else { continue };
            let version = sight.record.version;
            let day = days.entry((Day::of(time), &sight.author)).or_insert((version, [0; 3]));
            day.0 = day.0.min(version);
            day.1[which] += 1;
        }
    }
    let days = days.into_iter().map(|((day, author), (position, counts))| {
        let [submitted, first_seen, last_seen] = counts;
        let occurrence = TimelineEventKind::Indicators { submitted, first_seen, last_seen };
        happened(day.start(), 1, position, Some(author), occurrence)
    });
    days.collect()
}

/// What moved a tip. An entry may take up several tips: its place in the timeline tells them apart by the
/// entries that brought them.
fn steps(part: &CampaignTip) -> impl Iterator<Item = TimelineEvent> {
    let CampaignTip { tip, added } = part;
    let which = u32::try_from(tip.sequence % (1 << 32)).unwrap_or_default();
    added.iter().filter_map(move |added| {
        let moves: Vec<_> = added.threads.iter().filter(|one| one.is_move()).cloned().collect();
        if moves.is_empty() {
            return None;
        }
        let step = TipStep {
            tip: tip.id,
            sent: tip.sequence,
            sender: tip.sender.clone(),
            subject: tip.subject.clone(),
            what: added.action,
            moves,
        };
        let position = Position::new(added.sequence, which);
        let occurrence = TimelineEventKind::Tip(Box::new(step));
        Some(happened(added.accepted, 4, position, added.author.as_ref(), occurrence))
    })
}

fn happened(
    at: Timestamp,
    sort: u8,
    position: Position,
    author: Option<&PartnerId>,
    occurrence: TimelineEventKind,
) -> TimelineEvent {
    TimelineEvent {
        place: TimelinePosition { at, sort, position },
        author: author.cloned(),
        occurrence,
    }
}

/// A page of what happened, behind a place, and the place to go on behind where there is more.
pub(in crate::exchange) fn page(
    happened: Vec<TimelineEvent>,
    behind: Option<TimelinePosition>,
    most: usize,
) -> (Vec<TimelineEvent>, Option<TimelinePosition>) {
    let is_behind = |one: &TimelineEvent| behind.is_none_or(|behind| one.place > behind);
    let mut rest = happened.into_iter().filter(is_behind).peekable();
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let last = page.last().map(|one| one.place);
    (page, last.filter(|_| rest.peek().is_some()))
}
