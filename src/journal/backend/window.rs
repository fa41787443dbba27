//! The ids of the latest appends, so that one that is tried again is not stored again.

use std::collections::{HashMap, VecDeque};

use crate::domain::entry::AppendId;
use crate::journal::Stamp;

/// How many ids are remembered. A repetition that is older is found by apply, which keeps every
/// key.
pub const WINDOW: usize = 8_192;

/// The stamps of the latest ids, by their order.
#[derive(Clone, Debug, Default)]
pub struct DedupWindow {
    stamps: HashMap<AppendId, Stamp>,
    order: VecDeque<AppendId>,
}

impl DedupWindow {
    /// The stamp that an id got, while it is remembered.
    pub fn find(&self, id: AppendId) -> Option<Stamp> {
        self.stamps.get(&id).map(|stamp| Stamp { repeated: true, ..*stamp })
    }

    /// Remembers an id.
    pub fn insert(&mut self, id: AppendId, stamp: Stamp) {
        if self.stamps.insert(id, stamp).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.stamps.remove(&oldest);
        }
    }
}
