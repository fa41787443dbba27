//! The state of a liaison, built from its feed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tipoff::clock::Clock;
use tipoff::domain::assessment::Confidence;
use tipoff::domain::filter::Filter;
use tipoff::domain::purpose::{Purpose, PurposeKind};
use tipoff::domain::sharing::Audience;
use tipoff::domain::tip::TipState;
use tipoff::domain::{Cursor, PartnerId, Position, Timestamp, TipId};
use tipoff::exchange::{AccessedObjects, Caller, FeedEvent, FeedRequest, Start};

use crate::cast::id;
use crate::reader::{Event, events, far_deadline, snapshot_event};
use crate::trace::Observed;
use crate::world::{LIAISONS, World};

/// The number of assessments per page of a snapshot.
const PAGE: usize = 3;

/// A liaison's reader: its partner, its purpose and its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderSpec {
    pub liaison: u8,
    pub public_only: bool,
    pub filter: FilterSpec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterSpec {
    Everything,
    Confident,
    Author(u8),
}

/// The active releases and their ends, by the answers to release requests.
#[derive(Clone, Debug, Default)]
pub struct ActiveReleases(pub BTreeMap<(Position, u8), Option<Timestamp>>);

impl ActiveReleases {
    fn covers(&self, at: Position, liaison: u8, now: Timestamp) -> bool {
        let until = self.0.get(&(at, liaison));
        until.is_some_and(|until| until.is_none_or(|until| now < until))
    }
}

/// A reader across all its connections.
pub struct Reader {
    pub spec: ReaderSpec,
    /// The versions that it holds.
    pub held: BTreeSet<Position>,
    /// The versions of enforcements and campaign contributions that it held.
    pub other_versions: BTreeSet<Position>,
    /// The objects that it received since the last access record.
    pub received: Vec<(PartnerId, Position)>,
    /// The same for tips, and what the exchange says is to be recorded for them.
    pub received_tips: BTreeSet<(PartnerId, Position)>,
    pub accessed: AccessedObjects,
    cursor: Option<Cursor>,
}

pub fn liaison(which: u8) -> PartnerId {
    PartnerId::from_stored(LIAISONS[usize::from(which)])
}

pub fn caller(world: &World, which: u8) -> Caller {
    world.exchange().admit(&liaison(which)).unwrap()
}

pub fn warrant(world: &World) -> Purpose {
    let until = world.clock.now().plus(Duration::from_secs(360 * 86_400));
    let (reference, jurisdiction) = ("W-17".into(), "GB".into());
    Purpose { kind: PurposeKind::Warrant, reference, jurisdiction, until }
}

impl Reader {
    pub fn new(spec: ReaderSpec) -> Self {
        Self {
            spec,
            held: BTreeSet::new(),
            other_versions: BTreeSet::new(),
            received: Vec::new(),
            received_tips: BTreeSet::new(),
            accessed: AccessedObjects::default(),
            cursor: None,
        }
    }

    pub fn purpose(&self, world: &World) -> Purpose {
        let kind = if self.spec.public_only { PurposeKind::Public } else { PurposeKind::Warrant };
        Purpose { kind, ..warrant(world) }
    }

    pub fn feed_request(&self, world: &World) -> FeedRequest {
        let mut filter = Filter::default();
        match self.spec.filter {
            FilterSpec::Everything => {}
            FilterSpec::Confident => filter.min_confidence = Some(Confidence::new(50).unwrap()),
            FilterSpec::Author(author) => filter.authors = vec![id(author)],
        }
        FeedRequest { filter, purpose: Some(self.purpose(world)) }
    }

    /// Connects, takes at most this many events, and disconnects. `Err` is a violated guarantee.
    pub fn read(
        &mut self,
        world: &World,
        releases: &ActiveReleases,
        limit: usize,
    ) -> Result<Vec<Observed>, String> {
        let start = self.cursor.map_or(Start::Oldest, Start::After);
        let caller = caller(world, self.spec.liaison);
        let mut feed =
            world.exchange().feeds.feed(&caller, start, self.feed_request(world)).unwrap();
        let far = far_deadline(world);
        let mut observed = Vec::new();
        while observed.len() < limit {
            let Some(event) = world.read(feed.next_available(far)).unwrap() else {
                self.cursor = Some(feed.cursor());
                break;
            };
            let journal = feed.cursor().journal;
            let tip = match &event {
                FeedEvent::Tip(event) => Some(event.clone()),
                _ => None,
            };
            let events = events(event, &world.campaigns);
            let left = limit - observed.len();
            let all_taken = events.len() <= left;
            for event in events.into_iter().take(left) {
                match &tip {
                    Some(event) => self.take_tip(world, event)?,
                    None => self.take(world, releases, &event)?,
                }
                self.cursor = Some(Cursor { journal, position: event.position });
                observed.push(event.observed);
            }
            if all_taken {
                self.cursor = Some(feed.cursor());
            }
        }
        Ok(observed)
    }

    /// Checks an event, and applies it to what the reader holds.
    fn take(
        &mut self,
        world: &World,
        releases: &ActiveReleases,
        event: &Event,
    ) -> Result<(), String> {
        if let Some((author, at, sharing)) = &event.content {
            let is_public = sharing.audience == Audience::Public;
            let is_released = releases.covers(*at, self.spec.liaison, world.clock.now());
            let text = &event.observed.text;
            if !is_public && (self.spec.public_only || !is_released) {
                return Err(format!("{:?} receives what is not released: {text} {at}", self.spec));
            }
            let names_others = event.observed.text.contains("GroupId")
                || LIAISONS.iter().any(|other| {
                    *other != liaison(self.spec.liaison).as_str()
                        && text.contains(&format!("\"{other}\""))
                });
            if names_others {
                return Err(format!("{:?} sees the other recipients: {text}", self.spec));
            }
            self.received.push((author.clone(), *at));
        } else if event.removes.is_none() {
            return Err(format!("{:?} may not get {}", self.spec, event.observed.text));
        }
        if let Some(version) = event.removes {
            self.held.remove(&version);
        }
        if let Some((_, at, _)) = &event.content {
            self.held.insert(*at);
            if event.adds.is_none() {
                self.other_versions.insert(*at);
            }
        }
        Ok(())
    }

    /// The state of each of its tips, by a feed that is read from the beginning.
    pub fn tips_from_the_beginning(&self, world: &World) -> BTreeMap<TipId, TipState> {
        let caller = caller(world, self.spec.liaison);
        let mut feed =
            world.exchange().feeds.feed(&caller, Start::Oldest, self.feed_request(world)).unwrap();
        let far = far_deadline(world);
        let mut states = BTreeMap::new();
        while let Some(event) = world.read(feed.next_available(far)).unwrap() {
            if let FeedEvent::Tip(event) = event {
                let threads = event.tip.threads.iter();
                states.extend(threads.map(|thread| (event.tip.id, thread.state)));
            }
        }
        states
    }

    /// Takes a snapshot that replaces its state.
    pub fn snapshot(
        &mut self,
        world: &World,
        releases: &ActiveReleases,
    ) -> Result<Vec<Observed>, String> {
        let caller = caller(world, self.spec.liaison);
        let mut snapshot =
            world.exchange().feeds.snapshot(&caller, self.feed_request(world)).unwrap();
        self.held.clear();
        let mut observed = Vec::new();
        while let Some(page) = snapshot.next_page(PAGE).unwrap() {
            for part in &page {
                let event = snapshot_event(part, &world.campaigns);
                self.take(world, releases, &event)?;
                observed.push(event.observed);
            }
        }
        self.cursor = Some(snapshot.cursor());
        Ok(observed)
    }
}
