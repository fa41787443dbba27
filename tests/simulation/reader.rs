//! The state of a reader, built from its feed, and the events that it receives.

use std::collections::BTreeSet;

use tipoff::domain::assessment::Confidence;
use tipoff::domain::cursor::FeedPosition;
use tipoff::domain::entry::{Body, ItemOutcome, Outcome};
use tipoff::domain::filter::Filter;
use tipoff::domain::sharing::SharingView;
use tipoff::domain::{Assessment, CampaignId, Cursor, PartnerId, Position};
use tipoff::exchange::{
    BatchEvent, EnforcementEvent, FeedEvent, FeedItem, Reactions, Removal, RemovedObject,
    SightingView, Snapshot, SnapshotPart, Start,
};

use crate::campaigns::{Campaigns, Content, observed_contribution, observed_enforcement};
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
    pub position: FeedPosition,
    pub observed: Observed,
    /// The version that the reader holds after it.
    pub adds: Option<Position>,
    /// The version that the reader no longer holds after it.
    pub removes: Option<Position>,
    pub content: Option<Content>,
    /// For an item: the campaign that it names, and the campaign that its reader sees.
    pub campaign: Option<(Option<CampaignId>, Option<CampaignId>)>,
}

impl Event {
    /// An event without content that changes nothing that the reader holds.
    pub fn of(position: FeedPosition, observed: Observed) -> Self {
        Self { position, observed, adds: None, removes: None, content: None, campaign: None }
    }
}

/// A reader across all its connections.
pub struct Reader {
    pub spec: ReaderSpec,
    /// The versions that it holds.
    pub held: BTreeSet<Position>,
    cursor: Option<Cursor>,
    /// A snapshot in progress, and the versions that it returned.
    open: Option<(Snapshot, BTreeSet<Position>)>,
}

impl Reader {
    pub fn new(spec: ReaderSpec) -> Self {
        Self { spec, held: BTreeSet::new(), cursor: None, open: None }
    }

    pub fn filter(&self, world: &World) -> Filter {
        let mut filter = Filter::default();
        match self.spec.filter {
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
        let mut observed = Vec::new();
        if self.open.is_some() {
            observed = self.snapshot(world, model)?;
        }
        let caller = match world.caller(self.spec.partner) {
            Ok(caller) => caller,
            Err(error) => return Ok(vec![refused(&error)]),
        };
        let limit = limit.saturating_add(observed.len());
        let start = self.cursor.map_or(Start::Oldest, Start::After);
        let mut feed = world.exchange().feeds.feed(&caller, start, self.filter(world)).unwrap();
        let far = far_deadline(world);
        while observed.len() < limit {
            let Some(event) = world.read(feed.next_available(far)).unwrap() else {
                self.cursor = Some(feed.cursor());
                break;
            };
            let journal = feed.cursor().journal;
            let events = events(event, &world.campaigns);
            let left = limit - observed.len();
            let all_taken = events.len() <= left;
            for event in events.into_iter().take(left) {
                self.check(world, model, &event)?;
                self.cursor = Some(Cursor { journal, position: event.position });
                if let Some(version) = event.removes {
                    self.held.remove(&version);
                }
                self.held.extend(event.adds);
                observed.push(event.observed);
            }
            if all_taken {
                self.cursor = Some(feed.cursor());
            }
        }
        Ok(observed)
    }

    /// Takes the next page of an open or new snapshot. When it is complete, drops what the snapshot
    /// lacks and continues with the feed after it.
    pub fn snapshot_page(&mut self, world: &World, model: &Model) -> Result<Vec<Observed>, String> {
        let (mut snapshot, mut held) = match self.open.take() {
            Some(open) => open,
            None => match world.caller(self.spec.partner) {
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
        let mut observed = Vec::new();
        for part in &page {
            let event = snapshot_event(part, &world.campaigns);
            self.check(world, model, &event)?;
            held.extend(event.adds);
            observed.push(event.observed);
        }
        self.open = Some((snapshot, held));
        Ok(observed)
    }

    /// Takes the rest of a snapshot, or a whole one.
    pub fn snapshot(&mut self, world: &World, model: &Model) -> Result<Vec<Observed>, String> {
        let mut observed = Vec::new();
        loop {
            observed.extend(self.snapshot_page(world, model)?);
            if self.open.is_none() {
                return Ok(observed);
            }
        }
    }

    /// Ends a snapshot in progress, because its node stopped.
    pub fn disconnect(&mut self) {
        self.open = None;
    }

    /// Checks that the reader may see the content at this moment.
    fn check(&self, world: &World, model: &Model, event: &Event) -> Result<(), String> {
        let Some((author, at, sharing)) = &event.content else { return Ok(()) };
        let reader = self.spec.partner;
        if let Some((Some(named), received)) = event.campaign {
            let may_see = id(reader) == *author || world.campaigns.sees(model, reader, named);
            if received != Some(named).filter(|_| may_see) {
                return Err(format!(
                    "{:?} gets the campaign {received:?} instead of {named}",
                    self.spec
                ));
            }
        }
        if model.sees(reader, author, *at, sharing) {
            Ok(())
        } else {
            let text = &event.observed.text;
            Err(format!("{:?} receives an object that it may not see: {text}", self.spec))
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
    assessment: &Assessment,
    view: &SharingView,
    version: Position,
    replaces: Option<Position>,
    campaigns: &Campaigns,
) -> Observed {
    let (value, confidence) = (assessment.indicator.value(), assessment.confidence().percent());
    let campaign = campaigns.name(assessment.campaign);
    let text =
        format!("item {author} {value} {confidence} {view:?} {} {campaign}", replaces.is_some());
    Observed { text, positions: std::iter::once(version).chain(replaces).collect() }
}

pub fn events(event: FeedEvent, campaigns: &Campaigns) -> Vec<Event> {
    match event {
        FeedEvent::Batch(batch) => batch_events(&batch, campaigns),
        FeedEvent::Campaign(event) => {
            let (observed, content) = observed_contribution(&event.contribution, campaigns);
            let removes = event.contribution.replaces;
            let content = Some(content);
            vec![Event { removes, content, ..Event::of(event.position, observed) }]
        }
        FeedEvent::Enforcements(events) => {
            events.into_iter().map(|event| enforcement_event(&event, campaigns)).collect()
        }
        FeedEvent::Removals(removals) => {
            removals.into_iter().map(|removal| removal_event(&removal, campaigns)).collect()
        }
        FeedEvent::Items(items) => {
            items.into_iter().map(|item| item_event(item, campaigns)).collect()
        }
        FeedEvent::GroupChange(change) => {
            let text =
                format!("{} joined {:?} left {:?}", change.group, change.joined, change.left);
            vec![Event::of(change.position, observation(&text, []))]
        }
        FeedEvent::Sightings(sightings) => sightings.into_iter().map(sighting_event).collect(),
        FeedEvent::Feedback(feedback) => {
            let record = &feedback.record;
            let text =
                format!("{} gives {:?} {:?}", feedback.author, record.opinion, feedback.sharing);
            let observed = observation(&text, [record.position, feedback.version]);
            vec![Event::of(FeedPosition::after_entry(record.position.sequence), observed)]
        }
        FeedEvent::Tip(event) => vec![crate::tips::tip_event(&event)],
    }
}

fn enforcement_event(event: &EnforcementEvent, campaigns: &Campaigns) -> Event {
    let (observed, content) = observed_enforcement(&event.enforcement, campaigns);
    let removes = event.enforcement.replaces;
    Event { removes, content: Some(content), ..Event::of(event.position, observed) }
}

fn removal_event(removal: &Removal, campaigns: &Campaigns) -> Event {
    let object = removed_name(&removal.object, campaigns);
    let text = format!("removal {} {object} {:?}", removal.author, removal.reason);
    let observed = observation(&text, [removal.version]);
    Event { removes: Some(removal.version), ..Event::of(removal.position, observed) }
}

fn item_event(shown: FeedItem, campaigns: &Campaigns) -> Event {
    let version = shown.record.version;
    let assessment = &shown.record.assessment;
    let observed = item(&shown.author, assessment, &shown.sharing, version, None, campaigns);
    let content = Some((shown.author, version, shown.record.sharing));
    Event { adds: Some(version), content, ..Event::of(shown.position, observed) }
}

fn sighting_event(sighting: SightingView) -> Event {
    let value = sighting.record.sighting.indicator.value();
    let text = format!("{} saw {value} {:?}", sighting.record.author, sighting.sharing);
    let observed = observation(&text, [sighting.position]);
    let content = Some((sighting.record.author, sighting.position, sighting.record.sharing));
    Event { content, ..Event::of(FeedPosition::after_item(sighting.position), observed) }
}

/// An object of a snapshot, as an event without a cursor.
pub fn snapshot_event(part: &SnapshotPart, campaigns: &Campaigns) -> Event {
    let (adds, (observed, content)) = match part {
        SnapshotPart::Item(shown) => {
            let (author, current) = (&shown.author, &shown.record);
            let version = current.version;
            let observed =
                item(author, &current.assessment, &shown.sharing, version, None, campaigns);
            let content = (author.clone(), version, current.sharing.clone());
            (Some(version), (observed, content))
        }
        SnapshotPart::Campaign(contribution) => {
            (None, observed_contribution(contribution, campaigns))
        }
        SnapshotPart::Enforcement(enforcement) => {
            (None, observed_enforcement(enforcement, campaigns))
        }
    };
    Event { adds, content: Some(content), ..Event::of(FeedPosition::default(), observed) }
}

/// The name of a removed object in a trace.
fn removed_name(object: &RemovedObject, campaigns: &Campaigns) -> String {
    match object {
        RemovedObject::Assessment(id) => id.to_string(),
        RemovedObject::Contribution(campaign) => campaigns.name(Some(*campaign)),
        RemovedObject::Enforcement(id) => id.to_string(),
    }
}

/// The items and removals of a batch, by position.
fn batch_events(event: &BatchEvent, campaigns: &Campaigns) -> Vec<Event> {
    let entry = &event.logged.entry;
    let Body::SubmissionBatch(batch) = &entry.body else { panic!("a batch") };
    let Outcome::Applied(outcomes) = &*event.outcome else { panic!("applied") };
    let author = entry.author.clone().unwrap();
    let mut events = Vec::new();
    let delivered: BTreeSet<usize> = event.ranges.iter().flat_map(Clone::clone).collect();
    for at in 0..batch.items.len() {
        let batch_item = &batch.items[at];
        for removal in event.removals.iter().filter(|removal| removal.item_index == at) {
            let text = format!("removal {author} {} {:?}", batch_item.id, removal.reason);
            let observed = observation(&text, [removal.version]);
            let removes = Some(removal.version);
            events.push(Event { removes, ..Event::of(removal.position, observed) });
        }
        if !delivered.contains(&at) {
            continue;
        }
        let version = Position::new(entry.sequence, batch_item.index);
        let replaces = match (&event.replaces, outcomes[at]) {
            (Some(replaces), _) => replaces[at],
            (None, ItemOutcome::Replaced(old)) => {
                Some(old).filter(|old| old.sequence >= event.visible_from)
            }
            (None, _) => None,
        };
        let named = batch_item.assessment.campaign;
        let received = named.filter(|id| event.is_author || event.campaigns.contains(id));
        let assessment = Assessment { campaign: received, ..batch_item.assessment.clone() };
        events.push(Event {
            position: FeedPosition::after_item(version),
            observed: item(&author, &assessment, &event.sharing, version, replaces, campaigns),
            adds: Some(version),
            removes: replaces,
            content: Some((author.clone(), version, batch.sharing.clone())),
            campaign: Some((named, received)),
        });
    }
    events
}

/// A deadline that no test reaches.
pub fn far_deadline(world: &World) -> tokio::time::Instant {
    world.read(async { tokio::time::Instant::now() + std::time::Duration::from_secs(60) })
}

/// The sightings and feedback that a partner sees.
pub fn observed_reactions(reactions: &Reactions) -> Vec<Observed> {
    let count = observation(&format!("seen {}", reactions.seen_count), []);
    let sightings = reactions.sightings.iter().map(|sighting| {
        let text = format!("{} {:?}", sighting.record.author, sighting.sharing);
        observation(&text, [sighting.position])
    });
    let feedback = reactions.feedback.iter().map(|feedback| {
        let text =
            format!("{} {:?} {:?}", feedback.author, feedback.record.opinion, feedback.sharing);
        observation(&text, [feedback.record.position, feedback.version])
    });
    std::iter::once(count).chain(sightings).chain(feedback).collect()
}
