//! The timeline of a campaign: events in order of time, as a reader may see them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::accepted::{TipAction, TipMove};
use crate::domain::{Day, PartnerId, Position, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::queries::campaign::Member;
use crate::exchange::queries::campaign::tips::CampaignTip;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::ContributionView;
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::indicator::AssessmentView;
use crate::exchange::visibility::reaction::SightingView;

/// One event of a timeline.
#[derive(Clone, Debug)]
pub struct TimelineEvent {
    /// The time of the event, and its order among events of that time.
    pub position: TimelinePosition,
    /// The author; `None` if the exchange itself caused the event.
    pub author: Option<PartnerId>,
    /// The kind of event, with its data.
    pub kind: TimelineEventKind,
}

/// The position of an event in a timeline. Events are ordered by time, then by kind, then by position in the
/// journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelinePosition {
    /// The time of the event.
    pub at: Timestamp,
    /// The rank of its kind among events of the same time.
    pub rank: u8,
    /// The position of its object. It tells events of the same time and kind apart.
    pub position: Position,
}

/// The kind of an event.
#[derive(Clone, Debug)]
pub enum TimelineEventKind {
    /// A partner's first contribution.
    Contribution {
        /// Whether it founded the campaign.
        founds: bool,
        /// The name that the partner gives the campaign now.
        name: Box<str>,
    },
    /// Counts of an author's indicators for one day.
    Indicators {
        /// How many current assessments were submitted on that day.
        submitted: u64,
        /// How many were first seen.
        first_seen: u64,
        /// How many were last seen.
        last_seen: u64,
    },
    /// A sighting of an indicator.
    Sighting(Box<SightingView>),
    /// An enforcement.
    Enforcement(Box<EnforcementView>),
    /// A tip changed state.
    Tip(Box<TipStep>),
}

/// One change of a tip, in the threads that the reader may see.
#[derive(Clone, Debug)]
pub struct TipStep {
    /// The tip.
    pub tip: TipId,
    /// The sequence of the entry that sent the tip.
    pub sent: u64,
    /// The sender of the tip.
    pub sender: PartnerId,
    /// The subject line.
    pub subject: Option<Box<str>>,
    /// The action that changed it.
    pub action: TipAction,
    /// The threads whose state changed: at least one.
    pub moves: Vec<TipMove>,
}

/// All events of a campaign, in order.
pub fn timeline_events(
    reader_view: ReaderView<'_>,
    contributions: &[ContributionView],
    members: &[Member],
    enforcements: &[EnforcementView],
    tips: &[CampaignTip],
) -> Result<Vec<TimelineEvent>> {
    let mut events: Vec<_> = contributions.iter().map(contribution_event).collect();
    events.extend(daily_indicator_events(members));
    let indicators: BTreeSet<_> =
        members.iter().map(|member| member.assessment.record.id).collect();
    for id in indicators {
        events.extend(reader_view.sightings(id)?.into_iter().map(sighting_event));
    }
    events.extend(enforcements.iter().map(enforcement_event));
    events.extend(tips.iter().flat_map(tip_events));
    events.sort_by_key(|event| event.position);
    Ok(events)
}

fn contribution_event(contribution: &ContributionView) -> TimelineEvent {
    let record = &contribution.record;
    let (position, at) = record.first;
    let name = record.contribution.name.clone();
    let kind = TimelineEventKind::Contribution { founds: record.founded, name };
    event(at, position, Some(&record.author), kind)
}

fn sighting_event(sighting: SightingView) -> TimelineEvent {
    let record = &sighting.record;
    let at = record.sighting.last_seen.or(record.sighting.first_seen);
    let (at, author) = (at.unwrap_or(record.accepted), record.author.clone());
    event(at, sighting.position, Some(&author), TimelineEventKind::Sighting(Box::new(sighting)))
}

fn enforcement_event(enforcement: &EnforcementView) -> TimelineEvent {
    let record = &enforcement.record;
    let at = record.enforcement.days(record.accepted).0.start();
    let kind = TimelineEventKind::Enforcement(Box::new(enforcement.clone()));
    event(at, record.position, Some(&record.author), kind)
}

/// Counts indicators by day and author. The position of an event is that of its oldest assessment.
fn daily_indicator_events(members: &[Member]) -> Vec<TimelineEvent> {
    let mut days: BTreeMap<(Day, &PartnerId), (Position, [u64; 3])> = BTreeMap::new();
    for Member { assessment: AssessmentView { author, record, .. }, .. } in members {
        let assessment = &record.assessment;
        let times = [Some(record.accepted), assessment.first_seen, assessment.last_seen];
        for (count_index, time) in times.into_iter().enumerate() {
            let Some(time) = time else { continue };
            let (oldest, counts) =
                days.entry((Day::of(time), author)).or_insert((record.version, [0; 3]));
            *oldest = record.version.min(*oldest);
            counts[count_index] += 1;
        }
    }
    let events = days.into_iter().map(|((day, author), (position, counts))| {
        let [submitted, first_seen, last_seen] = counts;
        let kind = TimelineEventKind::Indicators { submitted, first_seen, last_seen };
        event(day.start(), position, Some(author), kind)
    });
    events.collect()
}

/// The entries of a tip that changed the state of a thread. One entry may reopen several tips: the index in the
/// position is taken from the tip's own sequence, to tell them apart.
fn tip_events(campaign_tip: &CampaignTip) -> impl Iterator<Item = TimelineEvent> {
    let CampaignTip { tip, entries } = campaign_tip;
    let tip_index = u32::try_from(tip.sequence % (1 << 32)).unwrap_or_default();
    entries.iter().filter_map(move |entry| {
        let moves: Vec<_> =
            entry.threads.iter().filter(|thread| thread.is_move()).cloned().collect();
        if moves.is_empty() {
            return None;
        }
        let step = TipStep {
            tip: tip.id,
            sent: tip.sequence,
            sender: tip.sender.clone(),
            subject: tip.subject.clone(),
            action: entry.action,
            moves,
        };
        let position = Position::new(entry.sequence, tip_index);
        let kind = TimelineEventKind::Tip(Box::new(step));
        Some(event(entry.accepted, position, entry.author.as_ref(), kind))
    })
}

fn event(
    at: Timestamp,
    position: Position,
    author: Option<&PartnerId>,
    kind: TimelineEventKind,
) -> TimelineEvent {
    let place = TimelinePosition { at, rank: kind.rank(), position };
    TimelineEvent { position: place, author: author.cloned(), kind }
}

impl TimelineEventKind {
    /// The order of events of the same time. It is part of page tokens.
    fn rank(&self) -> u8 {
        match self {
            Self::Contribution { .. } => 0,
            Self::Indicators { .. } => 1,
            Self::Sighting(_) => 2,
            Self::Enforcement(_) => 3,
            Self::Tip(_) => 4,
        }
    }
}

/// A page of events after a position, and the position of its last event if there are more.
pub(in crate::exchange) fn page(
    events: Vec<TimelineEvent>,
    after: Option<TimelinePosition>,
    limit: usize,
) -> (Vec<TimelineEvent>, Option<TimelinePosition>) {
    let is_after = |event: &TimelineEvent| after.is_none_or(|after| event.position > after);
    let mut rest = events.into_iter().filter(is_after).peekable();
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let last = page.last().map(|event| event.position);
    (page, last.filter(|_| rest.peek().is_some()))
}
