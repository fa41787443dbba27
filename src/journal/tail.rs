//! Cache of recent entries, shared by all readers.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::domain::entry::Body;
use crate::domain::{CampaignId, Entry};

/// An entry shared by readers, with a place for values that are computed from it once.
#[derive(Debug)]
pub struct LoggedEntry {
    /// The entry.
    pub entry: Entry,
    size: usize,
    computed: OnceLock<Arc<dyn Any + Send + Sync>>,
    campaigns: OnceLock<Box<[CampaignId]>>,
}

impl LoggedEntry {
    /// Wraps an entry. `size` is its encoded size in bytes.
    pub fn new(entry: Entry, size: usize) -> Self {
        Self { entry, size, computed: OnceLock::new(), campaigns: OnceLock::new() }
    }

    /// A value computed from the entry. The first caller computes it, and all share it. An entry caches
    /// one type; a caller of another type computes its value every time.
    pub fn cached<T: Send + Sync + 'static>(&self, compute: impl Fn(&Entry) -> T) -> Arc<T> {
        let computed = self.computed.get_or_init(|| Arc::new(compute(&self.entry)));
        Arc::clone(computed).downcast().unwrap_or_else(|_| Arc::new(compute(&self.entry)))
    }
}

impl LoggedEntry {
    /// The distinct campaigns that a batch names. Computed at the first call.
    pub fn campaigns(&self) -> &[CampaignId] {
        self.campaigns.get_or_init(|| match &self.entry.body {
            Body::SubmissionBatch(batch) => {
                let named = batch.items.iter().filter_map(|item| item.assessment.campaign);
                named.collect::<BTreeSet<_>>().into_iter().collect()
            }
            _ => Box::default(),
        })
    }
}

/// The newest entries of a journal, without gaps, bounded in bytes.
#[derive(Debug)]
pub struct Tail {
    recent: RwLock<Recent>,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Recent {
    entries: VecDeque<Arc<LoggedEntry>>,
    bytes: usize,
}

impl Tail {
    /// An empty cache of up to `max_bytes` of encoded entries.
    pub fn new(max_bytes: usize) -> Self {
        Self { recent: RwLock::default(), max_bytes }
    }

    /// Adds the newest entries. After an append with unknown outcome, entries may be missing here; the
    /// cache then starts over, so that it never has a gap.
    pub fn push(&self, entries: impl IntoIterator<Item = Arc<LoggedEntry>>) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        for logged in entries {
            let last = recent.entries.back().map(|last| last.entry.sequence);
            if last.is_some_and(|last| last + 1 != logged.entry.sequence) {
                *recent = Recent::default();
            }
            recent.bytes += logged.size;
            recent.entries.push_back(logged);
        }
        while recent.bytes > self.max_bytes && recent.entries.len() > 1 {
            if let Some(oldest) = recent.entries.pop_front() {
                recent.bytes -= oldest.size;
            }
        }
    }

    /// Up to `limit` entries starting at sequence `from`. `None` if entry `from` is not cached.
    pub fn read(&self, from: u64, limit: usize) -> Option<Vec<Arc<LoggedEntry>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let first = recent.entries.front()?.entry.sequence;
        let skipped = usize::try_from(from.checked_sub(first)?).ok()?;
        (skipped < recent.entries.len())
            .then(|| recent.entries.range(skipped..).take(limit).cloned().collect())
    }
}
