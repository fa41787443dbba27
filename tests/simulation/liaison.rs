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
use crate::reader::{Event, events, in_snapshot, tokio_instant_far};
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
pub struct Released(pub BTreeMap<(Position, u8), Option<Timestamp>>);

impl Released {
    fn covers(&self, at: Position, liaison: u8, now: Timestamp) -> bool {
        let until = self.0.get(&(at, liaison));
        until.is_some_and(|until| until.is_none_or(|until| now < until))
    }
}

/// A reader across all its connections.
pub struct Reader {
    pub of: ReaderSpec,
    pub held: BTreeSet<Position>,
    /// The held versions that are not assessments.
    pub deeds: BTreeSet<Position>,
    /// What it received since the last access record.
    pub given: Vec<(PartnerId, Position)>,
    /// The same for tips, and what the exchange says is to be recorded for them.
    pub given_tips: BTreeSet<(PartnerId, Position)>,
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
    pub fn new(of: ReaderSpec) -> Self {
        Self {
            of,
            held: BTreeSet::new(),
            deeds: BTreeSet::new(),
            given: Vec::new(),
            given_tips: BTreeSet::new(),
            accessed: AccessedObjects::default(),
            cursor: None,
        }
    }

    pub fn purpose(&self, world: &World) -> Purpose {
        let kind = if self.of.public_only { PurposeKind::Public } else { PurposeKind::Warrant };
        Purpose { kind, ..warrant(world) }
    }

    pub fn wanted(&self, world: &World) -> FeedRequest {
        let mut filter = Filter::default();
        match self.of.filter {
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
        released: &Released,
        limit: usize,
    ) -> Result<Vec<Observed>, String> {
        let start = self.cursor.map_or(Start::Oldest, Start::After);
        let caller = caller(world, self.of.liaison);
        let mut feed = world.exchange().feeds.feed(&caller, start, self.wanted(world)).unwrap();
        let far = tokio_instant_far(world);
        let mut seen = Vec::new();
        while seen.len() < limit {
            let Some(delivery) = world.read(feed.next_available(far)).unwrap() else {
                self.cursor = Some(feed.cursor());
                break;
            };
            let journal = feed.cursor().journal;
            let tip = match &delivery {
                FeedEvent::Tip(one) => Some(one.clone()),
                _ => None,
            };
            let events = events(delivery, &world.campaigns);
            let left = limit - seen.len();
            let all_taken = events.len() <= left;
            for event in events.into_iter().take(left) {
                match &tip {
                    Some(one) => self.take_tip(world, one)?,
                    None => self.take(world, released, &event)?,
                }
                self.cursor = Some(Cursor { journal, position: event.place });
                seen.push(event.observed);
            }
            if all_taken {
                self.cursor = Some(feed.cursor());
            }
        }
        Ok(seen)
    }

    fn take(&mut self, world: &World, released: &Released, event: &Event) -> Result<(), String> {
        if let Some((author, at, sharing)) = &event.content {
            let is_public = sharing.audience == Audience::Public;
            let covered = released.covers(*at, self.of.liaison, world.clock.now());
            if !is_public && (self.of.public_only || !covered) {
                let text = &event.observed.text;
                return Err(format!("{:?} is given what is not released: {text} {at}", self.of));
            }
            let foreign = event.observed.text.contains("GroupId")
                || LIAISONS.iter().any(|one| {
                    *one != liaison(self.of.liaison).as_str()
                        && event.observed.text.contains(&format!("\"{one}\""))
                });
            if foreign {
                return Err(format!("{:?} sees who else does: {}", self.of, event.observed.text));
            }
            self.given.push((author.clone(), *at));
        } else if event.drops.is_none() {
            return Err(format!("{:?} may not get {}", self.of, event.observed.text));
        }
        if let Some(version) = event.drops {
            self.held.remove(&version);
        }
        if let Some((_, at, _)) = &event.content {
            self.held.insert(*at);
            if event.holds.is_none() {
                self.deeds.insert(*at);
            }
        }
        Ok(())
    }

    /// The state of each of its tips, by a feed that is read from the beginning.
    pub fn tips_from_the_beginning(&self, world: &World) -> BTreeMap<TipId, TipState> {
        let caller = caller(world, self.of.liaison);
        let mut feed =
            world.exchange().feeds.feed(&caller, Start::Oldest, self.wanted(world)).unwrap();
        let far = tokio_instant_far(world);
        let mut states = BTreeMap::new();
        while let Some(delivery) = world.read(feed.next_available(far)).unwrap() {
            if let FeedEvent::Tip(one) = delivery {
                states.extend(one.tip.threads.iter().map(|thread| (one.tip.id, thread.state)));
            }
        }
        states
    }

    /// Takes a snapshot that replaces its state.
    pub fn snapshot(
        &mut self,
        world: &World,
        released: &Released,
    ) -> Result<Vec<Observed>, String> {
        let caller = caller(world, self.of.liaison);
        let mut snapshot = world.exchange().feeds.snapshot(&caller, self.wanted(world)).unwrap();
        self.held.clear();
        let mut seen = Vec::new();
        while let Some(page) = snapshot.next_page(PAGE).unwrap() {
            for part in &page {
                let event = in_snapshot(part, &world.campaigns);
                self.take(world, released, &event)?;
                seen.push(event.observed);
            }
        }
        self.cursor = Some(snapshot.cursor());
        Ok(seen)
    }
}
