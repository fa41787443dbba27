//! The reference backend in memory, with fault injection.

mod stream;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use self::stream::{Choose, MemoryStream, StreamNode, StreamPause};
use super::end::{JournalEnd, Stamped};
use crate::domain::{Entry, Timestamp};
use crate::journal::{
    Append, AppendError, AppendOutcome, Journal, JournalError, Stamp, TimeSource,
};

/// A fault for one batch, for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is stored, and each outcome is `Rejected`.
    Rejected,
    /// Nothing is stored, and each outcome is `Unknown`.
    Lost,
    /// Everything is stored, and each outcome is `Unknown`.
    StoredButUnanswered,
}

/// A journal that is dropped with the value.
pub struct MemoryJournal {
    inner: Mutex<Inner>,
    head: watch::Sender<u64>,
    time: TimeSource,
}

#[derive(Default)]
struct Inner {
    /// Encoded, and decoded at each read, like a backend on disk.
    entries: VecDeque<(Timestamp, Vec<u8>)>,
    /// The sequence of the first entry.
    oldest: u64,
    end: JournalEnd,
    faults: VecDeque<Fault>,
}

impl Inner {
    fn push(&mut self, new: &[Stamped<'_>], head: &watch::Sender<u64>) {
        let Some(first) = new.first() else { return };
        if self.end.sequence == 0 {
            self.oldest = first.stamp.sequence;
        }
        self.entries.extend(new.iter().map(|entry| (entry.stamp.time, entry.bytes.to_vec())));
        self.end.advance(new);
        head.send_replace(self.end.sequence);
    }
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new(time: TimeSource) -> Self {
        let inner = Mutex::new(Inner { oldest: 1, ..Inner::default() });
        Self { inner, head: watch::Sender::new(0), time }
    }

    /// Queues a fault. Each batch takes one from the queue.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").field("head", &self.head()).finish_non_exhaustive()
    }
}

impl Journal for MemoryJournal {
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let mut inner = self.lock();
        let fault = inner.faults.pop_front();
        let injected = || "injected by a test".to_owned();
        match fault {
            Some(Fault::Rejected) => {
                return batch.iter().map(|_| Err(AppendError::Rejected(injected()))).collect();
            }
            Some(Fault::Lost) => {
                return batch.iter().map(|_| Err(AppendError::Unknown(injected()))).collect();
            }
            Some(Fault::StoredButUnanswered) | None => {}
        }
        let plan = inner.end.plan(batch, &self.time);
        inner.push(&plan.new, &self.head);
        match fault {
            None => plan.outcomes,
            Some(_) => batch.iter().map(|_| Err(AppendError::Unknown(injected()))).collect(),
        }
    }

    fn put(&self, entries: &[Entry]) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let encoded = inner.end.encode(entries)?;
        inner.push(&JournalEnd::stamped(entries, &encoded), &self.head);
        Ok(())
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let inner = self.lock();
        let skipped = from
            .checked_sub(inner.oldest)
            .ok_or(JournalError::Trimmed { asked: from, oldest: inner.oldest })?;
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(inner.entries.len());
        let stored = inner.entries.range(skipped..).take(limit).zip(from..);
        stored.map(|((time, bytes), sequence)| Stamp::new(sequence, *time).decode(bytes)).collect()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    fn oldest(&self) -> u64 {
        self.lock().oldest
    }

    fn trim(&self, before: u64) -> Result<(), JournalError> {
        let mut inner = self.lock();
        while inner.oldest < before && inner.entries.len() > 1 {
            inner.entries.pop_front();
            inner.oldest += 1;
        }
        Ok(())
    }
}
