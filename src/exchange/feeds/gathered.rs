//! What a liaison is told of one entry: things of one kind at a time, each with a place to go on from.

use super::delivery::{Delivery, Done, Removed, Said, Shown};
use crate::domain::Position;
use crate::domain::cursor::Place;

/// One thing that a liaison is told.
pub(super) enum Told {
    Removed(Removed),
    Shown(Shown),
    Said(Box<Said>),
    Done(Done),
}

/// What was found of an entry so far, and the place behind it.
pub(super) struct Gathered {
    pub delivery: Option<Delivery>,
    pub place: Place,
}

impl Gathered {
    /// Nothing yet, behind a place.
    pub fn behind(place: Place) -> Self {
        Self { delivery: None, place }
    }

    /// Adds what there is up to a place. Tells whether it could: what is of another kind is looked at again
    /// behind this.
    pub fn add(&mut self, one: Told, place: Place) -> bool {
        match (&mut self.delivery, one) {
            (Some(Delivery::Removals(all)), Told::Removed(one)) => all.push(one),
            (Some(Delivery::Shown(all)), Told::Shown(one)) => all.push(one),
            (Some(Delivery::Done(all)), Told::Done(one)) => all.push(one),
            (Some(_), _) => return false,
            (empty @ None, one) => {
                *empty = Some(match one {
                    Told::Removed(one) => Delivery::Removals(vec![one]),
                    Told::Shown(one) => Delivery::Shown(vec![one]),
                    Told::Said(one) => Delivery::Said(one),
                    Told::Done(one) => Delivery::Done(vec![one]),
                });
            }
        }
        self.place = place;
        true
    }
}

/// The same where each version of an entry is two steps: to drop what it took the place of, and then it. A
/// liaison's places in such an entry count these, and nothing else.
pub(super) struct Steps {
    behind: Place,
    told: Gathered,
}

impl Steps {
    /// Nothing yet, behind a place.
    pub fn behind(place: Place) -> Self {
        Self { behind: place, told: Gathered::behind(place) }
    }

    /// Adds what a version took the place of, and what it says, where those are not behind the reader.
    /// Tells whether it could: what has to wait is looked at again.
    pub fn add(&mut self, version: Position, lost: Option<Removed>, says: Option<Told>) -> bool {
        let removed =
            Place::behind(Position::new(version.sequence, version.index.saturating_mul(2)));
        let lost = lost.map(|lost| Told::Removed(Removed { place: removed, ..lost }));
        let steps = [(lost, removed), (says, Self::content(version))];
        steps.into_iter().all(|(one, place)| match one {
            Some(one) if place > self.behind => self.told.add(one, place),
            _ => true,
        })
    }

    /// The place behind what a version says.
    pub fn content(version: Position) -> Place {
        let index = version.index.saturating_mul(2).saturating_add(1);
        Place::behind(Position::new(version.sequence, index))
    }

    /// What was found, and the place behind it.
    pub fn so_far(self) -> (Option<Delivery>, Place) {
        (self.told.delivery, self.told.place)
    }
}
