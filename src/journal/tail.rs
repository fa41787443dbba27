//! Recent entries in memory, shared by all readers.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::domain::entry::Body;
use crate::domain::{CampaignId, Entry};

/// An entry as readers share it, with room for what they compute of it once for all.
#[derive(Debug)]
pub struct LoggedEntry {
    /// The entry.
    pub entry: Entry,
    size: usize,
    computed: OnceLock<Arc<dyn Any + Send + Sync>>,
    campaigns: OnceLock<Box<[CampaignId]>>,
}

impl LoggedEntry {
    /// An entry with its size in bytes.
    pub fn new(entry: Entry, size: usize) -> Self {
        Self { entry, size, computed: OnceLock::new(), campaigns: OnceLock::new() }
    }

    /// What `compute` makes of the entry: made by the first who asks, and shared by all. An entry
    /// holds one such value; who asks for another type computes it alone.
    pub fn cached<T: Send + Sync + 'static>(&self, compute: impl Fn(&Entry) -> T) -> Arc<T> {
        let computed = self.computed.get_or_init(|| Arc::new(compute(&self.entry)));
        Arc::clone(computed).downcast().unwrap_or_else(|_| Arc::new(compute(&self.entry)))
    }
}

impl LoggedEntry {
    /// The campaigns that the items of a batch name, each once: looked for by the first who asks.
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

/// The newest entries of a journal, without a gap, bounded in bytes.
#[derive(Debug)]
pub struct Tail {
    recent: RwLock<Recent>,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct Recent {
    entries: VecDeque<Arc<LoggedEntry>>,
    bytes: usize,
}

impl Tail {
    /// An empty tail that holds up to so many bytes of entries, as they lie on disk.
    pub fn new(most_bytes: usize) -> Self {
        Self { recent: RwLock::default(), most_bytes }
    }

    /// Takes the newest entries. Behind an append whose fate was unknown there may be entries that
    /// are not here: the tail then begins anew, so that it never has a gap.
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
        while recent.bytes > self.most_bytes && recent.entries.len() > 1 {
            if let Some(oldest) = recent.entries.pop_front() {
                recent.bytes -= oldest.size;
            }
        }
    }

    /// Up to `most` entries from `from` on; `None` when the first of them is not here.
    pub fn read(&self, from: u64, most: usize) -> Option<Vec<Arc<LoggedEntry>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let first = recent.entries.front()?.entry.sequence;
        let skipped = usize::try_from(from.checked_sub(first)?).ok()?;
        (skipped < recent.entries.len())
            .then(|| recent.entries.range(skipped..).take(most).cloned().collect())
    }
}
