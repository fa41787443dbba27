//! The state of a reader, built from its feed, and the events that it receives.

use std::collections::BTreeSet;

use tipoff::domain::assessment::Confidence;
use tipoff::domain::cursor::FeedPosition;
use tipoff::domain::entry::{Body, ItemOutcome, Outcome};
use tipoff::domain::filter::Filter;
use tipoff::domain::sharing::SharingView;
use tipoff::domain::{Assessment, CampaignId, Cursor, PartnerId, Position, Sharing};
use tipoff::exchange::{
    BatchEvent, FeedEvent, Reactions, RemovedObject, Snapshot, SnapshotPart, Start,
};

use crate::campaigns::{self, Campaigns};
use crate::cast::{group, id};
use crate::history::{FilterSpec, ReaderSpec};
use crate::model::Model;
use crate::trace::{Observed, observation};
use crate::world::World;

/// The number of assessments per page of a snapshot. Small, so that many steps happen between
/// pages.
const PAGE: usize = 3;

/// One event of a feed, with the cursor after it.
pub struct Event {
    pub place: FeedPosition,
    pub observed: Observed,
    pub holds: Option<Position>,
    pub drops: Option<Position>,
    /// For content: author, position and sharing.
    pub content: Option<(PartnerId, Position, Sharing)>,
    /// For an item: the campaign that it names, and the campaign that its reader sees.
    pub campaign: Option<(Option<CampaignId>, Option<CampaignId>)>,
}

/// A reader across all its connections.
pub struct Reader {
    pub of: ReaderSpec,
    pub held: BTreeSet<Position>,
    cursor: Option<Cursor>,
    /// A snapshot in progress, and what it returned.
    open: Option<(Snapshot, BTreeSet<Position>)>,
}

impl Reader {
    pub fn new(of: ReaderSpec) -> Self {
        Self { of, held: BTreeSet::new(), cursor: None, open: None }
    }

    pub fn filter(&self, world: &World) -> Filter {
        let mut filter = Filter::default();
        match self.of.filter {
            FilterSpec::Everything => {}
            FilterSpec::Confident => filter.min_confidence = Some(Confidence::new(50).unwrap()),
            FilterSpec::Group(which) => filter.groups = vec![group(which)],
            FilterSpec::Author(author) => filter.authors = vec![id(author)],
            FilterSpec::Campaign(step) => filter.campaigns = vec![world.campaigns.id(step)],
        }
        filter
    }

    /// Connects, takes at most this many events, and disconnects. `Err` is a violated guarantee.
    pub fn read(
        &mut self,
        world: &World,
        model: &Model,
        limit: usize,
    ) -> Result<Vec<Observed>, String> {
        let mut seen = Vec::new();
        if self.open.is_some() {
            seen = self.snapshot(world, model)?;
        }
        let caller = match world.caller(self.of.partner) {
            Ok(caller) => caller,
            Err(error) => return Ok(vec![refused(&error)]),
        };
        let limit = limit.saturating_add(seen.len());
        let start = self.cursor.map_or(Start::Oldest, Start::After);
        let mut feed = world.exchange().feeds.feed(&caller, start, self.filter(world)).unwrap();
        let far = tokio_instant_far(world);
        while seen.len() < limit {
            let Some(delivery) = world.read(feed.next_available(far)).unwrap() else {
                self.cursor = Some(feed.cursor());
                break;
            };
            let journal = feed.cursor().journal;
            let events = events(delivery, &world.campaigns);
            let left = limit - seen.len();
            let all_taken = events.len() <= left;
            for event in events.into_iter().take(left) {
                self.check(world, model, &event)?;
                self.cursor = Some(Cursor { journal, position: event.place });
                if let Some(version) = event.drops {
                    self.held.remove(&version);
                }
                self.held.extend(event.holds);
                seen.push(event.observed);
            }
            if all_taken {
                self.cursor = Some(feed.cursor());
            }
        }
        Ok(seen)
    }

    /// Takes the next page of an open or new snapshot. When it is complete, drops what the snapshot
    /// lacks and continues with the feed after it.
    pub fn snapshot_page(&mut self, world: &World, model: &Model) -> Result<Vec<Observed>, String> {
        let (mut snapshot, mut held) = match self.open.take() {
            Some(open) => open,
            None => match world.caller(self.of.partner) {
                Ok(caller) => {
                    let snapshot = world.exchange().feeds.snapshot(&caller, self.filter(world));
                    (snapshot.unwrap(), BTreeSet::new())
                }
                Err(error) => return Ok(vec![refused(&error)]),
            },
        };
        let page = match snapshot.next_page(PAGE) {
            // Suspended: it starts again another time.
            Err(error) => return Ok(vec![refused(&error)]),
            Ok(None) => {
                self.held = held;
                self.cursor = Some(snapshot.cursor());
                return Ok(Vec::new());
            }
            Ok(Some(page)) => page,
        };
        let mut seen = Vec::new();
        for part in &page {
            let event = in_snapshot(part, &world.campaigns);
            self.check(world, model, &event)?;
            held.extend(event.holds);
            seen.push(event.observed);
        }
        self.open = Some((snapshot, held));
        Ok(seen)
    }

    /// Takes the rest of a snapshot, or a whole one.
    pub fn snapshot(&mut self, world: &World, model: &Model) -> Result<Vec<Observed>, String> {
        let mut seen = Vec::new();
        loop {
            seen.extend(self.snapshot_page(world, model)?);
            if self.open.is_none() {
                return Ok(seen);
            }
        }
    }

    /// The node that it was connected to is gone.
    pub fn disconnect(&mut self) {
        self.open = None;
    }

    /// Checks that the reader may see the content at this moment.
    fn check(&self, world: &World, model: &Model, event: &Event) -> Result<(), String> {
        let Some((author, at, sharing)) = &event.content else { return Ok(()) };
        if let Some((Some(names), given)) = event.campaign {
            let knows = id(self.of.partner) == *author
                || world.campaigns.sees(model, self.of.partner, names);
            if given != Some(names).filter(|_| knows) {
                return Err(format!(
                    "{:?} gets the campaign {given:?} instead of {names}",
                    self.of
                ));
            }
        }
        if model.sees(self.of.partner, author, *at, sharing) {
            Ok(())
        } else {
            Err(format!("{:?} is given what it may not see: {}", self.of, event.observed.text))
        }
    }
}

/// An error as an observation.
pub fn refused(error: &tipoff::error::Error) -> Observed {
    Observed { text: format!("{}: {error}", error.label()), positions: Vec::new() }
}

/// A version as a reader sees it.
pub fn item(
    author: &PartnerId,
    said: &Assessment,
    view: &SharingView,
    version: Position,
    replaces: Option<Position>,
    campaigns: &Campaigns,
) -> Observed {
    let (value, confidence) = (said.indicator.value(), said.confidence().percent());
    let campaign = campaigns.name(said.campaign);
    let text =
        format!("item {author} {value} {confidence} {view:?} {} {campaign}", replaces.is_some());
    Observed { text, positions: std::iter::once(version).chain(replaces).collect() }
}

pub fn events(delivery: FeedEvent, campaigns: &Campaigns) -> Vec<Event> {
    let event_at = |place, text: String, positions, content| Event {
        place,
        observed: Observed { text, positions },
        holds: None,
        drops: None,
        content,
        campaign: None,
    };
    match delivery {
        FeedEvent::Batch(batch) => of_batch(&batch, campaigns),
        FeedEvent::Campaign(said) => {
            let (observed, content) = campaigns::contributed(&said.contribution, campaigns);
            let event = event_at(said.place, observed.text, observed.positions, Some(content));
            vec![Event { drops: said.contribution.replaces, ..event }]
        }
        FeedEvent::Enforcements(all) => {
            let event = |one: tipoff::exchange::EnforcementEvent| {
                let (observed, content) = campaigns::done(&one.enforcement, campaigns);
                let event = event_at(one.place, observed.text, observed.positions, Some(content));
                Event { drops: one.enforcement.replaces, ..event }
            };
            all.into_iter().map(event).collect()
        }
        FeedEvent::Removals(removed) => {
            let event = |one: tipoff::exchange::Removal| {
                let text = format!(
                    "removal {} {} {:?}",
                    one.author,
                    removed_name(&one.what, campaigns),
                    one.reason
                );
                let drops = Some(one.version);
                Event { drops, ..event_at(one.place, text, vec![one.version], None) }
            };
            removed.into_iter().map(event).collect()
        }
        FeedEvent::Items(shown) => {
            let event = |one: tipoff::exchange::FeedItem| {
                let version = one.record.version;
                let assessment = &one.record.assessment;
                let observed = item(&one.author, assessment, &one.view, version, None, campaigns);
                let content = Some((one.author, version, one.record.sharing));
                let holds = Some(version);
                Event { observed, holds, ..event_at(one.place, String::new(), Vec::new(), content) }
            };
            shown.into_iter().map(event).collect()
        }
        FeedEvent::GroupChange(changed) => {
            let text =
                format!("{} joined {:?} left {:?}", changed.group, changed.joined, changed.left);
            vec![event_at(changed.place, text, Vec::new(), None)]
        }
        FeedEvent::Sightings(seen) => {
            let event = |one: tipoff::exchange::SightingView| {
                let value = one.record.sighting.indicator.value();
                let text = format!("{} saw {value} {:?}", one.record.author, one.sharing);
                let content = Some((one.record.author, one.position, one.record.sharing));
                event_at(FeedPosition::after_item(one.position), text, vec![one.position], content)
            };
            seen.into_iter().map(event).collect()
        }
        FeedEvent::Feedback(one) => {
            let (at, kept) = (one.record.position, one.record);
            let text = format!("{} says {:?} {:?}", one.giver, kept.opinion, one.sharing);
            vec![event_at(FeedPosition::after_entry(at.sequence), text, vec![at, one.about], None)]
        }
        FeedEvent::Tip(one) => vec![crate::tips::tip_event(&one)],
    }
}

/// An object of a snapshot, as an event without a cursor.
pub fn in_snapshot(part: &SnapshotPart, campaigns: &Campaigns) -> Event {
    let (holds, (observed, content)) = match part {
        SnapshotPart::Item(shown) => {
            let (author, current) = (&shown.author, &shown.record);
            let version = current.version;
            let observed = item(author, &current.assessment, &shown.view, version, None, campaigns);
            let content = (author.clone(), version, current.sharing.clone());
            (Some(version), (observed, content))
        }
        SnapshotPart::Campaign(said) => (None, campaigns::contributed(said, campaigns)),
        SnapshotPart::Enforcement(deed) => (None, campaigns::done(deed, campaigns)),
    };
    let (place, drops, content) = (FeedPosition::default(), None, Some(content));
    Event { place, observed, holds, drops, content, campaign: None }
}

/// The name of a removed object in a trace.
fn removed_name(what: &RemovedObject, campaigns: &Campaigns) -> String {
    match what {
        RemovedObject::Assessment(id) => id.to_string(),
        RemovedObject::Contribution(campaign) => campaigns.name(Some(*campaign)),
        RemovedObject::Enforcement(id) => id.to_string(),
    }
}

/// The items and removals of a batch, by position.
fn of_batch(delivery: &BatchEvent, campaigns: &Campaigns) -> Vec<Event> {
    let entry = &delivery.logged.entry;
    let Body::SubmissionBatch(batch) = &entry.body else { panic!("a batch") };
    let Outcome::Applied(outcomes) = &*delivery.outcome else { panic!("taken") };
    let author = entry.author.clone().unwrap();
    let mut events = Vec::new();
    let given: BTreeSet<usize> = delivery.ranges.iter().flat_map(Clone::clone).collect();
    for at in 0..batch.items.len() {
        let batch_item = &batch.items[at];
        for removal in delivery.removals.iter().filter(|removal| removal.at == at) {
            let text = format!("removal {author} {} {:?}", batch_item.id, removal.reason);
            events.push(Event {
                place: removal.place,
                observed: Observed { text, positions: vec![removal.version] },
                holds: None,
                drops: Some(removal.version),
                content: None,
                campaign: None,
            });
        }
        if !given.contains(&at) {
            continue;
        }
        let version = Position::new(entry.sequence, batch_item.index);
        let replaces = match (&delivery.replaces, outcomes[at]) {
            (Some(replaces), _) => replaces[at],
            (None, ItemOutcome::Replaced(old)) => {
                Some(old).filter(|old| old.sequence >= delivery.visible_from)
            }
            (None, _) => None,
        };
        let names = batch_item.assessment.campaign;
        let given = names.filter(|id| delivery.author || delivery.campaigns.contains(id));
        let shown = Assessment { campaign: given, ..batch_item.assessment.clone() };
        events.push(Event {
            place: FeedPosition::after_item(version),
            observed: item(&author, &shown, &delivery.view, version, replaces, campaigns),
            holds: Some(version),
            drops: replaces,
            content: Some((author.clone(), version, batch.sharing.clone())),
            campaign: Some((names, given)),
        });
    }
    events
}

pub fn tokio_instant_far(world: &World) -> tokio::time::Instant {
    world.read(async { tokio::time::Instant::now() + std::time::Duration::from_secs(60) })
}

/// The sightings and feedback that a partner sees.
pub fn reacted(reactions: &Reactions) -> Vec<Observed> {
    let count = observation(&format!("seen {}", reactions.seen_count), []);
    let seen = reactions.sightings.iter().map(|seen| {
        let text = format!("{} {:?}", seen.record.author, seen.sharing);
        observation(&text, [seen.position])
    });
    let feedback_seen = reactions.feedback.iter().map(|one| {
        let text = format!("{} {:?} {:?}", one.giver, one.record.opinion, one.sharing);
        observation(&text, [one.record.position, one.about])
    });
    std::iter::once(count).chain(seen).chain(feedback_seen).collect()
}
