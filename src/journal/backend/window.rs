//! The window of recent append ids, which makes retries idempotent.

use std::collections::{HashMap, VecDeque};

use crate::domain::entry::AppendId;
use crate::journal::Stamp;

/// Number of ids remembered. Older repetitions are detected by apply, which keeps every idempotency key.
pub const WINDOW: usize = 8_192;

/// Stamps of recent ids. The oldest id is dropped first.
#[derive(Clone, Debug, Default)]
pub struct DedupWindow {
    stamps: HashMap<AppendId, Stamp>,
    order: VecDeque<AppendId>,
}

impl DedupWindow {
    /// The stamp of a remembered id.
    pub fn find(&self, id: AppendId) -> Option<Stamp> {
        self.stamps.get(&id).map(|stamp| Stamp { repeated: true, ..*stamp })
    }

    /// Adds an id.
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
